"""What Blender makes of the files that are written for it, by default import."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from assets.head_models.registry import load_head_model
from capture import HeadSurface
from generator.image_files.exr import depth_channels, encode_exr
from registration.files.outputs import write_registered_meshes
from registration.template import Template
from scans.head_sample import HeadSample
from scans.labelled import Labelled
from scans.labelled_groups import GROUPS, face_groups, vertex_groups
from scans.labelled_obj import write_obj
from scans.prediction_files import write_prediction
from scans.predictions import PARTS
from scans.units import in_metres
from tests.helpers import REPO, p2p_here
from tests.scans.labelled import labelled_capture
from tests.scans.textured import labelled_tube, tube

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy wheel is not installed"),
]

LOOK = """
import json, sys
import bpy
import numpy as np

def values(item, field, count):
    found = np.empty(count, np.float32)
    item.data.foreach_get(field, found)
    return found.tolist()

def seen(name=""):
    bpy.context.view_layer.update()
    scan, = [each for each in bpy.context.scene.objects if each.type == "MESH" and name in each.name]
    mesh = scan.data
    places = [list(scan.matrix_world @ vertex.co) for vertex in mesh.vertices]
    floats = [each for each in mesh.attributes if each.data_type == "FLOAT" and each.domain == "POINT"]
    colours = {each.name: [list(colour.color_srgb) for colour in each.data] for each in mesh.color_attributes}
    members = {group.name: [v.index for v in mesh.vertices if group.index in {g.group for g in v.groups}]
               for group in scan.vertex_groups}
    corners = []
    for face in mesh.polygons if mesh.uv_layers else []:
        uvs = [list(mesh.uv_layers[0].data[loop].uv) for loop in face.loop_indices]
        corners.append([[*mesh.vertices[v].co, *uv] for v, uv in zip(face.vertices, uvs)])
    return {"uvs": len(mesh.uv_layers), "corners": corners,
            "images": {each.name: list(each.size) for each in bpy.data.images},
            "places": places, "attributes": {each.name: values(each, "value", len(places)) for each in floats},
            "colours": colours, "groups": members, "materials": [each.name for each in mesh.materials],
            "faces": [list(face.vertices) for face in mesh.polygons], "key": scan.get("p2p_scan"),
            "face_materials": [face.material_index for face in mesh.polygons]}

def selected():
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.object.mode_set(mode="OBJECT")
    return [face.select for face in bpy.context.object.data.polygons]
"""


def in_blender(program: str, *words: object) -> Any:
    """What a program prints as the last line, in a Python of its own with Blender in it."""
    asked = [sys.executable, "-c", LOOK + program, *map(str, words)]
    done = subprocess.run(asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture with a head of two parts, a registered template and a depth map."""
    folder = tmp_path_factory.mktemp("made") / "head_00000004"
    template = Template(load_head_model("makehuman"), levels=0)
    vertices = template.surface(template.mean)
    eye = trimesh.creation.icosphere(2, 0.012)
    parts = np.repeat([0, 1], [len(template.faces), len(eye.faces)])
    faces = np.concatenate([template.faces, eye.faces + len(vertices)])
    HeadSurface(np.concatenate([vertices, eye.vertices]), faces, parts).write(folder / "head.ply")
    (folder / "registration").mkdir()
    write_registered_meshes(folder / "registration", template, vertices)
    depth = folder / "passes" / "depth" / "view_00.exr"
    depth.parent.mkdir(parents=True)
    depth.write_bytes(encode_exr(depth_channels(DEPTH)))
    return folder


DEPTH = np.linspace(0.4, 1.1, 12, dtype=np.float32).reshape(3, 4)
DEPTH[0, 1] = np.inf


def test_the_lines_of_the_page_bring_a_capture_in_upright_in_metres_and_readable(made: Path) -> None:
    """They are run as they stand in docs/formats.md, in a folder with a head of that name."""
    (lines,) = re.findall(r"^```python\n(import bpy\n.*?)^```", (REPO / "docs/formats.md").read_text(), re.M | re.S)
    assert "head_00000004" in lines
    program = """
import os
os.chdir(sys.argv[1])
bpy.ops.wm.read_factory_settings(use_empty=True)
exec(sys.argv[2])
pixels = np.array(depth.pixels[:]).reshape(depth.size[1], depth.size[0], 4)[::-1, :, 0]
print()
print(json.dumps({"head": seen("head"), "registered": seen("registered"), "depth": pixels.tolist()}))
"""
    lines = lines.replace("captures/head_00000004", "head_00000004")
    found = in_blender(program, made.parent, lines)
    head = HeadSurface.read(made / "head.ply")
    np.testing.assert_array_equal(found["head"]["places"], head.vertices)
    parts = np.array(found["head"]["attributes"]["part"])
    np.testing.assert_array_equal(parts[head.faces].T, [head.parts] * 3)
    registered = HeadSurface.read(made / "registration" / "registered.ply")
    np.testing.assert_allclose(found["registered"]["places"], registered.vertices, atol=1e-6)
    assert found["registered"]["uvs"] and max(map(len, found["registered"]["faces"])) == 4
    np.testing.assert_array_equal(np.array(found["depth"], np.float32), DEPTH)


def test_the_blend_file_has_groups_selection_and_attributes_in_metres(tmp_path: Path) -> None:
    labelled = labelled_capture(tmp_path)
    code, said = p2p_here("segment", tmp_path, "--reuse", "--formats", "obj,blend")
    assert code == 0, said
    assert (tmp_path / "prediction" / "segmented.obj").is_file()
    program = """
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
print()
print(json.dumps({**seen(), "selected": selected()}))
"""
    found = in_blender(program, tmp_path / "prediction" / "segmented.blend")
    prediction = labelled.prediction
    np.testing.assert_allclose(found["places"], labelled.scan.vertices / 1000, atol=1e-7)
    assert found["key"] == prediction.scan
    group = vertex_groups(prediction)
    expected = {name: np.flatnonzero(group == i).tolist() for i, name in enumerate(GROUPS) if (group == i).any()}
    assert found["groups"] == expected and found["groups"]["skin"] == np.flatnonzero(prediction.skin).tolist()
    np.testing.assert_array_equal(found["faces"], labelled.scan.faces)
    np.testing.assert_array_equal(found["selected"], prediction.skin[labelled.scan.faces].all(axis=1))
    np.testing.assert_array_equal(found["attributes"]["probability"], prediction.probability)
    np.testing.assert_array_equal(found["attributes"]["distance_mm"], prediction.distance_mm)
    grey = np.array(found["colours"]["skin mask"])[:, 0]
    np.testing.assert_allclose(grey, prediction.probability, atol=3e-3)


@pytest.fixture(scope="module")
def textured(tmp_path_factory: pytest.TempPathFactory) -> Labelled:
    return labelled_tube(tmp_path_factory.mktemp("textured"), "quads")


@pytest.fixture(scope="module")
def imported(textured: Labelled, tmp_path_factory: pytest.TempPathFactory) -> tuple[Labelled, list]:
    """A labelled scan; its OBJ file by default import and with groups and axes, a textured one and its OBJ file."""
    labelled = labelled_capture(tmp_path_factory.mktemp("imported"))
    program = """
axes = {"import_vertex_groups": True, "forward_axis": "Y", "up_axis": "Z"}
found = []
for path, options in zip(sys.argv[1:], ({}, axes, {}, {})):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.obj_import(filepath=path, **options)
    found.append(seen())
print()
print(json.dumps(found))
"""
    path = write_obj(labelled)
    return labelled, in_blender(program, path, path, textured.scan_path, write_obj(textured))


def test_default_import_of_the_obj_file_selects_skin_by_its_material(imported: tuple[Labelled, list]) -> None:
    labelled, (first, second, _, _) = imported
    skin = labelled.prediction.skin
    group = face_groups(vertex_groups(labelled.prediction), labelled.scan.faces)
    names = [first["materials"][index] for index in first["face_materials"]]
    assert sorted(names) == sorted(GROUPS[index] for index in group)
    faces = np.array(first["faces"])
    np.testing.assert_array_equal(np.array(names) == "skin", skin[faces].all(axis=1))
    np.testing.assert_allclose(second["places"], labelled.scan.vertices, atol=1e-4)  # in the scan's frame
    assert set(second["groups"]) == set(names)
    assert set(second["groups"]["skin"]) == set(faces[np.array(names) == "skin"].ravel().tolist())
    assert "Color" in second["colours"]


def test_default_import_of_a_textured_scan_finds_polygons_texture_coordinates_and_images(
    textured: Labelled, imported: tuple[Labelled, list]
) -> None:
    given, made = imported[1][2:]
    assert given["places"] == made["places"]  # in their order
    assert sorted(given["corners"]) == sorted(made["corners"]) and given["uvs"] == made["uvs"] == 1
    assert {*map(len, made["faces"])} == {4} and len(made["faces"]) == len(tube()[1])
    assert list(made["images"].values()) == list(given["images"].values()) == [[64, 32]] * 2
    names = np.array([made["materials"][index] for index in made["face_materials"]])
    assert set(names) == {"skin", "scalp_hair", "garment"}
    np.testing.assert_array_equal(names == "skin", textured.prediction.skin[np.array(made["faces"])].all(axis=1))


def test_default_import_of_the_ply_file_keeps_labels_as_attributes(tmp_path: Path) -> None:
    labelled = labelled_capture(tmp_path)
    distance = np.array(labelled.prediction.distance_mm)
    distance[:7] = np.nan
    head = in_metres(HeadSample.from_capture(labelled.capture), "mm", "m")[0]
    write_prediction(labelled.folder, replace(labelled.prediction, distance_mm=distance), labelled.scan, head)
    program = """
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.wm.ply_import(filepath=sys.argv[1])
print()
print(json.dumps(seen()))
"""
    found = in_blender(program, labelled.folder / "segmented.ply")
    np.testing.assert_array_equal(found["places"], labelled.scan.vertices)
    np.testing.assert_array_equal(found["attributes"]["skin"], labelled.prediction.skin)
    np.testing.assert_array_equal(found["attributes"]["probability"], labelled.prediction.probability)
    assert {PARTS[int(part)] for part in found["attributes"]["part"] if part < len(PARTS)} == {
        "skin",
        "scalp_hair",
        "garment",
    }
    np.testing.assert_array_equal(found["attributes"]["distance_mm"], np.where(np.isnan(distance), -1, distance))
