"""Cropping of images to where the scan is, so that the image network sees it as large as its resolution allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from capture import Camera

if TYPE_CHECKING:
    from scans.visibility import Views  # which needs embreex, as token maps don't

_CELLS = 12  # of an image a side: crops end at their borders, so that scans of a head in several styles share most
_POINTS = 20_000  # of a scan that suffice
_MARGIN = 0.01  # of the image, for the points between them


class Crop(NamedTuple):
    """A part of an image, as shares of its width and height."""

    left: float
    top: float
    right: float
    bottom: float

    def pixels(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The part of an image (H, W, 3)."""
        height, width = image.shape[:2]
        return image[
            round(self.top * height) : round(self.bottom * height), round(self.left * width) : round(self.right * width)
        ]


WHOLE = Crop(0.0, 0.0, 1.0, 1.0)


def crops_around(cameras: Sequence[Camera], vertices: NDArray) -> list[Crop]:
    """The part of each view's image that holds a scan (V, 3); all of it where none of the scan is in the image."""
    points = np.asarray(vertices, np.float64)[:: -(-len(vertices) // _POINTS)]
    return [_crop(camera, points) for camera in cameras]


def _crop(camera: Camera, points: NDArray[np.float64]) -> Crop:
    pixels, _ = camera.project(points)
    framed = pixels[camera.inside(pixels)]
    if not len(framed):
        return WHOLE
    shares = framed / (camera.width, camera.height)
    low, high = np.floor((shares.min(axis=0) - _MARGIN) * _CELLS), np.ceil((shares.max(axis=0) + _MARGIN) * _CELLS)
    high = np.maximum(high, low + 1)
    left, top, right, bottom = (float(value) for value in np.clip(np.concatenate([low, high]) / _CELLS, 0, 1))
    return Crop(left, top, right, bottom)


def in_crops(views: Views, crops: Sequence[Crop]) -> Views:
    """The same points, their positions as shares of the crops (N) instead of the images."""
    places = np.array(crops, np.float32)
    low, high = places[:, None, :2], places[:, None, 2:]
    return replace(views, where=np.asarray((views.where - low) / (high - low), np.float32))
