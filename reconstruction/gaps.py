"""Gaps of a scan that are closed: patches of the mesh that no fused point supports, but that belong to the surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from capture.geometry import Floats, Ints, face_areas
from reconstruction.fusion import PointCloud
from reconstruction.webs import views_through
from scans.meshes.pieces import piece_of_vertices

PLANES = 8  # fused points whose tangent planes a vertex is measured against
_GOES_ON = 0.085  # of a gap's width: its mean height above the tangent planes around it, up to which the surface does
_LOOKED_THROUGH = 2  # views that make a web of what they look through
_MARGIN = 2.0  # pixels that it stands off at least, from the points and from what the views see behind it


def closed_gaps(
    vertices: Floats,
    faces: Ints,
    near: NDArray[np.bool_],
    cloud: PointCloud,
    width: float,
    widest: float,
    footprint: float,
    workers: int = 1,
) -> NDArray[np.bool_]:
    """(V,) unsupported vertices to keep: enclosed patches that are small, and larger ones within one surface.

    Poisson closes everything: highlights on the skin as well as the open neck and the back of the head. Small holes
    are worth closing. Of the skin below the chin images see little, but the surface around goes on through that hole,
    and what fills it stays near the tangent planes around; the rest is made up. In a gap of any size, what several
    views look through is a web and stays out.

    Args:
        vertices: (V, 3) of the untrimmed mesh.
        faces: (F, 3).
        near: (V,) vertices that points support.
        cloud: the fused points.
        width: of a small gap, metres.
        widest: of a gap that is closed where the surface around goes on through it, metres.
        footprint: size of a pixel on the surface, metres.
        workers: threads; -1 for all cores.
    """
    patch, area = _patches(vertices, faces, near)
    small, larger = area < width**2, area < max(width, widest) ** 2
    loose = np.flatnonzero(~near & larger[patch])
    lift = np.zeros(len(vertices))
    if len(loose):
        _, index = cKDTree(cloud.positions).query(vertices[loose], k=PLANES, workers=workers)
        for nearest in index.T:
            lift[loose] += np.abs(cloud.heights(vertices[loose], nearest)) / PLANES
    closed = ~near & (small | (larger & (_mean(lift, vertices, faces, near, patch) <= _GOES_ON * np.sqrt(area))))[patch]
    standing = np.flatnonzero(closed & (lift > _MARGIN * footprint))
    through = views_through(vertices[standing], cloud.seen, _MARGIN * footprint)
    closed[standing[through >= _LOOKED_THROUGH]] = False
    return np.asarray(closed)


def _patches(vertices: Floats, faces: Ints, near: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(V,) number of the unsupported patch of each vertex that isn't near, and (P,) the patches' areas, rims included.

    Numbers of other vertices are patches without area.
    """
    loose = (~near)[faces].any(axis=1)
    label = piece_of_vertices(faces[(~near)[faces].all(axis=1)], len(vertices))
    owner = np.where(near[faces], -1, label[faces]).max(axis=1)
    area = np.bincount(owner[loose], weights=face_areas(vertices, faces)[loose], minlength=int(label.max()) + 1)
    return label, np.asarray(area, np.float64)


def _mean(
    values: NDArray[np.float64], vertices: Floats, faces: Ints, near: NDArray[np.bool_], patch: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(P,) the mean over each patch of values (V,) at its vertices, by area: Poisson's cells grow with the gap."""
    weights = np.bincount(faces.ravel(), np.repeat(face_areas(vertices, faces) / 3, 3), minlength=len(vertices))
    weights[near] = 0
    return np.asarray(np.bincount(patch, weights * values) / np.maximum(np.bincount(patch, weights), 1e-30))
