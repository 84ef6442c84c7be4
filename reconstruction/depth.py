"""Depth maps: what every backend makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture import Camera


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


@dataclass(frozen=True, eq=False)
class DepthLevel:
    """The filtered depth maps of N views at one level of the search.

    Attributes:
        cameras: N, of the level's size.
        maps: N.
    """

    cameras: Sequence[Camera]
    maps: Sequence[DepthMap]

    @property
    def footprint(self) -> float:
        """Size of a pixel on the surface, metres: the median over all maps; NaN where all are empty."""
        pairs = zip(self.cameras, self.maps, strict=True)
        sizes = [each.depth[each.depth > 0] / camera.focal[0] for camera, each in pairs]
        known = np.concatenate(sizes)
        return float(np.median(known)) if len(known) else float("nan")
