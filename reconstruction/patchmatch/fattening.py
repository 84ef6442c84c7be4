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
from scipy import ndimage

from reconstruction.patchmatch.jit import inlined, kernel
from reconstruction.patchmatch.matching import falling

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
    unit = np.ascontiguousarray(np.moveaxis(colours, -1, 0)).astype(np.float32) / np.float32(255)
    left, asked = depth.copy(), depth > 0
    for _ in range(_PASSES):
        rejected = np.zeros(depth.shape, np.bool_)
        _vote(left, normal, unit, intrinsics, _RADIUS, np.float32(_SIGMA_COLOUR), _SAME, _MORE, asked, rejected)
        left[rejected] = 0
        # The vote of a pixel is as before where nothing was rejected around it.
        asked = (left > 0) & ndimage.maximum_filter(rejected, 2 * _RADIUS + 1)
    return left > 0


@kernel
def _vote(depth, normal, colours, camera, radius, sigma, same, more, asked, rejected):  # type: ignore[no-untyped-def]
    """Set `rejected` (H, W) where the pixels of `asked` (H, W) are voted out; colours (3, H, W)."""
    for line in numba.prange(depth.shape[0]):
        _vote_row(np.int64(line), depth, normal, colours, camera, radius, sigma, same, more, asked, rejected)


@inlined
def _vote_row(y, depth, normal, colours, camera, radius, sigma, same, more, asked, rejected):  # type: ignore[no-untyped-def]
    """`_vote` for one row. The innermost loop has no branches, so that it runs on several pixels at once."""
    height, width = depth.shape
    scale = np.float32(0.5) / (sigma * sigma)
    zero, edge_on = np.float32(0), np.float32(-1e-3)
    for x in range(width):
        if not asked[y, x]:
            continue
        here = depth[y, x]
        n = normal[y, x]
        step = n[0] / camera[0]
        facing = step * (x - camera[2]) + n[1] * (y - camera[3]) / camera[1] + n[2]
        limit = np.float32(same) * here / camera[0]
        red, green, blue = colours[0, y, x], colours[1, y, x], colours[2, y, x]
        own, behind = np.float32(-1), zero  # the pixel's vote for itself doesn't count
        first, last = max(0, x - radius), min(width, x + radius + 1)
        for row in range(max(0, y - radius), min(height, y + radius + 1)):
            depths = depth[row, first:last]
            reds, greens, blues = colours[0, row, first:last], colours[1, row, first:last], colours[2, row, first:last]
            start = step * (first - camera[2]) + n[1] * (row - camera[3]) / camera[1] + n[2]
            for k in range(last - first):
                there = depths[k]
                r, g, b = reds[k] - red, greens[k] - green, blues[k] - blue
                weight = falling(scale * (r * r + g * g + b * b))
                turned = start + step * np.float32(k)
                plane = here * facing / min(turned, edge_on)
                # A plane seen edge-on says nothing.
                usable = (turned < edge_on) & (abs(plane - here) <= np.float32(0.1) * here)
                plane = plane if usable else here
                known = there > zero
                agrees = (abs(there - plane) < limit) | (abs(there - here) < limit)
                own += weight if known & agrees else zero
                behind += weight if known & (not agrees) & (there > plane) else zero
        rejected[y, x] = behind > np.float32(more) * own
