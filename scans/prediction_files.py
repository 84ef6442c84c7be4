"""Files of a prediction: the labels, meshes coloured and cut by them, a picture."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Mesh, Scan, atomic_path
from capture.ply.files import PlyMesh, write_ply
from scans.head_sample import HeadSample
from scans.pictures import colours
from scans.pictures.prediction import draw_prediction
from scans.predictions import Prediction

log = logging.getLogger(__name__)


def write_prediction(folder: Path, prediction: Prediction, scan: Mesh, head: HeadSample) -> None:
    """Write `prediction.npz`, the coloured scan `segmented.ply`, the skin alone `skin.ply` and a picture.

    Meshes are written as the user gave them; `head` is the same in metres, with the cameras and images of the picture.
    """
    write_ply(folder / "segmented.ply", PlyMesh(_columns(scan, prediction), scan.faces))
    part = skin_mesh(scan, prediction.skin)
    if part is not None:
        part.write(folder / "skin.ply")
    else:
        log.warning("no face of the scan is skin: %s is left out", folder / "skin.ply")
        (folder / "skin.ply").unlink(missing_ok=True)
    with atomic_path(folder / "segmented.png") as temporary:
        Image.fromarray(draw_prediction(prediction, head)).save(temporary)
    prediction.write(folder / Prediction.FILE)


def _columns(scan: Mesh, prediction: Prediction) -> dict[str, NDArray]:
    """The columns of `segmented.ply`."""
    shades = colours.probability_colours(prediction.probability).round().astype(np.uint8)
    columns: dict[str, NDArray] = {axis: scan.vertices[:, i] for i, axis in enumerate("xyz")}
    columns |= {name: shades[:, i] for i, name in enumerate(("red", "green", "blue"))}
    columns |= {"skin": prediction.skin, "probability": prediction.probability}
    if prediction.distance_mm is not None:
        columns["distance_mm"] = known_distance(prediction.distance_mm)
    if prediction.distance_spread_mm is not None:
        columns["distance_spread_mm"] = known_distance(prediction.distance_spread_mm)
    if prediction.part is not None:
        columns["part"] = prediction.part
    if prediction.visible_skin is not None:
        columns["visible_skin"] = prediction.visible_skin
    if prediction.uncertain is not None:
        columns["uncertain"] = prediction.uncertain
    return columns


def known_distance(distance_mm: NDArray[np.float32]) -> NDArray[np.float32]:
    """(V,) the distance, -1 where it is not known: Blender's import makes 0 of NaN, which would be skin."""
    return np.where(np.isfinite(distance_mm), distance_mm, np.float32(-1)).astype(np.float32)


def skin_mesh(scan: Mesh, skin: NDArray[np.bool_]) -> Scan | None:
    """The faces whose three corners are skin, with no other vertices; None where there is none."""
    faces = scan.faces[skin[scan.faces].all(axis=1)]
    if not len(faces):
        return None
    used, corners = np.unique(faces, return_inverse=True)
    return Scan(scan.vertices[used], corners.reshape(-1, 3).astype(np.int32))
