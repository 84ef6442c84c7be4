"""The command that tells and sets the scale of captures."""

from __future__ import annotations

import importlib.util
import logging
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from capture import Capture, RefusedError
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
    if len(captures) == 1:
        _scale(options, captures[0])
        return
    run_each(captures, partial(_scale, options), "scaling", options.many)


def _scale(options: Scale, folder: Path, share: Progress | None = None) -> str:
    """Tell, measure or set the scale of a capture; returns it in words."""
    capture = Capture.read(folder)
    from factory.capture_scale.measure import measure_scale

    found = None if options.again or options.unit is not None else known_scale(capture)
    if found is None:
        with nullcontext(share) if share else track_share(f"scale of {capture.info.id}") as progress:
            measured = measure_scale(capture, None if options.unit else _segmenter(options), progress)
        if options.unit is not None:
            found = CaptureScale(parse_unit(options.unit), 0.0, True, measured.evidence if measured else ())
        elif measured is None:
            raise RefusedError(
                f"{folder}: nothing tells its scale: no face was found in its images (or the model of landmarks is not "
                "installed: docs/landmarks.md), and no head in its scan; set it with `unit`"
            )
        else:
            found = measured
        found.write(folder)
    log.info("scale of %s: %s", folder, found.text)
    check_scale(str(folder), found)
    return found.text


def _segmenter(options: Scale) -> Segmenter | None:
    """The labeller of a first pass; None, with a line, where PyTorch is not installed."""
    if importlib.util.find_spec("torch") is None:
        log.info("PyTorch is not installed: no first pass is made")
        return None
    from factory.capture_scale.segmenting import first_pass
    from training.checkpoints.pretrained import PRETRAINED

    return partial(first_pass, options.checkpoint or PRETRAINED)


COMMANDS = {"scale": Command(scale, "register")}
