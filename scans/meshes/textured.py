"""Textures of OBJ and PLY files, as colours of their vertices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scans.meshes.mtl import MtlMaterial, read_materials
from scans.meshes.obj_faces import ObjFaces, face_corners
from scans.meshes.ply_textures import PlyTextures
from scans.meshes.textures import CornerColours, find_texture, sample_texture


def obj_colours(path: Path, count: int) -> NDArray[np.uint8] | None:
    """Colours (V, 3) of the `count` vertices of an OBJ file by the textures of its materials; None where it has none.

    Faces of materials without a texture have the material's own colour. Raises `ValueError` where the file is damaged.
    """
    text = Path(path).read_bytes()
    if b"mtllib" not in text or b"\nvt" not in text:
        return None
    obj = ObjFaces(text)
    materials = read_materials(path.parent, obj.libraries)
    if not any(each.texture for each in materials.values()):
        return None
    places = obj.uvs
    colours, textured = CornerColours(count), False
    for name, lines in obj.faces.items():
        _, corners, index = face_corners(lines)
        made = materials.get(name, MtlMaterial())
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
    obj = ObjFaces(Path(path).read_bytes())
    materials = read_materials(path.parent, obj.libraries)
    places = obj.uvs
    found = []
    for name, lines in obj.faces.items():
        made = materials.get(name, MtlMaterial())
        texture = find_texture(path.parent, made.texture) if made.texture else None
        if texture is None:
            continue
        sizes, corners, index = face_corners(lines)
        fans = _fans(sizes)
        fans = fans[((index[fans] >= 0) & (index[fans] < len(places))).all(axis=1)]
        found.append(TexturedFaces(corners[fans], places[index[fans]], texture))
    return found


def _fans(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """(T, 3) triangles, in numbers of corners, of polygons that have `sizes` (P,) corners one after the other."""
    first = np.repeat(np.cumsum(sizes) - sizes, np.maximum(sizes - 2, 0))
    counts = np.maximum(sizes - 2, 0)
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([first, first + step + 1, first + step + 2], axis=1)


def ply_colours(path: Path, count: int) -> NDArray[np.uint8] | None:
    """Colours (V, 3) of the `count` vertices of a PLY file by the textures that its comments name; None without any.

    Raises `ValueError` where the file is damaged.
    """
    found = PlyTextures.read(path)
    if found is None:
        return None
    colours = CornerColours(count)
    if found.vertex_uvs is not None:
        texture = find_texture(path.parent, found.names[0])
        if texture is not None:
            colours.add(np.arange(count), sample_texture(texture, found.vertex_uvs))
        return colours.bytes
    corners, number = found.corners[np.repeat(found.given, found.sizes)], np.repeat(found.number, found.sizes)
    for which, name in enumerate(found.names):
        rows = number[np.repeat(found.given, found.sizes)] == which
        texture = find_texture(path.parent, name) if rows.any() else None
        if texture is not None:
            colours.add(corners[rows], sample_texture(texture, found.corner_uvs[rows]))
    return colours.bytes
