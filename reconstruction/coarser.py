"""Points of the coarser levels of the stereo, where the finest level has found nothing: of hair above all.

Strands are as wide as a pixel and shine differently in each view: they don't match. At a quarter of the size a lock is
a pixel, its window a few centimetres wide, and hair matches as a whole. On skin they err by millimetres: where the
surface through the finest points goes on, closed over their gaps, that is taken instead.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import cKDTree

from capture import vertex_normals
from capture.geometry import MeshArrays, border_vertices, unit
from capture.ply.files import PlyMesh, write_ply
from reconstruction.depth import DepthLevel
from reconstruction.fusion import PointCloud
from reconstruction.silhouettes import Silhouettes
from reconstruction.views import View

logger = logging.getLogger(__name__)

_FILE = "coarser.ply"
_AGREED = 0.5  # length of the mean of unit normals below which they contradict one another
_APART = 1.0  # pixels of a level by which its points lie off all finer ones
_GAP = 1.5  # pixels of the finest level between a surface's vertex and the next point that make a gap
_BESIDE = 2.0  # and by which they lie off the surface through these, but at its borders, where hair may begin


def with_coarser(
    cloud: PointCloud,
    surface: MeshArrays,
    views: Sequence[View],
    levels: Sequence[DepthLevel],
    footprint: float,
    silhouettes: Silhouettes | None,
    rim: float = 0.0,
    threads: int | None = None,
) -> PointCloud:
    """The cloud with the points of coarser levels where finer ones have none.

    Args:
        cloud: fused points of the finest level; the file of the result lies beside its own.
        surface: through these points, gaps closed; its vertices count as points of the finest level there.
        views: N.
        levels: the coarser ones that have points, the finest of them first.
        footprint: size of a pixel of the finest level on the surface, metres.
        silhouettes: that the points have to lie in, where they are known.
        rim: width of the surface's borders, metres, that may reach beyond the points.
        threads: by default all cores.
    """
    found = [
        _Points(cloud.positions, cloud.normals, cloud.colours),
        _in_gaps(surface, cloud, _GAP * footprint, rim, threads),
    ]
    sizes = [footprint, footprint]
    for level in levels:
        size = level.footprint
        points = _averaged(_points(views, level), size)
        if silhouettes is not None:
            points = points.some(silhouettes.hold(points.positions, round(size / footprint)))
        known = cKDTree(np.concatenate([each.positions for each in found]))
        apart = known.query(points.positions, distance_upper_bound=_APART * size, workers=threads or -1)[0] == np.inf
        apart &= ~_beside(surface, points.positions, _BESIDE * size, threads)
        found.append(points.some(apart))
        sizes.append(size)
        logger.debug("coarser level, pixels of %.2f mm: %d points more", 1000 * size, apart.sum())
    points = _Points.joined(found)
    path = cloud.path.with_name(_FILE)
    columns: dict[str, NDArray] = {c: points.positions[:, i].astype(np.float32) for i, c in enumerate("xyz")}
    columns |= {f"n{c}": points.normals[:, i].astype(np.float32) for i, c in enumerate("xyz")}
    columns |= {c: points.colours[:, i] for i, c in enumerate(("red", "green", "blue"))}
    write_ply(path, PlyMesh(columns, np.zeros((0, 3), np.int32)))
    return PointCloud(
        points.positions,
        points.normals,
        points.colours,
        path,
        np.repeat(sizes, [len(each.positions) for each in found]),
    )


class _Points(NamedTuple):
    """Positions and normals (P, 3), colours (P, 3) uint8."""

    positions: NDArray[np.float64]
    normals: NDArray[np.float64]
    colours: NDArray[np.uint8]

    def some(self, chosen: NDArray[np.bool_]) -> _Points:
        """Those that a mask (P,) chooses."""
        return _Points(self.positions[chosen], self.normals[chosen], self.colours[chosen])

    @classmethod
    def joined(cls, parts: Sequence[_Points]) -> _Points:
        """All points of some, in their order."""
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _in_gaps(surface: MeshArrays, cloud: PointCloud, gap: float, rim: float, threads: int | None) -> _Points:
    """The surface's vertices where gaps were closed: farther than `gap` from all points, not within `rim` of a border.

    There the surface ends a little beyond the points, which closes nothing.
    """
    vertices, faces = surface
    workers = threads or -1
    apart = cKDTree(cloud.positions).query(vertices, distance_upper_bound=gap, workers=workers)[0] == np.inf
    border = vertices[border_vertices(faces, len(vertices))]
    apart &= cKDTree(border).query(vertices, distance_upper_bound=rim, workers=workers)[0] == np.inf
    return _Points(vertices[apart], vertex_normals(vertices, faces)[apart], cloud.colours_at(vertices[apart], threads))


def _beside(
    surface: MeshArrays, positions: NDArray[np.float64], reach: float, threads: int | None
) -> NDArray[np.bool_]:
    """(P,) whether positions (P, 3) lie within `reach` of the surface's vertices, and not at its borders."""
    vertices, faces = surface
    _, nearest = cKDTree(vertices).query(positions, distance_upper_bound=reach, workers=threads or -1)
    inner = np.append(~border_vertices(faces, len(vertices)), False)  # the last is where none is within reach
    return np.asarray(inner[nearest])


def _points(views: Sequence[View], level: DepthLevel) -> _Points:
    """All pixels that have a depth."""
    found = []
    for view, camera, each in zip(views, level.cameras, level.maps, strict=True):
        rows, columns = np.nonzero(each.depth)
        pixels = np.stack([columns, rows], axis=1) + 0.5
        positions = camera.unproject(pixels, each.depth[rows, columns].astype(float))
        size = (camera.width, camera.height)
        shrunk = np.asarray(Image.fromarray(view.colours).resize(size, Image.Resampling.BOX))
        normals = each.normal[rows, columns].astype(float) @ camera.rotation
        found.append(_Points(positions, normals, shrunk[rows, columns]))
    return _Points.joined(found)


def _averaged(points: _Points, size: float) -> _Points:
    """The means of the points in each cube of side `size`: all views that see a place have points there.

    Cubes whose normals cancel out are left out: surfaces that face one another.
    """
    cube = np.floor(points.positions / size).astype(np.int64)
    _, owner, count = np.unique(cube - cube.min(axis=0), axis=0, return_inverse=True, return_counts=True)
    owner = owner.reshape(-1)

    def mean(values: NDArray) -> NDArray[np.float64]:
        sums = [np.bincount(owner, column, len(count)) for column in values.T.astype(float)]
        return np.stack(sums, axis=1) / count[:, None]

    direction = mean(points.normals)
    agree = np.linalg.norm(direction, axis=1) > _AGREED
    colours = np.rint(mean(points.colours)[agree]).astype(np.uint8)
    return _Points(mean(points.positions)[agree], unit(direction[agree]), colours)
