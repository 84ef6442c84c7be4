"""Labelled scans for other programs: OBJ groups and PLY properties, by trimesh and by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import trimesh

from scans.head_sample import HeadSample
from scans.labelled_groups import GROUPS, face_groups, vertex_groups
from scans.labelled_obj import write_obj
from scans.meshes.reading import read_scan
from scans.prediction_files import write_prediction
from scans.predictions import PARTS
from scans.units import in_metres
from tests.scans.labelled import labelled_capture


def test_trimesh_finds_the_groups_of_the_obj_file_with_the_skin_of_skin_ply(tmp_path: Path) -> None:
    labelled = labelled_capture(tmp_path)
    path = write_obj(labelled)
    scene = trimesh.load(path, group_material=True, process=False)
    assert set(scene.geometry) == {"skin", "other", "scalp_hair", "garment"}
    scan, skin = labelled.scan, labelled.prediction.skin
    whole = skin[scan.faces].all(axis=1)
    assert len(scene.geometry["skin"].faces) == whole.sum() > 0
    assert sum(len(each.faces) for each in scene.geometry.values()) == len(scan.faces)
    middles = np.sort(scan.vertices[scan.faces[whole]].mean(axis=1), axis=0)
    found = scene.geometry["skin"]
    np.testing.assert_allclose(np.sort(found.vertices[found.faces].mean(axis=1), axis=0), middles, atol=1e-4)
    assert (scene.geometry["scalp_hair"].vertices[:, 2].mean() > 20) and (
        scene.geometry["garment"].vertices[:, 2].mean() < -20
    )


def test_the_obj_file_keeps_vertices_their_order_and_their_probability(tmp_path: Path) -> None:
    labelled = labelled_capture(tmp_path)
    back = read_scan(write_obj(labelled))
    np.testing.assert_array_equal(back.vertices, labelled.scan.vertices)
    assert {tuple(sorted(face)) for face in back.faces.tolist()} == {
        tuple(sorted(face)) for face in labelled.scan.faces.tolist()
    }
    assert back.colours is not None
    np.testing.assert_allclose(back.colours / 255, labelled.prediction.probability[:, None].repeat(3, 1), atol=3e-3)
    lines = (labelled.folder / "segmented.obj").read_text().splitlines()
    used = [line.split()[1] for line in lines if line.startswith("usemtl ")]
    assert used == [line.split()[1] for line in lines if line.startswith("g ")]
    materials = (labelled.folder / "segmented.mtl").read_text().splitlines()
    assert used == [line.split()[1] for line in materials if line.startswith("newmtl ")]


def test_coordinates_of_a_map_are_written_to_the_last_digit(tmp_path: Path) -> None:
    labelled = labelled_capture(tmp_path)
    far = replace(labelled.scan, vertices=labelled.scan.vertices / 1000.0 + np.array([5e5, 5e6, 100.0]))
    assert far.vertices.dtype == np.float64
    back = read_scan(write_obj(replace(labelled, scan=far)))
    np.testing.assert_array_equal(back.vertices, far.vertices)


def test_without_parts_there_are_two_groups(tmp_path: Path) -> None:
    labelled = labelled_capture(tmp_path)
    plain = replace(labelled, prediction=replace(labelled.prediction, part=None, part_probability=None))
    assert set(trimesh.load(write_obj(plain), group_material=True, process=False).geometry) == {"skin", "other"}


def test_a_face_is_skin_by_all_corners_and_else_what_most_others_are() -> None:
    hair, garment = GROUPS.index("scalp_hair"), GROUPS.index("garment")
    group = np.array([0, 0, 0, hair, hair, garment, 1], np.uint8)
    faces = np.array([[0, 1, 2], [0, 1, 3], [0, 3, 5], [5, 3, 4], [6, 6, 5], [5, 0, 5]], np.int32)
    assert face_groups(group, faces).tolist() == [0, hair, garment, hair, 1, garment]


def test_skin_by_the_labels_comes_before_the_part(tmp_path: Path) -> None:
    labelled = labelled_capture(tmp_path)
    part = np.full(len(labelled.prediction.skin), PARTS.index("eyes"))
    names = np.array(GROUPS)[vertex_groups(replace(labelled.prediction, part=part))]
    assert (names == np.where(labelled.prediction.skin, "skin", "eyes")).all()


def test_trimesh_finds_labels_and_distance_in_the_ply_file(tmp_path: Path) -> None:
    labelled = labelled_capture(tmp_path)
    distance = np.array(labelled.prediction.distance_mm)
    distance[:7] = np.nan
    prediction = replace(labelled.prediction, distance_mm=distance)
    head = in_metres(HeadSample.from_capture(labelled.capture), "mm", "m")[0]
    write_prediction(labelled.folder, prediction, labelled.scan, head)
    mesh = trimesh.load(labelled.folder / "segmented.ply", process=False)
    columns = mesh.metadata["_ply_raw"]["vertex"]["data"]
    np.testing.assert_array_equal(mesh.vertices, labelled.scan.vertices)
    np.testing.assert_array_equal(columns["skin"].ravel().astype(bool), prediction.skin)
    np.testing.assert_array_equal(columns["probability"].ravel(), prediction.probability)
    np.testing.assert_array_equal(columns["part"].ravel(), prediction.part)
    assert (columns["distance_mm"].ravel()[:7] == -1).all() and columns["distance_mm"].dtype.kind == "f"
    np.testing.assert_array_equal(columns["distance_mm"].ravel()[7:], distance[7:])
    assert (mesh.visual.vertex_colors[:, 0] > mesh.visual.vertex_colors[:, 2])[prediction.probability > 0.6].all()
