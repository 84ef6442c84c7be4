"""Spread of the sampled faces beside that of measured people.

    python -m benchmarks.anthropometry --heads 400

Published: Zhuang and Bradtmiller, "Head-and-face anthropometric survey of U.S. respirator users", Journal of
Occupational and Environmental Hygiene 2 (2005): 3997 adults, 18 to 66 years. Millimetres.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

import numpy as np

from assets.makehuman.head import MakeHumanHead
from assets.makehuman.model import load_default_model
from assets.parameter_sampler import ParameterSampler

Values = Mapping[str, np.ndarray]

# measure -> sex -> (mean, standard deviation) in mm
PUBLISHED: dict[str, dict[str, tuple[float, float]]] = {
    "pupils apart": {"male": (64.5, 3.6), "female": (61.9, 3.5)},
    "head breadth": {"male": (153.0, 6.0), "female": (146.8, 5.6)},
    "head length": {"male": (197.3, 7.4), "female": (187.5, 7.2)},
    "bizygomatic breadth": {"male": (143.5, 6.9), "female": (135.1, 6.5)},
    "sellion to menton": {"male": (122.7, 7.0), "female": (113.4, 6.1)},
    "sellion to subnasale": {"male": (52.0, 4.1), "female": (48.2, 3.8)},
    "nose breadth": {"male": (36.6, 4.1), "female": (33.2, 3.9)},
    "lip length": {"male": (51.1, 4.2), "female": (48.0, 4.0)},
}


def measure(model: MakeHumanHead, heads: int) -> dict[str, Values]:
    """sex -> measure -> (n,) mm of the neutral faces of the streams 0 to heads - 1."""
    mean = model.vertices(model.mean_identity, model.neutral_expression())
    skin = np.unique(model.polygons[model.polygon_parts == 0])
    skin = skin[model.regions["ears"][skin] < 0.5]
    cranium = skin[mean[skin, 2] > 0]
    cheeks = skin[(mean[skin, 2] > -0.06) & (mean[skin, 2] < 0) & (mean[skin, 1] < 0.075)]
    eyes = [np.unique(model.polygons[model.polygon_parts == part])[[0, -1]] for part in (1, 2)]
    distances: dict[str, dict[str, list[float]]] = {sex: {name: [] for name in PUBLISHED} for sex in ("male", "female")}
    for seed in range(heads):
        identity = model.sample_identity(ParameterSampler(np.random.default_rng(seed)))
        vertices = model.vertices(identity, model.neutral_expression()) * 1000
        sex = "male" if model.traits(identity)["masculine"] > 0.5 else "female"
        values = {
            "pupils apart": np.linalg.norm(vertices[eyes[0]].mean(axis=0) - vertices[eyes[1]].mean(axis=0)),
            "head breadth": np.ptp(vertices[cranium, 0]),
            "head length": np.ptp(vertices[cranium, 1]),
            "bizygomatic breadth": np.ptp(vertices[cheeks, 0]),
            "sellion to menton": _apart(model, vertices, "nasion", "chin"),
            "sellion to subnasale": _apart(model, vertices, "nasion", "nose_base_2"),
            "nose breadth": _apart(model, vertices, "left_nostril_wing", "right_nostril_wing"),
            "lip length": _apart(model, vertices, "left_mouth_corner", "right_mouth_corner"),
        }
        for name, value in values.items():
            distances[sex][name].append(float(value))
    return {sex: {name: np.array(values) for name, values in table.items()} for sex, table in distances.items()}


def _apart(model: MakeHumanHead, vertices: np.ndarray, first: str, second: str) -> float:
    return float(np.linalg.norm(vertices[model.landmarks[first]] - vertices[model.landmarks[second]]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="The spread of the drawn faces beside measured people.")
    parser.add_argument("--heads", type=int, default=400)
    measured = measure(load_default_model(), parser.parse_args().heads)
    write = sys.stdout.write
    write(f"{'mm, mean ± sd':22}{'':8}{'ours':>14}{'published':>14}{'off by sd':>11}{'sd ratio':>10}\n")
    for name, sexes in PUBLISHED.items():
        for sex, (mean, spread) in sexes.items():
            values = measured[sex][name]
            own, deviation = float(values.mean()), float(values.std())
            write(
                f"{name:22}{sex:8}{own:8.1f} ± {deviation:3.1f}{mean:8.1f} ± {spread:3.1f}"
                f"{(own - mean) / spread:11.2f}{deviation / spread:10.2f}\n"
            )


if __name__ == "__main__":
    main()
