"""Simplification of scans for the network, and interpolation back to all of their vertices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
from numpy.typing import NDArray

from scans.distance import closest_points
from scans.meshes.pieces import piece_of_faces
from training.operators.weld import mesh_edges, weld

MOST_LEFT_OUT = 0.1  # share of the faces, in pieces that are small
MIN_PIECE = 0.005  # share of the faces below which a piece is left out: each takes one of the K eigenvectors


@dataclass(frozen=True, eq=False)
class Simplified:
    """A coarse mesh whose vertices are vertices of the fine one.

    Attributes:
        vertices: (W, 3) float64.
        faces: (G, 3) int64.
        source: (W,) index of each vertex in the fine mesh.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    source: NDArray[np.int64]

    def interpolation(self, points: NDArray) -> Interpolation:
        """To points (P, 3), from the faces that are nearest to them."""
        _, face, nearest = closest_points(points, self)
        corners = self.faces[face]
        weights = _barycentric(nearest, *self.vertices[corners].transpose(1, 0, 2))
        return Interpolation(corners.astype(np.int32), weights.astype(np.float32))

    def interpolate(self, values: NDArray, points: NDArray) -> NDArray[np.float64]:
        """Values (W, ...) at the points (P, 3): (P, ...)."""
        return self.interpolation(points).interpolate(values)


@dataclass(frozen=True, eq=False)
class Interpolation:
    """Barycentric interpolation of values of a coarse mesh at P points.

    Attributes:
        corners: (P, 3) int32, vertices of the coarse face that is nearest to each point.
        weights: (P, 3) float32, their barycentric coordinates, sum one.
    """

    corners: NDArray[np.int32]
    weights: NDArray[np.float32]

    def interpolate(self, values: NDArray) -> NDArray[np.float64]:
        """Values (W, ...) at the points: (P, ...)."""
        table = np.asarray(values, np.float64)
        result = np.zeros((len(self.corners), *table.shape[1:]))
        for corner, weight in zip(self.corners.T, self.weights.T, strict=True):  # one by one: less memory
            result += weight.reshape(-1, *(1,) * (table.ndim - 1)) * table[corner]
        return result


def simplify(vertices: NDArray, faces: NDArray, target: int) -> Simplified:
    """A coarse mesh with at most `target` vertices, evenly spread.

    Vertices chosen on a grid grow into regions along the surface (Dijkstra, all at once), and every face whose corners
    lie in three regions joins their centres: the dual of a geodesic Voronoi diagram. Surfaces that are near one another
    but not connected, as hair over a cheek, stay apart, and as the coarse vertices are vertices of the scan, labels and
    features are read at them exactly.

    Args:
        vertices: (V, 3).
        faces: (F, 3).
        target: largest number of vertices wanted.
    """
    clean = weld(vertices, faces)
    _, first = np.unique(clean.index, return_index=True)
    original = first[1:] if clean.index.min() < 0 else first
    if len(clean.vertices) <= target:
        return _pick(clean.vertices, clean.faces, original, _large_pieces(clean.faces))
    seeds = _grid_seeds(clean.vertices, target)
    region = _regions(clean.vertices, clean.faces, seeds)
    corners = region[clean.faces]
    corners = corners[(corners != np.roll(corners, 1, axis=1)).all(axis=1)]
    if not len(corners):
        raise ValueError(f"the mesh is too scattered for {target} vertices")
    _, keep = np.unique(np.sort(corners, axis=1), axis=0, return_index=True)
    corners = corners[np.sort(keep)]
    return _pick(clean.vertices[seeds], corners, original[seeds], _large_pieces(corners))


def _pick(vertices: NDArray, faces: NDArray, source: NDArray, keep: NDArray[np.bool_]) -> Simplified:
    kept = faces[keep]
    used = np.unique(kept)
    renumber = np.zeros(len(vertices), np.int64)
    renumber[used] = np.arange(len(used))
    return Simplified(vertices[used], renumber[kept], source[used])


def _large_pieces(faces: NDArray) -> NDArray[np.bool_]:
    """(F,) whether a face belongs to a piece that is worth keeping: the largest, and all down to `MIN_PIECE`.

    In a mesh that is scattered over small ones, so many that `MOST_LEFT_OUT` is left out at most.
    """
    piece = piece_of_faces(faces)
    sizes = np.bincount(piece)
    large = sizes >= min(MIN_PIECE * len(faces), sizes.max())
    if sizes[~large].sum() > MOST_LEFT_OUT * len(faces):
        order = np.argsort(-sizes, kind="stable")
        enough = int(np.searchsorted(np.cumsum(sizes[order]), (1 - MOST_LEFT_OUT) * len(faces)))
        large[order[: enough + 1]] = True
    return np.asarray(large[piece])


def _grid_seeds(vertices: NDArray, target: int) -> NDArray[np.int64]:
    """One vertex of each occupied cell of the finest grid that has at most `target` of them."""
    low = vertices.min(axis=0)
    fine, coarse = 0.0, float(np.ptp(vertices, axis=0).max()) + 1e-12
    cells = np.zeros(len(vertices), np.int64)
    for _ in range(14):
        middle = (fine + coarse) / 2
        occupied, inverse = np.unique(_cells(vertices - low, middle), return_inverse=True)
        if len(occupied) <= target:
            coarse, cells = middle, inverse.reshape(-1)
        else:
            fine = middle
    counts = np.bincount(cells)
    centres = np.stack([np.bincount(cells, vertices[:, i]) / counts for i in range(3)], axis=1)
    distance = np.linalg.norm(vertices - centres[cells], axis=1)
    order = np.lexsort((distance, cells))
    return order[np.concatenate([[0], np.cumsum(counts)[:-1]])]


def _cells(local: NDArray, size: float) -> NDArray[np.int64]:
    index = (local / size).astype(np.int64)
    shape = index.max(axis=0) + 1
    return np.asarray((index[:, 0] * shape[1] + index[:, 1]) * shape[2] + index[:, 2])


def _regions(vertices: NDArray, faces: NDArray, seeds: NDArray) -> NDArray[np.int64]:
    """(V,) number of the seed that is nearest along the edges; pieces without a seed get one no face survives with."""
    tail, head = mesh_edges(faces).T
    length = np.maximum(np.linalg.norm(vertices[tail] - vertices[head], axis=1), 1e-12)
    graph = scipy.sparse.csr_matrix((length, (tail, head)), (len(vertices), len(vertices)))
    _, _, source = scipy.sparse.csgraph.dijkstra(
        graph, directed=False, indices=seeds, return_predecessors=True, min_only=True
    )
    number = np.zeros(len(vertices), np.int64)
    number[seeds] = np.arange(len(seeds))
    return np.where(source >= 0, number[np.maximum(source, 0)], 0)


def _barycentric(points: NDArray, a: NDArray, b: NDArray, c: NDArray) -> NDArray[np.float64]:
    """(P, 3) weights of the corners; a third each where the triangle has no area."""
    u, v, w = b - a, c - a, points - a
    uu, uv, vv = (np.einsum("pc,pc->p", *pair) for pair in ((u, u), (u, v), (v, v)))
    wu, wv = np.einsum("pc,pc->p", w, u), np.einsum("pc,pc->p", w, v)
    area = uu * vv - uv * uv
    good = area > 1e-12 * uu * vv
    safe = np.where(good, area, 1)
    beta, gamma = (vv * wu - uv * wv) / safe, (uu * wv - uv * wu) / safe
    weights = np.clip(np.stack([1 - beta - gamma, beta, gamma], axis=1), 0, 1)
    weights = np.where(good[:, None], weights, 1 / 3)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
