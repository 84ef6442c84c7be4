"""The labelled scan as OBJ of files with textures: trimesh finds the texture coordinates of the file that was given."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import trimesh

from capture.derived import PREDICTION_EXTRAS
from scans.labelled_obj import TEXTURES, write_obj
from scans.meshes.companions import files_of
from scans.meshes.file_polygons import read_polygons
from scans.meshes.reading import read_scan
from tests.helpers import p2p_here
from tests.scans.labelled import labelled_capture
from tests.scans.textured import RINGS, SECTORS, labelled_tube, tube, write_tube


def triangles_of(path: Path) -> tuple[np.ndarray, dict[str, trimesh.Trimesh]]:
    """(F, 15) positions and texture coordinates of triangles' corners as trimesh reads them, sorted; its meshes."""
    loaded = trimesh.load(path, process=False)
    meshes = loaded.geometry if isinstance(loaded, trimesh.Scene) else {"": loaded}
    rows = []
    for each in meshes.values():
        points = np.asarray(each.vertices) + ((1, 2, 3) if path.suffix == ".glb" else (0, 0, 0))
        rows.append(np.concatenate([points, each.visual.uv], axis=1)[each.faces].reshape(-1, 15))
    table = np.concatenate(rows).round(5) + 0.0
    first = np.argmin(table.reshape(-1, 3, 5) @ (1, 3.3, 7.7, 0.01, 0.02), axis=1)  # fans may begin at any corner
    turned = table.reshape(-1, 3, 5)[np.arange(len(table))[:, None], (first[:, None] + np.arange(3)) % 3]
    table = turned.reshape(-1, 15)
    return table[np.lexsort(table.T)], meshes


@pytest.mark.parametrize("kind", ["quads", "normals", "negative", "materials", "ply", "glb"])
def test_trimesh_finds_each_corners_texture_coordinates_and_the_image(kind: str, tmp_path: Path) -> None:
    labelled = labelled_tube(tmp_path, kind)
    assert labelled.scan_path is not None
    before = {path: path.read_bytes() for path in (tmp_path / "given").rglob("*") if path.is_file()}
    path = write_obj(labelled)
    wanted, _ = triangles_of(labelled.scan_path)
    found, meshes = triangles_of(path)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert len(found) == 2 * (RINGS - 1) * SECTORS
    images = {name: mesh.visual.material.image for name, mesh in meshes.items()}
    assert all(image.size == (64, 32) for name, image in images.items() if not name.endswith(".cloth"))
    groups = {"skin", "scalp_hair", "garment"}
    if kind == "materials":
        groups = {"skin.skin", "skin.cloth", "garment.skin", "garment.cloth", "scalp_hair.cloth"}
        assert images["scalp_hair.cloth"] is None
    assert set(meshes) == groups
    assert {path: path.read_bytes() for path in before} == before
    np.testing.assert_array_equal(read_scan(path).vertices, labelled.scan.vertices)


def test_polygons_stay_whole_and_in_their_order_and_are_skin_where_all_corners_are(tmp_path: Path) -> None:
    labelled = labelled_tube(tmp_path, "quads")
    lines = write_obj(labelled).read_text().splitlines()
    faces: dict[str, list[list[int]]] = {}
    for line in lines:
        if line.startswith("g "):
            faces[line[2:]] = []
        elif line.startswith("f "):
            faces[list(faces)[-1]].append([int(word.split("/")[0]) - 1 for word in line[2:].split()])
    quads, skin = tube()[1], labelled.prediction.skin
    assert faces["skin"] == quads[skin[quads].all(axis=1)].tolist()
    assert sum(map(len, faces.values())) == len(quads)
    for each in faces.values():
        order = [quads.tolist().index(face) for face in each]
        assert order == sorted(order)
    assert set(read_polygons(tmp_path / "given" / "tube.obj", labelled.scan).sizes.tolist()) == {4}


def test_materials_are_the_files_own_with_all_their_images(tmp_path: Path) -> None:
    labelled = labelled_tube(tmp_path, "quads")
    write_obj(labelled)
    text = (labelled.folder / "segmented.mtl").read_text()
    images = {line.rpartition(" ")[2] for line in text.splitlines() if line.startswith("map_")}
    assert images == {f"{TEXTURES}/my_face.png", f"{TEXTURES}/skin.png"}
    assert text.count("Ka 0 0 0") == text.count("map_Bump -bm 0.5 ") == text.count("newmtl ") == 3
    for name, given in (("my_face.png", "my face.png"), ("skin.png", "maps/skin.png")):
        assert (labelled.folder / TEXTURES / name).read_bytes() == (tmp_path / "given" / given).read_bytes()
    assert f"prediction/{TEXTURES}" in PREDICTION_EXTRAS  # goes with a prediction that is replaced


def test_without_its_image_the_file_keeps_coordinates_and_groups_colours(tmp_path: Path) -> None:
    labelled = labelled_tube(tmp_path, "quads")
    (tmp_path / "given" / "my face.png").unlink()
    (tmp_path / "given" / "maps" / "skin.png").unlink()
    path = write_obj(labelled)
    assert path.read_text().count("\nvt ") == len(tube()[2])
    text = (labelled.folder / "segmented.mtl").read_text()
    assert "map_" not in text and text.count("Kd ") == 3 and not (labelled.folder / TEXTURES).exists()


def test_damaged_coordinates_are_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    labelled = labelled_tube(tmp_path, "quads")
    assert labelled.scan_path is not None
    labelled.scan_path.write_text(labelled.scan_path.read_text().replace("vt 0.0 0.0 0", "vt a b", 1))
    assert "vt " not in write_obj(labelled).read_text()
    warned = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert len(warned) == 1 and str(labelled.scan_path) in warned[0]


def test_no_file_of_the_scan_is_overwritten(tmp_path: Path) -> None:
    """A scan that lies where the prediction goes, under a name of the prediction's, or whose images do."""
    folder = tmp_path / "capture"
    labelled_capture(folder)
    path = write_tube(tmp_path / "given", "quads")
    assert {each.name for each in files_of(path)} == {"tube.obj", "tube.mtl", "my face.png", "skin.png"}
    for name in ("segmented.obj", "segmented.ply"):
        scan = tmp_path / "given" / name
        scan.write_bytes((folder / "scan.ply").read_bytes() if name.endswith("ply") else path.read_bytes())
        code, said = p2p_here("segment", folder, "--scan", scan, "--out", tmp_path / "given", "--formats", "obj")
        assert code == 2 and said.count("\n") == 1 and f"{scan} belongs to the scan, and would be overwritten" in said
    (tmp_path / "given" / TEXTURES).mkdir()
    image = (tmp_path / "given" / "my face.png").rename(tmp_path / "given" / TEXTURES / "face.png")
    (tmp_path / "given" / "tube.mtl").write_text(f"newmtl skin\nmap_Kd {TEXTURES}/face.png\n")
    code, said = p2p_here("segment", folder, "--scan", path, "--out", tmp_path / "given")
    assert code == 2 and f"{image} belongs to the scan" in said
