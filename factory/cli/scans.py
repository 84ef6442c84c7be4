"""Commands that make scans of images: import, reconstruct, calibrate, label."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from capture import Capture, InputError, Labels, Scan
from capture.derived import LANDMARKS, SCALE, remove_files
from capture.labels import is_painted
from factory.cli.checks import check_images
from factory.cli.parser import Command, argument, group
from factory.many import ManyOptions, Progress, expand, refuse, run_each
from factory.stages.label import label_options
from factory.stages.progress import Report, show_progress
from factory.stages.reconstruct import reconstruct_options
from factory.stages.stamps import foreign_inputs, is_made, run_stamped
from factory.stages.usage import StepWatch, own_usage
from labeling.settings import LabelSettings
from reconstruction.settings import CalibrationSettings, ReconstructionSettings
from scans.scale import CaptureScale

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Import:
    """Options of `import`.

    Attributes:
        file: file with the cameras, or the folder that holds it, as another program wrote it.
        out: folder of the capture, which is made.
        images: folder of the images; by default images/ beside the file, or the file's own folder.
        masks: folder of foreground masks that are named as the images; 0 is background.
        views: number of views to take, spread around what all look at; all by default.
        skip_missing: leave cameras out whose image is not there.
    """

    file: Path = argument()
    out: Path
    images: Path | None = None
    masks: Path | None = None
    views: int | None = None
    skip_missing: bool = False


def import_(options: Import) -> None:
    """Make a capture of the cameras of Metashape, RealityScan, nerfstudio, Meshroom and others.

    The format is found out; the frame and the unit are kept. Images whose lens no COLMAP model has are resampled.
    """
    from scans.imports import import_cameras

    with show_progress(options.out.name or "import") as progress:
        done = import_cameras(
            options.file,
            options.out,
            images=options.images,
            masks=options.masks,
            views=options.views,
            skip_missing=options.skip_missing,
            progress=progress,
        )
    if scale := _scale_beside(options.file, done.tool):
        scale.keep(options.out)
    for line in done.lines():
        log.info("%s", line)
    for line in done.doubts():
        log.warning("%s", line)


def _scale_beside(file: Path, tool: str) -> CaptureScale | None:
    """The scale of the capture whose COLMAP model was imported; of other tools' files nothing beside them tells it."""
    if "COLMAP" not in tool:
        return None
    return next(
        (scale for each in (file, *file.parents[:3]) if each.is_dir() and (scale := CaptureScale.read(each))), None
    )


@dataclass(frozen=True, kw_only=True)
class Reconstruct:
    """Options of `reconstruct`.

    Attributes:
        capture: folder of the capture; several, or a pattern such as 'captures/*', are done one after the other.
        masks: folder of foreground masks that are named as the images; 0 is background.
        workspace: new folder that keeps COLMAP's dense workspace: depth and normal maps.
    """

    capture: tuple[Path, ...] = argument()
    masks: Path | None = None
    workspace: Path | None = None
    settings: ReconstructionSettings = group(ReconstructionSettings())
    many: ManyOptions = group(ManyOptions(), "several captures")


def reconstruct(options: Reconstruct) -> None:
    """Rebuild the scan of a capture from its images by multi-view stereo."""
    captures = expand(options.capture)
    refuse(len(captures), {"masks": options.masks, "workspace": options.workspace})
    run_each(captures, partial(_reconstruct, options), "rebuilding", options.many)


def _reconstruct(options: Reconstruct, capture: Path, share: Progress | None = None) -> str:
    """Rebuild a capture's scan, with a bar of its own unless `share` shows it; returns a few words on the scan."""
    path, opened = capture / Capture.SCAN, Capture.read(capture)
    from reconstruction import find_masks, reconstruct_capture

    stamped = reconstruct_options(options.settings)
    masks = None if options.masks is None else find_masks(opened, options.masks)
    if masks is not None:
        stamped |= {"masks": [[str(path.resolve()), path.stat().st_mtime_ns] for path in masks]}
    stamped |= foreign_inputs(capture, "reconstruct")
    if options.workspace is None and is_made(capture, "reconstruct", stamped):
        log.info("%s was made with the same options: not rebuilt", path)
        return "made before with the same options"
    with nullcontext(_as_report(share)) if share else show_progress(opened.info.id) as progress:
        watch = StepWatch(lambda step, share: progress(step, round(100 * share), 100))

        def work() -> Path:
            return reconstruct_capture(capture, options.settings, watch, masks=masks, workspace=options.workspace)

        run_stamped(capture, "reconstruct", stamped, work, lambda _: own_usage(watch.times))
    scan = Scan.read(path)
    log.info("%s: %d vertices, %d faces", path, len(scan.vertices), len(scan.faces))
    return f"{len(scan.vertices):,} vertices"


def _as_report(share: Progress) -> Report:
    return lambda what, done, total: share(what, done / max(total, 1))


@dataclass(frozen=True, kw_only=True)
class Calibrate:
    """Options of `calibrate`.

    Attributes:
        folder: folder that holds images/ and gets sparse/.
    """

    folder: Path = argument()
    settings: CalibrationSettings = group(CalibrationSettings())


def calibrate(options: Calibrate) -> None:
    """Find the cameras of your own images (<folder>/images) by structure from motion."""
    folder = options.folder
    check_images(folder)
    from reconstruction import calibrate as find_cameras

    with show_progress(folder.name or "calibrate") as progress:
        found = find_cameras(folder, options.settings, lambda step, share: progress(step, round(100 * share), 100))
    poses = len(found.model.cameras)
    log.info("%s: %d poses, mean reprojection error %.2f pixels", folder, poses, found.error)
    for doubt in found.doubts:
        log.warning("%s", doubt)
    if found.left_out:
        log.warning("no pose was found for %s", ", ".join(found.left_out))
    remove_files(folder, (*SCALE, *LANDMARKS))  # of other cameras
    if found.metric:
        CaptureScale(1.0, 0.0, stated=True).write(folder)
    else:
        log.warning(
            "the scale is unknown: `p2p scale` measures it, or sets it; or give `known_distance` or `scale` here (with "
            "the sparse/ folder moved away)"
        )


@dataclass(frozen=True, kw_only=True)
class Label:
    """Options of `label`.

    Attributes:
        capture: folder of the capture, which knows its true surface: head.ply.
    """

    capture: Path = argument()
    settings: LabelSettings = group(LabelSettings())


def label(options: Label) -> None:
    """Compute the true labels of a synthetic capture's scan, by the distance to the surface that was rendered."""
    from labeling import label_and_measure

    capture, settings = options.capture, options.settings
    if is_painted(capture / Capture.LABELS):
        raise InputError(f"{capture / Capture.LABELS} was painted by a person; move it away to label the scan anew")

    stamped = label_options(settings) | foreign_inputs(capture, "label")
    if is_made(capture, "label", stamped):
        log.info("%s was made with the same options: not computed again", capture / Capture.LABELS)
        return

    def work() -> tuple[Path, Path]:
        return label_and_measure(capture, settings.threshold_mm, settings.skin_parts)

    path, quality = run_stamped(capture, "label", stamped, work)
    labels = Labels.read(path)
    log.info("%s: %d of %d vertices are skin", path, labels.skin.sum(), len(labels))
    log.info("%s", quality)


COMMANDS = {
    "import": Command(import_, "stereo"),
    "reconstruct": Command(reconstruct, "stereo"),
    "calibrate": Command(calibrate, "stereo"),
    "label": Command(label, "label"),
}
