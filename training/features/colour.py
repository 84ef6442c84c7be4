"""Plain colour as a feature map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def colour_map(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(H, W, 3) sRGB in [0, 1] of an image (H, W, 3)."""
    return image.astype(np.float32) / 255
