"""Picture of landmarks over the images of a capture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from capture import Capture
from scans.images.decoding import decode_file
from scans.landmarks.crops import Crop, Floats, Picture
from scans.landmarks.names import MESH_COUNT
from scans.landmarks.records import DISAGREES, NO_FACE, SURE, UNSURE, USED, FaceLandmarks, FaceView
from scans.pictures.sheets import sheet

_SIDE = 360  # pixels of a view
_COLUMNS = 5
_MOST = 20  # views, evenly chosen
_LEFT_OUT_SHOWN = _MOST // 4  # places of faces that disagree, at least, where there are so many
_MARGIN = 1.7  # of the face's extent
_DETECTED, _SURE, _UNSURE, _LEFT_OUT = (255, 210, 40), (30, 230, 80), (70, 150, 255), (240, 60, 60)
LEGEND = "yellow detected; green triangulated, blue unsure; red: a face that was left out"


def draw_landmarks(capture: Capture, landmarks: FaceLandmarks) -> Picture:
    """Views: the detected landmarks in yellow, over them the triangulated ones, lines from the one to the other."""
    chosen = chosen_views(landmarks.faces)
    pictures = [(_title(landmarks.faces[i], landmarks, i, capture), _draw(capture, landmarks, i)) for i in chosen]
    rows = [pictures[i : i + _COLUMNS] for i in range(0, len(pictures), _COLUMNS)]
    return sheet([[(LEGEND, np.full((2, 2, 3), 255, np.uint8))], *rows])


def chosen_views(faces: Sequence[FaceView]) -> list[int]:
    """All views, or so many of them: the used ones first, some of those left out beside them; in their order.

    Where there are too many, faces that disagree get up to a quarter of the places, so that they are seen, and views
    without a face what is left.
    """
    used, left_out, without = (
        [i for i, face in enumerate(faces) if face.status == status] for status in (USED, DISAGREES, NO_FACE)
    )
    shown = min(len(left_out), max(_LEFT_OUT_SHOWN, _MOST - len(used)))
    kept = min(len(used), _MOST - shown)
    rest = min(len(without), _MOST - kept - shown)
    return sorted([*_spread(used, kept), *_spread(left_out, shown), *_spread(without, rest)])


def _spread(items: Sequence[int], count: int) -> list[int]:
    """So many of the items, evenly chosen."""
    return [items[round(x)] for x in np.linspace(0, len(items) - 1, count)]


def _title(face: FaceView, landmarks: FaceLandmarks, view: int, capture: Capture) -> str:
    if face.pixels is None:
        return f"{face.image}: {face.status}"
    if face.status == DISAGREES:
        return f"{face.image}: {face.status}, left out"
    off = np.linalg.norm(capture.cameras[view].project(landmarks.positions)[0] - face.pixels, axis=1)
    return f"{face.image}: {np.nanmedian(off):.1f} px"


def _draw(capture: Capture, landmarks: FaceLandmarks, view: int) -> Picture:
    face, camera = landmarks.faces[view], capture.cameras[view]
    image = decode_file(capture.image_paths[view]).colours
    scale = np.array([image.shape[1] / camera.width, image.shape[0] / camera.height])
    triangulated = camera.project(landmarks.positions)[0] * scale
    detected = None if face.pixels is None else face.pixels * scale
    crop = _crop(image, detected)
    canvas = Image.fromarray(crop.cut(image, _SIDE))
    draw = ImageDraw.Draw(canvas)
    if detected is None:
        return np.asarray(canvas)
    places, goals = (_SIDE * crop.from_image(points) for points in (detected, triangulated))
    left_out = face.status == DISAGREES
    for place, goal, status in zip(places, goals, landmarks.status, strict=True):
        if not np.isfinite(place).all():
            continue
        if not left_out and status in (SURE, UNSURE) and np.isfinite(goal).all():
            colour = _SURE if status == SURE else _UNSURE
            draw.line((*place.tolist(), *goal.tolist()), fill=colour)
            _dot(draw, goal, colour, 1.2)
        _dot(draw, place, _LEFT_OUT if left_out else _DETECTED, 0.8)
    return np.asarray(canvas)


def _dot(draw: ImageDraw.ImageDraw, place: Floats, colour: tuple[int, int, int], radius: float) -> None:
    x, y = place.tolist()
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _crop(image: Picture, detected: Floats | None) -> Crop:
    """Around the face; the whole image without one."""
    if detected is None:
        height, width = image.shape[:2]
        return Crop(width / 2, height / 2, float(max(width, height)))
    low, high = np.nanmin(detected[:MESH_COUNT], axis=0), np.nanmax(detected[:MESH_COUNT], axis=0)
    x, y = (low + high) / 2
    return Crop(float(x), float(y), _MARGIN * float((high - low).max()))
