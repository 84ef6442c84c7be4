"""Scans in styles: of every hair family the completeness of hair and face by style, and what a further style costs.

Renders and rebuilds a head of each family (what is whole in the output folder is not rendered again), in all styles
that are named, from the same depth maps. Completeness of hair is the share of the pixels that show hair behind which
there is scan; face is that of the face mask where its surroundings are skin, within 1 mm, skin that of all visible skin
within 1.5 mm; exact is the share of the surface seen as skin that lies within 1.5 mm of it. Costs are core seconds of
this process: of the depth maps, their fusion and the surface through them, of each style's mesh and of its labels. Ends
with an error where hair is less than 60 % complete in the style `hair`.

    python -m benchmarks.styles --out out/styles [--resolution 384] [--styles trimmed,hair] [--families afro,curly]
    python -m benchmarks.styles --out out/styles --picture styles.png   # and every scan from the side
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from capture import Capture, HeadSurface, Labels, PixelClass, Scan
from capture.geometry import vertex_areas
from factory.console import setup_logging
from factory.stages.generate import generate_head
from factory.stages.settings import Execution, RenderSettings
from generator.distributions import Distributions
from labeling.labels import label_scan, seen_in
from labeling.quality import measure_quality
from labeling.settings import LabelSettings
from labeling.visibility import ScanViews
from reconstruction import pipeline
from reconstruction.settings import ReconstructionSettings
from reconstruction.styles import STYLES
from scans.pictures.pyvista_renderer import render_mesh

FAMILIES = (
    *("balding", "buzz", "crop", "side_part", "slicked", "curly", "afro", "bob", "long_straight", "long_wavy"),
    *("fringe", "ponytail", "bun", "braids"),
)
BARE = {"headwear": {"kind": "none"}, "eyewear": {"kind": "none"}}
FIRST_SEED = 7300
WANTED = 0.6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/styles"))
    parser.add_argument("--resolution", type=int, default=384)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--styles", default="trimmed,hair,closed,shell,fringed")
    parser.add_argument("--picture", type=Path, help="PNG of all scans, a row a head")
    options = parser.parse_args()
    setup_logging()
    names, rows, misses, pictures = options.styles.split(","), [], [], []
    for family in options.families.split(","):
        folder = rendered(family, options)
        made, seconds = rebuilt(folder, names)
        labelled = [measured(folder, scan) for scan in made.values()]
        rows.append(row(family, names, labelled, seconds))
        for name, (hair, *_) in zip(names, labelled, strict=True):
            if name == "hair" and hair < WANTED:
                misses.append(f"{family}: hair {hair:.2f}")
        if options.picture:
            pictures.append([(f"{family}, {name}", picture_of(scan, 300)) for name, scan in made.items()])
        print(rows[-1], flush=True)
    print(header(names), *rows, sep="\n")
    if options.picture:
        Image.fromarray(sheet(pictures)).save(options.picture)
    if misses:
        raise SystemExit("hair below " + f"{WANTED}: " + "; ".join(misses))


def rendered(family: str, options: argparse.Namespace) -> Path:
    """The capture of a head with hair of a family, rendered unless it is there."""
    distributions = Distributions(BARE | {"hair": {"family": family}})
    render = RenderSettings(options.resolution, options.samples, distributions=distributions)
    return generate_head(FIRST_SEED + FAMILIES.index(family), options.out / family, render, Execution(threads=1))


def rebuilt(folder: Path, names: Sequence[str]) -> tuple[dict[str, Scan], list[float]]:
    """Scans by style, and core seconds: of depth maps and fusion, then of each style."""
    meshing, seconds = pipeline.mesh_points, [0.0]

    def timed(*arguments: Any) -> Scan:
        start = time.process_time()
        scan = meshing(*arguments)
        seconds.append(time.process_time() - start)
        return scan

    pipeline.mesh_points = timed
    start = time.process_time()
    try:
        styles = [STYLES[name] for name in names]
        scans = pipeline.reconstruct_styles(Capture.read(folder), ReconstructionSettings(threads=1), styles)
    finally:
        pipeline.mesh_points = meshing
    seconds[0] = time.process_time() - start - sum(seconds)
    return dict(zip(names, scans, strict=True)), seconds


def measured(folder: Path, scan: Scan) -> tuple[float, float, float, float, float]:
    """Completeness of hair, of the clear face, of visible skin within 1.5 mm; exact skin; the labels' core seconds."""
    capture, head = Capture.read(folder), HeadSurface.read(folder / Capture.HEAD)
    views = ScanViews.of_capture(capture, scan)
    start = time.process_time()
    labels = label_scan(scan, head, aligned=True, **seen_in(views))
    seconds = time.process_time() - start
    complete = measure_quality(scan, labels, head, capture, views)["completeness"]
    face = complete["face_mask_clear"]["within_1_0_mm"]
    return complete["hair"], face, complete["visible_skin"]["within_1_5_mm"], exact_skin(scan, labels), seconds


def exact_skin(scan: Scan, labels: Labels) -> float:
    """Of the surface that the images show as skin, the share that lies within 1.5 mm of the head.

    By area, not by vertices: simplification leaves few of them where a scan is smooth, and these are the exact ones.
    """
    assert labels.seen_class is not None
    area = vertex_areas(scan.vertices.astype(float), scan.faces) * (labels.seen_class == PixelClass.SKIN)
    return float(area[labels.distance_mm < LabelSettings.threshold_mm].sum() / area.sum())


def header(names: Sequence[str]) -> str:
    """The first line of the table."""
    titles = (f"{name:>8s}: hair face skin exact mesh_s label_s" for name in names)
    return "family          stereo_s  " + "  ".join(titles)


def row(family: str, names: Sequence[str], measures: Sequence[tuple[float, ...]], seconds: Sequence[float]) -> str:
    """One line of the table."""
    parts = [
        f"{name:>8s}: {hair:4.2f} {face:4.2f} {skin:4.2f}  {exact:4.2f} {mesh:6.1f} {label:7.1f}"
        for name, (hair, face, skin, exact, label), mesh in zip(names, measures, seconds[1:], strict=True)
    ]
    return f"{family:14s} {seconds[0]:9.1f}  " + "  ".join(parts)


def picture_of(scan: Scan, size: int) -> NDArray[np.uint8]:
    """The scan's shape, from the left front."""
    return render_mesh(scan, None, "three_quarter", size)


def sheet(rows: Sequence[Sequence[tuple[str, NDArray[np.uint8]]]]) -> NDArray[np.uint8]:
    """Pictures of equal size in rows, each with its title."""
    drawn = []
    for line in rows:
        named = []
        for title, picture in line:
            image = Image.fromarray(picture)
            ImageDraw.Draw(image).text((6, 4), title, fill=(0, 0, 0))
            named.append(np.asarray(image))
        drawn.append(np.concatenate(named, axis=1))
    return np.concatenate(drawn)


if __name__ == "__main__":
    main()
