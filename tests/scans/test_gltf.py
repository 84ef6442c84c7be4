"""glTF: nodes, strips and primitives in the order of the file, colours and textures as the format means them."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from capture import InputError
from scans.meshes.reading import read_scan
from scans.meshes.repair import repair
from tests.scans.mesh_samples import CORNERS, FACES, PLACES, check, glb, pieces, save_texture, scene, shown_at


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


def test_what_gltf_compresses_is_refused_by_name(tmp_path: Path) -> None:
    file, data = scene(extensionsRequired=["KHR_draco_mesh_compression"])
    glb(tmp_path / "a.glb", file, data)
    with pytest.raises(InputError, match="KHR_draco_mesh_compression, which is not read"):
        read_scan(tmp_path / "a.glb")
