"""Inputs of a registration: the scan, the weights of its vertices, landmarks, the true surface."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture import Capture, HeadSurface, InputError, Labels, Scan, read_json
from registration.weights import confidence_of
from scans.landmarks.names import STEADY
from scans.landmarks.records import FaceLandmarks, is_record
from scans.mesh_views.rendered_capture import capture_folder
from scans.meshes.reading import read_scan
from scans.predictions import Prediction
from scans.skin_labels import NO_LABELS, default_labels_file, read_skin


@dataclass(frozen=True, eq=False)
class SkinWeights:
    """Weights of a scan's V vertices as skin.

    Attributes:
        weights: (V,) 0 to 1, NaN where a person left it open; None where the whole scan counts as skin.
        confidence: (V,) 0 to 1, see `confidence_of`; None where the file has no distances to the skin.
        path: the file that they come from; None without one.
        source: in words, where they come from.
        labels: that they come from; None without any.
    """

    weights: NDArray | None
    confidence: NDArray | None
    path: Path | None
    source: str
    labels: Prediction | Labels | None = None


def read_input_scan(where: Path) -> tuple[str, Scan]:
    """Name and scan, in its own unit, of a capture folder or a mesh file."""
    if not where.is_dir():
        return where.name, read_scan(where)
    capture = Capture.read(where)
    return capture.info.id, read_scan(capture.scan_path)


def read_weights(labels: str | None, where: Path | None, scan: Scan) -> SkinWeights:
    """Weights by a file of labels or a prediction.

    Args:
        labels: the file, "none" for the whole scan, None for what the capture has (`default_labels_file`), or the
            capture of views that were rendered of the mesh file.
        where: the capture's folder or the mesh file; None for a mesh in memory.
        scan: that they have to fit.

    Raises:
        InputError: where there is no such file, or it is of another scan.
    """
    if labels == NO_LABELS:
        return SkinWeights(None, None, None, "the whole scan counts")
    path = None if labels is None else Path(labels)
    if path is None and where is not None:
        path = default_labels_file(where if where.is_dir() else capture_folder(where))
    if path is None:
        cure = "give `labels` FILE (labels.npz or prediction.npz), or `labels` none for the whole scan"
        raise InputError(f"nothing says what of the scan is skin; {cure}")
    return weights_of(read_skin(path, scan), path)


def weights_of(skin: Prediction | Labels, path: Path | None = None) -> SkinWeights:
    """Weights by a prediction or by labels, which were read from `path`."""
    place = "" if path is None else f" in {path}"
    if isinstance(skin, Prediction):
        confidence = None if skin.distance_mm is None else confidence_of(skin.distance_mm)
        return SkinWeights(
            np.asarray(skin.probability, float), confidence, path, f"skin by the prediction{place}", skin
        )
    how = "as painted" if skin.painted else "by the labels"
    weights = np.where(skin.is_known, skin.skin.astype(float), np.nan)
    return SkinWeights(weights, None, path, f"skin {how}{place}", skin)


def read_landmarks(path: Path, metres: float) -> dict[str, NDArray]:
    """Landmarks, name -> (3,) metres, from a JSON object of points in units of `metres`; raises `InputError`.

    The file may be one of `p2p landmarks`: those of its landmarks that are sure, and that head models have, too.
    """
    value = read_json(path, "landmarks")
    if is_record(value):
        named = FaceLandmarks.from_json(value, str(path)).named()
        value = {name: named[name] for name in STEADY if name in named}
    return landmarks_in_metres(value, metres, f"{path}: landmarks")


def landmarks_in_metres(points: Any, metres: float, what: str) -> dict[str, NDArray]:
    """Landmarks, name -> (3,) metres, of points in units of `metres`; raises `InputError`, which says `what`."""
    try:
        landmarks = {str(name): metres * np.asarray(point, float) for name, point in points.items()}
        if not all(point.shape == (3,) and np.isfinite(point).all() for point in landmarks.values()):
            raise ValueError("a point is not three numbers")
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{what} are an object, name -> [x, y, z] ({error})") from None
    return landmarks


def read_true_surface(folder: Path | None) -> HeadSurface | None:
    """The true surface of a capture, None where it is not known."""
    path = None if folder is None else folder / Capture.HEAD
    return HeadSurface.read(path) if path is not None and path.is_file() else None
