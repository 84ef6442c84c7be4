"""Fusion of depth maps into an oriented point cloud, by COLMAP (Schönberger et al. 2016, sec. 4.5)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import RefusedError
from capture.ply.files import PlyMesh, read_ply, write_ply
from reconstruction.colmap import pycolmap
from reconstruction.colmap.workspace import Workspace, seed_points
from reconstruction.depth import DepthMap
from reconstruction.settings import ReconstructionSettings
from reconstruction.views import View
from scans.meshes.extent import core_points

logger = logging.getLogger(__name__)

_MAX_DEPTH_ERROR = 0.004  # relative
_MAX_NORMAL_ERROR = 60.0  # degrees; strands of hair turn from pixel to pixel
_MAX_REPROJECTION = 0.6  # pixels; above, one point swallows its neighbours too
_MIN_POINTS = 200


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
    """

    positions: NDArray[np.float64]
    normals: NDArray[np.float64]
    colours: NDArray[np.uint8]
    path: Path
    sizes: NDArray[np.float64] | None = None


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
    options.min_num_pixels = settings.min_consistent + 1
    options.max_reproj_error = _MAX_REPROJECTION
    options.max_depth_error = _MAX_DEPTH_ERROR
    options.max_normal_error = _MAX_NORMAL_ERROR
    options.num_threads = 1
    output = workspace.folder / "fused.ply"
    pycolmap.stereo_fusion(output, workspace.folder, options=options, output_type="ply")
    return read_cloud(output)


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
