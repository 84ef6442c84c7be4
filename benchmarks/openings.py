"""How wide mouth and eyes of the registered template are open, beside the truth, with and without what closes them.

    python -m benchmarks.openings CAPTURE [CAPTURE ...]

Captures are rendered heads with scan, labels and true surface. Each is registered to its truly skin part twice: as
`p2p register` does it, with the landmarks that are detected in its images, and by distances between surfaces alone.
Millimetres between the landmarks of `registration.apertures.PAIRS`, less those of the true head; and the face's error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import Capture, HeadSurface, Labels, Mesh, Scan
from registration.apertures import PAIRS
from registration.coefficients import fit
from registration.errors import face_error
from registration.files.detected import landmarks_of, steady_landmarks
from registration.nonrigid import Stiffness, deform
from registration.pipeline import register
from registration.regions import bare_nose
from registration.rigid import align
from registration.target import Target
from registration.template import Template, load_template


def without(template: Template, scan: Scan, skin: NDArray) -> NDArray:
    """Vertices (V, 3) of the template by distances between surfaces alone."""
    target, nose = Target(scan, skin), bare_nose(template)
    head = fit(template, align(template, template.mean, target, scan, skin)[0], target, drawn=nose)
    return deform(template.surface(head), template.faces, template.shown, target, Stiffness(), nose)


def widths(template: Template, vertices: NDArray) -> NDArray[np.float64]:
    """Millimetres (3,) of mouth, left and right eye."""
    places = [[template.landmark(vertices, name) for name in pair] for pair in PAIRS.values()]
    return np.array([1000 * np.linalg.norm(np.subtract(one, two)) for one, two in places])  # type: ignore[arg-type]


def measure(folder: Path, template: Template) -> NDArray[np.float64]:
    """Deviations (2, 3) in mm, with and without; prints a line for each."""
    capture = Capture.read(folder)
    scan, truth = Scan.read(capture.scan_path), HeadSurface.read(folder / Capture.HEAD)
    skin = Labels.read(capture.labels_path, len(scan.vertices)).skin.astype(float)
    detected = steady_landmarks(landmarks_of(folder), capture.info.id, scan, 1.0)
    made = {
        "as p2p register": register(template, scan, skin, detected=detected).vertices,
        "surfaces alone": without(template, scan, skin),
    }
    true = widths(template, truth.vertices)
    off = np.stack([widths(template, vertices) - true for vertices in made.values()])
    for (name, vertices), row in zip(made.items(), off, strict=True):
        error = face_error(Mesh(vertices.astype(np.float32), template.faces), template.face_mask, truth)
        told = ", ".join(f"{each} {value:+.1f}" for each, value in zip(PAIRS, row, strict=True))
        found = "" if detected else " (no landmarks)"
        print(f"{capture.info.id} {name:16s} {told} mm; face {error.mean:.3f} mm{found}", flush=True)
    return off


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", type=Path, nargs="+")
    options = parser.parse_args(arguments)
    template = load_template()
    off = np.abs(np.stack([measure(folder, template) for folder in options.captures]))
    for name, number in zip(PAIRS, range(3), strict=True):
        now, before = off[:, 0, number].mean(), off[:, 1, number].mean()
        print(f"{name}: off by {now:.2f} mm, {before:.2f} mm by surfaces alone: {now / before:.2f} times")
    return int((off[:, 0].mean(axis=0) > off[:, 1].mean(axis=0)).any())


if __name__ == "__main__":
    sys.exit(main())
