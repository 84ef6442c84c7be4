"""Mesh files as other tools write them: every vertex, in the order of the file."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from capture import InputError, Scan
from capture.ply.files import read_ply
from scans.meshes.reading import read_scan

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0.5, 2, 0.25]], float)
QUAD_AND_TRIANGLE = [(0, 1, 2, 3), (3, 2, 4)]
FANNED = {(0, 1, 2), (0, 2, 3), (2, 4, 3)}
FORMATS = ("ascii", "binary_little_endian", "binary_big_endian")
CODES = {"char": "b", "uchar": "B", "short": "h", "ushort": "H", "int": "i", "uint": "I", "int64": "q", "uint64": "Q",
         "float": "f", "double": "d"}  # fmt: skip


def turned(faces: NDArray) -> set[tuple[int, int, int]]:
    """The triangles, each from its smallest index on: what doesn't depend on order or first corner."""
    return {(f[i], f[i - 2], f[i - 1]) for f in map(list, faces.tolist()) for i in (f.index(min(f)),)}


def ply(
    form: str, elements: Sequence[tuple[str, list[str], Sequence[tuple]]], lines: str = "", end: str = "\n"
) -> bytes:
    """A PLY file. An element is its name, its properties (`float x`, `list uchar int vertex_index`) and its rows."""
    header = ["ply", f"format {form} 1.0", *filter(None, lines.split("\n"))]
    body = b""
    for name, properties, rows in elements:
        header += [f"element {name} {len(rows)}", *(f"property {each}" for each in properties)]
        for row in rows:
            flat: list[tuple[str, Any]] = []
            for each, value in zip(properties, row, strict=True):
                kinds = each.split()
                if kinds[0] == "list":
                    flat += [(kinds[1], len(value)), *((kinds[2], item) for item in value)]
                else:
                    flat.append((kinds[0], value))
            if form == "ascii":
                body += " ".join(str(value) for _, value in flat).encode() + end.encode()
            else:
                order = "<" if "little" in form else ">"
                body += b"".join(struct.pack(order + CODES[kind], value) for kind, value in flat)
    return (end.join(header) + end + "end_header" + end).encode() + body


def vertices(kind: str = "float") -> tuple[str, list[str], list[tuple]]:
    return "vertex", [f"{kind} {axis}" for axis in "xyz"], [tuple(row) for row in CORNERS.tolist()]


def faces(index: str = "list uchar int vertex_indices") -> tuple[str, list[str], list[tuple]]:
    return "face", [index], [(list(corners),) for corners in QUAD_AND_TRIANGLE]


def read(tmp_path: Path, data: bytes | str, suffix: str = ".ply") -> Scan:
    path = tmp_path / f"mesh{suffix}"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_scan(path)


def check(scan: Scan) -> None:
    np.testing.assert_array_equal(scan.vertices, CORNERS)
    assert turned(scan.faces) == FANNED


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_headers_hold_any_text_and_line_ends(tmp_path: Path, form: str, end: str) -> None:
    text = "comment Müller, 顔\nobj_info end_header of a scan\ncomment end_header\ncomment element vertex 9\nobj_info"
    data = ply(form, [vertices(), faces()], text, end)
    check(read(tmp_path, data))
    check(read(tmp_path, data.replace("ü".encode(), "ü".encode("latin-1"))))
    check(read(tmp_path, b"\xef\xbb\xbf" + data))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("count", ["uchar", "int", "uint", "ushort"])
@pytest.mark.parametrize("index", ["int", "uint", "int64", "uint64", "short"])
def test_indices_have_any_type_and_name(tmp_path: Path, form: str, count: str, index: str) -> None:
    for name in ("vertex_indices", "vertex_index", "corners"):
        check(read(tmp_path, ply(form, [vertices("double"), faces(f"list {count} {index} {name}")])))


@pytest.mark.parametrize("form", FORMATS)
def test_other_columns_lists_and_elements_are_passed_over(tmp_path: Path, form: str) -> None:
    kinds = ["int64 id", "double x", "float y", "float z", "list uchar float weights", "uint64 hash", "float x"]
    rows = [(i - 2**40, *point, [0.5] * (i % 3), 2**53, 7.0) for i, point in enumerate(CORNERS.tolist())]
    extra = ["list uchar float texcoord", "list uchar int vertex_index", "int texnumber", "list int short flags"]
    texture = [([0.25] * 2 * len(c), list(c), 3, [1] * i) for i, c in enumerate(QUAD_AND_TRIANGLE)]
    elements: list[tuple[str, list[str], Sequence[tuple]]] = [
        ("material", ["uchar ambient_red", "double shine"], [(3, 0.5), (4, 0.25)]),
        ("empty", [], []),
        ("face", extra, texture),
        ("vertex", kinds, rows),
        ("edge", ["int vertex1", "int vertex2"], [(0, 1)]),
        ("multi_texture_vertex", ["uchar tx", "float u"], []),
    ]
    data = ply(form, elements)
    check(read(tmp_path, data))
    mesh = read_ply(tmp_path / "mesh.ply")
    np.testing.assert_array_equal(mesh.face["texnumber"], [3, 3, 3])
    assert mesh.vertex["id"].tolist() == [row[0] for row in rows]
    if form != "ascii":
        (tmp_path / "cut.ply").write_bytes(data[:-30])
        with pytest.raises(InputError, match=r"damaged PLY file: .*cut\.ply .*ends before its last row"):
            read_scan(tmp_path / "cut.ply")


def cells(array: vtk.vtkCellArray) -> list[list[int]]:
    corners, ends = vtk_to_numpy(array.GetConnectivityArray()), vtk_to_numpy(array.GetOffsetsArray())
    return [part.tolist() for part in np.split(corners, ends[1:-1])] if array.GetNumberOfCells() else []


@pytest.mark.parametrize("form", FORMATS)
def test_strips_are_the_triangles_that_vtk_made_them_of(tmp_path: Path, form: str) -> None:
    ball = vtk.vtkSphereSource()
    ball.SetThetaResolution(14)
    ball.SetPhiResolution(11)
    stripper = vtk.vtkStripper()
    stripper.SetInputConnection(ball.GetOutputPort())
    stripper.SetMaximumLength(9)
    stripper.Update()
    points = vtk_to_numpy(ball.GetOutput().GetPoints().GetData())
    triangles = np.array(cells(ball.GetOutput().GetPolys()))
    rows, loose = cells(stripper.GetOutput().GetStrips()), cells(stripper.GetOutput().GetPolys())
    assert len(rows) > 5
    joined = [each for row in rows for each in (*row, -1)]
    vertex = ("vertex", ["float x", "float y", "float z"], [tuple(point) for point in points.tolist()])
    polygons = ("face", ["list uchar int vertex_index"], [(each,) for each in loose])
    for strips in ([(row,) for row in rows], [(joined,)], [(joined[:-1],)]):
        data = ply(form, [vertex, ("tristrips", ["list int int vertex_indices"], strips), polygons])
        scan = read(tmp_path, data)
        assert turned(scan.faces) == turned(triangles) and len(scan.faces) == len(triangles)


def test_what_a_ply_file_lacks_is_said_in_a_line(tmp_path: Path) -> None:
    whole = ply("ascii", [vertices(), faces()])
    for data, message in [
        (ply("ascii", [vertices()]), "no faces; a mesh is needed, not a point cloud"),
        (ply("ascii", [("vertex", ["float x", "float y"], [(0, 1)]), faces()]), "no vertex positions"),
        (whole.replace(b"2.0", b"2,0"), "'2,0' is no number"),
        (whole.replace(b"property float x", b"property colour x"), "property x is of the type colour"),
        (whole.replace(b"element vertex 5", b"element vertex 50"), "ends before its last row"),
        (whole.replace(b"element vertex 5", b"element vertex -5"), "it has -5 of vertex"),
        (whole.replace(b"ascii", b"binary"), "unknown format 'binary'"),
    ]:  # fmt: skip
        with pytest.raises(InputError, match=message) as info:
            read(tmp_path, data)
        assert "mesh.ply" in str(info.value) and "\n" not in str(info.value)


def test_numbers_that_only_microsoft_writes_are_not_a_number(tmp_path: Path) -> None:
    data = ply("ascii", [("vertex", ["float x", "float y", "float z", "float q"], [(*c, 7) for c in CORNERS]), faces()])
    check(read(tmp_path, data.replace(b" 7\n", b" -1.#IND00\n").replace(b"end_header", b"end_header", 1)))
    assert np.isnan(read_ply(tmp_path / "mesh.ply").vertex["q"]).all()


BYTES = np.array([[0, 10, 255], [165, 0, 3], [77, 78, 79], [200, 100, 50], [9, 0, 0]], np.uint8)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("uchar", BYTES),
        ("char", BYTES.view(np.int8)),
        ("ushort", BYTES.astype(int) * 257),
        ("ushort", BYTES.astype(int)),
        ("int", BYTES.astype(int)),
        ("float", BYTES.astype(float)),
        ("float", BYTES / 255.0),
        ("double", BYTES / 255.0),
        ("double", BYTES * 257.0),
    ],
)
@pytest.mark.parametrize("names", ["red green blue", "diffuse_red diffuse_green diffuse_blue", "r g b"])
def test_colours_of_any_type_are_bytes(tmp_path: Path, kind: str, values: NDArray, names: str) -> None:
    kinds = ["float x", "float y", "float z", *(f"{kind} {name}" for name in names.split()), f"{kind} alpha"]
    rows = [(*point, *shade, 1) for point, shade in zip(CORNERS.tolist(), values.tolist(), strict=True)]
    for form in FORMATS:
        scan = read(tmp_path, ply(form, [("vertex", kinds, rows), faces()]))
        assert scan.colours is not None
        np.testing.assert_array_equal(scan.colours, BYTES)


def polydata(mesh: trimesh.Trimesh, colours: NDArray[np.uint8]) -> vtk.vtkPolyData:
    data, polygons = vtk.vtkPolyData(), vtk.vtkCellArray()
    points = vtk.vtkPoints()
    points.SetData(numpy_to_vtk(mesh.vertices.astype(np.float32), deep=True))
    for face in mesh.faces:
        polygons.InsertNextCell(3, face.tolist())
    data.SetPoints(points)
    data.SetPolys(polygons)
    array = numpy_to_vtk(colours, deep=True)
    array.SetName("colours")
    data.GetPointData().SetScalars(array)
    return data


@pytest.mark.parametrize(
    "writer", ["trimesh ascii", "trimesh binary", "vtk ascii", "vtk little", "vtk big", "trimesh obj"]
)
def test_meshes_of_other_libraries_come_back(tmp_path: Path, writer: str) -> None:
    mesh = trimesh.creation.icosphere(3)
    colours = np.random.default_rng(1).integers(0, 256, (len(mesh.vertices), 3)).astype(np.uint8)
    path = tmp_path / ("a.obj" if writer.endswith("obj") else "a.ply")
    tool, kind = writer.split()
    if tool == "trimesh":
        painted = trimesh.Trimesh(mesh.vertices, mesh.faces, vertex_colors=colours, process=False)
        painted.export(path, **({} if kind == "obj" else {"encoding": kind}))
    else:
        made = vtk.vtkPLYWriter()
        made.SetFileName(str(path))
        made.SetInputData(polydata(mesh, colours))
        made.SetArrayName("colours")
        made.SetFileTypeToASCII() if kind == "ascii" else made.SetFileTypeToBinary()
        made.SetDataByteOrderToBigEndian() if kind == "big" else made.SetDataByteOrderToLittleEndian()
        made.AddComment("scanné par Zoë")
        made.Write()
    scan = read_scan(path)
    np.testing.assert_allclose(scan.vertices, mesh.vertices, atol=1e-6)
    np.testing.assert_array_equal(scan.faces, mesh.faces)
    assert scan.colours is not None
    np.testing.assert_array_equal(scan.colours, colours)


OBJ = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0.5 2 0.25\nf 1 2 3 4\nf 4 3 5\n"


@pytest.mark.parametrize(
    "text",
    [
        OBJ.replace("\n", "\r\n"),
        OBJ.replace("\n", "\r"),
        OBJ.replace("v ", "\t v\t").replace("f ", "  f "),
        "\ufeff# Größe\n" + OBJ.replace("\n", " # behind, and 1 2 3\n"),
        OBJ.replace("1 1 0\n", "1 \\\n 1 0\n").replace("1 2 3 4", "1 2 \\\r\n3 \\ \n4"),
        OBJ.replace(" 0\nv", " 0 1.0\nv"),  # weights behind some
        OBJ.replace("f 1 2 3 4", "f -5 -4 -3 -2"),
        OBJ.replace("f 1 2 3 4", "f 1/1/1 2/2/1 3//1 4/4").replace("v 0 0 0", "vt 0 0\nvn 0 0 1\nv 0 0 0"),
        OBJ.replace("f 1 2 3 4\n", "o a\ng b # c\ns off\nusemtl Skin #1\nl 1 2\np 3\nf 1 2 3 4\n")
        + "curv 0 1 1 2\nend\n",
        "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf -4 -3 -2 -1\nv 0.5 2 0.25\nf -2 -3 -1",
        OBJ.replace("0.25", "2.5e-01").replace("v 1 1 0", "v +1 1. -0"),
    ],
)
def test_obj_files_as_tools_write_them(tmp_path: Path, text: str) -> None:
    scan = read(tmp_path, text, ".obj")
    check(scan)
    assert scan.colours is None


@pytest.mark.parametrize("scale", [1, 1 / 255])
@pytest.mark.parametrize("row", ["{0} {1}", "{0} 1 {1}", "{0} {1} 1", "{0} 1 {1} 1"])
def test_obj_colours_stand_behind_positions_weights_and_before_alpha(tmp_path: Path, scale: float, row: str) -> None:
    text = ""
    for point, shade in zip(CORNERS.tolist(), (BYTES * scale).tolist(), strict=True):
        text += "v " + row.format(" ".join(map(str, point)), " ".join(map(str, shade))) + "\n"
    scan = read(tmp_path, text + "f 1 2 3 4\nf 4 3 5\n", ".obj")
    check(scan)
    assert scan.colours is not None
    np.testing.assert_array_equal(scan.colours, BYTES)


def test_obj_vertices_without_a_colour_are_white_beside_others(tmp_path: Path) -> None:
    scan = read(tmp_path, OBJ.replace("v 1 1 0", "v 1 1 0 0.5 0.25 1.02").replace("v 0 1 0", "v 0 1 0 1 0 0 1"), ".obj")
    check(scan)
    assert scan.colours is not None
    assert scan.colours.tolist() == [[255] * 3, [255] * 3, [128, 64, 255], [255, 0, 0], [255] * 3]


def test_colours_a_little_above_one_are_clipped(tmp_path: Path) -> None:
    rows = "v 0 0 0 1.02 0.5 0\nv 1 0 0 0 0.2 1\nv 0 1 0 0.1 0.2 0.3\nf 1 2 3\n"
    scan = read(tmp_path, rows, ".obj")
    assert scan.colours is not None
    assert scan.colours.tolist() == [[255, 128, 0], [0, 51, 255], [26, 51, 76]]
