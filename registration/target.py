"""Target of a registration: the part of a scan that counts as skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from capture import InputError, Mesh
from capture.geometry import border_vertices, vertex_normals

Floats = NDArray[np.float64]

_ENOUGH = 100  # vertices to register to
_LEAST, _MOST = 0.05, 2.0  # metres: what is taken for a head, with or without shoulders


@dataclass(frozen=True)
class Correspondences:
    """For each of N points the nearest place of a target.

    Attributes:
        points, normals: (N, 3).
        weights: (N,) of the target there, 0 where the nearest place is on a border: what lies beyond is a hole.
        distance: (N,) metres.
    """

    points: Floats
    normals: Floats
    weights: Floats
    distance: Floats


class Target:
    """Vertices of a scan that count, with normals, weights, and the borders between them and what doesn't count.

    Attributes:
        vertices, normals: (N, 3).
        weights: (N,) 0 on borders, beside holes and beside what was left out, and rising from there.
        mesh: the N vertices, and the faces whose corners all count.
    """

    def __init__(
        self,
        scan: Mesh,
        weights: NDArray | None = None,
        least: float = 0.5,
        margin: float = 0.006,
        what: str = "scan",
        confidence: NDArray | None = None,
    ) -> None:
        """
        Args:
            scan: V vertices, metres.
            weights: (V,) 0 to 1 of each vertex, as a mask or a probability of skin; None where all count.
            least: weight below which a vertex doesn't count at all.
            margin: metres over which weights rise from 0 at a border: hair lifts the skin beside it.
            what: names the scan in errors.
            confidence: (V,) 0 to 1 by which the weights are multiplied; it leaves nothing out.

        Raises:
            InputError: another number of weights than vertices, nothing that counts, or a size that is no head's.
        """
        vertices, faces = np.asarray(scan.vertices, float), np.asarray(scan.faces)
        values = np.ones(len(vertices)) if weights is None else np.nan_to_num(np.asarray(weights, float))
        if values.shape != (len(vertices),):
            counts = f"{len(values)} labels for {len(vertices)} vertices"
            raise InputError(f"{what}: {counts}; these labels are of another scan")
        kept = values >= least
        inside = kept[faces].all(axis=1)
        used = np.zeros(len(vertices), bool)
        used[faces[inside].ravel()] = True
        if used.sum() < _ENOUGH:
            raise InputError(
                f"{what}: {int(used.sum())} of {len(vertices)} vertices are skin; nothing to register to. "
                "Look at the labels, or register without them"
            )
        _check_size(vertices[used], what)
        normals = vertex_normals(vertices, faces[inside])
        border = _border(_places(vertices), faces[inside])
        self.vertices, self.normals = vertices[used], normals[used]
        self.mesh = Mesh(self.vertices, (np.cumsum(used) - 1)[faces[inside]])
        self._tree = cKDTree(self.vertices)
        self.weights = values[used] * self._off_borders(border[used], margin)
        if confidence is not None:
            self.weights *= np.nan_to_num(np.clip(np.asarray(confidence, float), 0, 1))[used]
        if (self.weights > 0).sum() < _ENOUGH:
            raise InputError(f"{what}: its skin lies in pieces too small to register to; look at the labels")

    def nearest(self, points: Floats, limit: float = np.inf) -> Correspondences:
        """The nearest vertices of N points (N, 3); weight 0 where none lies within `limit` metres."""
        distance, index = self._tree.query(points, distance_upper_bound=limit, workers=-1)
        near = index < len(self.vertices)
        index = np.where(near, index, 0)
        weights = np.where(near, self.weights[index], 0.0)
        return Correspondences(self.vertices[index], self.normals[index], weights, np.where(near, distance, np.inf))

    def mean_normal(self, point: Floats, radius: float) -> Floats:
        """The mean normal (3,) of the vertices within `radius` metres of a vertex."""
        total = self.normals[self._tree.query_ball_point(point, radius)].sum(axis=0)
        length = float(np.linalg.norm(total))
        return np.asarray(total / length) if length > 1e-6 else np.array([0.0, 0.0, 1.0])

    def _off_borders(self, border: NDArray[np.bool_], margin: float) -> Floats:
        """(N,) 0 at borders to 1 at a distance of `margin`."""
        if not border.any():
            return np.ones(len(border))
        distance, _ = cKDTree(self.vertices[border]).query(self.vertices, distance_upper_bound=margin, workers=-1)
        return np.asarray(np.minimum(distance / margin, 1.0) if margin else ~border * 1.0)


def _check_size(vertices: Floats, what: str) -> None:
    low, high = np.percentile(vertices, [1, 99], axis=0)
    size = float(np.max(high - low))
    if not _LEAST < size < _MOST:
        guess = {size * 0.001: "mm", size * 0.01: "cm"}
        fits = [unit for metres, unit in guess.items() if 0.1 < metres < 1.0]
        hint = f"; it looks like {fits[0]}: give `unit` {fits[0]}" if fits else "; give its `unit`"
        raise InputError(f"{what}: its skin is {size:.3g} m wide, which is no head{hint}")


def _places(vertices: Floats) -> NDArray[np.int64]:
    """(V,) one number for all vertices in a place: some exports give each face corners of its own."""
    _, number = np.unique(vertices, axis=0, return_inverse=True)
    return np.asarray(number.reshape(-1), np.int64)


def _border(place: NDArray[np.int64], faces: NDArray[np.integer]) -> NDArray[np.bool_]:
    """(V,) vertices at edges that one face alone has; `place` (V,) tells which vertices are the same."""
    return np.asarray(border_vertices(place[faces], int(place.max()) + 1)[place])
