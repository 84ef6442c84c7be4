"""Scans of millions of vertices, for a page that a browser can hold: vertices of a small cube become one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture import Mesh
from scans.meshes.extent import core_vertices

MOST = 300_000  # vertices of a page
_TRIES = 24
_TINY = float(np.finfo(np.float64).tiny)


def without_strays(mesh: Mesh) -> tuple[Mesh, NDArray[np.int64]]:
    """A mesh without faces far from nearly all others and without unused vertices, and which vertices are left."""
    faces = mesh.faces[core_vertices(mesh.vertices, mesh.faces)[mesh.faces].all(axis=1)]
    kept, corners = np.unique(faces, return_inverse=True)
    return Mesh(mesh.vertices[kept], corners.reshape(-1, 3).astype(np.int32)), kept.astype(np.int64)


def reduced(mesh: Mesh, most: int = MOST) -> tuple[Mesh, NDArray[np.int64]]:
    """A mesh of at most so many vertices, and which of the original ones they are.

    Of the vertices in a cube of a grid, the one that is nearest to their mean stands for all (vertex clustering,
    Rossignac and Borrel 1993); the cubes are as small as `most` lets them be.
    """
    count = len(mesh.vertices)
    if count <= most:
        return mesh, np.arange(count)
    points = np.asarray(mesh.vertices, np.float64)
    low = points.min(axis=0)
    fine, coarse = 0.0, float(np.ptp(points, axis=0).max())
    for _ in range(_TRIES):
        side = (fine + coarse) / 2
        if _cubes(points, low, side)[1] > most:
            fine = side
        else:
            coarse = side
    cube, number = _cubes(points, low, coarse)
    weight = np.bincount(cube, minlength=number)
    mean = np.stack([np.bincount(cube, points[:, axis], number) for axis in range(3)], axis=1) / weight[:, None]
    order = np.lexsort((np.linalg.norm(points - mean[cube], axis=1), cube))
    kept = order[np.searchsorted(cube[order], np.arange(number))]
    faces = cube[mesh.faces]
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    if not whole.any():  # all in one cube
        return mesh, np.arange(count)
    return Mesh(mesh.vertices[kept], faces[whole].astype(np.int32)), kept


def _cubes(points: NDArray[np.float64], low: NDArray[np.float64], side: float) -> tuple[NDArray[np.int64], int]:
    """(N,) the number of each point's cube, and how many cubes hold a point."""
    cells = ((points - low) / max(side, _TINY)).astype(np.int64)
    size = cells.max(axis=0) + 1
    _, cube = np.unique((cells[:, 0] * size[1] + cells[:, 1]) * size[2] + cells[:, 2], return_inverse=True)
    return cube, int(cube.max()) + 1
