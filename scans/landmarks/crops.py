"""Square crops of images, turned and scaled, as detectors take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Crop:
    """A square of an image.

    Attributes:
        x, y: its centre, pixels of the image.
        side: its length, pixels.
        angle: radians by which its axes are turned against the image's, x towards y.
    """

    x: float
    y: float
    side: float
    angle: float = 0.0

    @property
    def _axes(self) -> Floats:
        """(2, 2) whose rows are the crop's axes in the image."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        return np.array([[c, s], [-s, c]])

    def to_image(self, places: Floats) -> Floats:
        """Pixels (..., 2) of the image for places (..., 2) in the crop, 0 to 1."""
        return np.asarray((places - 0.5) * self.side @ self._axes + [self.x, self.y])

    def from_image(self, pixels: Floats) -> Floats:
        """The inverse of `to_image`."""
        return np.asarray((pixels - [self.x, self.y]) @ self._axes.T / self.side + 0.5)

    def cut(self, image: Picture, size: int) -> Picture:
        """The crop as a picture (size, size, 3), antialiased; black beyond the image's border."""
        corners = self.to_image(np.array([[0, 0], [1, 0], [0, 1], [1, 1]], float))
        height, width = image.shape[:2]
        margin = self.side / size + 1
        left, top = np.floor(corners.min(axis=0) - margin).astype(int)
        right, bottom = np.ceil(corners.max(axis=0) + margin).astype(int)
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
        if left >= right or top >= bottom:
            return np.zeros((size, size, 3), np.uint8)
        part = Image.fromarray(np.ascontiguousarray(image[top:bottom, left:right]))
        factor = max(1, int(self.side / size))
        reduced = part.reduce(factor) if factor > 1 else part
        # A place (i + 1/2) / size of the crop -> the image -> the part, which was reduced by a whole factor.
        step = self.side / size / factor * self._axes
        origin = (self.to_image(np.zeros(2)) - [left, top]) / factor
        matrix = (step[0, 0], step[1, 0], origin[0], step[0, 1], step[1, 1], origin[1])
        turned = reduced.transform((size, size), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
        return np.asarray(turned)
