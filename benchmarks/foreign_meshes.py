"""Meshes as other tools write them, read by this program: what came of each, as a table.

One small coloured mesh is written by every tool at hand (trimesh, Open3D, meshio, plyfile, PyMeshLab, PyVista, Blender)
and by hand in the ways of tools that have no package. Right is: every vertex in the file's order, the same surface,
the same colours to 1 of 255. The exit code is 1 where a file is read otherwise.

    python -m benchmarks.foreign_meshes [WORD ...]      # only rows whose names hold one of the words
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial, wraps
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from numpy.lib import recfunctions

from benchmarks.foreign_files import ForeignFile, Writer, print_table
from capture import Scan
from scans.meshes.reading import read_scan

_SPHERE = trimesh.creation.icosphere(subdivisions=2, radius=0.09)
POINTS = np.asarray(_SPHERE.vertices, np.float32)
FACES = np.asarray(_SPHERE.faces, np.int32)
COLOURS = np.clip(np.round(128 + 1100 * POINTS), 0, 255).astype(np.uint8)
NORMALS = (POINTS / np.linalg.norm(POINTS, axis=1, keepdims=True)).astype(np.float32)
VALUES = COLOURS / 255


def vertex_table(colour: str = "u1", position: str = "f4", scale: float = 1, **more: np.ndarray) -> np.ndarray:
    """A structured array of positions, colours of a type and scale, and further columns."""
    columns = {name: POINTS[:, i].astype(position) for i, name in enumerate("xyz")}
    if colour:
        scaled = COLOURS * scale if colour[0] in "ui" else VALUES * scale
        columns |= {name: scaled[:, i].astype(colour) for i, name in enumerate(("red", "green", "blue"))}
    columns |= more
    return np.asarray(recfunctions.merge_arrays([np.array(v, dtype=[(k, v.dtype)]) for k, v in columns.items()],
                                                flatten=True))  # fmt: skip


def face_table(name: str = "vertex_indices", faces: np.ndarray = FACES, kind: str = "i4") -> np.ndarray:
    """A structured array of faces for plyfile."""
    table = np.empty(len(faces), dtype=[(name, kind, (faces.shape[1],))])
    table[name] = faces
    return table


def plyfile_mesh(path: Path, vertices: np.ndarray, faces: np.ndarray | None = None, **options: Any) -> None:
    """Write by plyfile: `before`, `after` are further elements, `first` puts faces first."""
    import plyfile

    lengths = options.pop("lengths", {})
    elements = [
        plyfile.PlyElement.describe(vertices, "vertex"),
        plyfile.PlyElement.describe(face_table() if faces is None else faces, "face", len_types=lengths),
    ]
    if options.pop("faces_first", False):
        elements.reverse()
    elements[1:1] = options.pop("between", [])
    comments, info = options.pop("comments", []), options.pop("obj_info", [])
    plyfile.PlyData(elements, comments=comments, obj_info=info, **options).write(str(path))


def plyfile_rows() -> Iterator[tuple[str, Writer]]:
    """PLY files in the ways of scanners' software, by plyfile."""
    import plyfile

    edges = np.array([(0, 1), (1, 2)], dtype=[("vertex1", "i4"), ("vertex2", "i4")])
    edge = plyfile.PlyElement.describe(edges, "edge")
    camera = plyfile.PlyElement.describe(np.array([(0.0, 1.0)], dtype=[("view_px", "f4"), ("view_py", "f4")]), "camera")
    textured = np.empty(
        len(FACES), dtype=[("vertex_indices", "i4", (3,)), ("texcoord", "f4", (6,)), ("texnumber", "i4")]
    )
    textured["vertex_indices"], textured["texcoord"], textured["texnumber"] = FACES, 0.5, 0
    normals = {f"n{name}": NORMALS[:, i] for i, name in enumerate("xyz")}
    count = len(POINTS)
    yield "plyfile, big endian", lambda p: plyfile_mesh(p, vertex_table(), byte_order=">")
    yield "plyfile, text", lambda p: plyfile_mesh(p, vertex_table(), text=True)
    yield "plyfile, doubles", lambda p: plyfile_mesh(p, vertex_table(position="f8"))
    yield "plyfile, ushort colours", lambda p: plyfile_mesh(p, vertex_table("u2", scale=257))
    yield "plyfile, float colours 0 to 1", lambda p: plyfile_mesh(p, vertex_table("f4"))
    yield "plyfile, double colours 0 to 255", lambda p: plyfile_mesh(p, vertex_table("f8", scale=255))
    yield "plyfile, text, int colours", lambda p: plyfile_mesh(p, vertex_table("i4"), text=True)
    yield "plyfile, faces before vertices", lambda p: plyfile_mesh(p, vertex_table(), faces_first=True)
    yield "plyfile, edges between", lambda p: plyfile_mesh(p, vertex_table(), between=[edge])
    yield "plyfile, vertex_index", lambda p: plyfile_mesh(p, vertex_table(), face_table("vertex_index"))
    yield "plyfile, unsigned indices", lambda p: plyfile_mesh(p, vertex_table(), face_table(kind="u4"))
    yield (
        "plyfile, list lengths as int",
        lambda p: plyfile_mesh(p, vertex_table(), face_table(), lengths={"vertex_indices": "i4"}),
    )
    yield (
        "Metashape's way: normals, texture coordinates a face",
        lambda p: plyfile_mesh(p, vertex_table(**normals), textured, comments=["TextureFile scan.jpg"]),
    )
    yield (
        "CloudCompare's way: doubles, scalar fields",
        lambda p: plyfile_mesh(
            p,
            vertex_table(position="f8", **normals, scalar_Curvature=np.linspace(0, 1, count).astype("f4")),
            comments=["Author: CloudCompare (TELECOM PARISTECH/EDF R&D)"],
            obj_info=["Generated by CloudCompare!"],
        ),
    )
    yield (
        "Artec's way: alpha, flags, confidence",
        lambda p: plyfile_mesh(
            p,
            vertex_table(alpha=np.full(count, 255, "u1"), flags=np.zeros(count, "i4"), confidence=np.ones(count, "f4")),
        ),
    )
    yield (
        "range scanner's way: camera element, obj_info",
        lambda p: plyfile_mesh(p, vertex_table(), between=[camera], obj_info=["num_cols 512", "echo_rgb_offset_x 0"]),
    )
    yield "plyfile, comments of other scripts", lambda p: _recode(p, "Gescannt für Müller, 頭部掃描", "utf-8")
    yield "plyfile, comments in Latin-1", lambda p: _recode(p, "Gescannt für Müller", "latin-1")
    yield (
        "plyfile, a comment with end_header",
        lambda p: plyfile_mesh(p, vertex_table(), comments=["before end_header comes this"]),
    )
    yield "plyfile, int64 identity", lambda p: _replaced(
        p, lambda q: plyfile_mesh(q, vertex_table(identity=np.arange(count, dtype="i4")), text=True),
        (b"property int identity", b"property int64 identity"),
    )  # fmt: skip


def _recode(path: Path, comment: str, encoding: str) -> None:
    plyfile_mesh(path, vertex_table(), comments=["PLACE"])
    path.write_bytes(path.read_bytes().replace(b"PLACE", comment.encode(encoding)))


def _replaced(path: Path, write: Writer, *pairs: tuple[bytes, bytes]) -> None:
    write(path)
    content = path.read_bytes()
    for old, new in pairs:
        assert old in content
        content = content.replace(old, new)
    path.write_bytes(content)


def trimesh_rows() -> Iterator[tuple[str, Writer]]:
    """PLY and OBJ by trimesh."""
    mesh = trimesh.Trimesh(POINTS, FACES, vertex_colors=COLOURS, process=False)
    bare = trimesh.Trimesh(POINTS, FACES, process=False)
    faced = trimesh.Trimesh(POINTS, FACES, face_colors=np.full((len(FACES), 4), 200, np.uint8), process=False)
    yield "trimesh, PLY", lambda p: _bytes(p, mesh.export(file_type="ply"))
    yield "trimesh, PLY, text", lambda p: _bytes(p, mesh.export(file_type="ply", encoding="ascii"))
    yield "trimesh, PLY, normals", lambda p: _bytes(p, mesh.export(file_type="ply", vertex_normal=True))
    yield "trimesh, PLY, colours of faces: none of vertices", lambda p: _bytes(p, faced.export(file_type="ply"))
    yield "trimesh, OBJ", lambda p: _bytes(p, mesh.export(file_type="obj"))
    yield "trimesh, OBJ, normals: no colours", lambda p: _bytes(p, bare.export(file_type="obj", include_normals=True))


def _bytes(path: Path, content: Any) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def open3d_rows() -> Iterator[tuple[str, Writer]]:
    """PLY and OBJ by Open3D, from its two kinds of mesh."""
    import open3d as o3d

    mesh = o3d.geometry.TriangleMesh(o3d.utility.Vector3dVector(POINTS), o3d.utility.Vector3iVector(FACES))
    mesh.vertex_colors = o3d.utility.Vector3dVector(VALUES)
    mesh.compute_vertex_normals()

    def write(path: Path, **options: bool) -> None:
        assert o3d.io.write_triangle_mesh(str(path), mesh, **options)

    def write_tensor(path: Path, dtype: type) -> None:
        tensor = o3d.t.geometry.TriangleMesh(o3d.core.Tensor(POINTS), o3d.core.Tensor(FACES))
        values = COLOURS if dtype is np.uint8 else VALUES
        tensor.vertex.colors = o3d.core.Tensor(values.astype(dtype))
        assert o3d.t.io.write_triangle_mesh(str(path), tensor)

    yield "Open3D, PLY", lambda p: write(p)
    yield "Open3D, PLY, text", lambda p: write(p, write_ascii=True)
    yield "Open3D, PLY, no normals", lambda p: write(p, write_vertex_normals=False)
    yield "Open3D, tensor, PLY, float colours", lambda p: write_tensor(p, np.float32)
    yield "Open3D, OBJ", lambda p: write(p)


def meshio_rows() -> Iterator[tuple[str, Writer]]:
    """PLY and OBJ by meshio."""
    import meshio

    channels = {name: COLOURS[:, i] for i, name in enumerate(("red", "green", "blue"))}

    def write(path: Path, **options: bool) -> None:
        meshio.Mesh(POINTS, [("triangle", FACES)], point_data=channels).write(path, **options)

    def write_mixed(path: Path) -> None:
        quads = np.array([[0, 1, 2, 3]])
        meshio.Mesh(POINTS, [("triangle", FACES[:-2]), ("quad", quads)], point_data=channels).write(path)

    yield "meshio, PLY", lambda p: write(p)
    yield "meshio, PLY, text", lambda p: write(p, binary=False)
    yield "meshio, PLY, triangles and quads: other surface", write_mixed
    yield "meshio, OBJ: no colours", lambda p: meshio.Mesh(POINTS, [("triangle", FACES)]).write(p)


def pymeshlab_rows() -> Iterator[tuple[str, Writer]]:
    """PLY and OBJ by MeshLab's library."""
    import pymeshlab

    rgba = np.column_stack([VALUES, np.ones(len(POINTS))])
    quality = np.linspace(0, 1, len(POINTS))
    mesh = pymeshlab.Mesh(POINTS.astype(float), FACES, v_color_matrix=rgba, v_scalar_array=quality)
    held = pymeshlab.MeshSet()
    held.add_mesh(mesh)

    def write(path: Path, **options: bool) -> None:
        held.save_current_mesh(str(path), **options)

    yield "MeshLab, PLY", lambda p: write(p)
    yield "MeshLab, PLY, text", lambda p: write(p, binary=False)
    yield (
        "MeshLab, PLY, quality, normals, flags",
        lambda p: write(
            p, save_vertex_quality=True, save_vertex_normal=True, save_vertex_flag=True, save_face_flag=True
        ),
    )
    yield "MeshLab, OBJ", lambda p: write(p, save_vertex_color=True)


def pyvista_rows() -> Iterator[tuple[str, Writer]]:
    """PLY and OBJ by VTK."""
    import pyvista

    mesh = pyvista.PolyData.from_regular_faces(POINTS.astype(float), FACES.astype(int))
    mesh.point_data["RGB"] = COLOURS
    yield "PyVista, PLY", lambda p: mesh.save(p, binary=True, texture="RGB")
    yield "PyVista, PLY, text", lambda p: mesh.save(p, binary=False, texture="RGB")
    yield "PyVista, OBJ: no colours", lambda p: mesh.save(p)


_BLENDER = """
import sys, bpy, numpy as np
data = np.load(sys.argv[1]); path = sys.argv[2]; options = eval(sys.argv[3])
bpy.ops.wm.read_factory_settings(use_empty=True)
mesh = bpy.data.meshes.new("scan"); mesh.from_pydata(data["points"].tolist(), [], data["faces"].tolist())
layer = mesh.color_attributes.new("Col", options.pop("kind"), "POINT")
layer.data.foreach_set("color_srgb", np.column_stack([data["values"], np.ones(len(data["values"]))]).ravel())
made = bpy.data.objects.new("scan", mesh); bpy.context.collection.objects.link(made); made.select_set(True)
write = bpy.ops.wm.ply_export if path.endswith("ply") else bpy.ops.wm.obj_export
write(filepath=path, forward_axis="Y", up_axis="Z", **options)
"""


def blender_rows() -> Iterator[tuple[str, Writer]]:
    """PLY and OBJ by Blender's own exporters."""

    def write(path: Path, options: str) -> None:
        data = path.with_name("mesh.npz")
        np.savez(data, points=POINTS, faces=FACES, values=VALUES)
        command = [sys.executable, "-c", _BLENDER, str(data), str(path), options]
        subprocess.run(command, check=True, capture_output=True)

    yield "Blender, PLY", lambda p: write(p, "dict(kind='BYTE_COLOR', export_colors='SRGB')")
    yield "Blender, PLY, text", lambda p: write(p, "dict(kind='FLOAT_COLOR', export_colors='SRGB', ascii_format=True)")
    yield "Blender, OBJ", lambda p: write(p, "dict(kind='BYTE_COLOR', export_colors=True)")


def obj_text(colours: str = "floats", faces: str = "plain") -> list[str]:
    """Lines of an OBJ file."""
    lines = []
    for point, colour in zip(POINTS, COLOURS, strict=True):
        values = {"floats": [f"{c / 255:.6f}" for c in colour], "bytes": list(map(str, colour)), "": []}[colours]
        lines.append(" ".join(["v", *(f"{x:.7f}" for x in point), *values]))
    count = len(POINTS)
    for face in FACES:
        index = face - count if faces == "negative" else face + 1
        lines.append("f " + " ".join(f"{i}/1/{i}" if faces == "slashes" else str(i) for i in index))
    return lines


def hand_rows() -> Iterator[tuple[str, Writer]]:
    """OBJ files in the ways of tools that have no package."""

    def write(path: Path, lines: list[str], end: str = "\n", encoding: str = "utf-8") -> None:
        path.write_bytes((end.join(lines) + end).encode(encoding))

    def grouped(lines: list[str]) -> list[str]:
        middle = len(POINTS) + len(FACES) // 2
        return ["o front", *lines[:middle], "g back", "usemtl skin", "s off", *lines[middle:]]

    header = ["# 3D Scan – für 頭", "mtllib scan.mtl", "vt 0.5 0.5"]
    normals = [f"vn {a:.4f} {b:.4f} {c:.4f}" for a, b, c in NORMALS]
    count = len(POINTS)
    plain = obj_text()
    yield "RealityScan's way, OBJ: floats, slashes", lambda p: write(p, [*header, *normals, *obj_text(faces="slashes")])
    yield "Metashape's way, OBJ: bytes as colours", lambda p: write(p, obj_text("bytes"))
    yield "OBJ, negative indices", lambda p: write(p, obj_text(faces="negative"))
    yield "OBJ, Windows line ends", lambda p: write(p, [*header, *plain], "\r\n")
    yield "OBJ, groups and objects", lambda p: write(p, grouped(plain))
    yield "OBJ, comments behind numbers", lambda p: write(p, [f"  {line}  # {i}" for i, line in enumerate(plain)])
    yield "OBJ, tabs", lambda p: write(p, [line.replace(" ", "\t") for line in plain])
    yield (
        "OBJ, long lines continued",
        lambda p: write(p, [line if line[0] == "v" else line[:4] + " \\\n " + line[4:] for line in _spaced(plain)]),
    )
    yield (
        "OBJ, w = 1 before the colour: seven numbers",
        lambda p: write(
            p, [" ".join([*line.split()[:4], "1.0", *line.split()[4:]]) if line[0] == "v" else line for line in plain]
        ),
    )
    yield "OBJ, header in Latin-1", lambda p: write(p, ["# für Müller", *plain], encoding="latin-1")
    yield "OBJ, points and lines beside faces", lambda p: write(p, [*plain, "p 1", "l 1 2 3"])
    yield "OBJ, brightest colour 1.02", lambda p: write(p, [_brighter(plain[0]), *plain[1:count], *plain[count:]])


def _spaced(lines: list[str]) -> list[str]:
    return [line.replace("f ", "f   ") if line[0] == "f" else line for line in lines]


def _brighter(line: str) -> str:
    words = line.split()
    return " ".join([*words[:4], "1.02", *words[5:]])


def difference(scan: Scan, name: str) -> str:
    """A few words on what is not as in the mesh that was written; "" where all is."""
    if scan.vertices.shape != POINTS.shape:
        return f"{len(scan.vertices)} vertices of {len(POINTS)}"
    if np.abs(scan.vertices - POINTS).max() > 2e-6:
        return f"vertices off by {np.abs(scan.vertices - POINTS).max():.2g}"
    if "other surface" not in name and not same_surface(scan.faces):
        return f"{len(scan.faces)} faces of {len(FACES)}, or others"
    if "no colours" in name or "none of vertices" in name:
        return "" if scan.colours is None else "colours that are not in the file"
    if scan.colours is None:
        return "no colours"
    off = np.abs(scan.colours.astype(int) - COLOURS)
    if "1.02" in name:
        off = off[1:]
    return "" if off.max() <= 1 else f"colours off by {off.max()}"


def same_surface(faces: np.ndarray) -> bool:
    """Whether triangles are those that were written, whichever corner is first."""
    turned = [np.roll(triangles, -int(i), 1) for triangles in (faces,) for i in range(3)]
    first = np.stack(turned)[faces.argmin(axis=1), np.arange(len(faces))]
    wanted = np.stack([np.roll(FACES, -i, 1) for i in range(3)])[FACES.argmin(axis=1), np.arange(len(FACES))]
    return {tuple(face) for face in first.tolist()} == {tuple(face) for face in wanted.tolist()}


ROWS = (plyfile_rows, trimesh_rows, open3d_rows, meshio_rows, pymeshlab_rows, pyvista_rows, blender_rows, hand_rows)


def foreign_files(rows: Callable[[], Iterator[tuple[str, Writer]]]) -> Callable[[], Iterator[ForeignFile]]:
    """Rows of a tool as `print_table` takes them."""

    @wraps(rows)
    def listed() -> Iterator[ForeignFile]:
        for name, write in rows():
            yield ForeignFile(name, "scan.obj" if "OBJ" in name else "scan.ply", write, partial(_compare, name))

    return listed


def _compare(name: str, path: Path) -> tuple[bool, str]:
    wrong = difference(read_scan(path), name)
    return not wrong, wrong or "right"


if __name__ == "__main__":
    sys.exit(print_table([foreign_files(rows) for rows in ROWS], sys.argv[1:]))
