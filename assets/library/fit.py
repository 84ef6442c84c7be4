"""The fit of a MakeHuman proxy on a head.

As MakeHuman does: a proxy's vertex is the barycentric mean of the three vertices that it is bound to plus an offset,
which is scaled along each axis by how far two reference vertices of this head are apart; the bones move it as they move
what it is bound to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets.head_models.head_model import Pose
from assets.library.mhclo import ObjMesh, Proxy
from assets.makehuman.files import to_world
from assets.makehuman.fitting import FittingMesh
from capture.geometry import Floats


@dataclass(frozen=True, eq=False)
class Fitted:
    """A proxy on a head: vertices (P, 3) metres, triangles (F, 3) and the texture points (F, 3, 2) of their corners."""

    vertices: Floats
    triangles: NDArray[np.int64]
    corner_uvs: Floats


def fit_proxy(
    proxy: Proxy, mesh: ObjMesh, fitting: FittingMesh, identity: Floats, expression: Floats, pose: Pose
) -> Fitted:
    """The proxy on a head of the given coefficients; triangles bound to what the head model lacks are dropped."""
    rows = fitting.row[proxy.bound]
    kept = (rows >= 0).all(axis=1)
    rows = np.where(kept[:, None], rows, 0)
    rest = fitting.rest(identity, expression)
    points = (rest[rows] * proxy.weights[..., None]).sum(axis=1)
    points = points + to_world(proxy.offsets * _scales(proxy, fitting, rest))
    weights = (fitting.weights[rows] * np.maximum(proxy.weights, 0)[..., None]).sum(axis=1)
    total = weights.sum(axis=1, keepdims=True)
    weights = np.divide(weights, total, out=fitting.weights[rows[:, 0]].copy(), where=total > 1e-9)
    placed = fitting.posed(points, weights, identity, pose)
    faces = kept[mesh.triangles].all(axis=1)
    used, inverse = np.unique(mesh.triangles[faces], return_inverse=True)
    return Fitted(placed[used], inverse.reshape(-1, 3).astype(np.int64), mesh.corner_uvs[faces])


def _scales(proxy: Proxy, fitting: FittingMesh, rest: Floats) -> Floats:
    """(3,) factors along MakeHuman's axes: this head's distance between two vertices over the one of the proxy."""
    factors = np.ones(3)
    for axis, (first, second, distance) in proxy.scales.items():
        one, other = fitting.row[[first, second]]
        if one >= 0 and other >= 0:
            world = (0, 2, 1)[axis]  # MakeHuman's y is up, its z is our -y
            factors[axis] = abs(rest[one, world] - rest[other, world]) * 10 / distance
    return factors
