"""Selection of source views per pixel, and the cost of a hypothesis over them.

A view in which a pixel is hidden matches badly whatever the hypothesis. Neighbours share visibility, so each view is
judged by its costs at the pixel and its four neighbours (in the spirit of Xu and Tao 2019, sec. 3.2); the best few
are kept with weights that fall with their cost.
"""

from __future__ import annotations

import numpy as np

from reconstruction.patchmatch.jit import inlined
from reconstruction.patchmatch.matching import falling


@inlined
def select_views(view_cost, x, y, priors, keep, order, weights):  # type: ignore[no-untyped-def]
    """Fill `order` with the best `keep` views of a pixel, best first, and `weights` with theirs (sum 1).

    view_cost is (H, W, S), priors (S,) how suitable the view's angle is, in (0, 1].
    """
    height, width, count = view_cost.shape
    scores = np.empty(count, np.float32)
    for s in range(count):
        total = np.float32(2) * view_cost[y, x, s]
        number = np.float32(2)
        if x > 0:
            total += view_cost[y, x - 1, s]
            number += 1
        if x + 1 < width:
            total += view_cost[y, x + 1, s]
            number += 1
        if y > 0:
            total += view_cost[y - 1, x, s]
            number += 1
        if y + 1 < height:
            total += view_cost[y + 1, x, s]
            number += 1
        mean = total / number
        scores[s] = priors[s] * falling(mean * mean / np.float32(0.32)) + np.float32(1e-6) / np.float32(1 + s)
    summed = np.float32(0)
    for k in range(keep):
        best = 0
        for s in range(1, count):
            if scores[s] > scores[best]:
                best = s
        order[k] = best
        weights[k] = scores[best]
        scores[best] = np.float32(-1)
        # One view alone can match by chance: the second best always has a say.
        floor = np.float32(0.5) if k < 2 else np.float32(0.0)
        weights[k] = max(weights[k], floor * weights[0])
        if weights[k] < np.float32(0.1) * weights[0]:
            weights[k] = np.float32(0)
        summed += weights[k]
    for k in range(keep):
        weights[k] /= summed


@inlined
def joint_cost(costs, order, weights):  # type: ignore[no-untyped-def]
    """Weighted mean of the costs (S,) over the selected views."""
    total = np.float32(0)
    for k in range(order.shape[0]):
        total += weights[k] * costs[order[k]]
    return total
