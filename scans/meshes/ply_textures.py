"""Texture coordinates of PLY files whose comments name textures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture.ply.header import read_header
from capture.ply.tables import Table, read_tables

_HEADER = 1 << 16  # bytes that a header with textures fits into
_VERTEX = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"))
_INDEX = ("vertex_indices", "vertex_index")
_TEXTURE = re.compile(r"^comment\s+TextureFile\s+(.+?)\s*$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class PlyTextures:
    """Texture coordinates of vertices, or of the corners of P polygons, C in all; v grows upwards.

    Attributes:
        names: of the textures.
        vertex_uvs: (V, 2); None where they are of corners.
        sizes: (P,) corners of each polygon; empty where the file has strips.
        corners: (C,) vertices.
        given: (P,) whether its corners have texture coordinates.
        corner_uvs: (N, 2) of the corners of those that have, one after the other.
        number: (P,) index into `names`.
    """

    names: Sequence[str]
    vertex_uvs: NDArray | None
    sizes: NDArray[np.int64]
    corners: NDArray[np.int64]
    given: NDArray[np.bool_]
    corner_uvs: NDArray
    number: NDArray[np.int64]

    @classmethod
    def read(cls, path: Path) -> PlyTextures | None:
        """Those of a file; None where it names no texture, or has no coordinates. Raises `ValueError` where damaged."""
        with Path(path).open("rb") as file:
            if b"texturefile" not in file.read(_HEADER).lower():
                return None
        data = Path(path).read_bytes()
        names = _TEXTURE.findall(data[: read_header(data)[2]].decode("utf-8", "replace"))
        if not names:
            return None
        tables = read_tables(data)
        columns = tables["vertex"].columns
        pair = next(([columns[u], columns[v]] for u, v in _VERTEX if u in columns and v in columns), None)
        face = tables.get("face", Table())
        index = next((face.lists[name] for name in _INDEX if name in face.lists), None)
        if pair is None and (index is None or "texcoord" not in face.lists):
            return None
        sizes, corners = index or (np.zeros(0, np.int64), np.zeros(0, np.int64))
        empty = np.zeros(len(sizes), np.int64)
        lengths, values = face.lists["texcoord"] if pair is None else (empty, np.zeros(0))
        given = lengths == 2 * sizes  # faces without texture have an empty list
        uvs = values[np.repeat(given, lengths)].reshape(-1, 2)
        number = np.asarray(face.columns.get("texnumber", empty), np.int64)
        vertex_uvs = None if pair is None else np.stack(pair, axis=1)
        return cls(names, vertex_uvs, sizes, corners.astype(np.int64), given, uvs, number)
