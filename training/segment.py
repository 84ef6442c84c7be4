"""Labelling a user's scan with a trained model."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, Mesh, Scan, atomic_path, write_json
from capture.files import sha256_of
from scans import colours
from scans.head_sample import HeadSample
from scans.images import resize_image
from scans.mesh_renderer import MeshRenderer, Picture
from scans.meshes import scan_key
from scans.predictions import Prediction
from scans.sheets import legend, sheet
from scans.units import Units, find_units, scaled, scaled_camera
from training.callbacks.writer import to_prediction
from training.checkpoints.labeller import load_labeller
from training.data.batch import HeadBatch, to_batch, to_corners
from training.model.module import SkinLabeller
from training.model.outputs import Outputs
from training.preparation.prepare import prepare_head
from training.preparation.prepared import PreparedHead
from training.preparation.simplify import Simplified

log = logging.getLogger(__name__)

FOLDER = "prediction"
_SHOWN = 4  # views in the picture at most
_SIDE = 420  # pixels of a view's longer side in the picture


@dataclass(frozen=True)
class SegmentOptions:
    """How a scan is labelled.

    Attributes:
        unit: of the scan: m, cm, mm or metres per unit; guessed where None.
        camera_unit: of the cameras' poses, likewise.
        vertices: the network works on at most so many; its output is interpolated at the others.
    """

    unit: str | None = None
    camera_unit: str | None = None
    vertices: int = 250_000


_DEFAULTS = SegmentOptions()


def segment_capture(
    folder: Path, checkpoint: Path, scan_path: Path | None = None, options: SegmentOptions = _DEFAULTS
) -> Prediction:
    """Label the scan of a capture and write the result into `<folder>/prediction/`.

    Args:
        folder: a capture: images and cameras, and the scan unless `scan_path` names another.
        checkpoint: what `python -m training fit` wrote; it holds its whole configuration.
        scan_path: a mesh (PLY or OBJ) in the frame of the cameras.
        options: units and resolution.

    Raises:
        InputError: where something is missing or damaged, or the scan isn't where the cameras look.
    """
    given = HeadSample.from_capture(folder, scan_path)
    labeller = _labeller_of(Path(checkpoint))
    head, units = in_metres(given, options)
    log.info("units of %s", units.text)
    prediction = replace(segment_head(head, labeller, options.vertices), scan=scan_key(given.scan))
    write_prediction(Path(folder) / FOLDER, prediction, given.scan, head)
    write_json(Path(folder) / FOLDER / "prediction.json", _describe(prediction, units, checkpoint, labeller))
    return prediction


def in_metres(head: HeadSample, options: SegmentOptions = _DEFAULTS) -> tuple[HeadSample, Units]:
    """The head with scan and cameras in metres, and what their units were."""
    units = find_units(head.scan, head.cameras, options.unit, options.camera_unit, f"scan of {head.id}")
    cameras = tuple(scaled_camera(camera, units.cameras) for camera in head.cameras)
    return replace(head, scan=scaled(head.scan, units.scan), cameras=cameras), units


def segment_head(
    head: HeadSample, labeller: SkinLabeller, vertices: int | None = None, cache: Path | None = None
) -> Prediction:
    """Label all vertices of a head's scan (metres); nothing is written but what `cache` keeps of the preparation."""
    preparation = labeller.preparation
    assert preparation is not None
    if vertices is not None:
        preparation = replace(preparation, vertices=vertices)
    prepared = prepare_head(head, preparation, cache)
    outputs = interpolate(predict(labeller, prepared), prepared.mesh, head.scan.vertices)
    return to_prediction(outputs, scan_key(head.scan))


def predict(labeller: SkinLabeller, prepared: PreparedHead) -> Outputs:
    """What the network says of the vertices of the simplified scan."""
    batch: HeadBatch = to_batch(prepared).to(labeller.device)
    with torch.inference_mode():
        outputs: Outputs = labeller(batch)
    return outputs


def interpolate(outputs: Outputs, mesh: Simplified, vertices: NDArray) -> Outputs:
    """The answer at the vertices (V, 3) of the scan that `mesh` was simplified from."""
    device = outputs.skin.device
    corners, weights = to_corners(mesh.interpolation(vertices))
    with torch.inference_mode():
        return outputs.interpolate(corners.to(device), weights.to(device))


def write_prediction(folder: Path, prediction: Prediction, scan: Mesh, head: HeadSample) -> None:
    """Write `prediction.npz`, the coloured scan `segmented.ply`, the skin alone `skin.ply` and a picture.

    Meshes are written as the user gave them; `head` is the same in metres, with the cameras and images of the picture.
    """
    shades = colours.of_probability(prediction.probability).round().astype(np.uint8)
    Scan(scan.vertices, scan.faces, shades).write(folder / "segmented.ply")
    part = skin_mesh(scan, prediction.skin)
    if part is not None:
        part.write(folder / "skin.ply")
    else:
        log.warning("no face of the scan is skin: %s is left out", folder / "skin.ply")
        (folder / "skin.ply").unlink(missing_ok=True)
    with atomic_path(folder / "segmented.png") as temporary:
        Image.fromarray(draw(prediction, head)).save(temporary)
    prediction.write(folder / Prediction.FILE)


def skin_mesh(scan: Mesh, skin: NDArray[np.bool_]) -> Scan | None:
    """The faces whose three corners are skin, with no other vertices; None where there is none."""
    faces = scan.faces[skin[scan.faces].all(axis=1)]
    if not len(faces):
        return None
    used, corners = np.unique(faces, return_inverse=True)
    return Scan(scan.vertices[used], corners.reshape(-1, 3).astype(np.int32))


def draw(prediction: Prediction, head: HeadSample) -> Picture:
    """Some views: the image, the labels over it, the labelled scan alone, and its distance where the model has it."""
    pixels = head.pixels()
    renderer = MeshRenderer(head.scan.vertices, head.scan.faces)
    shades = colours.of_probability(prediction.probability)
    rows: list[list[tuple[str, Picture]]] = []
    for i in _spread(len(head.cameras)):
        camera = _fitted(head.cameras[i])
        image = resize_image(pixels[i], camera.width, camera.height)
        fragments = renderer.from_camera(camera)
        row = [(camera.name, image), ("labels: orange skin, blue other", fragments.shade(shades, image, 0.6))]
        row.append(("labels alone", fragments.shade(shades)))
        if prediction.distance_mm is not None:
            row.append(("distance to skin, dark 20 mm", fragments.shade(colours.of_distance(prediction.distance_mm))))
        if prediction.part is not None:
            row.append(("part", fragments.shade(colours.of_part(prediction.part))))
            if not rows:
                row.append(("parts", legend(colours.parts_shown(prediction.part))))
        rows.append(row)
    return sheet(rows)


def _spread(count: int) -> list[int]:
    """At most `_SHOWN` of the views, evenly chosen."""
    return sorted({round(x) for x in np.linspace(0, count - 1, min(count, _SHOWN))})


def _fitted(camera: Camera) -> Camera:
    scale = min(1.0, _SIDE / max(camera.width, camera.height))
    return camera.resized(max(1, round(camera.width * scale)), max(1, round(camera.height * scale)))


def _describe(prediction: Prediction, units: Units, checkpoint: Path, labeller: SkinLabeller) -> dict:
    """What was done, for people and programs."""
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


def _labeller_of(checkpoint: Path) -> SkinLabeller:
    if not checkpoint.is_file():
        return load_labeller(checkpoint)  # says what is wrong
    return _read_once(str(checkpoint.resolve()), checkpoint.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read_once(checkpoint: str, modified: int) -> SkinLabeller:
    """A checkpoint is read once for many captures; another file at the same place is read anew."""
    return load_labeller(Path(checkpoint))
