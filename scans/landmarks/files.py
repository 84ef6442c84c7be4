"""Files of landmarks in a capture."""

from __future__ import annotations

from PIL import Image

from capture import Capture, atomic_path
from scans.landmarks.picture import draw_landmarks
from scans.landmarks.records import FILE, PICTURE, FaceLandmarks


def write_landmarks(capture: Capture, landmarks: FaceLandmarks) -> None:
    """Write the landmarks, and a picture of them, into the folder of their capture."""
    landmarks.write(capture.folder / FILE)
    with atomic_path(capture.folder / PICTURE) as path:
        Image.fromarray(draw_landmarks(capture, landmarks)).save(path)
