"""STL files, binary and text: triangles with corners of their own."""

from __future__ import annotations

import re
import warnings

import numpy as np

from capture import InputError, Scan

_HEADER, _TRIANGLE = 84, 50  # bytes
_LAYOUT = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_VERTEX = re.compile(rb"^\s*vertex\s+(.*)$", re.MULTILINE | re.IGNORECASE)


def read_stl(data: bytes) -> Scan:
    """The corners of the triangles, in the order of the file: 3 F vertices, of which those at one place are copies.

    Raises `ValueError` or `InputError` where the file is damaged.
    """
    count = int.from_bytes(data[_HEADER - 4 : _HEADER], "little")
    if len(data) >= _HEADER and len(data) - _HEADER == count * _TRIANGLE:
        corners = np.frombuffer(data, _LAYOUT, count, _HEADER)["corners"].reshape(-1, 3)
    elif data.lstrip()[:5].lower() == b"solid":
        lines = _VERTEX.findall(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # where it ends at what is no number
            values = np.fromstring(b" ".join(lines), np.float64, sep=" ")
        if len(values) != 3 * len(lines) or len(lines) % 3:
            raise ValueError("a triangle is not three corners of three numbers")
        corners = values.reshape(-1, 3)
    else:
        raise ValueError(f"it has {len(data)} bytes, and {count} triangles in its header")
    if not len(corners):
        raise InputError("has no faces; a mesh is needed")
    return Scan(corners, np.arange(len(corners), dtype=np.int32).reshape(-1, 3))
