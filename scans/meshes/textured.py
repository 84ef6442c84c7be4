"""Textures of OBJ and PLY files, as colours of their vertices."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture.ply.header import read_header
from capture.ply.tables import read_tables
from scans.meshes.textures import CornerColours, find_texture, sample_texture

_OPTION = re.compile(
    r"-(?:bm|boost|blendu|blendv|cc|clamp|imfchan|mm|o|s|t|texres|type)((?:\s+(?:on|off|sphere|[-\d.e]+))*)\s+"
)
_HEADER = 1 << 16  # bytes that a header with textures fits into
_PLY_VERTEX = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"))


@dataclass
class _Material:
    """`texture`: name of the image; `colour`: (3,) shares."""

    texture: str | None = None
    colour: NDArray | None = None


def obj_colours(path: Path, count: int) -> NDArray[np.uint8] | None:
    """Colours (V, 3) of the `count` vertices of an OBJ file by the textures of its materials; None where it has none.

    Faces of materials without a texture have the material's own colour. Raises `ValueError` where the file is damaged.
    """
    text = Path(path).read_bytes()
    if b"mtllib" not in text or b"\nvt" not in text:
        return None
    obj = _ObjTexture(text)
    materials = _materials(path.parent, obj.libraries)
    if not any(each.texture for each in materials.values()):
        return None
    places = np.array([line.split()[:2] for line in obj.coordinates], np.float64).reshape(-1, 2)
    colours, textured = CornerColours(count), False
    for name, lines in obj.faces.items():
        corners, index = _corners(lines)
        made = materials.get(name, _Material())
        texture = find_texture(path.parent, made.texture) if made.texture else None
        if texture is not None:
            known = (index >= 0) & (index < len(places))
            colours.add(corners[known], sample_texture(texture, places[index[known]]))
            textured = True
        elif made.colour is not None:
            colours.add(corners, np.broadcast_to(made.colour * 255, (len(corners), 3)))
    return colours.bytes if textured else None


@dataclass(frozen=True, eq=False)
class TexturedFaces:
    """Triangles under one texture.

    Attributes:
        faces: (F, 3) indices of vertices.
        uv: (F, 3, 2) texture coordinates of their corners; v grows upwards.
        texture: (H, W, 3).
    """

    faces: NDArray[np.int64]
    uv: NDArray[np.float64]
    texture: NDArray[np.uint8]


def obj_textured_faces(path: Path) -> list[TexturedFaces]:
    """The faces of an OBJ file whose corners all have texture coordinates, by texture; polygons are fanned.

    Raises `ValueError` where the file is damaged.
    """
    obj = _ObjTexture(Path(path).read_bytes())
    materials = _materials(path.parent, obj.libraries)
    places = np.array([line.split()[:2] for line in obj.coordinates], np.float64).reshape(-1, 2)
    found = []
    for name, lines in obj.faces.items():
        made = materials.get(name, _Material())
        texture = find_texture(path.parent, made.texture) if made.texture else None
        if texture is None:
            continue
        corners, index = _corners(lines)
        fans = _fans(np.array([len(words.split(b"#")[0].split()) for words, _, _ in lines]))
        fans = fans[((index[fans] >= 0) & (index[fans] < len(places))).all(axis=1)]
        found.append(TexturedFaces(corners[fans], places[index[fans]], texture))
    return found


def _fans(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """(T, 3) triangles, in numbers of corners, of polygons that have `sizes` (P,) corners one after the other."""
    first = np.repeat(np.cumsum(sizes) - sizes, np.maximum(sizes - 2, 0))
    counts = np.maximum(sizes - 2, 0)
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([first, first + step + 1, first + step + 2], axis=1)


class _ObjTexture:
    """The lines of an OBJ file that textures need.

    Attributes:
        coordinates: what stands behind `vt`.
        libraries: names of the files of materials.
        faces: material -> what stands behind `f`, with the numbers of vertices and coordinates before it.
    """

    def __init__(self, text: bytes) -> None:
        self.coordinates: list[bytes] = []
        self.libraries: list[str] = []
        self.faces: dict[str, list[tuple[bytes, int, int]]] = defaultdict(list)
        material, vertices = "", 0
        for line in re.sub(rb"\\[ \t]*\r?\n", b" ", text).splitlines():
            key, _, rest = line.strip().partition(b" ")
            if key == b"v":
                vertices += 1
            elif key == b"vt":
                self.coordinates.append(rest)
            elif key == b"f":
                self.faces[material].append((rest, vertices, len(self.coordinates)))
            elif key == b"usemtl":
                material = rest.decode("utf-8", "replace").strip()
            elif key == b"mtllib":
                self.libraries.append(rest.decode("utf-8", "replace").strip())


def _corners(lines: Sequence[tuple[bytes, int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Vertex and texture coordinate of each corner of faces, from 0; the latter is -1 where it has none."""
    found = []
    for words, vertices, coordinates in lines:
        for word in words.split(b"#")[0].split():
            parts = word.split(b"/")
            vertex = int(parts[0])
            place = int(parts[1]) if len(parts) > 1 and parts[1] else 0
            vertex = vertex - 1 if vertex > 0 else vertex + vertices
            found.append((vertex, place - 1 if place >= 0 else place + coordinates))
    table = np.array(found, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _materials(folder: Path, libraries: Sequence[str]) -> dict[str, _Material]:
    made: dict[str, _Material] = {}
    for name in libraries:
        path = folder / name.replace("\\", "/")
        if not path.is_file():
            continue
        current = _Material()
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, rest = line.strip().partition(" ")
            if key == "newmtl":
                current = made[rest.strip()] = _Material()
            elif key.lower() == "map_kd":
                current.texture = _OPTION.sub("", f"{rest.strip()} ").strip() or None
            elif key == "Kd" and len(rest.split()) >= 3:
                current.colour = np.clip(np.array(rest.split()[:3], np.float64), 0, 1)
    return made


def ply_colours(path: Path, count: int) -> NDArray[np.uint8] | None:
    """Colours (V, 3) of the `count` vertices of a PLY file by the textures that its comments name; None without any.

    Texture coordinates are of vertices, or lists of faces' corners, with a number of the texture where there are
    several. Raises `ValueError` where the file is damaged.
    """
    with Path(path).open("rb") as file:
        if b"texturefile" not in file.read(_HEADER).lower():
            return None
    data = Path(path).read_bytes()
    header = data[: read_header(data)[2]].decode("utf-8", "replace")
    names = re.findall(r"^comment\s+TextureFile\s+(.+?)\s*$", header, re.MULTILINE | re.IGNORECASE)
    if not names:
        return None
    tables = read_tables(data)
    colours = CornerColours(count)
    vertex, face = tables["vertex"], tables.get("face")
    for u, v in _PLY_VERTEX:
        if {u, v} <= set(vertex.columns):
            texture = find_texture(path.parent, names[0])
            if texture is not None:
                uv = np.stack([vertex.columns[u], vertex.columns[v]], axis=1)
                colours.add(np.arange(count), sample_texture(texture, uv))
            return colours.bytes
    index = next((face.lists[name] for name in ("vertex_indices", "vertex_index") if face and name in face.lists), None)
    if face is None or index is None or "texcoord" not in face.lists:
        return None
    corners, places = index[1].astype(np.int64), face.lists["texcoord"][1]
    given = face.lists["texcoord"][0] == 2 * index[0]  # faces without texture have an empty list
    corners = corners[np.repeat(given, index[0])]
    uv = places[np.repeat(given, face.lists["texcoord"][0])].reshape(-1, 2)
    number = np.repeat(face.columns.get("texnumber", np.zeros(len(given), np.int64))[given], index[0][given])
    for which, name in enumerate(names):
        rows = number == which
        texture = find_texture(path.parent, name) if rows.any() else None
        if texture is not None:
            colours.add(corners[rows], sample_texture(texture, uv[rows]))
    return colours.bytes
