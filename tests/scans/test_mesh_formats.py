"""STL, OFF, 3MF and glTF, and textures: every vertex, in the order of the file, with the colour that it has there."""

from __future__ import annotations

import base64
import io
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from capture import InputError, Scan
from scans.meshes.reading import read_scan
from scans.meshes.repair import repair
from scans.meshes.textures import sample_texture

DAMAGES = 60
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
PLACES = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float) * 0.5 + 0.25  # texture coordinates, v upwards
FACES = [(0, 1, 2), (0, 2, 3)]


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices in no order, and faces that use some of them."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(rng.integers(4, 30), 3)).astype(np.float32)
    faces = np.array([rng.permutation(len(points))[:3] for _ in range(rng.integers(1, 40))])
    return points, faces


def texture() -> np.ndarray:
    """Red along the columns and green down the rows, in steps of whole bytes."""
    x, y = np.meshgrid(np.arange(64) * 4, np.arange(32) * 8)
    return np.stack([x, y, 0 * x + 77], axis=-1).astype(np.uint8)


def shown_at(uv: np.ndarray) -> np.ndarray:
    """The texture's own ramps at coordinates (N, 2), v upwards."""
    return np.stack([(uv[:, 0] * 64 - 0.5) * 4, ((1 - uv[:, 1]) * 32 - 0.5) * 8, 0 * uv[:, 0] + 77], axis=1)


def save_texture(folder: Path, name: str = "skin.png") -> Path:
    Image.fromarray(texture()).save(folder / name)
    return folder / name


def check(scan: Scan, points: np.ndarray, faces: np.ndarray) -> None:
    np.testing.assert_array_equal(scan.vertices, points.astype(np.float32))
    np.testing.assert_array_equal(scan.faces, faces)


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32 - 1), st.sampled_from(["stl", "stl_ascii", "off", "glb"]))
def test_meshes_that_trimesh_wrote_come_back_in_their_order(tmp_path: Path, seed: int, kind: str) -> None:
    points, faces = drawn(seed)
    path = tmp_path / f"mesh.{kind.partition('_')[0]}"
    mesh = trimesh.Trimesh(points, faces, process=False)
    mesh.export(path, file_type=kind)
    scan = read_scan(path)
    if kind.startswith("stl"):
        np.testing.assert_allclose(scan.vertices, points[faces].reshape(-1, 3), rtol=1e-6)
        np.testing.assert_array_equal(scan.faces, np.arange(3 * len(faces)).reshape(-1, 3))
    else:
        np.testing.assert_allclose(scan.vertices, points, rtol=1e-6, atol=1e-7)
        np.testing.assert_array_equal(scan.faces, faces)


def test_labels_of_an_stl_scan_are_for_its_own_corners(tmp_path: Path) -> None:
    sphere = trimesh.creation.icosphere(3, 0.1)
    sphere.export(tmp_path / "head.stl")
    scan = read_scan(tmp_path / "head.stl")
    mended = repair(scan)
    assert len(scan.vertices) == 3 * len(sphere.faces) and len(mended.scan.vertices) == len(sphere.vertices)
    upper = mended.spread(mended.scan.vertices[:, 2] > 0.02, False)
    np.testing.assert_array_equal(upper, scan.vertices[:, 2] > 0.02)


def test_an_stl_with_solid_in_its_binary_header_is_binary(tmp_path: Path) -> None:
    data = trimesh.Trimesh(CORNERS, FACES, process=False).export(file_type="stl")
    (tmp_path / "a.stl").write_bytes(b"solid ".ljust(80) + data[80:])
    assert len(read_scan(tmp_path / "a.stl").faces) == 2


@pytest.mark.parametrize(
    ("head", "row", "colours"),
    [
        ("OFF\n# a comment\n4 1 0", "", None),
        ("OFF 4 1 0 # counts here", "", None),
        ("COFF\n4 1 0", " 255 128 0 255", (255, 128, 0)),
        ("COFF\n4 1 0", " 1.0 0.5 0.0 1.0", (255, 128, 0)),
        ("CNOFF\n4 1 0", " 0 0 1 255 128 0 255", (255, 128, 0)),
        ("NOFF\n4 1 0", " 0 0 1", None),
    ],
)
def test_off_files_as_tools_write_them(
    head: str, row: str, colours: tuple[int, int, int] | None, tmp_path: Path
) -> None:
    rows = "\n".join(" ".join(map(str, each)) + row for each in CORNERS)
    (tmp_path / "a.off").write_text(f"{head}\n\n{rows}\n4  0 1 2 3  255 0 0\n")
    scan = read_scan(tmp_path / "a.off")
    check(scan, CORNERS, np.array(FACES))
    assert (None if scan.colours is None else scan.colours.tolist()) == (colours and [list(colours)] * 4)


def three_mf(model: str, path: Path) -> None:
    core = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    kind = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("3D/part.model", f'<model xmlns="{core}" unit="millimeter">{model}</model>')
        relation = f'<Relationship Target="/3D/part.model" Id="r" Type="{kind}"/>'
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{relations}">{relation}</Relationships>')


def mesh_3mf(number: int) -> str:
    vertices = "".join('<vertex x="{}" y="{}" z="{}"/>'.format(*each) for each in CORNERS)
    triangles = "".join('<triangle v1="{}" v2="{}" v3="{}"/>'.format(*each) for each in FACES)
    inside = f"<mesh><vertices>{vertices}</vertices><triangles>{triangles}</triangles></mesh>"
    return f'<object id="{number}" type="model">{inside}</object>'


def test_3mf_items_and_components_are_placed(tmp_path: Path) -> None:
    quarter = "0 1 0 -1 0 0 0 0 1 10 20 30"  # x' = x R + t of a row vector: a quarter turn about z
    inner = (
        '<object id="2"><components><component objectid="1" transform="2 0 0 0 2 0 0 0 2 1 0 0"/></components></object>'
    )
    mirror = "-1 0 0 0 1 0 0 0 1 0 0 0"
    build = f'<item objectid="1"/><item objectid="2" transform="{quarter}"/><item objectid="1" transform="{mirror}"/>'
    three_mf(f"<resources>{mesh_3mf(1)}{inner}</resources><build>{build}</build>", tmp_path / "a.3mf")
    scan = read_scan(tmp_path / "a.3mf")
    doubled = CORNERS * 2 + [1, 0, 0]
    turned = np.stack([10 - doubled[:, 1], 20 + doubled[:, 0], 30 + doubled[:, 2]], axis=1)
    faces = np.array(FACES)
    check(
        scan,
        np.concatenate([CORNERS, turned, CORNERS * [-1, 1, 1]]),
        np.concatenate([faces, faces + 4, faces[:, ::-1] + 8]),
    )


def glb(path: Path, file: dict, binary: bytes) -> None:
    text = json.dumps(file).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(binary), 0x004E4942) + binary
    path.write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks)


def pieces(*arrays: np.ndarray) -> tuple[list[dict], list[dict], bytes]:
    """Views and accessors of arrays (N, C), and their bytes."""
    codes = {"<f4": 5126, "|u1": 5121, "<u2": 5123, "<u4": 5125}
    kinds = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}
    views, accessors, data = [], [], b""
    for number, each in enumerate(arrays):
        rows = each.reshape(len(each), -1)
        views.append({"buffer": 0, "byteOffset": len(data), "byteLength": each.nbytes})
        made = {
            "bufferView": number,
            "componentType": codes[each.dtype.str],
            "count": len(each),
            "type": kinds[rows.shape[1]],
        }
        accessors.append(made | ({"normalized": True} if each.dtype.str == "|u1" and rows.shape[1] > 1 else {}))
        data += each.tobytes() + b"\0" * (-each.nbytes % 4)
    return views, accessors, data


def scene(**more: object) -> tuple[dict, bytes]:
    """A file with one square."""
    uv = np.stack([PLACES[:, 0], 1 - PLACES[:, 1]], axis=1)  # v downwards
    views, accessors, data = pieces(CORNERS.astype("<f4"), np.array(FACES, "<u2").reshape(-1), uv.astype("<f4"))
    primitive = {"attributes": {"POSITION": 0, "TEXCOORD_0": 2}, "indices": 1}
    file = {
        "asset": {"version": "2.0"}, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}], "accessors": accessors, "bufferViews": views,
        "buffers": [{"byteLength": len(data)}],
    }  # fmt: skip
    return file | more, data


def test_nodes_place_their_meshes_and_keep_their_order(tmp_path: Path) -> None:
    half = np.sqrt(0.5)
    nodes = [
        {"children": [2, 1], "translation": [1, 2, 3]},
        {"mesh": 0, "rotation": [0, 0, half, half], "scale": [2, 2, 2]},
        {"mesh": 0, "matrix": [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 5, 0, 0, 1]},
    ]
    file, data = scene(nodes=nodes)
    glb(tmp_path / "a.glb", file, data)
    scan = read_scan(tmp_path / "a.glb")
    mirrored = CORNERS * [-1, 1, 1] + [6, 2, 3]
    turned = 2 * np.stack([-CORNERS[:, 1], CORNERS[:, 0], CORNERS[:, 2]], axis=1) + [1, 2, 3]
    np.testing.assert_allclose(scan.vertices, np.concatenate([mirrored, turned]), atol=1e-6)
    np.testing.assert_array_equal(scan.faces, np.concatenate([np.array(FACES)[:, ::-1], np.array(FACES) + 4]))
    assert scan.colours is None


@pytest.mark.parametrize("place", ["buffer", "data", "file"])
def test_textures_of_gltf_are_colours_of_vertices(place: str, tmp_path: Path) -> None:
    image = save_texture(tmp_path).read_bytes()
    file, data = scene(
        textures=[{"source": 0}], materials=[{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]
    )
    file["meshes"][0]["primitives"][0]["material"] = 0
    file["images"] = [
        {"uri": f"data:image/png;base64,{base64.b64encode(image).decode()}" if place == "data" else "skin.png"}
    ]
    if place == "buffer":
        file["bufferViews"].append({"buffer": 0, "byteOffset": len(data), "byteLength": len(image)})
        file["images"], data = [{"bufferView": 3, "mimeType": "image/png"}], data + image
    if place == "file":
        (tmp_path / "mesh.bin").write_bytes(data)
        file["buffers"] = [{"uri": "mesh.bin", "byteLength": len(data)}]
        (tmp_path / "a.gltf").write_text(json.dumps(file))
    else:
        glb(tmp_path / "a.glb", file, data)
    scan = read_scan(tmp_path / ("a.gltf" if place == "file" else "a.glb"))
    check(scan, CORNERS, np.array(FACES))
    assert scan.colours is not None and np.abs(scan.colours - shown_at(PLACES)).max() <= 0.5


def test_vertex_colours_of_gltf_are_linear(tmp_path: Path) -> None:
    for kind in ("u1", "<f4"):
        file, _ = scene()
        shades = np.array([[255, 55, 0, 255]] * 4) / (1 if kind == "u1" else 255)
        views, accessors, data = pieces(CORNERS.astype("<f4"), shades.astype(kind))
        file |= {"accessors": accessors, "bufferViews": views}
        file["meshes"] = [{"primitives": [{"attributes": {"POSITION": 0, "COLOR_0": 1}, "mode": 6}]}]
        glb(tmp_path / "a.glb", file, data)
        scan = read_scan(tmp_path / "a.glb")
        check(scan, CORNERS, np.array(FACES))  # a fan
        assert scan.colours is not None
        # (1.055 (55/255)^(1/2.4) - 0.055) 255 = 128.0
        assert scan.colours.tolist() == [[255, 128, 0]] * 4


def test_strips_of_gltf_are_triangles_of_one_side(tmp_path: Path) -> None:
    file, _ = scene()
    views, accessors, data = pieces(CORNERS[[0, 1, 3, 2]].astype("<f4"))
    file |= {"accessors": accessors, "bufferViews": views}
    file["meshes"] = [
        {"primitives": [{"attributes": {"POSITION": 0}, "mode": 5}, {"attributes": {"POSITION": 0}, "mode": 0}]}
    ]
    glb(tmp_path / "a.glb", file, data)
    scan = read_scan(tmp_path / "a.glb")
    a, b, c = np.moveaxis(scan.vertices[scan.faces], 1, 0)
    assert len(scan.faces) == 2 and (np.cross(b - a, c - a)[:, 2] > 0).all() and len(scan.vertices) == 4


def test_primitives_of_a_mesh_share_their_vertices_and_have_colours_of_their_own(tmp_path: Path) -> None:
    base = [{"pbrMetallicRoughness": {"baseColorFactor": each}} for each in ([1, 0, 0, 1], [0, 0, 1, 1])]
    file, _ = scene(materials=base)
    views, accessors, data = pieces(
        CORNERS.astype("<f4"), np.array([[0, 1, 2]], "<u2").T, np.array([[0, 2, 3]], "<u4").T
    )
    file |= {"accessors": accessors, "bufferViews": views, "nodes": [{"mesh": 0}, {"mesh": 0}]}
    file["scenes"] = [{"nodes": [0, 1]}]
    one = [{"attributes": {"POSITION": 0}, "indices": 1 + i, "material": i} for i in range(2)]
    file["meshes"] = [{"primitives": one}]
    glb(tmp_path / "a.glb", file, data)
    scan = read_scan(tmp_path / "a.glb")
    check(scan, np.concatenate([CORNERS, CORNERS]), np.array([*FACES, (4, 5, 6), (4, 6, 7)]))
    assert scan.colours is not None
    assert scan.colours.tolist() == 2 * [[0, 0, 255], [255, 0, 0], [0, 0, 255], [0, 0, 255]]  # the later one's win


BLENDER = """
import sys, bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=2, radius=0.1, location=(0.3, 0.2, 0.1))
bpy.ops.export_scene.gltf(filepath=sys.argv[1] + "/a.glb", export_format="GLB")
bpy.ops.wm.stl_export(filepath=sys.argv[1] + "/a.stl")
"""


@pytest.mark.slow
def test_meshes_that_blender_wrote_are_where_they_were(tmp_path: Path) -> None:
    pytest.importorskip("bpy")
    done = subprocess.run([sys.executable, "-c", BLENDER, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name, centre in (("a.glb", (0.3, 0.1, -0.2)), ("a.stl", (0.3, 0.2, 0.1))):  # glTF: y up
        scan = read_scan(tmp_path / name)
        np.testing.assert_allclose(np.linalg.norm(scan.vertices - centre, axis=1), 0.1, rtol=1e-4)
        assert len(scan.faces) == 80 and len(repair(scan).scan.vertices) == 42


def write_obj(
    folder: Path, faces: str, material: str = "newmtl skin\nmap_Kd skin.png\n", coordinates: str = ""
) -> Path:
    text = "mtllib a.mtl\n" + "".join("v {} {} {}\n".format(*each) for each in CORNERS)
    text += coordinates or "".join("vt {} {}\n".format(*each) for each in PLACES)
    (folder / "a.obj").write_text(f"{text}usemtl skin\n{faces}\n")
    (folder / "a.mtl").write_text(material)
    return folder / "a.obj"


@pytest.mark.parametrize(
    ("faces", "material"),
    [
        ("f 1/1 2/2 3/3 4/4", "newmtl skin\nmap_Kd skin.png\n"),
        ("f 1/1/1 2/2/1 3/3/1 4/4/1", "newmtl skin\nKd 1 0 0\nmap_Kd -s 1 1 1 -clamp on skin.png\n"),
        ("f -4/-4 -3/-3 -2/-2 -1/-1", "newmtl skin\n  map_Kd C:\\scans\\SKIN.PNG\n"),
        ("f 1/1 2/2 \\\n3/3 4/4 # all", "newmtl other\nmap_Kd gone.png\nnewmtl skin\nmap_Kd ./skin.png\n"),
    ],
)
def test_textures_of_obj_are_colours_of_vertices(faces: str, material: str, tmp_path: Path) -> None:
    save_texture(tmp_path)
    scan = read_scan(write_obj(tmp_path, faces, material))
    check(scan, CORNERS, np.array(FACES))
    assert scan.colours is not None and np.abs(scan.colours - shown_at(PLACES)).max() <= 0.5


def test_seams_have_the_mean_and_other_materials_their_own_colour(tmp_path: Path) -> None:
    save_texture(tmp_path)
    faces = "f 1/1 2/2 3/3\nf 1/3 3/3 2/2\nusemtl red\nf 4 1 3"
    scan = read_scan(write_obj(tmp_path, faces, "newmtl skin\nmap_Kd skin.png\nnewmtl red\nKd 1 0 0\n"))
    seen = shown_at(PLACES)
    wanted = [(seen[0] + seen[2] + [255, 0, 0]) / 3, seen[1], (2 * seen[2] + [255, 0, 0]) / 3, [255, 0, 0]]
    assert scan.colours is not None and np.abs(scan.colours - np.array(wanted)).max() <= 0.5


@pytest.mark.parametrize("change", ["no image", "damaged image", "no material", "damaged coordinates"])
def test_a_texture_that_cant_be_had_is_one_warning(
    change: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image = save_texture(tmp_path)
    path = write_obj(tmp_path, "f 1/1 2/2 3/3 4/4", coordinates="vt a b\n" if change == "damaged coordinates" else "")
    if change == "no image":
        image.unlink()
    elif change == "damaged image":
        image.write_bytes(b"nothing")
    elif change == "no material":
        (tmp_path / "a.mtl").unlink()
    scan = read_scan(path)
    check(scan, CORNERS, np.array(FACES))
    assert scan.colours is None and len(caplog.records) == (0 if change == "no material" else 1)
    assert all("\n" not in record.getMessage() and str(tmp_path) in record.getMessage() for record in caplog.records)


def test_colours_of_vertices_come_before_textures(tmp_path: Path) -> None:
    save_texture(tmp_path)
    path = write_obj(tmp_path, "f 1/1 2/2 3/3 4/4")
    path.write_text(path.read_text().replace("v 0.0 0.0 0.0\n", "v 0.0 0.0 0.0 0 255 0\n"))
    scan = read_scan(path)
    assert scan.colours is not None and scan.colours[0].tolist() == [0, 255, 0]


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian"])
@pytest.mark.parametrize("per", ["face", "vertex"])
def test_textures_of_ply_are_colours_of_vertices(form: str, per: str, tmp_path: Path) -> None:
    save_texture(tmp_path)
    save_texture(tmp_path, "other.png")
    places = "" if per == "face" else "property float texture_u\nproperty float texture_v\n"
    lists = "property list uchar float texcoord\nproperty int texnumber\n" if per == "face" else ""
    head = f"ply\nformat {form} 1.0\ncomment TextureFile gone.png\ncomment TextureFile skin.png\nelement vertex 4\n"
    if per == "vertex":
        head = head.replace("comment TextureFile gone.png\n", "")
    head += f"property float x\nproperty float y\nproperty float z\n{places}element face 2\n"
    head += f"property list uchar int vertex_indices\n{lists}end_header\n"
    body = io.BytesIO()

    def put(code: str, *values: float) -> None:
        text = " ".join(map(str, values)) + " "
        body.write(text.encode() if form == "ascii" else struct.pack("<" + code, *values))

    for corner, place in zip(CORNERS, PLACES, strict=True):
        put("3f", *corner)
        if per == "vertex":
            put("2f", *place)
    for face in FACES:
        put("B3i", 3, *face)
        if per == "face":
            put("B6f", 6, *PLACES[list(face)].ravel())
            put("i", 1)
    (tmp_path / "a.ply").write_bytes(head.encode() + body.getvalue())
    scan = read_scan(tmp_path / "a.ply")
    check(scan, CORNERS, np.array(FACES))
    assert scan.colours is not None and np.abs(scan.colours - shown_at(PLACES)).max() <= 0.5


def test_trimesh_samples_the_same_texture() -> None:
    uv = np.random.default_rng(0).uniform(0.05, 0.95, (50, 2))
    theirs = trimesh.visual.color.uv_to_interpolated_color(uv, Image.fromarray(texture()))[:, :3]
    assert (
        np.abs(sample_texture(texture(), uv) - theirs).max() <= 9
    )  # half a pixel of theirs is a step of 4 or 8, and one


def test_coordinates_beyond_the_texture_repeat_it() -> None:
    inside = np.array([[0.3, 0.4], [0.7, 0.9]])
    np.testing.assert_allclose(
        sample_texture(texture(), np.add(inside, ((2, -1), (-3, 5)))), sample_texture(texture(), inside)
    )


@pytest.mark.parametrize("kind", ["stl", "off", "glb", "3mf", "gltf"])
def test_damaged_files_are_told_in_one_line(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "3mf":
        three_mf(f"<resources>{mesh_3mf(1)}</resources><build><item objectid='1'/></build>", path)
    elif kind == "gltf":
        path.write_text(json.dumps(scene()[0]))
    else:
        trimesh.Trimesh(CORNERS, FACES, process=False).export(path)
    whole = path.read_bytes()
    for cut in (0, 5, 30, len(whole) // 2, len(whole) - 9):
        path.write_bytes(whole[:cut])
        with pytest.raises(InputError, match=r"a\.\w+") as told:
            read_scan(path)
        assert "\n" not in str(told.value)


def test_what_gltf_compresses_is_refused_by_name(tmp_path: Path) -> None:
    file, data = scene(extensionsRequired=["KHR_draco_mesh_compression"])
    glb(tmp_path / "a.glb", file, data)
    with pytest.raises(InputError, match="KHR_draco_mesh_compression, which is not read"):
        read_scan(tmp_path / "a.glb")


def test_other_suffixes_are_refused_with_those_that_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.fbx").touch()
    with pytest.raises(InputError, match=r"only \.ply, \.obj, \.stl, \.off, \.3mf, \.glb, \.gltf are read"):
        read_scan(tmp_path / "a.fbx")


def whole(kind: str, folder: Path) -> Path:
    """A square of a kind, with colours or a texture where it can have one."""
    path = folder / f"a.{kind}"
    save_texture(folder)
    if kind == "obj":
        return write_obj(folder, "f 1/1 2/2 3/3 4/4")
    if kind == "3mf":
        three_mf(f"<resources>{mesh_3mf(1)}</resources><build><item objectid='1'/></build>", path)
    elif kind in ("glb", "gltf"):
        material = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}
        file, data = scene(textures=[{"source": 0}], materials=[material], images=[{"uri": "skin.png"}])
        file["meshes"][0]["primitives"][0]["material"] = 0
        if kind == "glb":
            glb(path, file, data)
        else:
            file["buffers"][0]["uri"] = f"data:;base64,{base64.b64encode(data).decode()}"
            path.write_text(json.dumps(file))
    elif kind == "ply":
        rows = "".join("{} {} {} {} {}\n".format(*a, *b) for a, b in zip(CORNERS, PLACES, strict=True))
        names = "".join(f"property float {name}\n" for name in "xyzst")
        head = f"ply\nformat ascii 1.0\ncomment TextureFile skin.png\nelement vertex 4\n{names}"
        path.write_text(f"{head}element face 1\nproperty list uchar int vertex_indices\nend_header\n{rows}4 0 1 2 3\n")
    else:
        trimesh.Trimesh(CORNERS, FACES, process=False).export(path)
    return path


@pytest.mark.parametrize("kind", ["stl", "off", "glb", "gltf", "3mf", "obj", "ply"])
def test_damage_anywhere_is_an_input_error_of_one_line(kind: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(len(kind) + ord(kind[0]))
    path = whole(kind, tmp_path)
    data = path.read_bytes()
    assert read_scan(path).faces.shape == (2, 3)
    for _ in range(DAMAGES):
        at, size = int(rng.integers(len(data))), int(rng.integers(1, 9))
        new = rng.choice([b"", b"9", b"-", b"\xff\xff", b"null", b"1e400", b"nan", b"\0\0\0\0"])
        path.write_bytes(data[:at] + bytes(new) + data[at + size * int(rng.integers(2)) :])
        try:
            read_scan(path)
        except InputError as error:
            assert "\n" not in str(error)
