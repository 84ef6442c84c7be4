"""Closed meshes from curves: sweeps, lathes, blobs, sheets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture.geometry import Floats, Ints, MeshArrays, unit


def merged(*meshes: MeshArrays) -> MeshArrays:
    """Several meshes as one."""
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in meshes)])
    return (
        np.concatenate([vertices for vertices, _ in meshes]),
        np.concatenate([faces + start for (_, faces), start in zip(meshes, starts, strict=False)]),
    )


def grid_faces(rows: int, columns: int, closed_columns: bool, closed_rows: bool = False) -> Ints:
    """(F, 3) triangles of a grid of rows x columns vertices in row order.

    They are counter-clockwise where rows run down and columns run to the right.
    """
    index = np.arange(rows * columns).reshape(rows, columns)
    if closed_columns:
        index = np.concatenate([index, index[:, :1]], axis=1)
    if closed_rows:
        index = np.concatenate([index, index[:1]], axis=0)
    a, b, c, d = index[:-1, :-1].ravel(), index[1:, :-1].ravel(), index[1:, 1:].ravel(), index[:-1, 1:].ravel()
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int64)


def fan(centre: int, ring: NDArray[np.integer], inward: bool = False) -> Ints:
    """(N, 3) triangles from a centre to a closed ring of vertices."""
    ring = np.asarray(ring, np.int64)
    after = np.roll(ring, -1)
    faces = np.stack([np.full(len(ring), centre), ring, after], axis=1)
    return faces[:, ::-1] if inward else faces


def sphere_like(top: Floats, rings: Floats, bottom: Floats) -> MeshArrays:
    """A closed surface from a first point (3,), rings (R, N, 3) and a last point (3,).

    Seen from outside with the first point up, the rings run to the right.
    """
    rows, columns = rings.shape[:2]
    vertices = np.concatenate([top[None], rings.reshape(-1, 3), bottom[None]])
    last = len(vertices) - 1
    faces = [
        fan(0, np.arange(columns) + 1),
        grid_faces(rows, columns, True) + 1,
        fan(last, np.arange(columns) + 1 + (rows - 1) * columns, inward=True),
    ]
    return vertices, np.concatenate(faces)


def ring_like(rings: Floats) -> MeshArrays:
    """A closed torus from rings (R, N, 3) that follow each other around the tube, downwards on the outside."""
    rows, columns = rings.shape[:2]
    return rings.reshape(-1, 3), grid_faces(rows, columns, True, closed_rows=True)


def sweep(path: Floats, profile: Floats, up: Floats, closed: bool = False) -> MeshArrays:
    """A profile moved along a path.

    Args:
        path: (N, 3).
        profile: (M, 2) or, one for each point of the path, (N, M, 2): counter-clockwise, first coordinate across
            (up x forward), second up.
        up: (3,) or (N, 3): direction that the profile's second axis keeps as well as the path allows.
        closed: the path is a loop; otherwise the ends are capped.
    """
    forward = unit(np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0))
    upward = np.broadcast_to(up, path.shape)
    across = unit(np.cross(upward, forward))
    upward = np.cross(forward, across)
    shapes = np.broadcast_to(profile, (len(path), *profile.shape[-2:]))
    rings = path[:, None] + shapes[..., :1] * across[:, None] + shapes[..., 1:] * upward[:, None]
    if closed:
        vertices, faces = ring_like(rings)
        return vertices, faces[:, ::-1]
    vertices, faces = sphere_like(path[0], rings, path[-1])
    return vertices, faces[:, ::-1]


def circle(radius: float, points: int = 10) -> Floats:
    """(points, 2) counter-clockwise."""
    return rounded_box(2 * radius, 2 * radius, 2.0, points)


def rounded_box(width: float, height: float, power: float = 5.0, points: int = 20) -> Floats:
    """(points, 2) a superellipse, counter-clockwise; power 2 is an ellipse, more is squarer."""
    angle = 2 * np.pi * np.arange(points) / points
    x, y = np.cos(angle), np.sin(angle)
    size = (np.abs(x) ** power + np.abs(y) ** power) ** (-1 / power)
    return np.stack([x * size * width / 2, y * size * height / 2], axis=1)


def blob(centre: Floats, axes: Floats, rings: int = 9, columns: int = 18) -> MeshArrays:
    """An ellipsoid with half axes as the rows of `axes` (3, 3), right-handed; the last one holds the poles."""
    polar = np.pi * np.arange(1, rings + 1) / (rings + 1)
    around = 2 * np.pi * np.arange(columns) / columns
    local = np.stack(
        [
            np.sin(polar)[:, None] * np.cos(around),
            np.sin(polar)[:, None] * np.sin(around),
            np.repeat(np.cos(polar)[:, None], columns, 1),
        ],
        axis=-1,
    )
    return sphere_like(centre + axes[2], centre + local @ axes, centre - axes[2])


def lathe(profile: Floats, origin: Floats, axes: Floats, columns: int = 24) -> MeshArrays:
    """A profile (P, 2) of (radius, height), from the top down, turned about the last row of `axes` (3, 3)."""
    around = 2 * np.pi * np.arange(columns) / columns
    radius, height = profile.T
    local = np.stack(
        [radius[:, None] * np.cos(around), radius[:, None] * np.sin(around), np.repeat(height[:, None], columns, 1)],
        axis=-1,
    )
    rings = origin + local @ axes
    return sphere_like(rings[0].mean(0), rings, rings[-1].mean(0))


def arc_path(knots: Floats, count: int) -> Floats:
    """(count, 3) a Catmull-Rom curve through knots (K, 3), evenly spaced along its length."""
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    t = np.linspace(0, 1, 17)[:-1, None, None]
    a, b, c, d = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    dense = np.concatenate([curve.transpose(1, 0, 2).reshape(-1, 3), knots[-1:]])
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(dense, axis=0), axis=1))])
    at = np.linspace(0, along[-1], count)
    return np.stack([np.interp(at, along, dense[:, axis]) for axis in range(3)], axis=1)
