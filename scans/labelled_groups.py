"""A labelled scan in groups, of vertices and of polygons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scans.meshes.polygons import Polygons
from scans.predictions import PARTS, Prediction

SKIN, OTHER = "skin", "other"
GROUPS = (SKIN, OTHER, *(part for part in PARTS if part not in ("background", "skin")))


def vertex_groups(prediction: Prediction) -> NDArray[np.uint8]:
    """(V,) index into `GROUPS`: skin by the labels, the others by their part; `OTHER` where that is not known."""
    group = np.full(len(prediction.skin), GROUPS.index(OTHER), np.uint8)
    if prediction.part is not None:
        for number, name in enumerate(GROUPS[2:], 2):
            group[prediction.part == PARTS.index(name)] = number
    group[prediction.skin] = GROUPS.index(SKIN)
    return group


def face_groups(group: NDArray[np.uint8], faces: NDArray[np.int32]) -> NDArray[np.uint8]:
    """(F,) index into `GROUPS` of triangles (F, 3), as `polygon_groups` has it."""
    return polygon_groups(group, Polygons.of_triangles(faces))


def polygon_groups(group: NDArray[np.uint8], polygons: Polygons) -> NDArray[np.uint8]:
    """(P,) index into `GROUPS`: skin where all corners are, as in `skin.ply`; else what most of the others are.

    Args:
        group: (V,) index into `GROUPS`.
        polygons: P of them, of the same vertices.
    """
    found = np.full(len(polygons.sizes), GROUPS.index(SKIN), np.uint8)
    if not len(found):
        return found
    of_corners, most = group[polygons.corners], np.zeros(len(found), np.int64)
    for number in np.unique(of_corners[of_corners != GROUPS.index(SKIN)]):
        count = np.add.reduceat(of_corners == number, polygons.starts, dtype=np.int64)
        more = (count > 0) & (count >= most)
        found[more], most[more] = number, count[more]
    return found
