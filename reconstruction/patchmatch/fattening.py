"""Filter against foreground fattening: a cross-bilateral vote over a finished depth map.

Foreground fattening is what gives pixels beside an outline the depth of what is in front: a window that holds an
outline matches best where the outline matches, so skin beside hair or a frame ends up floating at their depth, in all
views alike. Its colour tells: pixels like it, a little farther off, lie on the skin behind. Votes by likeness in colour
are Yoon and Kweon's ("Adaptive support-weight approach for correspondence search", 2006),
here over the finished depths as in Ma et al., "Constant time weighted median filtering for stereo matching", 2013.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from reconstruction.patchmatch.jit import inlined, kernel

_RADIUS = 8  # pixels whose votes count; a window's half side and as much again
_SIGMA_COLOUR = 0.05  # of colours in [0, 1]
_SAME = 3.0  # footprints of a pixel by which depths on one surface may differ
_MORE = 0.7  # votes for a surface behind over votes for the pixel's own that throw it out
_PASSES = 3  # each rejects what the pass before laid bare


def reject_fattened(
    depth: NDArray[np.float32],
    normal: NDArray[np.float32],
    colours: NDArray[np.uint8],
    intrinsics: NDArray[np.float32],
) -> NDArray[np.bool_]:
    """(H, W) bool: pixels whose depth stands; the others took the depth of the foreground beside them.

    A pixel is rejected where the pixels around it, each weighted by its likeness in colour, place the surface farther
    away rather than at the pixel's own depth.

    Args:
        depth: (H, W) metres, 0 where unknown.
        normal: (H, W, 3).
        colours: (H, W, 3) of the image.
        intrinsics: (4,) fx, fy, cx, cy with whole numbers at pixel centres.
    """
    unit = colours.astype(np.float32) / np.float32(255)
    left = depth
    for _ in range(_PASSES):
        result = np.empty_like(left)
        _vote(left, normal, unit, intrinsics, _RADIUS, np.float32(_SIGMA_COLOUR), _SAME, _MORE, result)
        left = result
    return left > 0


@kernel
def _vote(depth, normal, colours, camera, radius, sigma, same, more, result):  # type: ignore[no-untyped-def]
    """Copy `depth` to `result` without the pixels that are voted out."""
    for line in numba.prange(depth.shape[0]):
        _vote_row(np.int64(line), depth, normal, colours, camera, radius, sigma, same, more, result)


@inlined
def _vote_row(y, depth, normal, colours, camera, radius, sigma, same, more, result):  # type: ignore[no-untyped-def]
    height, width = depth.shape
    scale = np.float32(-0.5) / (sigma * sigma)
    for x in range(width):
        here = depth[y, x]
        result[y, x] = here
        if here <= 0:
            continue
        n = normal[y, x]
        facing = n[0] * (x - camera[2]) / camera[0] + n[1] * (y - camera[3]) / camera[1] + n[2]
        limit = np.float32(same) * here / camera[0]
        own, behind = np.float32(0), np.float32(0)
        for row in range(max(0, y - radius), min(height, y + radius + 1)):
            for column in range(max(0, x - radius), min(width, x + radius + 1)):
                there = depth[row, column]
                if there <= 0 or (row == y and column == x):
                    continue
                square = np.float32(0)
                for c in range(3):
                    difference = colours[row, column, c] - colours[y, x, c]
                    square += difference * difference
                weight = np.exp(scale * square)
                turned = n[0] * (column - camera[2]) / camera[0] + n[1] * (row - camera[3]) / camera[1] + n[2]
                plane = here * facing / turned if turned < np.float32(-1e-3) else here
                if abs(plane - here) > np.float32(0.1) * here:  # a plane seen edge-on says nothing
                    plane = here
                if abs(there - plane) < limit or abs(there - here) < limit:
                    own += weight
                elif there > plane:
                    behind += weight
        if behind > np.float32(more) * own:
            result[y, x] = 0
