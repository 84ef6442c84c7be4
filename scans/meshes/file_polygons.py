"""The polygons of people's mesh files, with their texture coordinates and materials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from capture import InputError, Scan
from capture.runtime.warnings_once import warn_once
from scans.meshes.gltf import gltf_polygons
from scans.meshes.mtl import MtlMaterial, read_materials
from scans.meshes.obj_faces import ObjFaces, face_corners
from scans.meshes.ply_textures import PlyTextures
from scans.meshes.polygons import NO_MATERIAL, NO_PLACE, Material, Polygons, TextureMap
from scans.meshes.textures import texture_path

_DAMAGE = (ValueError, IndexError, KeyError, TypeError, InputError)


def read_polygons(path: Path, scan: Scan) -> Polygons:
    """The polygons of the file that a scan was read from: of OBJ, glTF and textured PLY files, else its triangles.

    Polygons are in the order of the file, or of OBJ files those of one material after those of the other; their corners
    are the scan's vertices. Texture coordinates that are damaged are a warning, and left out.
    """
    reader = _READERS.get(path.suffix.lower())
    try:
        found = None if reader is None else reader(path, scan)
        if found is not None and found.corners.max(initial=0) >= len(scan.vertices):
            raise ValueError("a face refers to a vertex that is not there")
    except _DAMAGE as error:
        warn_once(f"{path}: its texture coordinates can't be taken ({error})")
        found = None
    return Polygons.of_triangles(scan.faces) if found is None else found


def _of_obj(path: Path, scan: Scan) -> Polygons:
    obj = ObjFaces(path.read_bytes())
    library, uvs = read_materials(path.parent, obj.libraries), obj.uvs
    parts: list[Polygons] = []
    materials: list[Material] = []
    for name, lines in obj.faces.items():
        sizes, corners, places = face_corners(lines)
        places[(places < 0) | (places >= len(uvs))] = NO_PLACE
        number = NO_MATERIAL
        if name in library:
            number = len(materials)
            materials.append(_material(path.parent, name, library[name]))
        parts.append(Polygons(sizes, corners, places, uvs, np.full(len(sizes), number)))
    return Polygons.joined(parts, uvs, tuple(materials))


def _material(folder: Path, name: str, made: MtlMaterial) -> Material:
    maps = []
    for words, image in made.maps:
        place = texture_path(folder, image)
        if place is not None:
            maps.append(TextureMap(words, place.name, place))
    return Material(name, tuple(made.lines), tuple(maps))


def _of_ply(path: Path, scan: Scan) -> Polygons | None:
    found = PlyTextures.read(path)
    if found is None:
        return None
    materials = []
    for name in found.names:
        place = texture_path(path.parent, name)
        maps = () if place is None else (TextureMap("map_Kd", place.name, place),)
        materials.append(Material(Path(name.replace("\\", "/")).stem, ("Kd 1 1 1",), maps))
    whole = Polygons.of_triangles(scan.faces)
    sizes, corners = (found.sizes, found.corners) if len(found.sizes) else (whole.sizes, whole.corners)
    if found.vertex_uvs is not None:
        return Polygons(sizes, corners, corners, found.vertex_uvs, np.zeros(len(sizes), np.int64), tuple(materials))
    places = np.full(len(corners), NO_PLACE)
    uvs, index = np.unique(found.corner_uvs[:, 0] + 1j * found.corner_uvs[:, 1], return_inverse=True)
    places[np.repeat(found.given, found.sizes)] = index
    known = found.given & (found.number >= 0) & (found.number < len(materials))
    return Polygons(
        sizes,
        corners,
        places,
        np.stack([uvs.real, uvs.imag], axis=1),
        np.where(known, found.number, NO_MATERIAL),
        tuple(materials),
    )


_READERS: dict[str, Callable[[Path, Scan], Polygons | None]] = {
    ".obj": _of_obj,
    ".ply": _of_ply,
    ".glb": lambda path, scan: gltf_polygons(path),
    ".gltf": lambda path, scan: gltf_polygons(path),
}
