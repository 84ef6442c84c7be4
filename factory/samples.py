"""One capture as a WebDataset sample; `training.heads` reads it back."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Capture, Labels, Scan
from factory.stages import history
from training.images import decode_image

FORMAT = 2  # raise it when what is in a sample changes: data sets are packed again. 2: part, side, views, seen_class
JPEG_QUALITY = 95
_LABELS = ("distance_mm", "skin", "part", "side", "views", "seen_class")


def encode(capture: Capture) -> dict[str, bytes]:
    """The sample of a labelled capture: file extension -> bytes. Raises `InputError` where a file is missing."""
    scan = Scan.read(capture.scan_path)
    labels = Labels.read(capture.labels_path, len(scan.vertices))
    info = capture.info.to_json() | {
        "cameras": [camera.to_json() for camera in capture.cameras],
        "stages": history(capture.folder),
    }
    files = {"capture.json": json.dumps(info, allow_nan=False).encode()}
    for i, path in enumerate(capture.image_paths):
        files[f"view_{i:02d}.jpg"] = _jpeg(decode_image(path.read_bytes(), str(path)))
    if labels.seen_class is None:
        from labeling.classes import seen_classes  # here: `p2p` starts without the libraries of the stages

        labels = replace(labels, seen_class=seen_classes(capture, scan))
    arrays: dict[str, NDArray] = {"vertices": scan.vertices, "faces": scan.faces}
    arrays |= {name: getattr(labels, name) for name in _LABELS if getattr(labels, name) is not None}
    if scan.colours is not None:
        arrays["colours"] = scan.colours
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    files["scan.npz"] = buffer.getvalue()
    return files


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()
