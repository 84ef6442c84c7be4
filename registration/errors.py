"""Distances of a registered head from the true surface."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from capture import Mesh
from capture.geometry import border_vertices, face_normals, vertex_areas, vertex_normals
from registration.regions import NAMES
from scans.distance import closest_points, surface_distance_mm

Floats = NDArray[np.float64]

_PLACES = 20_000  # of a scan, at most
_FARTHEST_MM = 25.0  # from the face: what lies beyond is no part of it
_ACROSS = 0.7  # cosine of the way to the nearest place of a surface and its normal, below which the surface has ended
_BESIDE_MM = 1.0  # so near it has not, at edges and folds
_SOME = 0.05  # of the face
_FEWEST = 20  # places of a region that tell something


@dataclass(frozen=True)
class SurfaceError:
    """Distances in mm: mean, standard deviation, median and 90th percentile."""

    mean: float
    std: float
    median: float
    p90: float

    @classmethod
    def of(cls, distance_mm: Floats, weights: Floats) -> SurfaceError:
        """Of distances (N,), each of which counts by its weight (N,), as the area that it stands for."""
        w = weights / weights.sum()
        mean = float(w @ distance_mm)
        order = np.argsort(distance_mm)
        below = np.cumsum(w[order]) - w[order] / 2
        median, p90 = np.interp([0.5, 0.9], below, distance_mm[order])
        return cls(mean, float(np.sqrt(w @ (distance_mm - mean) ** 2)), float(median), float(p90))

    def to_json(self) -> dict[str, float]:
        """Rounded to a nanometre."""
        return {name: round(value, 6) for name, value in asdict(self).items()}


def face_error(mesh: Mesh, mask: NDArray[np.bool_], other: Mesh) -> SurfaceError:
    """Error of the vertices in a mask (V,) of one mesh to the surface of another, each weighted by its area."""
    areas = vertex_areas(mesh.vertices, mesh.faces)[mask]
    return SurfaceError.of(surface_distance_mm(np.asarray(mesh.vertices)[mask], other), areas)


def skin_fit(mesh: Mesh, mask: NDArray[np.bool_], skin: Mesh) -> tuple[SurfaceError, float]:
    """Error of the face (V,) to the scan's skin where the scan has any, and the share of the face where it has.

    Beyond the end of the skin (a border, hair, a hole) the nearest place is at that end, or lies sideways: the distance
    to it tells nothing of the fit. Where next to no skin is beside the face all of it counts.
    """
    points = np.asarray(mesh.vertices, float)[mask]
    areas = vertex_areas(mesh.vertices, mesh.faces)[mask]
    distance, face, where = closest_points(points, skin)
    normals = face_normals(skin.vertices, skin.faces[face])
    along = np.abs(((points - where) * normals).sum(axis=1))
    at_end = border_vertices(skin.faces, len(skin.vertices))[skin.faces[face]].any(axis=1)
    covered = ((along > _ACROSS * distance) & ~at_end) | (1000 * distance < _BESIDE_MM)
    share = float(areas[covered].sum() / areas.sum())
    if share < _SOME:
        covered[:] = True
    return SurfaceError.of(1000 * distance[covered], areas[covered]), share


def region_errors(mesh: Mesh, regions: NDArray[np.int64], skin: Mesh) -> dict[str, dict[str, dict[str, float]]]:
    """Errors by region of the face, both ways: a feature that was missed shows in those from the scan alone.

    Args:
        mesh: the registered template, V vertices.
        regions: (V,) as `face_regions` gives them.
        skin: the faces of the scan that are skin.

    Returns:
        region -> `to_scan`: from the template to the skin, and `from_scan`: from the skin whose nearest place on the
        template is in that region and looks the same way. Regions of which the scan shows next to nothing are left out.
    """
    used = np.unique(skin.faces)
    used = used[:: max(1, len(used) // _PLACES)]
    points = np.asarray(skin.vertices, float)[used]
    distance, face, _ = closest_points(points, mesh)
    ways = vertex_normals(skin.vertices, skin.faces)[used]
    alike = (face_normals(mesh.vertices, mesh.faces[face]) * ways).sum(axis=1) > 0.3
    region = np.where(alike & (1000 * distance < _FARTHEST_MM), regions[mesh.faces[face, 0]], -1)
    areas = vertex_areas(skin.vertices, skin.faces)[used]
    errors = {}
    for number, name in enumerate(NAMES):
        here = region == number
        if here.sum() >= _FEWEST and areas[here].sum() > 0:
            back = SurfaceError.of(1000 * distance[here], areas[here])
            to_scan = face_error(mesh, regions == number, skin)
            errors[name] = {"to_scan": to_scan.to_json(), "from_scan": back.to_json()}
    return errors
