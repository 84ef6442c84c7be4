"""glTF 2.0, as .glb and .gltf: the triangles of the scene with their colours or textures.

Source: Khronos, "glTF 2.0 Specification", sections 3.5 (scenes), 3.6 (buffers and accessors), 3.7 (meshes), 3.8
(textures), 3.9 (materials: base colour textures are sRGB; factors and colours of vertices are linear), 4.4 (GLB).
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from capture import InputError, Scan
from capture.srgb import from_linear, to_linear
from scans.images.decoding import decode_image
from scans.meshes.polygons import NO_MATERIAL, Material, Polygons, TextureMap
from scans.meshes.textures import CornerColours, find_texture, sample_texture, texture_path

_JSON, _BINARY = 0x4E4F534A, 0x004E4942
_KINDS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_HARMLESS = ("KHR_mesh_quantization", "KHR_materials_", "KHR_lights_", "EXT_texture_webp")  # of required extensions
_IMAGES = ((b"\x89PNG", ".png"), (b"\xff\xd8", ".jpg"), (b"RIFF", ".webp"))  # how they begin
_DEEPEST = 64  # nodes within nodes


def read_gltf(path: Path) -> Scan:
    """The vertices of all primitives in the order of the scene's nodes, in the file's frame (y up) and metres.

    Colours are those of the vertices, or of the base colour's texture or factor where any primitive has one.

    Raises `ValueError` or `InputError` where the file is damaged, compressed, or has no triangles.
    """
    return _Scene.read(_File(path)).scan


def gltf_polygons(path: Path) -> Polygons:
    """The triangles of a file with their texture coordinates and materials, of the vertices that `read_gltf` gives.

    Raises as that does.
    """
    return _Scene.read(_File(path), colours=False).polygons


class _Scene:
    """The primitives of a scene, one behind the other; those of a mesh may share their vertices."""

    def __init__(self) -> None:
        self._parts: list[Polygons] = []
        self._uvs: list[NDArray[np.float64]] = []
        self._materials: dict[int, Material] = {}
        self._points: list[NDArray] = []
        self._colours: list[NDArray[np.uint8] | None] = []
        self._faces: list[NDArray[np.int64]] = []
        self._places: dict[int, int] = {}  # accessor of positions -> its place among the points

    @classmethod
    def read(cls, file: _File, *, colours: bool = True) -> _Scene:
        """The triangles of a file, with the colours of vertices, or else with texture coordinates and materials."""
        scene = cls()
        for matrix, mesh in file.meshes():
            scene.begin_mesh()
            for primitive in mesh["primitives"]:
                corners = file.triangles(primitive)
                if corners is not None:
                    first = scene.add(file, primitive, corners, matrix, colours=colours)
                    if not colours:
                        scene.add_uvs(file, primitive, corners, first)
        return scene

    def begin_mesh(self) -> None:
        """Let no vertices be shared with what came before."""
        self._places = {}

    def add(
        self, file: _File, primitive: Mapping[str, Any], corners: NDArray[np.int64], matrix: NDArray, *, colours: bool
    ) -> int:
        """Add a primitive's triangles (F, 3), placed by a matrix (4, 4); returns the number of its first vertex."""
        position = primitive["attributes"]["POSITION"]
        if position not in self._places:
            self._places[position] = len(self._points)
            self._points.append(file.accessor(position) @ matrix[:3, :3].T + matrix[:3, 3])
            self._colours.append(None)
        place = self._places[position]
        count = len(self._points[place])
        if corners.size and corners.max() >= count:
            raise ValueError("a face refers to a vertex that is not there")
        shown, before = file.colours(primitive, corners, count) if colours else None, self._colours[place]
        if shown is not None and before is not None:
            shown = np.where(np.isin(np.arange(count), corners)[:, None], shown, before)
        self._colours[place] = before if shown is None else shown
        mirrored = np.linalg.det(matrix[:3, :3]) < 0
        first = sum(map(len, self._points[:place]))
        self._faces.append((corners[:, ::-1] if mirrored else corners) + first)
        return first

    def add_uvs(self, file: _File, primitive: Mapping[str, Any], corners: NDArray[np.int64], first: int) -> None:
        """Add the texture coordinates and the material of the triangles that were added last."""
        faces, uvs = self._faces[-1], file.uvs(primitive)
        if uvs is not None and corners.size and corners.max() >= len(uvs):
            raise ValueError("it has fewer texture coordinates than vertices")
        triangles = Polygons.of_triangles(faces)
        place = sum(map(len, self._uvs))
        number = primitive.get("material", NO_MATERIAL)
        if number != NO_MATERIAL:
            self._materials.setdefault(number, file.material(number))
        known = list(self._materials).index(number) if number != NO_MATERIAL else NO_MATERIAL
        self._uvs += [] if uvs is None else [uvs]
        places = triangles.places if uvs is None else triangles.corners - first + place
        self._parts.append(replace(triangles, places=places, material=np.full(len(faces), known)))

    @property
    def polygons(self) -> Polygons:
        """The triangles with the texture coordinates that were added."""
        uvs = np.concatenate([np.zeros((0, 2)), *self._uvs])
        return Polygons.joined(self._parts, uvs, tuple(self._materials.values()))

    @property
    def scan(self) -> Scan:
        if not self._faces:
            raise InputError("has no faces; a mesh is needed")
        shown = None
        if any(each is not None for each in self._colours):
            white = (np.full((len(each), 3), 255, np.uint8) for each in self._points)
            pairs = zip(self._colours, white, strict=True)
            shown = np.concatenate([plain if each is None else each for each, plain in pairs])
        return Scan(np.concatenate(self._points), np.concatenate(self._faces).astype(np.int32), shown)


class _File:
    """A file's JSON and buffers."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        data = path.read_bytes()
        self._binary = b""
        if data[:4] == b"glTF":
            chunks = dict(_chunks(data))
            text, self._binary = chunks.get(_JSON, b""), chunks.get(_BINARY, b"")
        else:
            text = data
        self._json: Mapping[str, Any] = json.loads(text)
        required = self._json.get("extensionsRequired") or []
        if refused := [name for name in required if not name.startswith(_HARMLESS)]:
            raise ValueError(f"it needs {', '.join(refused)}, which is not read; export it uncompressed")

    def meshes(self) -> Iterator[tuple[NDArray, Mapping[str, Any]]]:
        """The meshes of the scene, and their matrices (4, 4) to the world."""
        scenes = self._json.get("scenes") or []
        if scenes:
            roots = scenes[self._json.get("scene", 0)].get("nodes") or []
        else:
            roots = range(len(self._json.get("nodes") or []))
        for root in roots:
            yield from self._below(root, np.eye(4), 0)

    def _below(self, number: int, outer: NDArray, depth: int) -> Iterator[tuple[NDArray, Mapping[str, Any]]]:
        if depth > _DEEPEST:
            raise ValueError("its nodes hold one another")
        node = self._json["nodes"][number]
        matrix = outer @ _matrix(node)
        if "mesh" in node:
            yield matrix, self._json["meshes"][node["mesh"]]
        for child in node.get("children") or []:
            yield from self._below(child, matrix, depth + 1)

    def triangles(self, primitive: Mapping[str, Any]) -> NDArray[np.int64] | None:
        """(F, 3) indices into the primitive's vertices; None for points and lines."""
        mode = primitive.get("mode", _TRIANGLES)
        if mode < _TRIANGLES:
            return None
        if "indices" in primitive:
            index = self.accessor(primitive["indices"])[:, 0].astype(np.int64)
        else:
            index = np.arange(len(self.accessor(primitive["attributes"]["POSITION"])))
        if mode == _TRIANGLES:
            return index[: len(index) // 3 * 3].reshape(-1, 3)
        ahead = np.arange(max(0, len(index) - 2))
        if mode == _FAN:
            return np.stack([np.broadcast_to(index[:1], ahead.shape), index[ahead + 1], index[ahead + 2]], axis=1)
        odd = ahead % 2
        return np.stack([index[ahead], index[ahead + 1 + odd], index[ahead + 2 - odd]], axis=1)

    def colours(self, primitive: Mapping[str, Any], corners: NDArray[np.int64], count: int) -> NDArray[np.uint8] | None:
        """sRGB (V, 3) of a primitive's vertices: its own colours times the material's; None where it has neither."""
        attributes = primitive["attributes"]
        own = self.accessor(attributes["COLOR_0"])[:, :3] if "COLOR_0" in attributes else None
        material = (self._json.get("materials") or [{}])[primitive["material"]] if "material" in primitive else {}
        base = material.get("pbrMetallicRoughness") or {}
        factor = np.array((base.get("baseColorFactor") or [1, 1, 1])[:3], np.float64)
        texture = self._texture(base.get("baseColorTexture"), attributes)
        if texture is None:
            if own is None and "baseColorFactor" not in base:
                return None
            return _to_srgb((1.0 if own is None else own) * np.broadcast_to(factor, (count, 3)))
        image, uv = texture
        if own is None and (factor == 1).all():
            made = CornerColours(count)
            used = np.unique(corners)
            made.add(used, sample_texture(image, uv[used], up=False))
            return made.bytes
        shown = to_linear(sample_texture(image, uv, up=False) / 255) * factor
        return _to_srgb(shown if own is None else shown * own)

    def uvs(self, primitive: Mapping[str, Any]) -> NDArray[np.float64] | None:
        """Coordinates (V, 2) in the texture of a primitive's colours, v upwards; None where it has none."""
        base: Mapping[str, Any] = {}
        if "material" in primitive:
            base = self._json["materials"][primitive["material"]].get("pbrMetallicRoughness") or {}
        name = f"TEXCOORD_{(base.get('baseColorTexture') or {}).get('texCoord', 0)}"
        if name not in primitive["attributes"]:
            return None
        return np.asarray(self.accessor(primitive["attributes"][name]) * (1.0, -1.0) + (0.0, 1.0))

    def material(self, number: int) -> Material:
        """A material: its colour, and the image of its colours."""
        given = self._json["materials"][number]
        base = given.get("pbrMetallicRoughness") or {}
        shares = _to_srgb(np.array((base.get("baseColorFactor") or [1, 1, 1])[:3], np.float64)) / 255
        lines = ("Kd " + " ".join(f"{share:.4g}" for share in shares),)
        image = self._image(base.get("baseColorTexture"))
        if image is None:
            return Material(given.get("name") or f"material_{number}", lines)
        source, name = image
        return Material(given.get("name") or f"material_{number}", lines, (TextureMap("map_Kd", name, source),))

    def _texture(self, given: Any, attributes: Mapping[str, int]) -> tuple[NDArray[np.uint8], NDArray] | None:
        """A texture's image and the coordinates (V, 2) in it; None where there is none, or it can't be read."""
        if not given or f"TEXCOORD_{given.get('texCoord', 0)}" not in attributes:
            return None
        if "KHR_texture_transform" in (given.get("extensions") or {}):
            raise ValueError("its texture has a transform, which is not read; export it without")
        image = self._image(given)
        if image is None:
            return None
        found: NDArray[np.uint8] | None
        if isinstance(image[0], Path):
            found = find_texture(image[0].parent, image[0].name)
        else:
            found = decode_image(image[0], "texture in the file")
        uv = self.accessor(attributes[f"TEXCOORD_{given.get('texCoord', 0)}"])
        return None if found is None else (found, uv)

    def _image(self, given: Any) -> tuple[Path | bytes, str] | None:
        """The path or the bytes of the image of a texture, and a name for its file; None where there is none."""
        if not given:
            return None
        texture = self._json["textures"][given["index"]]
        source = texture.get("source", ((texture.get("extensions") or {}).get("EXT_texture_webp") or {}).get("source"))
        if source is None:
            return None
        image = self._json["images"][source]
        uri = image.get("uri", "")
        if uri and not uri.startswith("data:"):
            path = texture_path(self._folder, unquote(uri))
            return None if path is None else (path, path.name)
        data = bytes(self._view(image["bufferView"])) if "bufferView" in image else _decoded(uri)
        ending = next((ending for start, ending in _IMAGES if data.startswith(start)), "")
        return data, f"{image.get('name') or f'texture_{source}'}".removesuffix(ending) + ending

    def accessor(self, number: int) -> NDArray:
        """Rows (N, C) of an accessor, integers that stand for shares divided."""
        given = self._json["accessors"][number]
        if "sparse" in given or "bufferView" not in given:
            raise ValueError("it has sparse accessors, which are not read; export it without")
        kind, width, count = np.dtype(_KINDS[given["componentType"]]), _WIDTHS[given["type"]], given["count"]
        view = self._json["bufferViews"][given["bufferView"]]
        data, start = self._view(given["bufferView"]), given.get("byteOffset", 0)
        step = view.get("byteStride") or width * kind.itemsize
        if count < 0 or start < 0 or start + (count - 1) * step + width * kind.itemsize > len(data):
            raise ValueError("it ends before its last row")
        rows: NDArray = np.ndarray((count, width), kind, data, start, (step, kind.itemsize))
        if given.get("normalized") and kind.kind in "iu":
            return np.maximum(rows / np.iinfo(kind).max, -1.0)
        return rows.astype(np.float64) if kind.kind == "f" else np.array(rows)

    def _view(self, number: int) -> bytes:
        view = self._json["bufferViews"][number]
        start = view.get("byteOffset", 0)
        return self._buffer(view["buffer"])[start : start + view["byteLength"]]

    def _buffer(self, number: int) -> bytes:
        uri = self._json["buffers"][number].get("uri")
        if uri is None:
            return self._binary
        if uri.startswith("data:"):
            return _decoded(uri)
        path = self._folder / unquote(uri)
        if not path.is_file():
            raise InputError(f"its data are missing: {path}")
        return path.read_bytes()


def _chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    version, length = struct.unpack_from("<II", data, 4)
    if version != 2 or length > len(data):
        raise ValueError(f"it is of version {version}, or ends early; version 2 is read")
    at = 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<II", data, at)
        yield kind, data[at + 8 : at + 8 + size]
        at += 8 + size


def _decoded(uri: str) -> bytes:
    return base64.b64decode(uri.partition(",")[2])


def _matrix(node: Mapping[str, Any]) -> NDArray[np.float64]:
    """A node's own matrix (4, 4)."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T  # written column by column
    x, y, z, w = node.get("rotation") or (0, 0, 0, 1)
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    made = np.eye(4)
    made[:3, :3] = rotation * np.array(node.get("scale") or (1, 1, 1), np.float64)
    made[:3, 3] = node.get("translation") or (0, 0, 0)
    return made


def _to_srgb(linear: NDArray) -> NDArray[np.uint8]:
    """Bytes of linear shares."""
    return (255 * from_linear(np.clip(linear, 0, 1))).round().astype(np.uint8)
