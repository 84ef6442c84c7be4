"""Reconstruction of a scan from calibrated images."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from capture import Capture, InputError, Scan, write_json
from capture.frames import far_origin, shifted_camera
from capture.variants import ScanVariant, remove_variants
from reconstruction.backends import choose_backend, make_depth_levels
from reconstruction.cleaning import largest_components
from reconstruction.coarser import with_coarser
from reconstruction.colmap import errors_only
from reconstruction.colmap.workspace import Workspace
from reconstruction.fusion import fuse
from reconstruction.meshing import MeshInput, longest_gap, mesh_points, trimmed_surface
from reconstruction.neighbours import find_neighbours
from reconstruction.ranges import find_volume
from reconstruction.settings import ReconstructionSettings
from reconstruction.silhouettes import Silhouettes
from reconstruction.styles import ScanStyle, style_named, styles_of
from reconstruction.views import View, load_views
from scans.scale import known_scale

logger = logging.getLogger(__name__)

Progress = Callable[[str, float], None]

# Shares of the whole time at which a step starts, for progress.
_STEPS = {"stereo": (0.02, 0.8), "fusion": (0.8, 0.83), "meshing": (0.83, 1.0)}


@errors_only()
def reconstruct(
    capture: Capture,
    settings: ReconstructionSettings | None = None,
    progress: Progress | None = None,
    *,
    masks: Sequence[Path] | None = None,
    workspace: Path | None = None,
) -> Scan:
    """Rebuild the surface that a capture's images show.

    Args:
        capture: three or more calibrated images; cameras with distortion are undistorted first.
        settings: see `ReconstructionSettings`; of the styles the first is made.
        progress: called with the step ("stereo", "fusion", "meshing") and the share of the whole that is done.
        masks: an image per view, in the order of the cameras; pixels that are 0 are left out.
        workspace: keep COLMAP's dense workspace there (an empty or new folder) instead of in a temporary one. Where the
            cameras are far from the origin of their frame, it is about their middle.

    Raises:
        InputError: where images or cameras can't be used, or the result would be empty. The capture is not touched.
    """
    settings = settings or ReconstructionSettings()
    (scan,) = reconstruct_styles(
        capture, settings, (style_named(settings.style),), progress, masks=masks, workspace=workspace
    )
    return scan


@errors_only()
def reconstruct_styles(
    capture: Capture,
    settings: ReconstructionSettings,
    styles: Sequence[ScanStyle],
    progress: Progress | None = None,
    *,
    masks: Sequence[Path] | None = None,
    workspace: Path | None = None,
) -> tuple[Scan, ...]:
    """`reconstruct` a capture in several styles: scans of the same depth maps, in the order of `styles`."""
    backend = choose_backend(settings.backend)
    views = load_views(capture, masks, settings.max_image_size)
    if workspace is not None:
        return _reconstruct(capture, views, Workspace(Path(workspace)), backend, settings, styles, masks, progress)
    with tempfile.TemporaryDirectory(prefix="p2p-stereo-") as folder:
        return _reconstruct(capture, views, Workspace(Path(folder)), backend, settings, styles, masks, progress)


def reconstruct_capture(
    folder: Path,
    settings: ReconstructionSettings | None = None,
    progress: Progress | None = None,
    *,
    masks: Sequence[Path] | None = None,
    workspace: Path | None = None,
) -> Path:
    """`reconstruct` the capture in `folder` and write its `scan.ply`, atomically. Returns the path of the scan.

    Further scans, where `settings.styles` asks for more than one, are written into `styles/` (`ScanVariant`), each with
    the record of its style; former ones are removed.

    On any error the folder stays as it was.
    """
    settings = settings or ReconstructionSettings()
    capture = Capture.read(folder)
    styles = styles_of(capture.info.seed or 0, settings.style, settings.styles)
    try:
        scans = reconstruct_styles(capture, settings, styles, progress, masks=masks, workspace=workspace)
    except InputError as error:
        message = str(error)
        raise type(error)(message if str(folder) in message else f"{folder}: {message}") from None
    remove_variants(capture.folder)
    scans[0].write(capture.scan_path)
    for number, (scan, style) in enumerate(zip(scans[1:], styles[1:], strict=True), 1):
        variant = ScanVariant(capture.folder, number)
        write_json(variant.style_path, style.to_json())
        scan.write(variant.scan_path)
    return capture.scan_path


def _reconstruct(
    capture: Capture,
    views: Sequence[View],
    workspace: Workspace,
    backend: str,
    settings: ReconstructionSettings,
    styles: Sequence[ScanStyle],
    masks: Sequence[Path] | None,
    progress: Progress | None,
) -> tuple[Scan, ...]:
    def report(step: str, share: float) -> None:
        if progress is not None:
            start, end = _STEPS[step]
            progress(step, start + share * (end - start))

    origin = far_origin([view.camera.centre for view in views])
    views = [replace(view, camera=shifted_camera(view.camera, origin)) for view in views]
    cameras, points = [view.camera for view in views], capture.model.points
    volume = find_volume(cameras, replace(points, positions=points.positions - origin), settings)
    neighbours = find_neighbours(cameras, volume, settings.sources)
    workspace.create(views, neighbours)
    clock = time.perf_counter()
    report("stereo", 0.0)
    coarser = any(style.keep_hair for style in styles)
    finest, *others = make_depth_levels(
        backend, workspace, views, volume, neighbours, settings, lambda share: report("stereo", share), coarser
    )
    clock = _log("stereo", clock)
    report("fusion", 0.0)
    cloud = fuse(workspace, views, finest.maps, settings)
    clock = _log("fusion", clock)
    pixels = round(float(np.median([camera.width * camera.height for camera in cameras])))
    scale = known_scale(capture)
    metres = None if scale is None else scale.metres
    seed = capture.info.seed or 0
    given = MeshInput(cloud, None, cameras, finest.footprint, pixels, workspace.folder, metres, seed)
    report("meshing", 0.0)
    levels = [level for level in others if np.isfinite(level.footprint)]
    if coarser and levels:
        silhouettes = Silhouettes.of_capture(capture, masks, origin)
        surface = trimmed_surface(given, settings)
        body = largest_components(*surface, settings.min_component) if len(surface[1]) else surface
        rim = float(longest_gap(cloud, finest.footprint, settings))
        more = with_coarser(
            cloud, body, views, levels, finest.footprint, silhouettes, rim=rim, threads=settings.threads
        )
        given = replace(given, coarser=more, surface=surface)
    scans = []
    for number, style in enumerate(styles):
        report("meshing", number / len(styles))
        scan = mesh_points(given, settings, style)
        scans.append(replace(scan, vertices=scan.vertices + origin) if origin.any() else scan)
    _log("meshing", clock)
    report("meshing", 1.0)
    return tuple(scans)


def _log(step: str, start: float) -> float:
    now = time.perf_counter()
    logger.info("%s: %.1f s", step, now - start)
    return now
