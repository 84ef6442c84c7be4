"""Readers of MakeHuman's asset formats: proxies (.mhclo), their meshes (.obj) and materials (.mhmat).

The formats are described in MakeHuman's documentation ("MHCLO file format", "Materials"). A proxy binds each vertex of
its mesh either to one vertex of the hm08 base mesh, or to three with barycentric weights and an offset.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assets.geometry.obj_polygons import read_polygons
from assets.makehuman.files import BASE_VERTICES
from capture import InputError

TEXTURES = {
    "diffusetexture": "diffuse",
    "normalmaptexture": "normal",
    "bumpmaptexture": "bump",
    "bumptexture": "bump",
    "specularmaptexture": "specular",
    "aomaptexture": "ambient_occlusion",
    "displacementmaptexture": "displacement",
    "transparencymaptexture": "transparency",
}
"""Keys of a material, in lower case -> roles of an asset's files."""
SECTIONS = ("verts", "delete_verts", "weights")
"""Keys of a proxy that numbers follow; other keys may stand between a section's key and its numbers."""


@dataclass(frozen=True, eq=False)
class Proxy:
    """A .mhclo file.

    Attributes:
        name: as the file says.
        obj_file, material: file names relative to it; "" where it names none.
        tags: its tags.
        bound: (P, 3) int hm08 vertices of each proxy vertex.
        weights: (P, 3) barycentric weights.
        offsets: (P, 3) in units of `scales`, MakeHuman's axes.
        scales: axis 0, 1, 2 -> (vertex, vertex, distance in decimetres): an offset along the axis is multiplied by the
            distance of the two vertices along it over the given one.
        deleted: hm08 vertices that it hides.
    """

    name: str
    obj_file: str
    material: str
    tags: tuple[str, ...]
    bound: NDArray[np.int64]
    weights: NDArray[np.float64]
    offsets: NDArray[np.float64]
    scales: Mapping[int, tuple[int, int, float]]
    deleted: frozenset[int]


@dataclass(frozen=True, eq=False)
class ObjMesh:
    """Vertices (V, 3), triangles (F, 3), and the texture point (F, 3, 2) of each of their corners."""

    vertices: NDArray[np.float64]
    triangles: NDArray[np.int64]
    corner_uvs: NDArray[np.float64]


def read_lines(path: Path, what: str) -> list[str]:
    """The lines of a text file; raises `InputError` naming `what` and the file."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise InputError(f"{what} can't be read: {path} ({error.strerror})") from None


def read_proxy(path: Path) -> Proxy:
    """Read a .mhclo file; raises `InputError` with the line that doesn't fit."""
    header: dict[str, str] = {}
    tags: list[str] = []
    scales: dict[int, tuple[int, int, float]] = {}
    rows: list[list[float]] = []
    deleted: set[int] = set()
    section = ""
    for number, line in enumerate(read_lines(path, "proxy"), 1):
        words = line.split("#")[0].split() if not line.lstrip().startswith("//") else []
        if not words:
            continue
        key = words[0].lower()
        try:
            if key in ("x_scale", "y_scale", "z_scale"):
                scales["xyz".index(key[0])] = (int(words[1]), int(words[2]), float(words[3]))
            elif re.match(r"[a-z]", key):
                section = key if key in SECTIONS else section
                tags += words[1:] if key == "tag" else []
                header.setdefault(key, " ".join(words[1:]))
            elif section == "verts":
                rows.append(_binding(words))
            elif section == "delete_verts":
                deleted |= _ranges(words)
        except (ValueError, IndexError):
            raise InputError(f"{path}: line {number} is no part of a proxy: {line.strip()[:60]!r}") from None
    return _proxy(path, header, tags, scales, rows, deleted)


def _binding(words: Sequence[str]) -> list[float]:
    """Nine numbers of a line of the `verts` section: three vertices, their weights, the offset."""
    if len(words) == 1:
        vertex = int(words[0])
        return [vertex, vertex, vertex, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    if len(words) not in (6, 9):
        raise ValueError
    numbers = [*map(int, words[:3]), *map(float, words[3:])]
    return [*numbers, *[0.0] * (9 - len(numbers))]


def _ranges(words: Sequence[str]) -> set[int]:
    """The numbers of `3 - 7 9 12 - 14`."""
    numbers: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:\s*-\s*(\d+))?", " ".join(words)):
        numbers.update(range(int(first), int(last or first) + 1))
    return numbers


def _proxy(
    path: Path,
    header: Mapping[str, str],
    tags: Sequence[str],
    scales: Mapping[int, tuple[int, int, float]],
    rows: Sequence[Sequence[float]],
    deleted: set[int],
) -> Proxy:
    if header.get("basemesh", "hm08") != "hm08":
        raise InputError(f"{path}: made for the base mesh {header['basemesh']!r}; only hm08 can be fitted")
    if not rows:
        raise InputError(f"{path}: it binds no vertices; is it a .mhclo file?")
    table = np.array(rows, float)
    bound = table[:, :3].astype(np.int64)
    ends = [vertex for first, second, _ in scales.values() for vertex in (first, second)]
    if min(bound.min(), *ends, 0) < 0 or max(bound.max(), *ends, 0) >= BASE_VERTICES or not np.isfinite(table).all():
        raise InputError(f"{path}: it binds to vertices that the hm08 base mesh (0 to {BASE_VERTICES - 1}) lacks")
    if any(distance <= 0 for *_, distance in scales.values()):
        raise InputError(f"{path}: a scale's distance must be more than 0")
    names = (header.get("name", path.stem), header.get("obj_file", ""), header.get("material", ""))
    return Proxy(*names, tuple(tags), bound, table[:, 3:6], table[:, 6:9], dict(scales), frozenset(deleted))


def read_obj(path: Path) -> ObjMesh:
    """Read an .obj file, polygons cut into fans; raises `InputError` where it is damaged or has no texture points."""
    mesh = read_polygons(read_lines(path, "mesh"), path)
    if not mesh.textured:
        raise InputError(f"{path}: no mesh with texture points (v, vt and f lines)")
    fans = [
        (polygon[0], second, third) for polygon in mesh.polygons for second, third in itertools.pairwise(polygon[1:])
    ]
    table = np.array(fans, np.int64)
    return ObjMesh(mesh.vertices, table[..., 0], mesh.points[table[..., 1]])


def read_material(path: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """role -> file name relative to the material, and tags, of a .mhmat file."""
    files: dict[str, str] = {}
    tags: list[str] = []
    for line in read_lines(path, "material"):
        words = line.split()
        if len(words) < 2:
            continue
        if role := TEXTURES.get(words[0].lower()):
            files[role] = " ".join(words[1:])
        elif words[0] == "tag":
            tags += words[1:]
    return files, tuple(tags)


def read_origin(path: Path) -> tuple[str, str, str]:
    """Licence, author and source as the head of a MakeHuman file tells them; "" for what it doesn't."""
    text = "\n".join(read_lines(path, "file")[:80])
    licence = _keyword(text, "licen[sc]e")
    if re.search(r"\bCC0\b|creativecommons\.org/publicdomain/zero", text) and (not licence or "CC0" in licence):
        licence = "CC0-1.0"
    holders = re.findall(r"Copyright \(C\) *(?:\d{4} +)?([^,\n]+)", text)
    source = re.search(r"https?://\S*makehuman\S*", text)
    return (
        licence,
        _keyword(text, "author") or "; ".join(map(str.strip, holders)),
        (_keyword(text, "homepage|url") or (source.group().rstrip(".,") if source else "")),
    )


def _keyword(text: str, names: str) -> str:
    match = re.search(rf"^(?:[#/ ]*)(?:{names})\b[ :=]+(\S.*)$", text, re.IGNORECASE | re.MULTILINE)
    value = match.group(1).strip() if match else ""
    return "" if value.startswith("text for") else value
