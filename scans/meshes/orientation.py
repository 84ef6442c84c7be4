"""Orientation of a mesh's faces: alike among neighbours, and outwards."""

from __future__ import annotations

import igl
import numpy as np
from numpy.typing import NDArray

from capture.geometry import face_areas, face_normals
from scans.ray_casting import RayCaster

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DIRECTIONS = 48  # all around; half of them leave a face's front
_RAYS_FROM, _MOST, _LEAST = 12_000, 400, 2  # faces that rays start from, at most and at least of one patch
_CLEARER = 0.2  # share of the rays by which the back must see more of the sky than the front
_TURNED = 0.05  # share of the area that must be the wrong way round before a patch of consistent meshes is turned


def orient_outwards(points: Floats, faces: Ints, caster: RayCaster | None = None) -> Ints:
    """The faces (F, 3), those that look inwards turned; as they are where few are wrong.

    Neighbours across an edge come to run alike, most of a patch deciding. Then a patch is turned where rays from its
    back leave the mesh far more often than those from its front (the idea is Takayama, Jacobson, Kavan and Sorkine-
    Hornung, "A Simple Method for Correcting Facet Orientations in Polygon Meshes Based on Ray Casting", 2014).

    Args:
        points: (V, 3).
        faces: (F, 3).
        caster: rays against this mesh, where there are any.
    """
    alike, patch = _alike(points, faces)
    outside = _sky(points, alike, patch, RayCaster(points, faces) if caster is None else caster)
    wrong = outside[:, 1] > outside[:, 0] + _CLEARER
    if alike is faces:  # they were consistent
        if not wrong.any():
            return faces
        areas = face_areas(points, faces)
        if areas[wrong[patch]].sum() <= _TURNED * areas.sum():
            return faces
    return np.where(wrong[patch][:, None], alike[:, ::-1], alike)


def _alike(points: Floats, faces: Ints) -> tuple[Ints, Ints]:
    """Faces (F, 3) that run alike within patches, and their patches (F,); the same object where they did."""
    turned, patch = igl.bfs_orient(np.ascontiguousarray(faces, np.int64))
    patch = np.asarray(patch, np.int64)
    changed = (np.asarray(turned) != faces).any(axis=1)
    if not changed.any():
        return faces, patch
    areas = face_areas(points, faces)
    most = 2 * np.bincount(patch, areas * changed) > np.bincount(patch, areas)
    flip = changed != most[patch]
    return (np.where(flip[:, None], faces[:, ::-1], faces) if flip.any() else faces), patch


def _sky(points: Floats, faces: Ints, patch: Ints, caster: RayCaster) -> Floats:
    """(patches, 2) shares of the rays from the front and from the back of each patch that meet nothing."""
    chosen = _some_of_each(patch)
    normals = face_normals(points, faces[chosen])
    centres = points[faces[chosen]].mean(axis=1)
    count = int(patch.max()) + 1
    around = _sphere(_DIRECTIONS)
    cosine = normals @ around.T
    result = np.zeros((count, 2))
    for side, sign in enumerate((1, -1)):
        face, way = np.nonzero(sign * cosine > 0.1)
        weight = np.abs(cosine[face, way])
        origins = caster.origins(centres, sign * normals)[face]
        free = caster.is_free(origins, around[way].astype(np.float32))
        total = np.bincount(patch[chosen][face], weight, count)
        result[:, side] = np.bincount(patch[chosen][face], weight * free, count) / np.maximum(total, 1e-12)
    return result


def _some_of_each(patch: Ints) -> Ints:
    """Faces spread over every patch: in proportion to its size, within limits."""
    size = np.bincount(patch)
    order = np.argsort(patch, kind="stable")
    wanted = np.clip(_RAYS_FROM * size // len(patch), _LEAST, _MOST)
    step = np.maximum(size // wanted, 1)
    rank = np.arange(len(patch)) - np.repeat(np.cumsum(size) - size, size)
    return np.asarray(order[rank % np.repeat(step, size) == np.repeat(step // 2, size)], np.int64)


def _sphere(count: int) -> Floats:
    """(count, 3) directions, evenly spread: a Fibonacci lattice."""
    height = 1 - (2 * np.arange(count) + 1) / count
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), height], axis=1)
