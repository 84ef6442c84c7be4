"""Points of the coarser levels of the stereo, where the finest level has found nothing: of hair above all.

Strands are as wide as a pixel and shine differently in each view: they don't match. At a quarter of the size a lock is
a pixel, its window a few centimetres wide, and hair matches as a whole.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import cKDTree

from capture.geometry import unit
from capture.ply.files import PlyMesh, write_ply
from reconstruction.depth import DepthLevel
from reconstruction.fusion import PointCloud
from reconstruction.silhouettes import Silhouettes
from reconstruction.views import View

logger = logging.getLogger(__name__)

_FILE = "coarser.ply"
_AGREED = 0.5  # length of the mean of unit normals below which they contradict one another
_APART = 1.0  # pixels of a level by which its points lie off all finer ones


def with_coarser(
    cloud: PointCloud,
    views: Sequence[View],
    levels: Sequence[DepthLevel],
    footprint: float,
    silhouettes: Silhouettes | None,
) -> PointCloud:
    """The cloud with the points of coarser levels where finer ones have none.

    Args:
        cloud: fused points of the finest level; the file of the result lies beside its own.
        views: N.
        levels: the coarser ones, the finest of them first.
        footprint: size of a pixel of the finest level on the surface, metres.
        silhouettes: that the points have to lie in, where they are known.
    """
    parts = [(cloud.positions, cloud.normals, cloud.colours, np.full(len(cloud.positions), footprint))]
    for level in levels:
        size = level.footprint
        if not np.isfinite(size):
            continue
        positions, normals, colours = _averaged(*_points(views, level), size)
        if silhouettes is not None:
            held = silhouettes.hold(positions, round(size / footprint))
            positions, normals, colours = positions[held], normals[held], colours[held]
        known = cKDTree(np.concatenate([part[0] for part in parts]))
        apart = known.query(positions, distance_upper_bound=_APART * size)[0] == np.inf
        parts.append((positions[apart], normals[apart], colours[apart], np.full(int(apart.sum()), size)))
        logger.debug("coarser level, pixels of %.2f mm: %d points more", 1000 * size, apart.sum())
    positions, normals, colours, sizes = (np.concatenate(column) for column in zip(*parts, strict=True))
    path = cloud.path.with_name(_FILE)
    columns: dict[str, NDArray] = {c: positions[:, i].astype(np.float32) for i, c in enumerate("xyz")}
    columns |= {f"n{c}": normals[:, i].astype(np.float32) for i, c in enumerate("xyz")}
    columns |= {c: colours[:, i] for i, c in enumerate(("red", "green", "blue"))}
    write_ply(path, PlyMesh(columns, np.zeros((0, 3), np.int32)))
    return PointCloud(positions, normals, colours, path, sizes)


def _points(
    views: Sequence[View], level: DepthLevel
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.uint8]]:
    """Positions, normals and colours of all pixels that have a depth."""
    positions, normals, colours = [], [], []
    for view, camera, each in zip(views, level.cameras, level.maps, strict=True):
        rows, columns = np.nonzero(each.depth)
        pixels = np.stack([columns, rows], axis=1) + 0.5
        positions.append(camera.unproject(pixels, each.depth[rows, columns].astype(float)))
        normals.append(each.normal[rows, columns].astype(float) @ camera.rotation)
        size = (camera.width, camera.height)
        shrunk = np.asarray(Image.fromarray(view.colours).resize(size, Image.Resampling.BOX))
        colours.append(shrunk[rows, columns])
    return np.concatenate(positions), np.concatenate(normals), np.concatenate(colours)


def _averaged(
    positions: NDArray[np.float64], normals: NDArray[np.float64], colours: NDArray[np.uint8], size: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.uint8]]:
    """The means of the points in each cube of side `size`: all views that see a place have points there.

    Cubes whose normals cancel out are left out: surfaces that face one another.
    """
    cube = np.floor(positions / size).astype(np.int64)
    _, owner, count = np.unique(cube - cube.min(axis=0), axis=0, return_inverse=True, return_counts=True)
    owner = owner.reshape(-1)

    def mean(values: NDArray) -> NDArray[np.float64]:
        sums = [np.bincount(owner, column, len(count)) for column in values.T.astype(float)]
        return np.stack(sums, axis=1) / count[:, None]

    direction = mean(normals)
    agree = np.linalg.norm(direction, axis=1) > _AGREED
    return mean(positions)[agree], unit(direction[agree]), np.rint(mean(colours)[agree]).astype(np.uint8)
