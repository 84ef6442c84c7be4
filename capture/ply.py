"""PLY files with numpy alone: triangle meshes with any scalar properties per vertex and per face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture.errors import InputError
from capture.files import write_bytes

_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4",
    "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float32": "f4", "float64": "f8",
}  # fmt: skip
_NAMES = {"i1": "char", "u1": "uchar", "i2": "short", "u2": "ushort", "i4": "int", "u4": "uint", "f4": "float"}
_NAMES["f8"] = "double"
_INDEX_NAMES = ("vertex_indices", "vertex_index")

Columns = dict[str, NDArray]


@dataclass(frozen=True)
class PlyMesh:
    """The tables of a PLY file.

    Attributes:
        vertex: name -> (V,) column.
        faces: (F, 3) int32; polygons are cut into fans of triangles. (0, 3) in a point cloud.
        face: name -> (F,) column; a polygon's values are repeated for each of its triangles.
    """

    vertex: Columns
    faces: NDArray[np.int32]
    face: Columns = field(default_factory=dict)


@dataclass(frozen=True)
class _Property:
    name: str
    dtype: str
    count_dtype: str | None = None  # set for a list property


@dataclass(frozen=True)
class _Element:
    name: str
    count: int
    properties: tuple[_Property, ...]


def write_ply(path: Path, mesh: PlyMesh) -> None:
    """Write `mesh` as binary little-endian PLY, atomically. Columns keep their dtype and order."""
    count, faces = len(next(iter(mesh.vertex.values()))), np.ascontiguousarray(mesh.faces, "<i4")
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {count}"]
    header += [f"property {_NAMES[_code(column)]} {name}" for name, column in mesh.vertex.items()]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices"]
    header += [f"property {_NAMES[_code(column)]} {name}" for name, column in mesh.face.items()]
    layout = [("n", "u1"), ("v", "<i4", (3,)), *((name, "<" + _code(c)) for name, c in mesh.face.items())]
    body = np.zeros(len(faces), np.dtype(layout))
    body["n"], body["v"] = 3, faces
    for name, column in mesh.face.items():
        body[name] = column
    data = "\n".join([*header, "end_header", ""]).encode() + _table(mesh.vertex, count) + body.tobytes()
    write_bytes(path, data)


def _code(column: NDArray) -> str:
    code = column.dtype.kind + str(column.dtype.itemsize)
    if code == "b1":
        return "u1"
    if code not in _NAMES:
        raise ValueError(f"a PLY file can't hold {column.dtype}")
    return code


def _table(columns: Mapping[str, NDArray], count: int) -> bytes:
    table = np.zeros(count, np.dtype([(name, "<" + _code(column)) for name, column in columns.items()]))
    for name, column in columns.items():
        table[name] = column
    return table.tobytes()


def read_ply(path: Path) -> PlyMesh:
    """Read an ASCII or binary PLY file. Raises `InputError` where it is missing, damaged or not PLY."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"mesh is missing: {path}") from None
    except OSError as error:
        raise InputError(f"mesh can't be read: {path} ({error.strerror})") from None
    try:
        return _parse(data)
    except (ValueError, IndexError, KeyError, UnicodeDecodeError) as error:
        raise InputError(f"damaged PLY file: {path} ({error}); export it again") from None


def _parse(data: bytes) -> PlyMesh:
    form, elements, offset = _header(data)
    tables: dict[str, Columns] = {}
    lists: dict[str, tuple[NDArray, NDArray]] = {}
    words = data[offset:].split() if form == "ascii" else []
    order = ">" if form == "binary_big_endian" else "<"
    position = 0 if form == "ascii" else offset
    for element in elements:
        if form == "ascii":
            columns, found, position = _ascii_element(words, position, element)
        else:
            columns, found, position = _binary_element(data, position, element, order)
        tables[element.name] = columns
        if found is not None:
            lists[element.name] = found
    if not {"x", "y", "z"} <= set(tables.get("vertex", {})):
        raise ValueError("it has no vertex positions")
    if "face" not in lists:
        return PlyMesh(tables["vertex"], np.zeros((0, 3), np.int32))
    triangles, source = _triangles(*lists["face"])
    if triangles.size and (triangles.min() < 0 or triangles.max() >= len(tables["vertex"]["x"])):
        raise ValueError("a face refers to a vertex that is not there")
    return PlyMesh(tables["vertex"], triangles, {name: c[source] for name, c in tables["face"].items()})


def _header(data: bytes) -> tuple[str, list[_Element], int]:
    end = data.find(b"end_header")
    if not data.startswith(b"ply") or end < 0:
        raise ValueError("it has no PLY header")
    form, elements = "", []
    name, count, properties = "", 0, list[_Property]()
    for line in data[:end].decode("ascii").splitlines()[1:]:
        words = line.split()
        if not words or words[0] in ("comment", "obj_info"):
            continue
        if words[0] == "format":
            form = words[1]
        elif words[0] == "element":
            if name:
                elements.append(_Element(name, count, tuple(properties)))
            name, count, properties = words[1], int(words[2]), []
        elif words[1] == "list":
            properties.append(_Property(words[4], _TYPES[words[3]], _TYPES[words[2]]))
        else:
            properties.append(_Property(words[2], _TYPES[words[1]]))
    if name:
        elements.append(_Element(name, count, tuple(properties)))
    if form not in ("ascii", "binary_little_endian", "binary_big_endian"):
        raise ValueError(f"unknown format {form!r}")
    return form, elements, data.index(b"\n", end) + 1


_Lists = tuple[NDArray, NDArray]  # lengths (n,), flat indices (sum of lengths,)


def _binary_element(data: bytes, position: int, element: _Element, order: str) -> tuple[Columns, _Lists | None, int]:
    lists = [p for p in element.properties if p.count_dtype]
    if not lists:
        dtype = np.dtype([(p.name, order + p.dtype) for p in element.properties])
        table = np.frombuffer(data, dtype, element.count, position)
        return _native(table, element), None, position + table.nbytes
    return _binary_lists(data, position, element, order)


def _native(table: NDArray, element: _Element) -> Columns:
    """The scalar columns of a structured table, in this machine's byte order."""
    scalars = [p for p in element.properties if not p.count_dtype]
    return {p.name: table[p.name].astype(p.dtype) for p in scalars}


def _binary_lists(data: bytes, position: int, element: _Element, order: str) -> tuple[Columns, _Lists | None, int]:
    """An element with list properties: quick where all lists are as long as the first, else row by row."""
    lengths = {}
    at = position
    for p in element.properties:  # the lengths in the first row
        if p.count_dtype and element.count:
            lengths[p.name] = int(np.frombuffer(data, order + p.count_dtype, 1, at)[0])
            at += np.dtype(p.count_dtype).itemsize + lengths[p.name] * np.dtype(p.dtype).itemsize
        else:
            at += np.dtype(p.dtype).itemsize
    layout: list[tuple] = []
    for p in element.properties:
        if p.count_dtype:
            layout.append((p.name + "#", order + p.count_dtype))
            layout.append((p.name, order + p.dtype, (lengths.get(p.name, 0),)))
        else:
            layout.append((p.name, order + p.dtype))
    dtype = np.dtype(layout)
    size = element.count * dtype.itemsize
    table = np.frombuffer(data, dtype, element.count, position) if position + size <= len(data) else None
    if table is None or any((table[name + "#"] != n).any() for name, n in lengths.items()):
        return _binary_rows(data, position, element, order)
    columns = _native(table, element)
    found = [p.name for p in element.properties if p.count_dtype and p.name in _INDEX_NAMES]
    if not found:
        return columns, None, position + size
    count = np.full(element.count, lengths.get(found[0], 0))
    return columns, (count, table[found[0]].astype(np.int64).ravel()), position + size


def _binary_rows(data: bytes, position: int, element: _Element, order: str) -> tuple[Columns, _Lists | None, int]:
    values: dict[str, list] = {p.name: [] for p in element.properties}
    for _ in range(element.count):
        for p in element.properties:
            number = 1
            if p.count_dtype:
                number = int(np.frombuffer(data, order + p.count_dtype, 1, position)[0])
                position += np.dtype(p.count_dtype).itemsize
            values[p.name].append(np.frombuffer(data, order + p.dtype, number, position))
            position += number * np.dtype(p.dtype).itemsize
    columns = {p.name: np.concatenate(values[p.name]) for p in element.properties if not p.count_dtype}
    return columns, _gather_lists(values), position


def _ascii_element(words: list[bytes], position: int, element: _Element) -> tuple[Columns, _Lists | None, int]:
    if not any(p.count_dtype for p in element.properties):
        width = len(element.properties)
        end = position + element.count * width
        table = np.array(words[position:end], "S").reshape(element.count, width).astype(float)
        columns = {p.name: table[:, i].astype(p.dtype) for i, p in enumerate(element.properties)}
        return columns, None, end
    values: dict[str, list] = {p.name: [] for p in element.properties}
    for _ in range(element.count):
        for p in element.properties:
            number = 1
            if p.count_dtype:
                number, position = int(words[position]), position + 1
            values[p.name].append(np.array(words[position : position + number], "S").astype(float).astype(p.dtype))
            position += number
    columns = {p.name: np.concatenate(values[p.name]) for p in element.properties if not p.count_dtype}
    return columns, _gather_lists(values), position


def _gather_lists(values: dict[str, list]) -> _Lists | None:
    found = [name for name in values if name in _INDEX_NAMES]
    if not found:
        return None
    rows = values[found[0]]
    flat = np.concatenate(rows) if rows else np.zeros(0)
    return np.array([len(row) for row in rows], int), flat.astype(np.int64)


def _triangles(lengths: NDArray, flat: NDArray) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Fans of triangles (F, 3) of polygons, and the polygon (F,) that each came from."""
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(int) if len(lengths) else np.zeros(0, int)
    fans = np.maximum(lengths.astype(int) - 2, 0)
    source = np.repeat(np.arange(len(lengths)), fans)
    step = np.arange(fans.sum()) - np.repeat(np.cumsum(fans) - fans, fans)
    first = starts[source]
    corners = np.stack([first, first + step + 1, first + step + 2], axis=1)
    return flat[corners].astype(np.int32), source
