"""STL, OFF and 3MF: every vertex in the order of the file; damage in a file of any format is one line."""

from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capture import InputError
from scans.meshes.reading import read_scan
from scans.meshes.repair import repair
from tests.scans.mesh_samples import (
    CORNERS,
    FACES,
    PLACES,
    check,
    glb,
    save_texture,
    scene,
    write_obj,
)

DAMAGES = 60


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices in no order, and faces that use some of them."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(rng.integers(4, 30), 3)).astype(np.float32)
    faces = np.array([rng.permutation(len(points))[:3] for _ in range(rng.integers(1, 40))])
    return points, faces


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
