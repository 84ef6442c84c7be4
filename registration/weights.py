"""Confidence of a scan's vertices in registration, by their predicted distance to the skin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_HALF_MM = 1.5  # the distance at which a vertex says half as much: from there on it is no skin by definition


def confidence_of(distance_mm: NDArray) -> NDArray[np.float64]:
    """(V,) 1 for vertices that lie on the skin as far as the prediction goes, less with their distance (V,)."""
    return np.asarray(1 / (1 + (np.asarray(distance_mm, float) / _HALF_MM) ** 2))
