"""The temple: 16 real photographs with known poses, to a mesh, a picture of it, and how well the depth maps agree.

Data: Middlebury multi-view stereo, "templeSparseRing" (Seitz et al., CVPR 2006). The stage behind the object is dark:
masks by a threshold on the brightness keep it out, as a user's own masks would.

    python -m benchmarks.temple ../shared/data/temple_sparse_ring --out out/temple
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

import numpy as np
import pyvista
from PIL import Image
from scipy import ndimage

from capture import Camera, Capture, CaptureInfo, Scan
from factory.console import setup_logging
from reconstruction import ReconstructionSettings, reconstruct_capture
from reconstruction.colmap.workspace import Workspace

# One closed object, seen from all around: what only few of the photographs show is worth closing.
WHOLE = {"max_gap": 6.0, "max_hole": 60.0, "max_lift": 0.02, "min_component": 0.3}
BRIGHT = 24  # of 255: the stage is darker
CENTRE, VIEWS = np.array([-0.022, 0.102, 0.025]), ((0, 0.1, 1), (0.9, 0.3, 0.7), (-0.9, 0.2, 0.3))


def make_capture(source: Path, folder: Path) -> Capture:
    """The photographs as a capture with masks."""
    (folder / "images").mkdir(parents=True)
    (folder / "foreground").mkdir()
    cameras = []
    for line in (source / "templeSR_par.txt").read_text().splitlines()[1:]:
        name, *numbers = line.split()
        values = np.array(numbers, float)
        k, rotation, translation = values[:9].reshape(3, 3), values[9:18].reshape(3, 3), values[18:]
        shutil.copy(source / name, folder / "images" / name)
        grey = np.asarray(Image.open(source / name).convert("L"), float)
        Image.fromarray(255 * foreground(grey).astype(np.uint8)).save(folder / "foreground" / name)
        centre = (k[0, 2] + 0.5, k[1, 2] + 0.5)  # their pixel centres are whole numbers
        cameras.append(Camera.pinhole(name, (640, 480), (k[0, 0], k[1, 1]), centre, rotation, translation))
    return Capture.create(folder, cameras, CaptureInfo("temple"))


def foreground(grey: np.ndarray) -> np.ndarray:
    """(H, W) bool: the largest bright piece, without narrow bridges to what is lit around it."""
    bright = ndimage.binary_opening(ndimage.gaussian_filter(grey, 1) > BRIGHT, iterations=3)
    pieces, count = ndimage.label(bright)
    sizes = ndimage.sum_labels(bright, pieces, range(1, count + 1))
    return ndimage.binary_closing(pieces == 1 + int(np.argmax(sizes)), iterations=2)


def agreement(capture: Capture, workspace: Workspace) -> str:
    """Of pixels with depth that fall onto a depth in another view: how far apart the two are."""
    maps = {camera.name: workspace.read_maps(camera.name).depth for camera in capture.cameras}
    off = []
    for one in capture.cameras:
        rows, columns = np.nonzero(maps[one.name])
        points = one.unproject(np.stack([columns, rows], 1) + 0.5, maps[one.name][rows, columns])
        for other in capture.cameras:
            if other is one:
                continue
            pixels, depth = other.project(points)
            inside = np.flatnonzero(other.inside(pixels) & (depth > 0))
            at = pixels[inside].astype(int)
            there = maps[other.name][at[:, 1], at[:, 0]]
            difference = np.abs(there - depth[inside])[(there > 0)]
            off.append(difference[difference < 0.005])  # farther is another surface in front
    median, high = 1000 * np.percentile(np.concatenate(off), [50, 90])
    return f"depths of two views at one point differ by {median:.2f} mm (median), {high:.2f} mm (90th percentile)"


def picture(scan: Scan, path: Path) -> None:
    """The mesh from three sides, once in colour."""
    mesh = pyvista.PolyData.from_regular_faces(scan.vertices.astype(float), scan.faces)
    plotter = pyvista.Plotter(off_screen=True, shape=(1, 3), window_size=(1500, 700), border=False)
    for index, way in enumerate(VIEWS):
        plotter.subplot(0, index)
        colours = {"scalars": scan.colours, "rgb": True} if index == 0 else {"color": "lightgrey"}
        plotter.add_mesh(mesh, smooth_shading=True, **colours)
        plotter.camera.position = tuple(CENTRE + 0.48 * np.array(way) / np.linalg.norm(way))
        plotter.camera.focal_point, plotter.camera.up, plotter.camera.view_angle = tuple(CENTRE), (0, 1, 0), 25
    plotter.screenshot(path)


def main() -> None:
    """Rebuild, measure, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--out", type=Path, default=Path("out/temple"))
    options = parser.parse_args()
    setup_logging()
    shutil.rmtree(options.out, ignore_errors=True)
    capture = make_capture(options.source, options.out / "capture")
    masks = tuple(capture.folder / "foreground" / camera.name for camera in capture.cameras)
    place = options.out / "workspace"
    start = time.perf_counter()
    settings = ReconstructionSettings(backend="cpu", **WHOLE)
    path = reconstruct_capture(capture.folder, settings, masks=masks, workspace=place)
    seconds = time.perf_counter() - start
    scan = Scan.read(path)
    print(f"{len(scan.vertices)} vertices, {len(scan.faces)} faces, {seconds:.0f} s")
    print(agreement(capture, Workspace(place)))
    picture(scan, options.out / "temple.png")
    print(options.out / "temple.png")


if __name__ == "__main__":
    main()
