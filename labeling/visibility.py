"""Points of a head or its scan in the views: how many cameras see them, and as what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capture import Camera, Mesh, PixelClass, Scan, vertex_normals
from capture.frames import far_origin
from labeling.masks import pixel_values
from scans.ray_casting import RayCaster
from scans.visibility import visible_in

MIN_COSINE = 0.17  # a surface seen under less than 10 degrees can't be expected
_OFFSET_M = 2e-4  # by which rays start above the surface: the same for the head and all scans of it


def head_caster(mesh: Mesh) -> RayCaster:
    """Rays against a synthetic head or a scan of it: about the origin, unless that is far away."""
    return RayCaster(mesh.vertices, mesh.faces, _OFFSET_M, far_origin(mesh.vertices))


def seen_as(
    mesh: Mesh,
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    cameras: Sequence[Camera],
    masks: Sequence[NDArray[np.uint8] | None],
    classes: Sequence[int],
    min_cosine: float = 0.0,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Counts (P,) of the views that see each point, and of those among them whose mask shows one of `classes`.

    A view without a mask counts as one of them.
    """
    caster = head_caster(mesh)
    seen, agreed = np.zeros(len(points), np.int64), np.zeros(len(points), np.int64)
    for camera, mask in zip(cameras, masks, strict=True):
        visible = visible_in(camera, points, normals, caster, min_cosine)
        shown = np.ones(len(points), bool) if mask is None else np.isin(pixel_values(mask, camera, points), classes)
        seen += visible
        agreed += visible & shown
    return seen, agreed


def seen_on_skin(
    scan: Scan, cameras: Sequence[Camera], masks: Sequence[NDArray[np.uint8] | None]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Per vertex (V,) of a scan: the number of cameras that see it; whether all of those, at least one, see skin."""
    points = scan.vertices.astype(float)
    normals = vertex_normals(points, scan.faces) if scan.normals is None else scan.normals.astype(float)
    seen, agreed = seen_as(scan, points, normals, cameras, masks, [PixelClass.SKIN], MIN_COSINE)
    return seen, (seen > 0) & (agreed == seen)
