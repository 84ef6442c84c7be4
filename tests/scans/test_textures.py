"""Textures of OBJ and PLY: every vertex has the colour that the texture has there."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from scans.meshes.reading import read_scan
from scans.meshes.textures import sample_texture
from tests.scans.mesh_samples import CORNERS, FACES, PLACES, check, save_texture, shown_at, texture, write_obj


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
