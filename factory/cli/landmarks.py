"""The command that finds landmarks."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from capture import Capture
from factory.cli.parser import Command, argument, group
from factory.console import track_share
from factory.many import ManyOptions, Progress, expand, output_capture, run_each
from scans.landmarks.options import LandmarkOptions
from scans.landmarks.records import DISAGREES, MISSING, SURE, UNSURE, USED, FaceLandmarks

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Landmarks:
    """Options of `landmarks`.

    Attributes:
        capture: folder of the capture: images and their cameras; or a mesh file alone, of which views are rendered into
            <mesh>.capture. Several, or a pattern such as 'captures/*', are done one after the other.
    """

    capture: tuple[Path, ...] = argument()
    options: LandmarkOptions = group(LandmarkOptions())
    many: ManyOptions = group(ManyOptions(), "several captures")


def landmarks(options: Landmarks) -> None:
    """Find the landmarks of the face in a capture's images, and their places in space."""
    captures = expand(options.capture)
    run_each(captures, partial(_landmarks, options), "finding landmarks of", options.many, output_capture)


def _landmarks(options: Landmarks, where: Path, share: Progress | None = None) -> str:
    """Landmarks of a capture or a mesh, with bars of its own unless `share` shows it; returns a few words on them."""
    from scans.landmarks.files import write_landmarks
    from scans.landmarks.finding import find_landmarks

    if where.is_file():
        from scans.mesh_views.rendered_capture import render_capture

        with nullcontext(share) if share else track_share(f"views of {where.name}") as progress:
            capture, _ = render_capture(where, options.options, progress, need_colours=False)
    else:
        capture = Capture.read(where)
    with nullcontext(share) if share else track_share(f"landmarks of {capture.info.id}") as progress:
        found = find_landmarks(capture, options.options, progress)
    write_landmarks(capture, found)
    _log(capture, found)
    return f"{float(np.nanmedian(found.residual_px)):.1f} pixels off in the median"


def _log(capture: Capture, found: FaceLandmarks) -> None:
    count, views = Counter(found.status), Counter(face.status for face in found.faces)
    log.info(
        "%s: %d landmarks (%d unsure, %d missing) from %d of %d images; %.1f pixels off in the median",
        capture.folder, count[SURE] + count[UNSURE], count[UNSURE], count[MISSING], views[USED], len(found.faces),
        float(np.nanmedian(found.residual_px)),
    )  # fmt: skip
    if views[DISAGREES]:
        names = ", ".join(face.image for face in found.faces if face.status == DISAGREES)
        log.info("%s: left out, as their faces are not where the others' are: %s", capture.folder, names)


COMMANDS = {"landmarks": Command(landmarks, "landmarks")}
