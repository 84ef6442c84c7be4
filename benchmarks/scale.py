"""How well the scale of captures is measured: by the face in the images, by the head in the scan, and by both.

Each capture is copied into a frame and a unit of its own, drawn from its number: any rotation, 0.001 to 1000. Where it
has no labels or prediction, a first pass is made, as `p2p scale` does. Ratios are measured by true metres per unit.

    python -m benchmarks.scale CAPTURE[=METRES_PER_UNIT] ...

METRES_PER_UNIT is the true scale of the capture as it is, 1 for heads of `p2p generate`.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from capture import Capture, CaptureInfo, Labels
from factory.capture_scale.measure import measure_scale
from factory.capture_scale.segmenting import first_pass
from scans.meshes.reading import read_scan, scan_key
from scans.predictions import Prediction
from scans.skin_labels import default_labels_file, read_skin
from training.checkpoints.labeller import load_labeller
from training.checkpoints.pretrained import PRETRAINED


def moved(where: Path, folder: Path, rng: np.random.Generator) -> tuple[Capture, float]:
    """A copy of a capture in another frame and unit, and how many of those are one of the capture's own."""
    given = Capture.read(where)
    turn = Rotation.random(random_state=int(rng.integers(2**31))).as_matrix()
    factor, shift = float(10 ** rng.uniform(-3, 3)), rng.normal(size=3)
    cameras = [
        replace(
            camera,
            rotation=camera.rotation @ turn.T,
            translation=factor * (camera.translation - camera.rotation @ turn.T @ shift),
        )
        for camera in given.cameras
    ]
    shutil.copytree(where / "images", folder / "images")
    scan = read_scan(given.scan_path)
    replace(scan, vertices=factor * (scan.vertices @ turn.T + shift), normals=None).write(folder / "scan.ply")
    key = scan_key(read_scan(folder / "scan.ply"))
    path = default_labels_file(where)
    skin = None if path is None else read_skin(path, scan)
    if isinstance(skin, Prediction):
        replace(skin, scan=key).write(folder / "prediction" / Prediction.FILE)
    elif isinstance(skin, Labels):
        replace(skin, scan=key).write(folder / "labels.npz")
    return Capture.create(folder, cameras, CaptureInfo(given.info.id)), factor


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="+", metavar="CAPTURE[=METRES_PER_UNIT]")
    options = parser.parse_args()
    print("| capture | unit, m | by the face | by the head | taken |\n| --- | --- | --- | --- | --- |")
    for number, word in enumerate(options.captures):
        name, _, metres = word.partition("=")
        with tempfile.TemporaryDirectory() as place:
            capture, factor = moved(Path(name), Path(place) / "c", np.random.default_rng(number))
            true = float(metres or 1) / factor
            scale = measure_scale(capture, partial(first_pass, load_labeller(PRETRAINED)))
        found = {} if scale is None else {each.source.split()[0]: each.metres / true for each in scale.evidence}
        face, head = (f"{found[key]:.3f}" if key in found else "–" for key in ("face", "head"))
        print(
            f"| {Path(name).name} | {true:.3g} | {face} | {head} | {scale.metres / true if scale else 0:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
