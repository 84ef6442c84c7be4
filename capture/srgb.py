"""The transfer curve of sRGB (IEC 61966-2-1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def to_linear(shares: ArrayLike) -> NDArray[np.float64]:
    """Linear light of sRGB values, both 0 to 1 from black to white; above white it goes on."""
    shares = np.asarray(shares, np.float64)
    return np.where(shares <= 0.04045, shares / 12.92, ((np.maximum(shares, 0.04045) + 0.055) / 1.055) ** 2.4)


def from_linear(shares: ArrayLike) -> NDArray[np.float64]:
    """The inverse of `to_linear`; below black is black."""
    shares = np.maximum(np.asarray(shares, np.float64), 0)
    return np.where(shares <= 0.0031308, shares * 12.92, 1.055 * shares ** (1 / 2.4) - 0.055)
