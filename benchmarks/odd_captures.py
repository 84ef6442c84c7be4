"""Heads that are registered in captures made odd: in the right pose, or with an error.

Each of `--count` captures is a copy of one that was given, in another frame (any rotation) and unit (0.001 to 1000),
and, in turns, as it is; cut in half through the head; with the place of a beard, or of a hat, called no skin; or cut at
the neck. The registration of the given capture in its own frame is what a pose is right by: the face lies within 10 mm
of it in the mean. What ends with an error is refused.

    python -m benchmarks.odd_captures CAPTURE[=METRES_PER_UNIT] ... [--count 100]

The captures are segmented (`p2p segment`); METRES_PER_UNIT is their true scale, 1 for heads of `p2p generate`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.scale import Motion
from capture import Capture, InputError, Scan
from capture.ply.files import read_ply
from registration.files.inputs import weights_of
from registration.files.register import fit_to_scan, register_scan
from registration.options import RegisterOptions
from registration.template import Template, load_template
from scans.meshes.reading import read_scan
from scans.predictions import Prediction

KINDS = ("as it is", "half", "beard", "hat", "no neck")
_RIGHT_MM = 10.0
_CHEEK_M, _BROW_M, _NECK_M = -0.02, 0.06, -0.09  # heights above the tip of the nose


@dataclass(frozen=True, eq=False)
class Person:
    """A segmented capture with the head that is registered in it.

    Attributes:
        capture: as it was given.
        metres: per unit of it.
        scan: V vertices, in that unit.
        prediction: of them.
        vertices: (W, 3) of the registered template, metres.
        local: (V, 3) metres from the tip of the nose to the head's left, to its back, and up.
    """

    capture: Capture
    metres: float
    scan: Scan
    prediction: Prediction
    vertices: NDArray
    local: NDArray

    @classmethod
    def of(cls, word: str, template: Template) -> Person:
        """Of CAPTURE[=METRES_PER_UNIT]."""
        name, _, metres = word.partition("=")
        capture = Capture.read(Path(name))
        scan = read_scan(capture.scan_path)
        prediction = Prediction.read(capture.folder / "prediction" / Prediction.FILE, scan)
        done = fit_to_scan(name, scan, float(metres or 1), weights_of(prediction), template)
        vertices, head = done.registration.vertices, done.registration.head
        local = (done.scan.vertices - template.landmark(vertices, "nose_tip")) @ head.rotation
        return cls(capture, done.metres, scan, prediction, vertices, np.asarray(local))

    def made_odd(self, kind: str, rng: np.random.Generator) -> tuple[Scan, Prediction]:
        """Scan and prediction of a kind of oddity."""
        left, back, height = self.local.T
        if kind == "beard":
            return self.scan, self._without((height < _CHEEK_M) & (back < 0.12))
        if kind == "hat":
            return self.scan, self._without(height > _BROW_M)
        way = rng.uniform(-np.pi / 2, np.pi / 2)  # of what is left: from one side over the front to the other
        side = np.sin(way) * left - np.cos(way) * (back - 0.09) > 0
        kept = {"half": side, "no neck": height > _NECK_M}.get(kind, np.ones(len(left), bool))
        index = np.cumsum(kept) - 1
        faces = index[self.scan.faces[kept[self.scan.faces].all(axis=1)]]
        columns: dict[str, Any] = {
            name: None if value is None else value[kept]
            for name, value in vars(self.prediction).items()
            if name != "scan"
        }
        colours = None if self.scan.colours is None else self.scan.colours[kept]
        scan = Scan(self.scan.vertices[kept], faces.astype(np.int32), colours)
        return scan, Prediction(**columns)

    def _without(self, place: NDArray[np.bool_]) -> Prediction:
        """The prediction, with no skin at a place (V,)."""
        probability = np.where(place, np.float32(0.02), self.prediction.probability)
        return replace(self.prediction, probability=probability, skin=probability > 0.5)


def outcome(person: Person, kind: str, template: Template, rng: np.random.Generator) -> tuple[str, str]:
    """ "right", "wrong" or "refused", and how far off the face is, or why."""
    scan, prediction = person.made_odd(kind, rng)
    motion = Motion.drawn(rng)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "odd"
        motion.write(person.capture, scan, prediction, folder)
        try:
            register_scan(folder, RegisterOptions(no_view=True))
        except InputError as error:
            return "refused", str(error)
        columns = read_ply(folder / "registration" / "registered.ply").vertex
    found = np.stack([columns[axis] for axis in "xyz"], axis=1)
    wanted = motion.of(person.vertices / person.metres)
    off = np.linalg.norm(found - wanted, axis=1)[template.face_mask] * 1000 * person.metres / motion.factor
    return ("right" if off.mean() < _RIGHT_MM else "wrong"), f"{off.mean():.1f} mm"


def main() -> None:
    """Print a line for each capture, and the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="+", metavar="CAPTURE[=METRES_PER_UNIT]")
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    template = load_template()
    people = [Person.of(word, template) for word in options.captures]
    counts = Counter[tuple[str, str]]()
    for number in range(options.count):
        person = people[number % len(people)]
        kind = KINDS[(number + number // len(people)) % len(KINDS)]
        result, reason = outcome(person, kind, template, np.random.default_rng(number))
        counts[kind, result] += 1
        print(f"{number:3d} {person.capture.folder.name:14s} {kind:9s} {result:8s} {reason}", flush=True)
    print("\n| | right | wrong | refused |\n| --- | --- | --- | --- |")
    for kind in KINDS:
        print(f"| {kind} | " + " | ".join(str(counts[kind, result]) for result in ("right", "wrong", "refused")) + " |")


if __name__ == "__main__":
    main()
