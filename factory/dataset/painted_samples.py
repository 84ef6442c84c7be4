"""A person's own scan, painted by hand, as a sample: in metres, repaired as `p2p segment` repairs it."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np

from capture import Capture, InputError, Labels
from factory.dataset.samples import encode_sample, facts_of
from factory.dataset.unit_options import UnitOptions
from scans.head_sample import HeadSample
from scans.meshes.reading import read_labels
from scans.meshes.repair import Repair, repair
from scans.units import in_metres

log = logging.getLogger(__name__)


def encode_painted(capture: Capture, units: UnitOptions) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The sample and the facts of a capture whose scan a person painted.

    It has no distances (NaN) and no parts, as nobody knows them, and `known` where something was left open.

    Raises:
        InputError: the labels are of another scan or leave all open, or scan, cameras and images don't fit each other.
    """
    given = HeadSample.from_capture(capture)
    given.check_shapes()
    labels = read_labels(capture.labels_path, given.scan)
    head, found = in_metres(given, units.unit, units.camera_unit)
    log.info("units of %s", found.text)
    repaired = repair(head.scan)
    labels = _at_repaired(labels, repaired)
    if not labels.is_known.any():
        raise InputError(f"labels of {capture.folder}: nothing is painted on the scan's surface; paint more of it")
    sample = encode_sample(capture, head.cameras, repaired.scan, labels)
    return sample, facts_of(capture, repaired.scan, labels)


def _at_repaired(labels: Labels, repaired: Repair) -> Labels:
    """Painted labels at the vertices of the repaired scan; copies that were joined and differ are not known."""
    if repaired.index is None:
        return labels
    skin = repaired.gather(labels.skin & labels.is_known)
    share = repaired.gather(labels.is_known)
    agreed = (skin == 0) | (skin == share)
    known = (share > 0) & agreed
    distance_mm = np.full(len(skin), np.nan, np.float32)
    return replace(labels, distance_mm=distance_mm, skin=(skin > 0) & known, known=None if known.all() else known)
