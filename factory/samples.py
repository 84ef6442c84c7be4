"""One capture as a WebDataset sample: what goes into a shard, and how it is read back."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from capture import Camera, Capture, InputError, Labels, Scan
from factory.stages import history

JPEG_QUALITY = 95


@dataclass(frozen=True, eq=False)
class Sample:
    """A head as a data set holds it.

    Attributes:
        id: the capture's id.
        info: the parsed `capture.json`, with the `cameras` and the `stages` (stage -> seconds, options).
        cameras: N cameras in the order of the images.
        images: N (H, W, 3) uint8 sRGB.
        scan: the reconstructed mesh.
        labels: of the scan's vertices.
    """

    id: str
    info: Mapping[str, Any]
    cameras: tuple[Camera, ...]
    images: tuple[NDArray[np.uint8], ...]
    scan: Scan
    labels: Labels


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
        files[f"view_{i:02d}.jpg"] = _jpeg(read_image(path))
    arrays = {
        "vertices": scan.vertices,
        "faces": scan.faces,
        "distance_mm": labels.distance_mm,
        "skin": labels.skin,
    }
    if scan.colours is not None:
        arrays["colours"] = scan.colours
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    files["scan.npz"] = buffer.getvalue()
    return files


def decode(key: str, files: Mapping[str, bytes]) -> Sample:
    """The sample whose files `encode` made. Raises `InputError` naming the sample where one is damaged."""
    try:
        info = json.loads(files["capture.json"])
        cameras = tuple(Camera.from_json(value) for value in info["cameras"])
        images = tuple(_decode_image(files[f"view_{i:02d}.jpg"]) for i in range(len(cameras)))
        with np.load(io.BytesIO(files["scan.npz"]), allow_pickle=False) as arrays:
            scan = Scan(arrays["vertices"], arrays["faces"], arrays.get("colours"))
            labels = Labels(arrays["distance_mm"], arrays["skin"])
    except (KeyError, ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"damaged sample {key}: {error}; pack the data set again") from None
    return Sample(key, info, cameras, images, scan, labels)


def read_image(path: Any) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of an image file; raises `InputError` naming it where it can't be decoded."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except FileNotFoundError:
        raise InputError(f"image is missing: {path}") from None
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise InputError(f"corrupt image: {path} ({error}); render or copy it again") from None


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def _decode_image(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))
