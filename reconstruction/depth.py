"""Depth maps: what every backend makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class DepthMap:
    """Depth and normals of one view.

    Attributes:
        depth: (H, W) float32 metres along the optical axis, 0 where unknown.
        normal: (H, W, 3) float32 unit vectors in the camera, towards it; 0 where unknown.
        confidence: (H, W) float32 in [0, 1], or None where the backend says none.
    """

    depth: NDArray[np.float32]
    normal: NDArray[np.float32]
    confidence: NDArray[np.float32] | None = None
