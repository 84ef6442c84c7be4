"""The faces of OBJ files with texture coordinates and materials."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FaceLine = tuple[bytes, int, int]
"""What stands behind `f`, and the numbers of vertices and of texture coordinates before it."""


class ObjFaces:
    """The lines of an OBJ file that textures need.

    Attributes:
        coordinates: what stands behind `vt`.
        libraries: what stands behind `mtllib`.
        faces: material -> the lines of its faces.
    """

    def __init__(self, text: bytes) -> None:
        self.coordinates: list[bytes] = []
        self.libraries: list[str] = []
        self.faces: dict[str, list[FaceLine]] = defaultdict(list)
        material, vertices = "", 0
        for line in re.sub(rb"\\[ \t]*\r?\n", b" ", text.removeprefix(b"\xef\xbb\xbf")).splitlines():
            key, *rest = line.split(maxsplit=1) or (b"",)
            if key == b"v":
                vertices += 1
            elif key == b"vt":
                self.coordinates += rest
            elif key == b"f" and rest:
                self.faces[material].append((rest[0], vertices, len(self.coordinates)))
            elif key == b"usemtl":
                material = b"".join(rest).decode("utf-8", "replace").strip()
            elif key == b"mtllib":
                self.libraries.append(b"".join(rest).decode("utf-8", "replace").strip())

    @property
    def uvs(self) -> NDArray[np.float64]:
        """(T, 2) texture coordinates; raises `ValueError` where one is no number."""
        return np.array([line.split()[:2] for line in self.coordinates], np.float64).reshape(-1, 2)


def face_corners(lines: Sequence[FaceLine]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Corners of each face, and the vertex and texture coordinate of each corner, from 0; the latter is -1 for none."""
    sizes, found = [], []
    for words, vertices, coordinates in lines:
        corners = words.split(b"#")[0].split()
        sizes.append(len(corners))
        for word in corners:
            parts = word.split(b"/")
            vertex = int(parts[0])
            place = int(parts[1]) if len(parts) > 1 and parts[1] else 0
            vertex = vertex - 1 if vertex > 0 else vertex + vertices
            found.append((vertex, place - 1 if place >= 0 else place + coordinates))
    table = np.array(found, np.int64).reshape(-1, 2)
    return np.array(sizes, np.int64), table[:, 0], table[:, 1]
