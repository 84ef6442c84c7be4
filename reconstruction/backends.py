"""Backends that estimate depth maps: our own PatchMatch on the CPU, COLMAP's on a CUDA GPU."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np

from capture import InputError
from reconstruction.colmap import pycolmap
from reconstruction.colmap.workspace import Workspace
from reconstruction.depth import DepthLevel, DepthMap
from reconstruction.neighbours import Neighbours
from reconstruction.ranges import Volume
from reconstruction.settings import ReconstructionSettings
from reconstruction.views import View, shrink

logger = logging.getLogger(__name__)

Progress = Callable[[float], None]


def choose_backend(wanted: str) -> str:
    """ "cpu" or "cuda" for "auto", "cpu" or "cuda"; raises `InputError` where CUDA is wanted and not there."""
    if wanted == "cuda" and not pycolmap.has_cuda:
        raise InputError(
            "backend cuda: no CUDA in this pycolmap; use backend cpu, or install pycolmap-cuda12 where there is a GPU"
        )
    chosen = ("cuda" if pycolmap.has_cuda else "cpu") if wanted == "auto" else wanted
    logger.info("stereo backend: %s%s", chosen, " (chosen automatically)" if wanted == "auto" else "")
    return chosen


def make_depth_levels(
    backend: str,
    workspace: Workspace,
    views: Sequence[View],
    volume: Volume,
    neighbours: Sequence[Neighbours],
    settings: ReconstructionSettings,
    progress: Progress | None,
    coarser: bool = False,
) -> tuple[DepthLevel, ...]:
    """Depth maps of all views, also written into the workspace; with `coarser` those of all levels, the finest first.

    COLMAP has no levels: the coarser ones are made by our own program, from images of half the size.
    """
    from reconstruction.patchmatch.estimate import estimate_levels  # compiles or loads kernels

    if backend == "cuda":
        levels: tuple[DepthLevel, ...] = (
            DepthLevel(tuple(view.camera for view in views), _colmap(workspace, views, volume, settings)),
        )
        if coarser:
            half = [shrink(view, max(32, max(view.camera.width, view.camera.height) // 2)) for view in views]
            levels += estimate_levels(half, volume, neighbours, settings, progress)
    else:
        levels = estimate_levels(views, volume, neighbours, settings, progress)
    for view, depth_map in zip(views, levels[0].maps, strict=True):
        workspace.write_maps(view.camera.name, depth_map)
    return levels if coarser else levels[:1]


def _colmap(
    workspace: Workspace, views: Sequence[View], volume: Volume, settings: ReconstructionSettings
) -> tuple[DepthMap, ...]:
    """COLMAP's PatchMatch, with the same neighbours (in patch-match.cfg), range and checks."""
    options = pycolmap.PatchMatchOptions()
    options.depth_min, options.depth_max = float(volume.near.min()), float(volume.far.max())
    options.window_radius, options.window_step = settings.window_radius, min(settings.window_step, 2)
    options.geom_consistency, options.filter = True, True
    options.filter_min_num_consistent = settings.min_consistent
    options.filter_geom_consistency_max_cost = settings.max_reprojection_error
    pycolmap.patch_match_stereo(workspace.folder, options=options)
    maps = []
    for i, view in enumerate(views):
        exists = workspace.depth_path(view.camera.name).is_file()  # COLMAP leaves out a view without sources
        maps.append(within(workspace.read_maps(view.camera.name) if exists else _empty(view), view, volume, i))
    return tuple(maps)


def within(depth_map: DepthMap, view: View, volume: Volume, index: int) -> DepthMap:
    """The map without what lies outside of the view's mask or of the volume: COLMAP's stereo knows neither."""
    near, far = volume.pixel_ranges(index, view.camera)
    keep = (depth_map.depth >= near) & (depth_map.depth <= far) & (far > 0)
    if view.inside is not None:
        keep &= view.inside
    return DepthMap(np.where(keep, depth_map.depth, 0), np.where(keep[..., None], depth_map.normal, 0))


def _empty(view: View) -> DepthMap:
    shape = (view.camera.height, view.camera.width)
    return DepthMap(np.zeros(shape, np.float32), np.zeros((*shape, 3), np.float32))
