"""PLY files with numpy alone: triangle meshes with any scalar properties per vertex and per face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture.errors import InputError
from capture.files import write_bytes
from capture.ply.tables import Columns, Lists, Table, read_tables

_NAMES = {"i1": "char", "u1": "uchar", "i2": "short", "u2": "ushort", "i4": "int", "u4": "uint", "f4": "float"}
_NAMES["f8"] = "double"
_INDEX_NAMES = ("vertex_indices", "vertex_index")


@dataclass(frozen=True)
class PlyMesh:
    """The tables of a PLY file.

    Attributes:
        vertex: name -> (V,) column.
        faces: (F, 3) int32; polygons are cut into fans of triangles, strips into what they are made of. (0, 3) in a
            point cloud.
        face: name -> (F,) column; a polygon's values are repeated for each of its triangles. Empty beside strips.
    """

    vertex: Columns
    faces: NDArray[np.int32]
    face: Columns = field(default_factory=dict)


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
        return _mesh_of(read_tables(data))
    except (ValueError, IndexError) as error:
        raise InputError(f"damaged PLY file: {path} ({error}); export it again") from None


def _mesh_of(tables: Mapping[str, Table]) -> PlyMesh:
    vertex = tables.get("vertex", Table()).columns
    if not {"x", "y", "z"} <= set(vertex):
        raise ValueError("it has no vertex positions")
    faces, face = tables.get("face", Table()), Columns()
    polygons, strips = _indices(faces), _indices(tables.get("tristrips", Table()))
    triangles = np.zeros((0, 3), np.int64)
    if polygons is not None:
        triangles, source = _fans(*polygons)
        face = {name: column[source] for name, column in faces.columns.items()}
    if strips is not None:
        triangles, face = np.concatenate([triangles, _unrolled(*strips)]), {}
    if triangles.size and (triangles.min() < 0 or triangles.max() >= len(vertex["x"])):
        raise ValueError("a face refers to a vertex that is not there")
    return PlyMesh(vertex, triangles.astype(np.int32), face)


def _indices(table: Table) -> Lists | None:
    """The lists that are vertex indices: by their name, or the only ones of whole numbers."""
    for name in _INDEX_NAMES:
        if name in table.lists:
            lengths, values = table.lists[name]
            return lengths, values.astype(np.int64)
    whole = [
        (lengths, values.astype(np.int64)) for lengths, values in table.lists.values() if values.dtype.kind in "iu"
    ]
    return whole[0] if len(whole) == 1 else None


def _fans(lengths: NDArray[np.int64], values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Fans of triangles (F, 3) of polygons, and the polygon (F,) that each came from."""
    if (lengths == 3).all():
        return values.reshape(-1, 3), np.arange(len(lengths))
    starts = np.cumsum(lengths) - lengths
    fans = np.maximum(lengths - 2, 0)
    source = np.repeat(np.arange(len(lengths)), fans)
    step = np.arange(fans.sum()) - np.repeat(np.cumsum(fans) - fans, fans)
    first = starts[source]
    return values[np.stack([first, first + step + 1, first + step + 2], axis=1)], source


def _unrolled(lengths: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Triangles (F, 3) of strips, which -1 or the end of a list ends; every other one is turned over."""
    chain = np.insert(values, np.cumsum(lengths), -1)
    place = np.arange(len(chain))
    odd = (place - np.maximum.accumulate(np.where(chain == -1, place, -1))) % 2 == 0
    corners = np.stack([chain[:-2], chain[1:-1], chain[2:]], axis=1)
    corners[odd[:-2]] = corners[odd[:-2]][:, [1, 0, 2]]
    a, b, c = corners.T
    return corners[(corners != -1).all(axis=1) & (a != b) & (b != c) & (c != a)]
