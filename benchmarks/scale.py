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
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from capture import Camera, Capture, CaptureInfo, Labels, Scan
from factory.capture_scale.measure import measure_scale
from factory.capture_scale.segmenting import first_pass
from scans.meshes.reading import read_scan, scan_key
from scans.predictions import Prediction
from scans.skin_labels import default_labels_file, read_skin
from training.checkpoints.labeller import load_labeller
from training.checkpoints.pretrained import PRETRAINED


@dataclass(frozen=True, eq=False)
class Motion:
    """Another frame and unit: a turn (3, 3), then a shift (3,), then `factor` new units in an old one."""

    turn: NDArray
    shift: NDArray
    factor: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Motion:
        """Any rotation, a factor of 0.001 to 1000."""
        turn = Rotation.random(random_state=int(rng.integers(2**31))).as_matrix()
        factor = float(10 ** rng.uniform(-3, 3))
        return cls(turn, rng.normal(size=3), factor)

    def of(self, points: NDArray) -> NDArray:
        """Points (P, 3) in the new frame."""
        return np.asarray(self.factor * (points @ self.turn.T + self.shift))

    def camera(self, camera: Camera) -> Camera:
        """A camera in the new frame."""
        rotation = camera.rotation @ self.turn.T
        return replace(
            camera, rotation=rotation, translation=self.factor * (camera.translation - rotation @ self.shift)
        )

    def write(self, given: Capture, scan: Scan, skin: Prediction | Labels | None, folder: Path) -> Capture:
        """A copy of a capture in the new frame, with a scan in the old one and what is known of its skin."""
        shutil.copytree(given.folder / "images", folder / "images")
        replace(scan, vertices=self.of(scan.vertices), normals=None).write(folder / "scan.ply")
        key = scan_key(read_scan(folder / "scan.ply"))
        if isinstance(skin, Prediction):
            replace(skin, scan=key).write(folder / "prediction" / Prediction.FILE)
        elif isinstance(skin, Labels):
            replace(skin, scan=key).write(folder / "labels.npz")
        return Capture.create(folder, [self.camera(camera) for camera in given.cameras], CaptureInfo(given.info.id))


def moved(where: Path, folder: Path, rng: np.random.Generator) -> tuple[Capture, float]:
    """A copy of a capture in another frame and unit, and how many of those are one of the capture's own."""
    given, motion = Capture.read(where), Motion.drawn(rng)
    scan, path = read_scan(given.scan_path), default_labels_file(where)
    return motion.write(given, scan, None if path is None else read_skin(path, scan), folder), motion.factor


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
