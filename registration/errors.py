"""Distances of a registered head from the true surface."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from capture import Mesh
from capture.geometry import vertex_areas
from scans.distance import surface_distance_mm

Floats = NDArray[np.float64]


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
