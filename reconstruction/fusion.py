"""Fusion of depth maps into an oriented point cloud, by COLMAP (Schönberger et al. 2016, sec. 4.5)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from capture import RefusedError
from capture.ply.files import PlyMesh, read_ply, write_ply
from reconstruction.colmap import pycolmap
from reconstruction.colmap.workspace import Workspace, seed_points
from reconstruction.depth import DepthMap
from reconstruction.settings import ReconstructionSettings
from reconstruction.views import View
from reconstruction.webs import SeenDepth
from scans.meshes.extent import core_points

logger = logging.getLogger(__name__)

_MAX_DEPTH_ERROR = 0.004  # relative
_MAX_NORMAL_ERROR = 60.0  # degrees; strands of hair turn from pixel to pixel
_MAX_REPROJECTION = 0.6  # pixels; above, one point swallows its neighbours too
_MIN_POINTS = 200
_SAMPLE = 16  # of so many points one tells how near neighbours usually are
_COLOUR_NEIGHBOURS = 4
_CROWD = 8  # a point is beside another that is as near as an eighth neighbour usually is


@dataclass(frozen=True, eq=False)
class PointCloud:
    """Fused points.

    Attributes:
        positions: (P, 3) metres.
        normals: (P, 3).
        colours: (P, 3) uint8.
        path: the PLY file that holds them.
        sizes: (P,) metres that a pixel of the images that a point comes from has on the surface; None where all are
            of the finest level.
        seen: what the views see that they were fused from; empty where that isn't known.
    """

    positions: NDArray[np.float64]
    normals: NDArray[np.float64]
    colours: NDArray[np.uint8]
    path: Path
    sizes: NDArray[np.float64] | None = None
    seen: Sequence[SeenDepth] = ()

    def heights(self, points: NDArray[np.float64], index: NDArray[np.int64]) -> NDArray[np.float64]:
        """(P,) heights of points (P, 3) above the tangent planes of the cloud's points `index` (P,)."""
        return np.asarray(np.einsum("pi,pi->p", points - self.positions[index], self.normals[index]))

    def colours_at(self, points: NDArray[np.float64], threads: int | None = None) -> NDArray[np.uint8]:
        """(P, 3) colours of the cloud's points that are nearest to points (P, 3), by inverse squared distance."""
        distance, index = cKDTree(self.positions).query(points, k=_COLOUR_NEIGHBOURS, workers=threads or -1)
        weights = 1 / (distance**2 + 1e-10)
        mixed = (self.colours[index] * weights[..., None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
        return np.clip(mixed + 0.5, 0, 255).astype(np.uint8)


def fuse(
    workspace: Workspace, views: Sequence[View], maps: Sequence[DepthMap], settings: ReconstructionSettings
) -> PointCloud:
    """Fuse the workspace's maps into `fused.ply`.

    One thread: with more, the order of the points, and so the mesh, changes from run to run.
    Raises `RefusedError` where next to nothing could be fused.
    """
    seeds = seed_points(views, maps)
    if not len(seeds):
        raise _nothing(0)
    workspace.write_sparse([view.camera for view in views], seeds)
    options = pycolmap.StereoFusionOptions()
    # One less than agreed at a pixel: of pixels that match well one view fewer is asked for (`estimate`).
    options.min_num_pixels = max(2, settings.min_consistent)
    options.max_reproj_error = _MAX_REPROJECTION
    options.max_depth_error = _MAX_DEPTH_ERROR
    options.max_normal_error = _MAX_NORMAL_ERROR
    options.num_threads = 1
    output = workspace.folder / "fused.ply"
    pycolmap.stereo_fusion(output, workspace.folder, options=options, output_type="ply")
    drop_surplus(output, settings.min_consistent + 1)
    seen = [SeenDepth(view.camera, depth_map.depth) for view, depth_map in zip(views, maps, strict=True)]
    return replace(read_cloud(output), seen=seen)


def drop_surplus(path: Path, enough: int) -> None:
    """Take points of fewer than `enough` views out of a fused file where it has such of enough views beside them.

    They are worth having where nothing else is, on necks, ears and hair; elsewhere they are the less certain ones, and
    what time the mesh takes goes by the number of points.
    """
    mesh = read_ply(path)
    sure = read_view_counts(path.with_suffix(".ply.vis")) >= enough
    if sure.all() or sure.sum() <= _CROWD:
        return
    positions = np.stack([mesh.vertex[c] for c in "xyz"], axis=1).astype(float)
    tree = cKDTree(positions[sure])
    around = float(np.median(tree.query(positions[sure][::_SAMPLE], k=[_CROWD + 1])[0]))
    keep = sure.copy()
    keep[~sure] = tree.query(positions[~sure], distance_upper_bound=around)[0] > around
    logger.debug("fused points: %d of few views left out beside those of more", (~keep).sum())
    write_ply(path, PlyMesh({name: column[keep] for name, column in mesh.vertex.items()}, np.zeros((0, 3), np.int32)))


def read_view_counts(path: Path) -> NDArray[np.int64]:
    """(P,) number of the views of each point, from COLMAP's .vis file: per point a count and as many indices."""
    data = np.fromfile(path, np.uint32)
    count, place = int(data[:2].view(np.uint64)[0]), 2
    words, counts = data.tolist(), []
    for _ in range(count):
        counts.append(words[place])
        place += 1 + words[place]
    return np.array(counts, np.int64)


def read_cloud(path: Path) -> PointCloud:
    """Read a fused cloud, and take stray points out of its file; raises `RefusedError` where it is next to empty."""
    vertex = read_ply(path).vertex
    positions = np.stack([vertex[c] for c in "xyz"], axis=1).astype(float)
    if len(positions) < _MIN_POINTS:
        raise _nothing(len(positions))
    core = core_points(positions)
    if not core.all():  # the octree's cells are shares of the box around all points
        vertex, positions = {name: column[core] for name, column in vertex.items()}, positions[core]
        write_ply(path, PlyMesh(vertex, np.zeros((0, 3), np.int32)))
    normals = np.stack([vertex[c] for c in ("nx", "ny", "nz")], axis=1).astype(float)
    colours = np.stack([vertex[c] for c in ("red", "green", "blue")], axis=1)
    logger.info("fused points: %d", len(positions))
    return PointCloud(positions, normals, colours, path)


def _nothing(count: int) -> RefusedError:
    return RefusedError(
        f"stereo found only {count} points that several images agree on; "
        "check the poses, or give sharper images with more texture and smaller steps between them"
    )
