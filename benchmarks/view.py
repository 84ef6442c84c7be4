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
import base64
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, Scan
from scans.head_sample import HeadSample
from scans.pictures import colours
from scans.predictions import PARTS, Prediction

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


def picture_cost(browser: str, page: Path) -> dict[str, float]:
    """Seconds until the scan is on the screen, and of processor time that the browser's processes used for it."""
    with tempfile.TemporaryDirectory(prefix="p2p-browser-") as profile, Devtools(browser, Path(profile)) as tab:
        start, used = time.perf_counter(), tab.processor_seconds()
        tab.call("Page.navigate", url=page.resolve().as_uri())
        while time.perf_counter() - start < _SECONDS:
            if shows_skin(tab):
                return {"to_picture": time.perf_counter() - start, "browser_cpu": tab.processor_seconds() - used}
            time.sleep(_PAUSE)
        raise TimeoutError(f"{page.name}: no scan on the screen after {_SECONDS:.0f} s")


def shows_skin(tab: Devtools) -> bool:
    """Whether a tenth of the middle of the window has the colour of skin."""
    try:
        data = tab.call("Page.captureScreenshot", format="png")["data"]
    except ConnectionError:  # it shows no page yet
        return False
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")).astype(int)
    row, column = (picture.shape[0] - _MIDDLE) // 2, (picture.shape[1] - _MIDDLE) // 2
    red, _, blue = np.moveaxis(picture[row : row + _MIDDLE, column : column + _MIDDLE], -1, 0)
    return bool((red > blue + 40).mean() > _SHOWN)


class Devtools:
    """A tab of a browser without a window, by the DevTools protocol over pipes."""

    def __init__(self, browser: str, profile: Path) -> None:
        into, self._commands = os.pipe()
        self._answers, out = os.pipe()
        self._number, self._left, self._session = 0, b"", ""

        def take_pipes() -> None:  # the protocol has its pipes at 3 and 4
            first, second = os.dup(into), os.dup(out)
            os.dup2(first, 3)
            os.dup2(second, 4)

        flags = ("--headless=new", "--no-sandbox", "--no-first-run", "--remote-debugging-pipe")
        flags += ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
        flags += (f"--user-data-dir={profile}", f"--window-size={SIZE[0]},{SIZE[1]}")
        self._process = subprocess.Popen(
            [browser, *flags, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            preexec_fn=take_pipes,
        )  # fmt: skip
        os.close(into)
        os.close(out)

    def __enter__(self) -> Devtools:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._commands)  # the browser ends with its pipe
        os.close(self._answers)
        self._process.wait(30)

    def processor_seconds(self) -> float:
        """Processor time of the browser's processes, by Linux's /proc."""
        parents, used = {}, {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
            number = int(path.parent.name)
            parents[number], used[number] = (
                int(fields[1]),
                (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
            )
        family, grown = {self._process.pid}, True
        while grown:
            more = {number for number, parent in parents.items() if parent in family} - family
            family, grown = family | more, bool(more)
        return sum(used.get(number, 0.0) for number in family)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol; returns its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._left:
                self._left += os.read(self._answers, 1 << 20)
            first, _, self._left = self._left.partition(b"\0")
            answer = json.loads(first)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise ConnectionError(f"{method}: {answer['error']}")
                return answer["result"]


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
