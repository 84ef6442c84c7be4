"""OFF files of Geomview: text, with or without colours and normals of vertices."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from capture import Scan
from capture.colour_range import to_bytes

_HEADER = re.compile(r"(ST)?(C)?(N)?(4)?(n)?OFF\b\s*", re.IGNORECASE)


def read_off(data: bytes) -> Scan:
    """Positions, polygons (fanned into triangles) and colours of vertices, in the order of the file.

    Raises `ValueError` or `InputError` where the file is damaged.
    """
    lines = [line for line in re.sub(r"#[^\n]*", "", data.decode("utf-8-sig", "replace")).splitlines() if line.strip()]
    found = _HEADER.match(lines[0]) if lines else None
    if found is None:
        raise ValueError("it doesn't begin with OFF")
    if found[4] or found[5] or "BINARY" in lines[0].upper():
        raise ValueError("it is binary or has other than three dimensions")
    rest = lines[0][found.end() :].split()
    counts, body = (rest, lines[1:]) if rest else (lines[1].split(), lines[2:])
    vertices, polygons = int(counts[0]), int(counts[1])
    if len(body) < vertices + polygons:
        raise ValueError("it ends before its last row")
    table = np.array([line.split() for line in body[:vertices]], np.float64).reshape(vertices, -1)
    if table.shape[1] < 3:
        raise ValueError("a vertex has fewer than three coordinates")
    first = 6 if found[3] else 3  # behind the normal
    colours = to_bytes(table[:, first : first + 3]) if found[2] and table.shape[1] >= first + 3 else None
    return Scan(table[:, :3], _fans(body[vertices : vertices + polygons], vertices), colours)


def _fans(lines: list[str], count: int) -> NDArray[np.int32]:
    """(F, 3) vertex indices; what stands behind a polygon's corners is its colour."""
    faces = []
    for line in lines:
        words = line.split()
        corners = [int(word) for word in words[1 : 1 + int(words[0])]]
        if len(corners) != int(words[0]) or not all(0 <= corner < count for corner in corners):
            raise ValueError("a face refers to a vertex that is not there")
        faces += [(corners[0], corners[i], corners[i + 1]) for i in range(1, len(corners) - 1)]
    return np.array(faces, np.int32).reshape(-1, 3)
