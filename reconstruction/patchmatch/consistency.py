"""Geometric consistency: does another view's depth map see the same point?"""

from __future__ import annotations

import numpy as np

from reconstruction.patchmatch.jit import inlined
from reconstruction.patchmatch.matching import plane_depth

# Reprojection errors (pixels) are cut here: beyond it the views contradict each other, however much.
MAX_ERROR = np.float32(3.0)


@inlined
def forward_backward(x, y, depth, h, depths, normals, camera, back, offset):  # type: ignore[no-untyped-def]
    """Pixels between (x, y) and where it comes back to by way of a source view's own depth map; `MAX_ERROR` at most.

    The point at `depth` is projected into the source (h (3,), see `matching`), replaced by the point on the plane
    that the source has there, and projected back. depths (H, W), normals (H, W, 3) and camera (4,) are the
    source's; back (3, 3), offset (3,) are M and b from the source to the reference.
    """
    if h[2] <= 0:
        return MAX_ERROR
    sx, sy = h[0] / h[2], h[1] / h[2]
    column, row = int(np.floor(sx + np.float32(0.5))), int(np.floor(sy + np.float32(0.5)))
    if column < 0 or row < 0 or column >= depths.shape[1] or row >= depths.shape[0] or depths[row, column] <= 0:
        return MAX_ERROR
    there = plane_depth(depths[row, column], normals[row, column], np.float32(column), np.float32(row), sx, sy, camera)
    if there <= 0:
        return MAX_ERROR
    inverse = np.float32(1) / there
    z = back[2, 0] * sx + back[2, 1] * sy + back[2, 2] + offset[2] * inverse
    if z <= 0:
        return MAX_ERROR
    dx = (back[0, 0] * sx + back[0, 1] * sy + back[0, 2] + offset[0] * inverse) / z - x
    dy = (back[1, 0] * sx + back[1, 1] * sy + back[1, 2] + offset[1] * inverse) / z - y
    return min(np.sqrt(dx * dx + dy * dy), MAX_ERROR)


@inlined
def reprojection_error(x, y, depth, h, scene, pairs, s):  # type: ignore[no-untyped-def]
    """`forward_backward` through source view `s`."""
    view = pairs.sources[s]
    return forward_backward(
        x,
        y,
        depth,
        h,
        scene.depths[view],
        scene.normals[view],
        scene.cameras[view],
        pairs.back[s],
        pairs.back_offset[s],
    )
