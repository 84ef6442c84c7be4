"""Accuracy of the scans: six kinds of heads against the ground truth, at 512² and 1024².

Renders, rebuilds and labels them (what is whole in the output folder is not made again), and prints a table of what
`quality.json` says, with the seconds of rendering and rebuilding and the most memory that rebuilding held. Accuracy is
that of vertices that fall on skin in the class masks of every view that sees them, near the surface or not. Where the
same head is there at a lower resolution, the growth of the time with the pixels is printed (exponent 1 is linear). Ends
with an error where a number misses its limit.

    python -m benchmarks.stereo --resolution 512 [--heads none,long] [--samples 16] [--out out/stereo]
    python -m benchmarks.stereo --peer          # also a peer's depth maps, see benchmarks/stereo_peer.py
    python -m benchmarks.stereo --necks 24      # instead: necks, ears and faces, see benchmarks/stereo_necks.py
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from benchmarks.stereo_necks import compare_necks
from benchmarks.stereo_peer import compare_depth_maps
from factory.console import setup_logging
from factory.stages.heads import make_heads
from factory.stages.settings import RenderSettings, ScanSettings
from factory.stages.stamps import history
from generator.distributions import Distributions
from reconstruction.settings import ReconstructionSettings

BARE = {
    "hair": {"family": "none"},
    "beard": {"family": "none"},
    "headwear": {"kind": "none"},
    "eyewear": {"kind": "none"},
    "photo": {"kind": "studio"},  # the limits are those of clean images
}
HEADS: dict[str, tuple[int, dict[str, Any]]] = {
    "none": (7, BARE),
    "short": (1, BARE | {"hair": {"family": "crop"}}),
    "long": (2, BARE | {"hair": {"family": "long_wavy"}}),
    "curly": (3, BARE | {"hair": {"family": "curly"}}),
    "beard": (4, BARE | {"hair": {"family": "crop"}, "beard": {"family": "full"}}),
    "glasses": (5, BARE | {"hair": {"family": "crop"}, "eyewear": {"kind": "rectangular"}}),
}
"""Name -> seed and what is fixed."""

# Resolution -> median and 90th percentile in mm, share of the face within 1 mm.
LIMITS = {512: (0.25, 0.9, 0.95), 1024: (0.15, 0.5, 0.97)}
# Resolution -> seconds of rebuilding on two cores, and GiB; vertices where they are limited.
COSTS = {512: (150.0, 4.0), 1024: (600.0, 4.0)}
VERTICES = {1024: (200_000, 300_000)}
HEADER = "head     seed vertices  skin median   p90 mm  face<1.0    clear  skin<1.0   hair  render_s  scan_s  scan_gib"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/stereo"))
    parser.add_argument("--resolution", type=int, default=512)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--heads", default=",".join(HEADS))
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--peer", action="store_true", help="compare depth maps with a peer's")
    parser.add_argument("--necks", type=int, metavar="HEADS", help="this many heads of benchmarks/stereo_necks.py")
    parser.add_argument("--threads", type=int, help="of rendering and rebuilding those")
    options = parser.parse_args()
    setup_logging()
    if options.necks:
        compare_necks(options.out, options.necks, options.backend, options.threads)
        return
    rows, misses = [], []
    for name in options.heads.split(","):
        seed, overrides = HEADS[name]
        render = RenderSettings(options.resolution, options.samples, distributions=Distributions(overrides))
        root = options.out / f"{name}_{options.resolution}"
        (folder,) = make_heads([seed], root, render, ScanSettings(ReconstructionSettings(options.backend)))
        quality = json.loads((folder / "quality.json").read_text())
        rows.append(row(name, seed, quality, history(folder)))
        missed = check(quality, options.resolution) + check_cost(history(folder), options.resolution)
        misses += [f"{name}: {miss}" for miss in missed]
        rows += growth(options.out, name, seed, options.resolution)
        if options.peer:
            rows += compare_depth_maps(folder)
    print(HEADER)
    print("\n".join(rows))
    if misses:
        raise SystemExit("limits missed: " + "; ".join(misses))


def row(name: str, seed: int, quality: dict[str, Any], stages: dict[str, dict[str, Any]]) -> str:
    """One line of the table."""
    skin, complete = quality["accuracy"]["skin_pixels"], quality["completeness"]
    face, clear, hair = complete["face_mask"], complete["face_mask_clear"], complete["hair"]
    return (
        f"{name:8s} {seed:4d} {quality['vertices']:8d} {quality['skin_share']:5.2f} {skin['median_mm']:6.3f} "
        f"{skin['p90_mm']:8.3f} {face['within_1_0_mm']:9.3f} {clear['within_1_0_mm']:8.3f} "
        f"{complete['visible_skin']['within_1_0_mm']:9.3f} {'     -' if hair is None else f'{hair:6.3f}'} "
        f"{stages['generate']['seconds']:9.0f} {stages['reconstruct']['seconds']:7.0f} "
        f"{stages['reconstruct']['peak_gib']:9.2f}"
    )


def check(quality: dict[str, Any], resolution: int) -> list[str]:
    """Measures that miss their limits, in words."""
    if resolution not in LIMITS:
        return []
    median, high, share = LIMITS[resolution]
    skin, face = quality["accuracy"]["skin_pixels"], quality["completeness"]["face_mask_clear"]
    errors = [("median", skin["median_mm"], median), ("90th percentile", skin["p90_mm"], high)]
    misses = [f"{what} {value:.3f} > {limit} mm" for what, value, limit in errors if value > limit]
    if face["within_1_0_mm"] < share:
        misses.append(f"face {face['within_1_0_mm']:.3f} < {share}")
    if resolution in VERTICES and not VERTICES[resolution][0] <= quality["vertices"] <= VERTICES[resolution][1]:
        misses.append(f"{quality['vertices']} vertices")
    return misses


def check_cost(stages: dict[str, dict[str, Any]], resolution: int) -> list[str]:
    """Time and memory beyond their limits, in words."""
    if resolution not in COSTS:
        return []
    scan, (seconds, gib) = stages["reconstruct"], COSTS[resolution]
    misses = [f"{scan['seconds']:.0f} s > {seconds:.0f} s"] if scan["seconds"] > seconds else []
    return misses + ([f"{scan['peak_gib']:.2f} GiB > {gib} GiB"] if scan["peak_gib"] > gib else [])


def growth(out: Path, name: str, seed: int, resolution: int) -> list[str]:
    """Seconds of rebuilding against pixels, between this resolution and each lower one that is there."""
    lines = []
    for lower in sorted(value for value in LIMITS if value < resolution):
        one, two = (history(out / f"{name}_{r}" / f"head_{seed:08d}") for r in (lower, resolution))
        if "reconstruct" in one and one["reconstruct"]["seconds"] > 0:
            times = two["reconstruct"]["seconds"] / one["reconstruct"]["seconds"]
            pixels = (resolution / lower) ** 2
            lines.append(
                f"         {times:.2f} x the seconds of {lower}² for {pixels:.0f} x the pixels: "
                f"exponent {math.log(times) / math.log(pixels):.2f}"
            )
    return lines


if __name__ == "__main__":
    main()
