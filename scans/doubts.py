"""Regions of a scan where a prediction is in doubt: how large they are, and where on the head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture import Mesh
from capture.geometry import unique_edges, vertex_areas
from scans.viewer.pose import Pose

SURE = 0.75  # a label of this probability or more is no doubt
_DEEP_MM = 3.0  # from what is sure: bands along the skin's border, which every prediction has, are narrower
_DEEP_EDGES = 1.5  # the same in edges, for coarse scans
_LEAST_CM2 = 1.0


@dataclass(frozen=True)
class DoubtfulRegion:
    """A connected region whose labels are in doubt.

    Attributes:
        area_cm2: of its surface.
        place: on the head, in words; left and right are the subject's.
        middle: (3,) in the frame of the scan it was found on.
    """

    area_cm2: float
    place: str
    middle: tuple[float, float, float]


def doubtful_regions(mesh: Mesh, probability: NDArray[np.floating], pose: Pose) -> list[DoubtfulRegion]:
    """The regions, the largest first.

    Connected vertices (mesh edges) of a probability between 1 - `SURE` and `SURE`, of a square centimetre or more, that
    reach 3 mm (of coarse scans, one and a half edges) or more away from all vertices that are sure.

    Args:
        mesh: V vertices, metres.
        probability: (V,) of skin.
        pose: of the head.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    doubtful = (probability > 1 - SURE) & (probability < SURE)
    index = np.flatnonzero(doubtful)
    if not len(index):
        return []
    edges = unique_edges(mesh.faces)
    points = mesh.vertices.astype(np.float64)
    length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    deep = max(_DEEP_MM, 1000 * _DEEP_EDGES * float(np.median(length)))
    edges = edges[doubtful[edges].all(axis=1)]
    number = np.cumsum(doubtful) - 1
    shape = len(index), len(index)
    graph = coo_array((np.ones(len(edges), bool), (number[edges[:, 0]], number[edges[:, 1]])), shape)
    count, region = connected_components(graph, directed=False)
    areas = 1e4 * np.bincount(region, vertex_areas(mesh.vertices, mesh.faces)[index], count)
    depth = np.zeros(count)
    if doubtful.all():
        depth[:] = np.inf
    else:
        large = areas[region] >= _LEAST_CM2
        away, _ = cKDTree(points[~doubtful]).query(points[index[large]])
        np.maximum.at(depth, region[large], 1000 * away)
    found = []
    for each in np.argsort(-areas):
        if areas[each] >= _LEAST_CM2 and depth[each] >= deep:
            middle = points[index[region == each]].mean(axis=0)
            found.append(DoubtfulRegion(float(areas[each]), place_of(middle, pose), _triple(middle)))
    return found


def place_of(point: NDArray[np.float64], pose: Pose) -> str:
    """A place on a head in words, such as "upper left, front"."""
    away = (point - pose.centre) / pose.radius
    left, front, up = away @ np.cross(pose.up, pose.front), away @ pose.front, away @ pose.up
    height = "top" if up > 0.55 else "upper" if up > 0.2 else "lower" if up < -0.2 else "middle"
    side = "left" if left > 0.2 else "right" if left < -0.2 else ""
    depth = "front" if front > 0.15 else "back" if front < -0.15 else "side" if side else "inside"
    return f"{height} {side}".strip() + f", {depth}"


def _triple(values: Sequence[float] | NDArray) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z
