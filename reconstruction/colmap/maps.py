"""COLMAP's files for depth and normal maps.

Source: colmap.github.io, "Output Format", dense reconstruction: `width&height&channels&` as text, then float32 values,
little-endian, x fastest, then y, then channel.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import InputError, write_bytes

_HEADER = re.compile(rb"(\d+)&(\d+)&(\d+)&")


def write_map(path: Path, values: NDArray[np.float32]) -> None:
    """Write (H, W) depths or (H, W, 3) normals."""
    planes = np.atleast_3d(values).astype("<f4")
    height, width, channels = planes.shape
    header = f"{width}&{height}&{channels}&".encode()
    write_bytes(path, header + np.ascontiguousarray(planes.transpose(2, 0, 1)).tobytes())


def read_map(path: Path) -> NDArray[np.float32]:
    """Read (H, W) depths or (H, W, 3) normals; raises `InputError` where the file is missing or damaged."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"depth or normal map is missing: {path}; run the stereo again") from None
    header = _HEADER.match(data)
    if header is None:
        raise InputError(f"not a COLMAP depth or normal map: {path}")
    width, height, channels = (int(group) for group in header.groups())
    if len(data) - header.end() != 4 * width * height * channels:
        raise InputError(f"damaged COLMAP map: {path}; run the stereo again")
    planes = np.frombuffer(data, "<f4", offset=header.end()).reshape(channels, height, width)
    return np.asarray(planes.transpose(1, 2, 0).squeeze(axis=2) if channels == 1 else planes.transpose(1, 2, 0))
