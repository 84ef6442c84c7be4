"""Pages to turn a scan around in: size, cost of writing, and seconds until a browser shows the scan.

A labelled scan of a made-up head, and photographs of noise around it. Ours is `view.html` as `p2p segment` writes it:
labels, probability, distance, parts, own colours, and the cameras with their images. The peers write a page of the
mesh in the colours of its labels and nothing else: trimesh's notebook viewer (GLB in three.js), and PyVista's
`export_html` (vtk.js) where `trame-pyvista` with `trame`, `trame-vtk`, `trame-vuetify` and `nest_asyncio2` are
installed. Each page is written by a process of its own. `to_picture` are the seconds from the call that opens the file
until a tenth of the middle of the window has the colour of skin, in Chromium without a graphics card, and
`browser_cpu` those of processor time that its processes used until then; the best of `--repeats`.

    python -m benchmarks.view [--vertices 250000] [--views 13] [--image 1024] [--repeats 3]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, Scan
from scans.head_sample import HeadSample
from scans.pictures import colours
from scans.predictions import PARTS, Prediction
from tests.devtools import SOFTWARE_GL, Page, browsing

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SIZE = (900, 600)
_MIDDLE = 200  # pixels, of a square
_SHOWN = 0.1
_SECONDS = 240.0
_PAUSE = 0.1  # seconds between two looks at the screen


def head_scan(vertices: int) -> tuple[Scan, Prediction]:
    """A ball with bumps of all sizes and a nose towards -y, in metres; skin is its front."""
    side = round(vertices**0.5)
    polar, turn = np.meshgrid(
        np.linspace(0.002, np.pi - 0.002, side), np.arange(side) / side * 2 * np.pi, indexing="ij"
    )
    rng = np.random.default_rng(0)
    radius = 0.1 + 0.0002 * rng.standard_normal(polar.shape)
    for octave in range(1, 7):
        a, b, c = rng.uniform(0, 2 * np.pi, 3)
        radius += 0.006 / 2**octave * np.sin(2**octave * polar + a) * np.sin(2**octave * turn + b + c * np.cos(polar))
    radius += 0.02 * np.exp(-(((polar - np.pi / 2) / 0.15) ** 2) - ((turn - 1.5 * np.pi) / 0.15) ** 2)
    places = radius[..., None] * np.stack(
        [np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), 1.3 * np.cos(polar)], axis=-1
    )
    row, column = (each.ravel() for each in np.meshgrid(np.arange(side - 1), np.arange(side), indexing="ij"))
    a, b = row * side + column, row * side + (column + 1) % side
    faces = np.concatenate([np.stack([a, a + side, b], axis=1), np.stack([b, a + side, b + side], axis=1)])
    points = places.reshape(-1, 3)
    shades = np.clip(np.array([200, 160, 140]) + rng.normal(0, 12, (len(points), 1)) + 400 * points, 0, 255)
    probability = np.clip(0.5 - 20 * points[:, 1] + rng.normal(0, 0.03, len(points)), 0, 1)
    part = np.where(probability > 0.5, PARTS.index("skin"), PARTS.index("scalp_hair")).astype(np.uint8)
    distance = np.maximum(0, 200 * points[:, 1]) + rng.uniform(0, 0.3, len(points))
    prediction = Prediction(
        probability, probability > 0.5, "", distance_mm=distance, part=part, part_probability=np.ones(len(points))
    )
    return Scan(points, faces.astype(np.int32), shades.astype(np.uint8)), prediction


def photographs(count: int, side: int) -> tuple[tuple[Camera, ...], tuple[bytes, ...]]:
    """Cameras around the front, and JPEG files of smooth noise."""
    cameras, images, rng = [], [], np.random.default_rng(1)
    for i, angle in enumerate(np.radians(np.linspace(-90, 90, count))):
        forward = np.array([-np.sin(angle), np.cos(angle), 0.0])
        rotation = np.stack([np.cross(forward, [0, 0, 1.0]), [0, 0, -1.0], forward])
        pinhole = (side, side), (1.8 * side, 1.8 * side), (side / 2, side / 2)
        cameras.append(Camera.pinhole(f"view_{i:02d}.jpg", *pinhole, rotation, rotation @ (0.6 * forward)))
        small = Image.fromarray(rng.integers(0, 255, (side // 8, side // 8, 3), dtype=np.uint8))
        buffer = io.BytesIO()
        small.resize((side, side), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
        images.append(buffer.getvalue())
    return tuple(cameras), tuple(images)


def write_ours(path: Path, scan: Scan, prediction: Prediction, given: argparse.Namespace) -> None:
    from scans.prediction_view import prediction_view
    from scans.viewer.page import write_view

    cameras, images = photographs(given.views, given.image)
    head = HeadSample("head", cameras, images, tuple(each.name for each in cameras), scan)
    write_view(path, prediction_view(prediction, head, ()))


def write_trimesh(path: Path, scan: Scan, prediction: Prediction, given: argparse.Namespace) -> None:
    import trimesh
    from trimesh.viewer.notebook import scene_to_html

    up = scan.vertices @ np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])  # y up, as its viewer has it
    mesh = trimesh.Trimesh(up, scan.faces, vertex_colors=label_colours(prediction), process=False)
    path.write_text(scene_to_html(mesh.scene()), encoding="utf-8")


def write_pyvista(path: Path, scan: Scan, prediction: Prediction, given: argparse.Namespace) -> None:
    import pyvista

    plotter = pyvista.Plotter(off_screen=True, window_size=list(SIZE))
    mesh = pyvista.PolyData.from_regular_faces(scan.vertices, scan.faces)
    plotter.add_mesh(mesh, scalars=label_colours(prediction), rgb=True)
    plotter.camera_position = [(0.0, -0.6, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)]
    plotter.trame.export_html(path)


def label_colours(prediction: Prediction) -> NDArray[np.uint8]:
    """(V, 3) as our page has labels."""
    return np.where(prediction.skin[:, None], colours.SKIN, colours.OTHER).astype(np.uint8)


WRITERS: dict[str, Callable[[Path, Scan, Prediction, argparse.Namespace], None]] = {
    "ours": write_ours,
    "trimesh": write_trimesh,
    "pyvista": write_pyvista,
}


def write_one(name: str, path: Path, given: argparse.Namespace) -> dict[str, float]:
    """Write a page of a scan that is in memory: seconds, and the most memory above what stood there before."""
    scan, prediction = head_scan(given.vertices)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, used = time.perf_counter(), time.process_time()
    WRITERS[name](path, scan, prediction, given)
    return {
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - used,
        "memory_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "megabytes": path.stat().st_size / 1e6,
    }


def picture_cost(browser: str, path: Path) -> dict[str, float]:
    """Seconds until the scan is on the screen, and of processor time that the browser's processes used for it."""
    flags = (*SOFTWARE_GL, f"--window-size={SIZE[0]},{SIZE[1]}")
    with (
        tempfile.TemporaryDirectory(prefix="p2p-browser-") as profile,
        browsing(browser, Path(profile), *flags) as page,
    ):
        start, used = time.perf_counter(), children_seconds()
        page.call("Page.navigate", url=path.resolve().as_uri())
        while time.perf_counter() - start < _SECONDS:
            if shows_skin(page):
                return {"to_picture": time.perf_counter() - start, "browser_cpu": children_seconds() - used}
            time.sleep(_PAUSE)
        raise TimeoutError(f"{path.name}: no scan on the screen after {_SECONDS:.0f} s")


def shows_skin(page: Page) -> bool:
    """Whether a tenth of the middle of the window has the colour of skin."""
    try:
        picture = page.screenshot().astype(int)
    except AssertionError:  # the page is not there yet
        return False
    row, column = (picture.shape[0] - _MIDDLE) // 2, (picture.shape[1] - _MIDDLE) // 2
    red, _, blue = np.moveaxis(picture[row : row + _MIDDLE, column : column + _MIDDLE], -1, 0)
    return bool((red > blue + 40).mean() > _SHOWN)


def children_seconds() -> float:
    """Processor time of the processes below this one: those of the browser."""
    seconds = 0.0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds += times.user + times.system
    return seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vertices", type=int, default=250_000)
    parser.add_argument("--views", type=int, default=13)
    parser.add_argument("--image", type=int, default=1024, help="pixels of a photograph's side")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write", nargs=2, metavar=("WRITER", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write:
        print(json.dumps(write_one(given.write[0], Path(given.write[1]), given)))
        return
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    with tempfile.TemporaryDirectory(prefix="p2p-view-") as folder:
        rows = {}
        for name in WRITERS:
            page, command = Path(folder) / f"{name}.html", [sys.executable, "-m", "benchmarks.view", *sys.argv[1:]]
            done = subprocess.run([*command, "--write", name, str(page)], capture_output=True, text=True)
            if done.returncode:
                print(f"{name}: wrote nothing ({done.stderr.strip().splitlines()[-1]})")
                continue
            rows[name] = json.loads(done.stdout.splitlines()[-1])
        for _ in range(given.repeats if browser else 0):
            for name, row in rows.items():
                for key, took in picture_cost(str(browser), Path(folder) / f"{name}.html").items():
                    row[key] = min(took, row.get(key, took))
    for name, row in rows.items():
        ratios = ", ".join(f"{key} {row[key] / rows['ours'][key]:.2f}" for key in row)
        print(f"{name:8} " + "  ".join(f"{key} {value:.2f}" for key, value in row.items()) + f"   | of ours: {ratios}")


if __name__ == "__main__":
    main()
