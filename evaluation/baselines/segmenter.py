"""Interface of the per-image baselines."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from capture import SKIN_CLASSES

__all__ = ["SKIN_CLASSES", "PixelSegmenter"]


class PixelSegmenter(Protocol):
    """Segments skin in one image; knows nothing of cameras and scans."""

    @property
    def key(self) -> str:
        """Name of everything that a prediction depends on: content of the weights, options and version of the code.

        Segmenters with equal keys give equal predictions.
        """
        ...

    def skin(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probability of skin per pixel.

        Args:
            image: (H, W, 3) sRGB.

        Returns:
            (h, w) probability of skin, 0 to 1, at any resolution; it covers the whole image: the value at row r and
            column c is that of the image's point ((c + 0.5) W / w, (r + 0.5) H / h), pixel centres at 0.5.
        """
        ...
