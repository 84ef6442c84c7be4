"""The files that a mesh in several files is made of."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

from scans.meshes.mtl import library_paths, read_materials

_LIBRARY = re.compile(rb"^[ \t]*mtllib[ \t]+(.+?)[ \t\r]*$", re.MULTILINE)
_TEXTURE = re.compile(rb"^comment\s+TextureFile\s+(.+?)\s*$", re.MULTILINE | re.IGNORECASE)
_HEADER = 1 << 16  # bytes


def files_of(path: Path) -> list[Path]:
    """A mesh file, and the materials, textures and data that it names, where they lie as it says."""
    folder = path.parent
    named: list[str] = []
    libraries: list[Path] = []
    if not path.is_file():
        return [path]
    match path.suffix.lower():
        case ".obj":
            lines = [found.decode("utf-8", "replace") for found in _LIBRARY.findall(path.read_bytes())]
            libraries = library_paths(folder, lines)
            named = [name for made in read_materials(folder, lines).values() for _, name in made.maps]
        case ".ply":
            with path.open("rb") as file:
                named = [found.decode("utf-8", "replace") for found in _TEXTURE.findall(file.read(_HEADER))]
        case ".gltf":
            named = _uris(path)
    found = [folder / name.replace("\\", "/") for name in named]
    return [path, *libraries, *(each for each in found if each.is_file())]


def _uris(path: Path) -> list[str]:
    try:
        held = json.loads(path.read_bytes())
        given = [each.get("uri", "data:") for key in ("buffers", "images") for each in held.get(key) or []]
    except (ValueError, AttributeError):  # damaged, which is told when it is read
        return []
    return [unquote(uri) for uri in given if not uri.startswith("data:")]
