"""Pictures for web pages: thumbnails, JPEG, data URLs."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from scans.pictures.colours import Rgb


def thumbnail(image: Rgb, size: int) -> Rgb:
    """The picture with its longer side scaled to `size` pixels."""
    scale = size / max(image.shape[:2])
    shape = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    return np.asarray(Image.fromarray(image).resize(shape, Image.Resampling.LANCZOS))


def jpeg(image: Rgb, quality: int = 88) -> bytes:
    """The picture as JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def jpeg_url(image: Rgb) -> str:
    """The picture as data URL, for pages without files beside them."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg(image)).decode()


def png_url(data: bytes) -> str:
    """A PNG file as data URL."""
    return "data:image/png;base64," + base64.b64encode(data).decode()
