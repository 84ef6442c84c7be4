"""Colours of skin that no image shows, and how what is shown goes over into them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from registration.nonrigid import cotangent_laplacian
from registration.texture.balance import Blend
from registration.texture.surface import TexturedSurface
from scans.cholesky import CholeskyFactor

_FEATHER_M = 0.005  # over which images go over into the filling, at the border of what they show
_REACH_M = 0.08  # so far do colours at the border go on, until the mean takes over


def shown_share(surface: TexturedSurface, seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(n,) 1 where the images are baked, 0 where the filling is, on vertices of which (n,) some are seen.

    It is 0 on the outermost seen vertices, too: triangles with an unseen corner are filled.
    """
    rings = max(2, round(_FEATHER_M / surface.edge))
    depth = surface.depth_in(seen, rings).astype(np.float32)
    share = np.maximum(depth - 1, 0) / np.float32(rings - 1)
    near = surface.neighbours
    for _ in range(rings):  # edges have directions, which depths show
        share = near @ share / np.asarray(near.sum(axis=1)).ravel()
    return np.asarray(np.where(depth > 1, share * share * (3 - 2 * share), 0), np.float32)


def filled_colours(surface: TexturedSurface, blend: Blend, share: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 3) smoothed colours where they are shown, and what continues them elsewhere.

    The f that minimises integral s |f - c|^2 / h^2 + |grad f|^2 + |f - mean|^2 / r^2, with the share s that is shown,
    a length h of a few triangles, and the reach r.
    """
    laplacian, areas = cotangent_laplacian(surface.points, surface.faces)
    given = areas * share / (2 * surface.edge) ** 2
    pull = areas / _REACH_M**2
    weights = areas * share
    mean = weights @ blend.colours / max(float(weights.sum()), 1e-30)
    right = given[:, None] * blend.colours + pull[:, None] * mean
    system = (laplacian + sparse.diags(given + pull)).tocsr()
    return np.asarray(CholeskyFactor(system).solve(right.astype(np.float64)), np.float32)
