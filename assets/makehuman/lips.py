"""Closes the lips of the neutral face. MakeHuman's identities leave a gap of up to 3 mm that shows the teeth.

The correction is linear in the vertices' heights: the gaps along the seam, measured at the upper lip's vertices
against the lower lip interpolated below them, are shared out to both lips and fade away from the seam.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from assets.head_models.head_model import FloatArray, IntArray
from assets.makehuman.hm08 import QuadGraph, lip_seams

SPREAD = 0.003
"""Standard deviation along the lips over which the gap is averaged, metres."""
FADE_RINGS = 8
"""Edges from the seam over which the correction fades to nothing: about to the nose and into the chin's fold."""


def lip_seal(body: IntArray, mirror: IntArray, mean: FloatArray, source: IntArray) -> dict[str, Any]:
    """seal_gaps (G, S): heights of the vertices -> gaps; seal_moves (S, G): gaps -> changes of the heights.

    body (Q, 4) quads of the base mesh, mean (B, 3) the mean head, source (S,) base-mesh vertices in use.
    """
    graph = QuadGraph(body)
    upper, lower = lip_seams(graph, mirror)
    upper = sorted(upper, key=lambda vertex: float(mean[vertex, 0]))
    lower = sorted(lower, key=lambda vertex: float(mean[vertex, 0]))
    index = np.full(len(mean), -1)
    index[source] = np.arange(len(source))
    gaps = np.zeros((len(upper), len(source)))
    low_x = mean[lower, 0]
    for row, vertex in enumerate(upper):
        gaps[row, index[vertex]] = 1.0
        right = int(np.clip(np.searchsorted(low_x, mean[vertex, 0]), 1, len(lower) - 1))
        share = (mean[vertex, 0] - low_x[right - 1]) / (low_x[right] - low_x[right - 1])
        share = float(np.clip(share, 0.0, 1.0))
        gaps[row, index[lower[right - 1]]] -= 1.0 - share
        gaps[row, index[lower[right]]] -= share
    above, below = graph.distances(upper, FADE_RINGS), graph.distances(lower, FADE_RINGS)
    moves = np.zeros((len(source), len(upper)))
    reach = float(np.abs(mean[upper, 0]).max())
    for vertex in above.keys() | below.keys():
        up, down = above.get(vertex, FADE_RINGS), below.get(vertex, FADE_RINGS)
        if up == down or index[vertex] < 0:
            continue
        offset = mean[upper, 0] - mean[vertex, 0]
        near = np.exp(-0.5 * (offset / SPREAD) ** 2)
        fade = 1.0 - (min(up, down) / FADE_RINGS) ** 2
        fade *= float(np.clip((1.25 * reach - abs(mean[vertex, 0])) / (0.25 * reach), 0.0, 1.0))
        moves[index[vertex]] = (-0.5 if up < down else 0.5) * fade * near / max(near.sum(), 1e-9)
    return {"seal_gaps": gaps, "seal_moves": moves}
