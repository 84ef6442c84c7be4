"""Non-rigid deformation: a smooth displacement of the fitted head onto the scan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from capture.geometry import corner_cotangents, vertex_areas, vertex_normals
from registration.openings import Openings
from registration.target import Target
from scans.cholesky import CholeskyFactor, solve_near

Floats = NDArray[np.float64]

DRAWN_M = 0.02  # so far does a place of the scan draw
_DRAWING = 8000  # places that draw, at most


@dataclass(frozen=True)
class Stiffness:
    """Stiffness of the surface, in the order of the steps.

    Attributes:
        wavelengths_mm: details of this size are followed by half, larger ones wholly, smaller ones not.
        repeats: of each: nearest places are looked for anew.
        reach_mm: at first, how far off the skin is looked for; at the end a third of it.
        rest: weight that draws towards the fitted head where there is nothing to follow, beside 1 for the scan.
    """

    wavelengths_mm: tuple[float, ...] = (160.0, 110.0, 75.0, 50.0, 35.0, 25.0, 18.0)
    repeats: int = 3
    reach_mm: float = 12.0
    rest: float = 1e-4


def deform(
    surface: Floats,
    faces: NDArray[np.integer],
    shown: NDArray[np.bool_],
    target: Target,
    stiffness: Stiffness,
    drawn: NDArray[np.bool_] | None = None,
    openings: Openings | None = None,
) -> Floats:
    """Displace a surface (V, 3) smoothly onto the target; returns (V, 3).

    Minimises, over displacements d of the surface S as it is given,

        sum_i m_i w_i |d_i - t_i|^2  +  (l / 2 pi)^4 integral |Laplace d|^2  +  rest sum_i m_i |d_i|^2

    with areas m, and t_i the way to the tangent plane at the nearest place of the scan. The second term damps a wave of
    length l by half. The stiffness is lowered step by step, as in optimal step ICP (Amberg, Romdhani and Vetter, CVPR
    2007), of which this keeps the rejection of hits on borders; as S stays what the coefficients gave, no step's error
    becomes the next one's shape. Weights fall with the residual (Geman and McClure), whose scale is measured.

    Args:
        surface: (V, 3) metres.
        faces: (F, 3).
        shown: (V,) vertices that can be seen at all; the others follow.
        target: what to lie on.
        stiffness: see `Stiffness`.
        drawn: (V,) vertices that places of the scan draw to themselves where the vertices find nothing: a nose that is
            longer than the fitted one has its tip far from all that the template's tip is near to. Nothing that grows
            or is worn may lie on these. None where there are none.
        openings: lips that meet where the scan shows no gap between them.
    """
    back = None if drawn is None else _Drawing(surface, drawn & shown, target)
    laplacian, areas = cotangent_laplacian(surface, faces)
    bending = (laplacian.T @ sparse.diags(1 / areas) @ laplacian).tocsc()
    displacement = np.zeros_like(surface)
    steps = len(stiffness.wavelengths_mm)
    for step, wavelength in enumerate(stiffness.wavelengths_mm):
        reach = stiffness.reach_mm / 1000 * (1 - 2 / 3 * step / max(steps - 1, 1))
        alpha = (wavelength / 1000 / (2 * np.pi)) ** 4
        factor: CholeskyFactor | None = None
        for _ in range(stiffness.repeats):
            moved = surface + displacement
            weights, goal = _pull(moved, faces, shown, target, reach)
            if back is not None:
                weights, goal = back.joined(moved, faces, weights, goal)
            if openings is not None:
                weights, goal = openings.joined(moved, weights, goal)
            data = sparse.diags(areas * (weights + stiffness.rest))
            system = (alpha * bending + data).tocsr()
            right = (areas * weights)[:, None] * (displacement + goal)
            near = None if factor is None else solve_near(system, factor, right, displacement)
            if near is None:
                factor = CholeskyFactor(system)
                near = factor.solve(right)
            displacement = near
    return np.asarray(surface + displacement)


class _Drawing:
    """Places of a scan that draw the nearest vertices of a surface to themselves."""

    def __init__(self, surface: Floats, drawn: NDArray[np.bool_], target: Target) -> None:
        """Of a surface (V, 3), its vertices that may be drawn (V,)."""
        self.drawn = np.flatnonzero(drawn)
        near = cKDTree(surface[self.drawn]).query(target.vertices, distance_upper_bound=DRAWN_M)[0] < DRAWN_M
        index = np.flatnonzero(near & (target.weights > 0))
        index = index[:: max(1, len(index) // _DRAWING)]
        self.points, self.normals, self.weights = target.vertices[index], target.normals[index], target.weights[index]

    def joined(self, moved: Floats, faces: NDArray[np.integer], weights: Floats, goal: Floats) -> tuple[Floats, Floats]:
        """The weights (V,) and ways (V, 3) of vertices with those of the places that have them as their nearest."""
        distance, at = cKDTree(moved).query(self.points, distance_upper_bound=DRAWN_M)
        mine = np.zeros(len(moved) + 1, bool)
        mine[self.drawn] = True
        used = mine[at]
        at, points, normals = at[used], self.points[used], self.normals[used]
        facing = (vertex_normals(moved, faces)[at] * normals).sum(axis=1)
        weight = self.weights[used] * np.clip((facing - 0.3) / 0.3, 0, 1) * (1 - (distance[used] / DRAWN_M) ** 2)
        way = ((points - moved[at]) * normals).sum(axis=1)[:, None] * normals
        total = np.bincount(at, weight, len(moved))
        sums = np.stack([np.bincount(at, weight * way[:, axis], len(moved)) for axis in range(3)], axis=1)
        mean = sums / np.maximum(total, 1e-12)[:, None]
        share = (1 - np.minimum(weights, 1)) * np.minimum(total, 1)
        both = weights + share
        joined = (weights[:, None] * goal + share[:, None] * mean) / np.maximum(both, 1e-12)[:, None]
        return both, joined


def _pull(
    moved: Floats, faces: NDArray[np.integer], shown: NDArray[np.bool_], target: Target, reach: float
) -> tuple[Floats, Floats]:
    """Weight of each vertex (V,) and the way to its tangent plane (V, 3)."""
    normals = vertex_normals(moved, faces)
    hits = target.nearest(moved, reach)
    facing = (hits.normals * normals).sum(axis=1)
    offset = np.where(np.isfinite(hits.distance), ((hits.points - moved) * hits.normals).sum(axis=1), 0.0)
    weights = hits.weights * shown * np.clip((facing - 0.5) / 0.3, 0, 1)
    weights *= np.clip(1 - (np.minimum(hits.distance, reach) / reach) ** 2, 0, 1)
    used = weights > 0
    scale = max(3 * 1.4826 * float(np.median(np.abs(offset[used]))), 0.0005) if used.any() else reach
    weights *= 1 / (1 + (offset / scale) ** 2) ** 2
    return weights, offset[:, None] * hits.normals


def cotangent_laplacian(vertices: Floats, faces: NDArray[np.integer]) -> tuple[sparse.csr_matrix, Floats]:
    """(V, V) positive semi-definite Laplacian with cotangent weights, and areas (V,) of the vertices (thirds).

    Cotangents are kept between 0.01 and 100: needles must not dominate (Pinkall and Polthier 1993 for the weights).
    """
    count = len(vertices)
    weights = np.clip(corner_cotangents(vertices, faces), 0.01, 100) / 2
    rows, columns, values = [], [], []
    for corner in range(3):
        after, before = faces[:, (corner + 1) % 3], faces[:, (corner + 2) % 3]
        rows += [after, before]
        columns += [before, after]
        values += [-weights[:, corner], -weights[:, corner]]
    off = sparse.coo_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (count, count)
    ).tocsr()
    laplacian = off - sparse.diags(np.asarray(off.sum(axis=1)).ravel())
    return laplacian.tocsr(), np.maximum(vertex_areas(vertices, faces), 1e-12)
