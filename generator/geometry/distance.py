"""Signed distance to a dense mesh on a grid, in plain numpy: what keeps hair and cloth outside the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture.geometry import Floats

REACH = 6  # grid steps within which distances are known


@dataclass(frozen=True, eq=False)
class DistanceField:
    """A scalar field on a regular grid, interpolated linearly.

    Attributes:
        origin: (3,) position of node (0, 0, 0), metres.
        spacing: between nodes, metres.
        values: (X, Y, Z) signed distances, metres, positive outside; `REACH` steps where farther.
        nearest: (X, Y, Z) index of the mesh's vertex that is nearest to the node, -1 where farther.
    """

    origin: Floats
    spacing: float
    values: NDArray[np.float32]
    nearest: NDArray[np.int32]

    def distance(self, points: Floats) -> Floats:
        """(N,) signed distances of points (N, 3); outside the grid as at its border."""
        return self._interpolate(self.values, points)

    def gradient(self, points: Floats) -> Floats:
        """(N, 3) unit vectors that lead away from the mesh the quickest."""
        step = self.spacing * 0.5
        slopes = []
        for axis in range(3):
            shift = np.zeros(3)
            shift[axis] = step
            slopes.append(self.distance(points + shift) - self.distance(points - shift))
        result = np.stack(slopes, axis=1)
        length = np.linalg.norm(result, axis=1, keepdims=True)
        return np.asarray(result / np.where(length > 1e-9, length, 1))

    def near(self, points: Floats) -> NDArray[np.int32]:
        """(N,) the mesh's vertex nearest to the node nearest to each point, -1 where none is within reach."""
        node = np.rint((points - self.origin) / self.spacing).astype(int)
        node = np.clip(node, 0, np.array(self.values.shape) - 1)
        return self.nearest[node[:, 0], node[:, 1], node[:, 2]]

    def _interpolate(self, field: NDArray[np.float32], points: Floats) -> Floats:
        at = np.clip((points - self.origin) / self.spacing, 0, np.array(field.shape) - 1.001)
        low = at.astype(np.int64)
        t = at - low
        flat = field.ravel()
        sy, sx = field.shape[2], field.shape[1] * field.shape[2]
        base = low[:, 0] * sx + low[:, 1] * sy + low[:, 2]
        tx, ty, tz = t.T
        total = np.zeros(len(points))
        for corner in range(8):
            i, j, k = corner >> 2, corner >> 1 & 1, corner & 1
            weight = (tx if i else 1 - tx) * (ty if j else 1 - ty) * (tz if k else 1 - tz)
            total += weight * flat[base + i * sx + j * sy + k]
        return total


def distance_field(vertices: Floats, normals: Floats, spacing: float = 0.005) -> DistanceField:
    """The field of a mesh whose vertices (V, 3) with outward normals (V, 3) lie closer together than the grid.

    The vertex nearest to each node is carried along the three axes in turn, then from neighbour to neighbour.
    """
    margin = REACH * spacing
    origin = vertices.min(axis=0) - margin
    shape = tuple(int(n) for n in np.ceil((vertices.max(axis=0) + margin - origin) / spacing) + 1)
    nearest = _seed(vertices, origin, spacing, shape)
    axes = [(origin[i] + spacing * np.arange(shape[i])).astype(np.float32) for i in range(3)]
    table = np.concatenate([vertices, [[1e3, 1e3, 1e3]]]).astype(np.float32)  # index -1: very far
    for reach in (REACH, 1):  # once far, then mend what the order of the axes missed
        for axis in range(3):
            nearest = _spread(nearest, table, axes, axis, reach)
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    away = grid - table[nearest]
    length = np.minimum(np.linalg.norm(away, axis=-1), margin)
    towards = np.concatenate([normals, [[0.0, 0.0, 1.0]]]).astype(np.float32)[nearest]
    height = (away * towards).sum(axis=-1)
    # Only one vertex per cell is known, so that the nearest one is a little to the side: where the surface is
    # seen from straight above, the height over the tangent plane is right; beside edges it is the distance.
    straight = np.clip((np.abs(height) / np.maximum(length, 1e-9) - 0.6) / 0.2, 0, 1)
    straight = np.maximum(straight, np.clip(1.5 - length / spacing, 0, 1))
    signed = np.where(height < 0, -length, length) * (1 - straight) + np.clip(height, -length, length) * straight
    values = np.where(nearest < 0, margin, signed).astype(np.float32)
    return DistanceField(origin, spacing, values, nearest.astype(np.int32))


def _seed(vertices: Floats, origin: Floats, spacing: float, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The vertex closest to each node among those in the node's cell."""
    scaled = (vertices - origin) / spacing
    node = np.rint(scaled).astype(np.int64)
    flat = (node[:, 0] * shape[1] + node[:, 1]) * shape[2] + node[:, 2]
    order = np.argsort(-np.linalg.norm(scaled - node, axis=1), kind="stable")  # the closest is written last
    seeds = np.full(int(np.prod(shape)), -1, np.int64)
    seeds[flat[order]] = order
    return seeds.reshape(shape)


def _spread(
    nearest: NDArray[np.int64], table: NDArray[np.float32], axes: list[NDArray], axis: int, reach: int
) -> NDArray[np.int64]:
    """Let every node take over what a node along `axis` knows, where that is closer."""
    best, distance = nearest.copy(), _squares(nearest, table, axes)
    count = nearest.shape[axis]
    for shift in (s for step in range(1, reach + 1) for s in (step, -step)):
        here, there = [slice(None)] * 3, [slice(None)] * 3
        here[axis] = slice(max(shift, 0), count + min(shift, 0))
        there[axis] = slice(max(-shift, 0), count - max(shift, 0))
        candidate = nearest[tuple(there)]
        known = candidate >= 0
        if not known.any():
            continue
        local = list(axes)
        local[axis] = axes[axis][here[axis]]
        index = np.nonzero(known)
        point = np.stack([local[i][index[i]] for i in range(3)], axis=1)
        square = ((point - table[candidate[index]]) ** 2).sum(axis=1)
        view, kept = distance[tuple(here)], best[tuple(here)]
        closer = square < view[index]
        target = tuple(i[closer] for i in index)
        view[target], kept[target] = square[closer], candidate[index][closer]
    return best


def _squares(nearest: NDArray[np.int64], table: NDArray[np.float32], axes: list[NDArray]) -> NDArray[np.float32]:
    result = np.full(nearest.shape, 1e6, np.float32)
    index = np.nonzero(nearest >= 0)
    point = np.stack([axes[i][index[i]] for i in range(3)], axis=1)
    result[index] = ((point - table[nearest[index]]) ** 2).sum(axis=1)
    return result
