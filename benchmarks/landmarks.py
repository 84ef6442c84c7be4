"""Landmarks of captures that know their true surface: how far they are from it, and what they cost.

    python -m benchmarks.landmarks CAPTURE ...

Prints, for each capture, how many views agree, processor seconds a view (decoding and detection) and of the
triangulation, and the distance of the sure landmarks, and of all, from head.ply.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from capture import Capture, HeadSurface
from scans.distance import surface_distance_mm
from scans.images.decoding import decode_file
from scans.landmarks.finding import combine, load_detector
from scans.landmarks.records import SURE


def measure(folder: Path) -> str:
    """A line about a capture."""
    capture, detector = Capture.read(folder), load_detector()
    start = time.process_time()
    images = [decode_file(path).colours for path in capture.image_paths]
    decoded = time.process_time()
    found = [detector.find(image) for image in images]
    detected = time.process_time()
    landmarks = combine(capture.cameras, found, detector, 0.5, str(folder))
    done = time.process_time()
    views, width = len(images), images[0].shape[1]
    used = sum(face.status == "used" for face in landmarks.faces)
    line = (
        f"{folder.name}: {width} pixels, {used} of {views} views, {np.nanmedian(landmarks.residual_px):.2f} px; CPU s: "
        f"decoding {(decoded - start) / views:.3f} and detecting {(detected - decoded) / views:.3f} a view, "
        f"triangulating {done - detected:.2f}"
    )
    if capture.head_path.is_file():
        head = HeadSurface.read(capture.head_path)
        seen = np.isfinite(landmarks.positions).all(axis=1)
        distance = surface_distance_mm(landmarks.positions[seen], head)
        sure = np.array(landmarks.status)[seen] == SURE
        told = (
            f"{name} {len(d)}: {np.median(d):.2f} mm, 90 % within {np.percentile(d, 90):.1f}"
            for name, d in (("sure", distance[sure]), ("all", distance))
        )
        line += "; " + "; ".join(told)
    return line


if __name__ == "__main__":
    for word in sys.argv[1:]:
        print(measure(Path(word)))
