"""Faces in images by BlazeFace, the first of the two models in MediaPipe's face landmarker.

Facts of the model (its input and output, and MediaPipe's open configuration of it): 128 x 128 pixels in -1..1; 896
anchors, two at each of 16 x 16 places and six at each of 8 x 8; of each come a score before the sigmoid, and in pixels
from the anchor's place the centre, the size, and six points: right and left eye, nose tip, mouth, right and left ear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scans.landmarks.crops import Crop, Floats, Picture
from scans.landmarks.model_file import CURE
from scans.litert import tensor_indices

_SIZE = 128
_GRIDS = ((16, 2), (8, 6))  # places along a side, anchors at each
_VALUES = 16  # of an anchor: centre, size, six points
_SURE = 0.5  # score of a face
_SAME = 0.3  # overlap, as a share of the union, from which on two boxes show one face
_WIDER = 1.5  # side of the crop that landmarks are looked for in, by the box's
_RIGHT_EYE, _LEFT_EYE = 0, 1


@dataclass(frozen=True)
class FaceBox:
    """A face in an image.

    Attributes:
        score: 0 to 1.
        crop: around it, upright by its eyes.
    """

    score: float
    crop: Crop


class FaceBoxes:
    """The detector of faces: `model` is a LiteRT interpreter of the file `where`.

    Raises `InputError` where it is another model.
    """

    def __init__(self, model: Any, where: str) -> None:
        self._model, self._anchors = model, _anchors()
        given = (1, len(self._anchors), 1), (1, len(self._anchors), _VALUES)
        self._input, self._scores, self._boxes = tensor_indices(model, (1, _SIZE, _SIZE, 3), given, where, CURE)

    def find(self, image: Picture, window: Crop) -> list[FaceBox]:
        """The faces in a square window of an image, the surest first."""
        pixels = window.cut(image, _SIZE).astype(np.float32)[None] / 127.5 - 1
        self._model.set_tensor(self._input, pixels)
        self._model.invoke()
        scores = self._model.get_tensor(self._scores)[0, :, 0].astype(np.float64)
        scores = 1 / (1 + np.exp(-np.clip(scores, -100, 100)))
        index = np.flatnonzero(scores > _SURE)
        if not len(index):
            return []
        values = self._model.get_tensor(self._boxes)[0, index].astype(np.float64) / _SIZE
        points = values.reshape(len(index), 8, 2)  # centre, size, six points
        points[:, [0, 2, 3, 4, 5, 6, 7]] += self._anchors[index, None]
        return [self._box(window, *each) for each in _distinct(scores[index], points)]

    def _box(self, window: Crop, score: float, points: Floats) -> FaceBox:
        centre, right, left = window.to_image(points[[0, 2 + _RIGHT_EYE, 2 + _LEFT_EYE]])
        across = left - right
        side = _WIDER * window.side * float(points[1].max())
        return FaceBox(score, Crop(float(centre[0]), float(centre[1]), side, float(np.arctan2(across[1], across[0]))))


def _anchors() -> Floats:
    """(896, 2) places of the anchors, 0 to 1."""
    places = []
    for count, each in _GRIDS:
        y, x = np.divmod(np.arange(count * count), count)
        places.append(np.repeat((np.stack([x, y], axis=1) + 0.5) / count, each, axis=0))
    return np.concatenate(places)


def _distinct(scores: Floats, points: Floats) -> list[tuple[float, Floats]]:
    """One of each group of boxes (N, 8, 2) that overlap: their mean, weighted by their scores."""
    order = np.argsort(-scores)
    low, high = points[:, 0] - points[:, 1] / 2, points[:, 0] + points[:, 1] / 2
    areas = np.prod(high - low, axis=1)
    found = []
    while len(order):
        first = order[0]
        common = np.minimum(high[order], high[first]) - np.maximum(low[order], low[first])
        both = np.prod(np.maximum(common, 0), axis=1)
        same = both / (areas[order] + areas[first] - both) > _SAME
        same[0] = True
        group = order[same]
        found.append((float(scores[first]), np.average(points[group], axis=0, weights=scores[group])))
        order = order[~same]
    return found
