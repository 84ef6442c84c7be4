"""Geometric consistency filter: the number of source views whose depth maps agree with a pixel's."""

from __future__ import annotations

import numba
import numpy as np

from reconstruction.patchmatch.consistency import MAX_ERROR, reprojection_error
from reconstruction.patchmatch.jit import inlined, kernel


@kernel
def count_consistent(reference, scene, pairs, max_error, max_difference, counts):  # type: ignore[no-untyped-def]
    """Fill counts (H, W) uint8 with how many sources' depth maps agree with the reference's in `scene`.

    To agree, the point must come back within `max_error` pixels and the depths differ by less than the share
    `max_difference`.
    """
    for line in numba.prange(counts.shape[0]):
        count_row(np.int64(line), reference, scene, pairs, max_error, max_difference, counts)


@inlined
def count_row(y, reference, scene, pairs, max_error, max_difference, counts):  # type: ignore[no-untyped-def]
    """`count_consistent` for one row."""
    depths = scene.depths[reference]
    width = counts.shape[1]
    for x in range(width):
        counts[y, x] = 0
        depth = depths[y, x]
        if depth <= 0:
            continue
        fx, fy, inverse = np.float32(x), np.float32(y), np.float32(1) / depth
        for s in range(pairs.sources.shape[0]):
            view = pairs.sources[s]
            m, b = pairs.forward[s], pairs.offset[s]
            h = (
                m[0, 0] * fx + m[0, 1] * fy + m[0, 2] + b[0] * inverse,
                m[1, 0] * fx + m[1, 1] * fy + m[1, 2] + b[1] * inverse,
                m[2, 0] * fx + m[2, 1] * fy + m[2, 2] + b[2] * inverse,
            )
            error = reprojection_error(fx, fy, depth, h, scene, pairs, s)
            if error >= min(MAX_ERROR, max_error):
                continue
            column = int(np.floor(h[0] / h[2] + np.float32(0.5)))
            row = int(np.floor(h[1] / h[2] + np.float32(0.5)))
            difference = abs(scene.depths[view, row, column] - depth * h[2])
            # The neighbouring pixel's plane may be steep: two pixels of it count as the same depth.
            if difference <= max_difference * depth:
                counts[y, x] += 1
