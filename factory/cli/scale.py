"""The command that tells and sets the scale of captures."""

from __future__ import annotations

import importlib.util
import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from capture import Capture, InputError, RefusedError
from factory.cli.parser import Command, argument, group
from factory.console import track_share
from factory.many import ManyOptions, Progress, expand, run_each
from scans.scale import CaptureScale, check_scale, known_scale
from scans.unit_guess import parse_unit
from training.early_checks import check_checkpoint

if TYPE_CHECKING:
    from factory.capture_scale.measure import Segmenter

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Options of `scale`.

    Attributes:
        capture: folder of the capture: images, their cameras, and the scan if there is one. Several, or a pattern such
            as 'captures/*', are done one after the other.
        unit: unit of the cameras and the scan, which is kept: m, cm, mm, dm, inch, ft, or metres per unit.
        again: measure the scale anew, whatever is kept.
        checkpoint: labeller of a first pass, where the scan has no labels; by default the one that comes along.
    """

    capture: tuple[Path, ...] = argument()
    unit: str | None = None
    again: bool = False
    checkpoint: Path | None = None
    many: ManyOptions = group(ManyOptions(), "several captures")


def scale(options: Scale) -> None:
    """Tell the scale of a capture, measured by the face in its images and the head in its scan, or set it.

    It is kept in scale.json, by which later commands go.
    """
    captures = expand(options.capture)
    if options.unit is not None:
        parse_unit(options.unit)
    check_checkpoint(options.checkpoint)
    run_each(captures, partial(_scale, options), "scaling", options.many)


def _scale(options: Scale, folder: Path, share: Progress | None = None) -> str:
    """Tell, measure or set the scale of a capture; returns it in words."""
    capture = Capture.read(folder)
    if options.unit is not None:
        found = _set(capture, parse_unit(options.unit), share)
    else:
        known = None if options.again else known_scale(capture)
        found = _measure(options, capture, share) if known is None else known
    log.info("scale of %s: %s", folder, found.text)
    _compare(folder, found)
    check_scale(str(folder), found)
    return found.text


def _set(capture: Capture, metres: float, share: Progress | None) -> CaptureScale:
    """Keep a scale that was stated, and what is measured beside it, as far as that can be done."""
    from factory.capture_scale.measure import measure_scale

    found = CaptureScale(metres, 0.0, stated=True)
    found.write(capture.folder)
    try:
        with _progress(capture, share) as progress:
            measured = measure_scale(capture, progress=progress)
    except InputError as error:
        log.info("%s: the scale is not compared with its head: %s", capture.folder, error)
        return found
    if measured is not None:
        found = replace(found, evidence=measured.evidence)
        found.write(capture.folder)
    return found


def _measure(options: Scale, capture: Capture, share: Progress | None) -> CaptureScale:
    """Measure the scale, and keep it. Raises `RefusedError` where nothing tells it."""
    from factory.capture_scale.measure import measure_scale

    with _progress(capture, share) as progress:
        measured = measure_scale(capture, _segmenter(options), progress)
    if measured is None:
        raise RefusedError(
            f"{capture.folder}: nothing tells its scale: no face was found in its images (or the model of landmarks is "
            "not installed: docs/landmarks.md), and no head in its scan; set it with `unit`"
        )
    measured.keep(capture.folder)
    return measured


def _progress(capture: Capture, share: Progress | None) -> AbstractContextManager[Progress]:
    return nullcontext(share) if share else track_share(f"scale of {capture.info.id}")


def _compare(folder: Path, found: CaptureScale) -> None:
    """Say so where a prediction is there that was made at another scale."""
    from scans.labelled import ACCOUNT, FOLDER, account_units

    place = folder / FOLDER
    if (place / ACCOUNT).is_file() and not found.is_about(account_units(place)[1]):
        log.warning("%s: its prediction was made at another scale; make it again by `p2p segment`", folder)


def _segmenter(options: Scale) -> Segmenter | None:
    """The labeller of a first pass; None, with a line, where PyTorch is not installed."""
    if importlib.util.find_spec("torch") is None:
        log.info("PyTorch is not installed: no first pass is made")
        return None
    from factory.capture_scale.segmenting import first_pass
    from training.checkpoints.labeller import labeller_of
    from training.checkpoints.pretrained import PRETRAINED

    return lambda head: first_pass(labeller_of(options.checkpoint or PRETRAINED), head)


COMMANDS = {"scale": Command(scale, "register")}
