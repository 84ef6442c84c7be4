"""How good the scans of four kinds of heads are: no hair, short, long, and curly with a beard.

Renders, rebuilds and labels them with the default settings, then prints a table of what `quality.json` says.

    python benchmarks/scan_quality.py --out out/quality [--resolution 512] [--samples 16]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from factory.console import setup_logging
from factory.production import RenderSettings, ScanSettings, make_heads
from factory.stages import history
from generator.distributions import Distributions

HEADS = ((7, "none", "none"), (1, "short", "none"), (2, "long", "none"), (3, "curly", "short"))


def main() -> None:
    """Print the table; what is whole in the output folder is not made again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/quality"))
    parser.add_argument("--resolution", type=int, default=512)
    parser.add_argument("--samples", type=int, default=16)
    options = parser.parse_args()
    setup_logging()
    columns = "seed hair beard  vertices skin  median_mm p90_mm  within_1.0 within_1.5  render_s scan_s"
    rows = [columns]
    for seed, hair, beard in HEADS:
        wishes = Distributions({"hair": {"family": hair}, "beard": {"family": beard}})
        render = RenderSettings(options.resolution, options.samples, distributions=wishes)
        (folder,) = make_heads([seed], options.out, render, ScanSettings(backend="cpu"))
        quality, stages = json.loads((folder / "quality.json").read_text()), history(folder)
        skin, face = quality["accuracy"]["skin_labels"], quality["completeness"]["face_mask"]
        complete = f"{face['within_1_0_mm']:10.3f} {face['within_1_5_mm']:10.3f}"
        rows.append(
            f"{seed:4d} {hair:5s} {beard:6s} {quality['vertices']:8d} {quality['skin_share']:5.2f} "
            f"{skin['median_mm']:9.3f} {skin['p90_mm']:7.3f} {complete} "
            f"{stages['generate']['seconds']:9.0f} {stages['reconstruct']['seconds']:6.0f}"
        )
    print("\n".join(rows))


if __name__ == "__main__":
    main()
