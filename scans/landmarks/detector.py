"""Landmarks of the face in an image, by MediaPipe's face landmarker.

Facts of the second model (its input and outputs, and MediaPipe's open configuration of it): 256 x 256 pixels in 0..1 of
a square, upright by the eyes, one and a half times as wide as the face; out come x, y, z of 478 landmarks in pixels of
the square, and a score before the sigmoid that it shows a face.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scans.landmarks.crops import Crop, Floats, Picture
from scans.landmarks.face_boxes import FaceBox, FaceBoxes
from scans.landmarks.face_mesh import FaceMesh
from scans.landmarks.model_file import CURE, LandmarkModel
from scans.landmarks.names import COUNT, MESH_COUNT, OUTER_EYE_CORNERS
from scans.litert import load_tflite, tensor_indices

_SIZE = 256
_WIDER = 1.5  # side of the crop, by the extent of the landmarks
_CANDIDATES = 2  # boxes that landmarks are looked for in
_QUARTER = np.pi / 2
_TURNS = (0.0, _QUARTER, -_QUARTER, 2 * _QUARTER)  # cameras lie on their sides


@dataclass(frozen=True, eq=False)
class FaceInImage:
    """The landmarks of a face in an image.

    Attributes:
        pixels: (L, 2); NaN where there is none.
        presence: how sure the model is that it is a face, 0 to 1.
        size: of the face, pixels: the side of the square that the landmarks were found in.
    """

    pixels: Floats
    presence: float
    size: float


class FaceDetector(Protocol):
    """Anything that finds the landmarks of a face."""

    @property
    def key(self) -> str:
        """Name of the model."""
        ...

    @property
    def mesh(self) -> FaceMesh:
        """An average face."""
        ...

    def find(self, image: Picture) -> FaceInImage | None:
        """The surest face in an image (H, W, 3), sRGB; None where there is none."""
        ...


class FaceLandmarker:
    """MediaPipe's face landmarker, run by LiteRT on one core.

    Raises `InputError` where LiteRT is not installed, or a model is another one.
    """

    def __init__(self, model: LandmarkModel) -> None:
        self.mesh = model.mesh
        self.key = f"mediapipe-face-landmarker-{model.digest[:16]}"
        told = str(model.path), "the face landmarker", "landmarks", CURE
        self._boxes = FaceBoxes(load_tflite(model.detector, *told), str(model.path))
        self._model = load_tflite(model.landmarks, *told)
        given = (1, 1, 1, 3 * COUNT), (1, 1, 1, 1)
        self._input, self._points, self._score = tensor_indices(
            self._model, (1, _SIZE, _SIZE, 3), given, str(model.path), CURE
        )

    def find(self, image: Picture) -> FaceInImage | None:
        """The surest face in an image (H, W, 3), sRGB; None where there is none."""
        faces = [self._face(image, box.crop) for box in self._candidates(image)]
        return max(faces, key=lambda face: face.presence, default=None)

    def _candidates(self, image: Picture) -> list[FaceBox]:
        """Boxes that may show the face, in the whole image or else in its parts, whichever way up it is."""
        for windows in _windows(image):
            found = [box for window in windows for box in self._boxes.find(image, window)]
            if found:
                return sorted(found, key=lambda box: -box.score)[:_CANDIDATES]
        return []

    def _face(self, image: Picture, crop: Crop) -> FaceInImage:
        pixels, _ = self._landmarks(image, crop)
        crop = _around(pixels)  # fits the face better than the box did
        pixels, presence = self._landmarks(image, crop)
        return FaceInImage(pixels, presence, crop.side)

    def _landmarks(self, image: Picture, crop: Crop) -> tuple[Floats, float]:
        """Pixels (L, 2) of the image, and the presence."""
        self._model.set_tensor(self._input, crop.cut(image, _SIZE).astype(np.float32)[None] / 255)
        self._model.invoke()
        points = self._model.get_tensor(self._points).reshape(COUNT, 3)[:, :2].astype(np.float64)
        score = float(self._model.get_tensor(self._score).ravel()[0])
        return crop.to_image(points / _SIZE), float(1 / (1 + np.exp(-np.clip(score, -100, 100))))


def _windows(image: Picture) -> list[list[Crop]]:
    """The whole image in four turns; then parts of half its size that overlap by half, likewise."""
    height, width = image.shape[:2]
    side = max(height, width)
    whole = [Crop(width / 2, height / 2, side, turn) for turn in _TURNS]
    half = side / 2
    places = [(x, y) for y in _centres(height, half) for x in _centres(width, half)]
    return [whole, [Crop(x, y, half, turn) for turn in _TURNS for x, y in places]]


def _centres(length: int, part: float) -> list[float]:
    """Centres of parts that cover a length and overlap by half."""
    if length <= part:
        return [length / 2]
    return [float(centre) for centre in np.linspace(part / 2, length - part / 2, 3)]


def _around(pixels: Floats) -> Crop:
    """The square around landmarks (L, 2), upright by the eyes."""
    right, left = (pixels[index] for index in OUTER_EYE_CORNERS)
    angle = float(np.arctan2(left[1] - right[1], left[0] - right[0]))
    upright = Crop(0.0, 0.0, 1.0, angle)
    local = upright.from_image(pixels[:MESH_COUNT])
    low, high = local.min(axis=0), local.max(axis=0)
    x, y = upright.to_image((low + high) / 2)
    return Crop(float(x), float(y), _WIDER * float((high - low).max()), angle)
