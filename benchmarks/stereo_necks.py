"""Completeness of scans at the neck, the ears and the face: 24 heads, each garment three times, at 384² and 4 samples.

For each head: of the skin that three or more views see, the share with scan within 1.5 mm; the same of its clear
pixels, which have skin all around (see `measure_quality`); and core seconds of rebuilding. The neck is all skin below
the jaw, what a garment leaves of the chest included. Images are clean; all but these two kinds is drawn from the seed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assets.head_models.registry import load_head_model
from assets.makehuman.regions import jaw_distance
from capture import Capture, HeadSurface, Scan
from factory.stages.generate import generate_head
from factory.stages.reconstruct import reconstruct_head
from factory.stages.seeds import head_name
from factory.stages.settings import Execution, RenderSettings, ScanSettings
from generator.components.garment import KINDS
from generator.distributions import Distributions
from generator.head import build_head
from generator.spec import HeadSpec
from labeling.quality import measure_regions
from reconstruction.settings import ReconstructionSettings

RESOLUTION, SAMPLES = 384, 4
FIRST_SEED = 901
ROUNDS = 3  # heads of each garment
CLEAN = {"photo": {"kind": "studio"}}  # the limits are those of clean images, as in benchmarks/stereo.py
LIMITS = {"neck": 0.9, "ears": 0.9}
REGIONS = ("neck", "ears", "face")
HEADER = "garment        seed" + "".join(f"  {name:>4s} cm² within  clear" for name in REGIONS) + "  core_s"


def garments() -> dict[int, str]:
    """Seed -> garment: every kind once before any comes again."""
    return {FIRST_SEED + i: kind for i, kind in enumerate([*KINDS] * ROUNDS)}


def compare_necks(out: Path, heads: int, backend: str, threads: int | None) -> None:
    """Render and rebuild the first `heads` heads, those that are whole already aside, and print the table.

    Raises `SystemExit` where a mean misses its limit.
    """
    rows: list[list[float | None]] = []
    print(HEADER)
    for seed, kind in list(garments().items())[:heads]:
        render = RenderSettings(RESOLUTION, SAMPLES, distributions=Distributions(CLEAN | {"garment": {"kind": kind}}))
        folder, execution = out / f"necks_{RESOLUTION}" / head_name(seed), Execution(threads=threads)
        generate_head(seed, folder.parent, render, execution)
        before = _children_seconds()
        reconstruct_head(folder, ScanSettings(ReconstructionSettings(backend)), execution)
        seconds = _children_seconds() - before
        found = completeness(folder)
        row = [found[name + clear]["within_1_5_mm"] for name in REGIONS for clear in ("", "_clear")]
        rows.append([found[name]["area_cm2"] for name in REGIONS] + row + [seconds])
        print(_line(f"{kind:12s} {seed:6d}", rows[-1]), flush=True)
    means = np.nanmean(np.array(rows, float), axis=0)  # None, where nothing of a region is seen, becomes nan
    print(_line(f"mean of {len(rows):3d}        ", means))
    of_all = dict(zip(REGIONS, means[len(REGIONS) :: 2], strict=False))
    if misses := [f"{name} {of_all[name]:.3f} < {limit}" for name, limit in LIMITS.items() if of_all[name] < limit]:
        raise SystemExit("limits missed: " + "; ".join(misses))


def completeness(folder: Path) -> dict[str, dict[str, float]]:
    """Region -> completeness, of the scan in a synthetic capture."""
    capture = Capture.read(folder)
    head, scan = HeadSurface.read(capture.head_path), Scan.read(capture.scan_path)
    return measure_regions(scan, head, capture, head_regions(capture, head))


def head_regions(capture: Capture, head: HeadSurface) -> dict[str, NDArray[np.bool_]]:
    """Region -> (V,) vertices of the head: the head model's own regions, evaluated and subdivided as for rendering."""
    spec = HeadSpec.from_json(capture.info.spec)
    geometry = build_head(load_head_model(spec.shape.model), spec.shape)
    rest = np.zeros(len(head.vertices) - len(geometry.skin.vertices), bool)  # eyes, teeth and tongue come behind
    if not np.array_equal(geometry.skin.vertices.astype(np.float32), head.vertices[: -len(rest)]):
        raise SystemExit(f"{capture.folder}: another version of the generator has made this head; render it again")
    ears = geometry.skin.masks["ears"] >= 0.5
    below = jaw_distance(geometry.skin.base[:, 1], geometry.skin.base[:, 2]) < 0
    assert head.face_mask is not None
    neck = np.concatenate([below & ~ears, rest]) & ~head.face_mask
    return {"neck": neck, "ears": np.concatenate([ears, rest]), "face": head.face_mask}


def _line(start: str, values: Sequence[float | None]) -> str:
    """A line of the table; values are the regions' areas, their shares, all and clear in turn, and the seconds."""
    *numbers, seconds = np.array(values, float)
    areas, shares = numbers[: len(REGIONS)], numbers[len(REGIONS) :]
    columns = (f"{area:10.1f} {shares[2 * i]:6.3f} {shares[2 * i + 1]:6.3f}" for i, area in enumerate(areas))
    return f"{start}" + "".join(columns) + f" {seconds:7.1f}"


def _children_seconds() -> float:
    """Core seconds of all processes that were started and have ended."""
    times = os.times()
    return times.children_user + times.children_system
