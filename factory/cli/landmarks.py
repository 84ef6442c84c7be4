"""The command that finds landmarks."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from capture import Capture
from factory.cli.parser import Command, argument, group
from factory.console import track_share
from scans.landmarks.options import LandmarkOptions
from scans.landmarks.records import DISAGREES, MISSING, SURE, UNSURE, USED, FaceLandmarks

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Landmarks:
    """Options of `landmarks`.

    Attributes:
        capture: folder of the capture: images and their cameras; or a mesh file alone, of which views are rendered into
            <mesh>.capture.
    """

    capture: Path = argument()
    options: LandmarkOptions = group(LandmarkOptions())


def landmarks(options: Landmarks) -> None:
    """Find the landmarks of the face in a capture's images, and their places in space."""
    from scans.landmarks.files import write_landmarks
    from scans.landmarks.finding import find_landmarks

    if options.capture.is_file():
        from scans.mesh_views.rendered_capture import render_capture

        with track_share(f"views of {options.capture.name}") as progress:
            capture, _ = render_capture(options.capture, options.options, progress, need_colours=False)
    else:
        capture = Capture.read(options.capture)
    with track_share(f"landmarks of {capture.info.id}") as progress:
        found = find_landmarks(capture, options.options, progress)
    write_landmarks(capture, found)
    _log(capture, found)


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
