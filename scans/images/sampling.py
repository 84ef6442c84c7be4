"""Values of images between their pixels; apart from decoding, which nodes without scipy do, too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates


def sample_image(image: NDArray, pixels: NDArray) -> NDArray:
    """Bilinear samples (..., C), of the image's type, of an image (H, W, C) at pixels (..., 2).

    Pixel (0.5, 0.5) is the centre of the first one; beyond the outermost centres the border goes on.
    """
    rows_columns = np.moveaxis(pixels, -1, 0)[::-1] - 0.5
    whole = np.issubdtype(image.dtype, np.integer)
    channels = [
        map_coordinates(image[..., channel], rows_columns, output=np.float32, order=1, mode="nearest")
        for channel in range(image.shape[2])
    ]
    values = np.stack(channels, axis=-1)
    return (values.round() if whole else values).astype(image.dtype)
