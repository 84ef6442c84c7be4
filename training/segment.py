"""Labelling a user's scan with a trained model."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from capture import InputError, write_json
from capture.derived import PREDICTION_EXTRAS, remove_files
from capture.files import sha256_of
from scans.head_sample import HeadSample
from scans.labelled import ACCOUNT, FOLDER
from scans.meshes.reading import scan_key
from scans.prediction_files import write_prediction
from scans.prediction_summary import summarise
from scans.prediction_view import prediction_view
from scans.predictions import Prediction
from scans.units import Units, in_metres
from scans.viewer.page import PAGE, write_view
from training.checkpoints.labeller import labeller_of
from training.inference import segment_head
from training.model.network import LabellerNetwork
from training.options import SegmentOptions

log = logging.getLogger(__name__)

_DEFAULTS = SegmentOptions()


def segment_capture(
    folder: Path,
    checkpoint: Path,
    scan_path: Path | None = None,
    options: SegmentOptions = _DEFAULTS,
    *,
    need_parts: bool = False,
    view: bool = True,
    out: Path | None = None,
) -> Prediction:
    """Label the scan of a capture and write the result into `<folder>/prediction/`, or into `out`.

    Args:
        folder: a capture: images and cameras, and the scan unless `scan_path` names another.
        checkpoint: what `python -m training fit` wrote; it holds its whole configuration.
        scan_path: a mesh file in the frame of the cameras.
        options: units and resolution.
        need_parts: whether a labeller that predicts no parts is refused.
        view: whether `view.html` is written, too.
        out: the folder of the prediction's files.

    Raises:
        InputError: where something is missing or damaged, or the scan isn't where the cameras look.
    """
    given = HeadSample.from_capture(folder, scan_path)
    labeller = labeller_of(Path(checkpoint))
    if need_parts and not labeller.output_weights.part:
        raise InputError(f"`classes`: {Path(checkpoint).name} predicts no parts; skin and scan are what it tells")
    head, units = in_metres(given, options.unit, options.camera_unit)
    log.info("units of %s", units.text)
    prediction = replace(segment_head(head, labeller, options.vertices), scan=scan_key(given.scan))
    summary = summarise(prediction, head, labeller.training_traits)
    place = Path(folder) / FOLDER if out is None else out
    if (place / ACCOUNT).is_file():  # what else lies in a folder of a person's is theirs
        remove_files(place, tuple(name.removeprefix(f"{FOLDER}/") for name in PREDICTION_EXTRAS))
    write_prediction(place, prediction, given.scan, head)
    if view:
        write_view(place / PAGE, prediction_view(prediction, head, summary.facts()))
    account = _describe(prediction, units, checkpoint, labeller) | summary.to_json(units.scan)
    write_json(place / ACCOUNT, account)
    for line in summary.lines():
        log.info("%s: %s", head.id, line)
    for line in summary.unlike or ():
        log.warning("%s: unlike what the labeller was trained on: %s", head.id, line)
    return prediction


def _describe(prediction: Prediction, units: Units, checkpoint: Path, labeller: LabellerNetwork) -> dict:
    """The content of `prediction.json`."""
    assert labeller.preparation is not None
    return {
        "schema_version": 1,
        "scan": prediction.scan,
        "vertices": len(prediction.skin),
        "skin": int(prediction.skin.sum()),
        "metres_per_unit": {"scan": units.scan, "cameras": units.cameras},
        "checkpoint": {"file": Path(checkpoint).name, "sha256": sha256_of(checkpoint)},
        "preparation": labeller.preparation.to_json(),
    }
