from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from capture import HeadSurface, InputError, Labels, Mesh, Scan, atomic_path, read_json, write_json
from capture.labels import is_painted
from capture.listing import list_files, list_folders
from capture.ply.files import PlyMesh, read_ply, write_ply

TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.5]], np.float32)


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    target.write_bytes(b"old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a file stands where a folder is needed"):
        write_json(tmp_path / "file" / "capture.json", {})


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system where no folder can be made")
def test_a_folder_that_cant_be_made_is_named() -> None:
    with pytest.raises(InputError, match=r"can't make the folder /proc/p2p/deep: .*; choose another output"):
        write_json(Path("/proc/p2p/deep/capture.json"), {})


def test_what_a_block_does_not_find_is_not_blamed_on_its_target(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "new" / "file"):
        (tmp_path / "source").read_bytes()


def test_lists_of_files_pass_over_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b.png", "a/c.png", "._b.png", ".DS_Store", ".cache/d.png", "__MACOSX/a/._c.png", "a/.e/f.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to(tmp_path / "a", target_is_directory=True)
    found = [path.relative_to(tmp_path).as_posix() for path in list_files(tmp_path)]
    assert found == ["a/c.png", "b.png", "link/c.png"]
    assert list_files(tmp_path, below=False) == [tmp_path / "b.png"]
    assert [path.name for path in list_folders(tmp_path)] == ["a", "link"]
    assert list_files(tmp_path / "nowhere") == []


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(InputError, match="a folder of that name stands there"):
        write_json(tmp_path / "report.html", {})
    with pytest.raises(InputError, match="choose a shorter path"):
        write_json(tmp_path / ("x" * 300) / "capture.json", {})


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="free some space"),
        atomic_path(tmp_path / "x"),
        Path("/dev/full").open("wb") as file,
    ):
        file.write(b"x")
        file.flush()
    assert not list(tmp_path.iterdir())


def test_bad_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match=r"spec is not valid JSON: .*a\.json"):
        read_json(tmp_path / "a.json", "spec")
    with pytest.raises(InputError, match="spec is missing"):
        read_json(tmp_path / "b.json", "spec")


def test_a_ply_file_of_ours_opens_in_trimesh(tmp_path: Path) -> None:
    colours = np.arange(12).reshape(4, 3).astype(np.uint8)
    Scan(SQUARE, TRIANGLES, colours).write(tmp_path / "scan.ply")
    mesh = trimesh.load(tmp_path / "scan.ply", process=False)
    np.testing.assert_array_equal(mesh.vertices, SQUARE)
    np.testing.assert_array_equal(mesh.faces, TRIANGLES)
    np.testing.assert_array_equal(mesh.visual.vertex_colors[:, :3], colours)


@pytest.mark.parametrize("encoding", ["ascii", "binary"])
def test_trimesh_files_open_here(tmp_path: Path, encoding: str) -> None:
    mesh = trimesh.creation.icosphere(2)
    mesh.export(tmp_path / "mesh.ply", encoding=encoding)
    scan = Scan.read(tmp_path / "mesh.ply")
    np.testing.assert_allclose(scan.vertices, mesh.vertices, atol=1e-6)
    np.testing.assert_array_equal(scan.faces, mesh.faces)


@given(st.integers(1, 50), st.integers(0, 60), st.integers(0, 2**31))
@settings(max_examples=30)
def test_columns_survive(tmp_path_factory: pytest.TempPathFactory, count: int, faces: int, seed: int) -> None:
    path = tmp_path_factory.mktemp("ply") / "mesh.ply"
    rng = np.random.default_rng(seed)
    vertex = {axis: rng.normal(size=count) for axis in "xyz"} | {"flag": rng.integers(0, 255, count).astype(np.uint8)}
    corners = rng.integers(0, count, (faces, 3)).astype(np.int32)
    write_ply(path, PlyMesh(vertex, corners, {"part": rng.integers(0, 9, faces).astype(np.int16)}))
    again = read_ply(path)
    np.testing.assert_array_equal(again.faces, corners)
    for name, column in vertex.items():
        np.testing.assert_array_equal(again.vertex[name], column)


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_polygons_of_mixed_size_become_fans(tmp_path: Path, form: str) -> None:
    header = f"ply\nformat {form} 1.0\ncomment x\nelement vertex 5\n"
    header += "property float x\nproperty float y\nproperty float z\n"
    header += "element face 2\nproperty uchar part\nproperty list uchar int vertex_index\nend_header\n"
    points = np.arange(15).reshape(5, 3)
    polygons = [(3, [0, 1, 2]), (7, [0, 2, 3, 4])]
    if form == "ascii":
        body = "\n".join(" ".join(map(str, row)) for row in points.tolist()) + "\n"
        body += "\n".join(f"{part} {len(row)} {' '.join(map(str, row))}" for part, row in polygons) + "\n"
        data = (header + body).encode()
    else:
        order = "<" if "little" in form else ">"
        data = header.encode() + points.astype(order + "f4").tobytes()
        for part, row in polygons:
            data += bytes([part, len(row)]) + np.array(row, order + "i4").tobytes()
    (tmp_path / "mesh.ply").write_bytes(data)
    mesh = read_ply(tmp_path / "mesh.ply")
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3], [0, 3, 4]])
    np.testing.assert_array_equal(mesh.face["part"], [3, 7, 7])
    np.testing.assert_array_equal(mesh.vertex["y"], points[:, 1])


@pytest.mark.parametrize("damage", ["no header", "cut", "index", "not ply", "empty"])
def test_damaged_meshes_are_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "scan.ply"
    Scan(SQUARE, TRIANGLES).write(path)
    data = path.read_bytes()
    changed = {
        "no header": data[40:],
        "cut": data[:-5],
        "index": data[:-4] + np.array([99], "<i4").tobytes(),
        "not ply": b"solid cube",
        "empty": b"",
    }[damage]
    path.write_bytes(changed)
    with pytest.raises(InputError, match=r"scan\.ply"):
        Scan.read(path)


def test_meshes_are_validated(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no faces"):
        Mesh(SQUARE, np.zeros((0, 3)))
    with pytest.raises(InputError, match="not finite"):
        Mesh(SQUARE * np.nan, TRIANGLES)
    with pytest.raises(InputError, match="not there"):
        Mesh(SQUARE, TRIANGLES + 2)
    with pytest.raises(InputError, match="colours"):
        Scan(SQUARE, TRIANGLES, np.zeros((3, 3), np.uint8))
    with pytest.raises(InputError, match=r"missing: .*scan\.ply"):
        Scan.read(tmp_path / "scan.ply")


def test_records_are_frozen() -> None:
    scan = Scan(SQUARE, TRIANGLES)
    with pytest.raises(ValueError, match="read-only"):
        scan.vertices[0] = 1


def test_a_head_surface_keeps_its_parts(tmp_path: Path) -> None:
    parts, mask = np.array([0, 1], np.uint8), np.array([True, False, True, True])
    HeadSurface(SQUARE, TRIANGLES, parts, mask).write(tmp_path / "head.ply")
    head = HeadSurface.read(tmp_path / "head.ply")
    np.testing.assert_array_equal(head.part("eyes"), [False, True])
    np.testing.assert_array_equal(head.face_mask, mask)


def test_labels_round_trip_to_the_same_bytes(tmp_path: Path) -> None:
    labels = Labels(np.array([0.1, 2.0, np.nan], np.float32), np.array([True, False, False]))
    for name in ("a.npz", "b.npz"):
        labels.write(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again = Labels.read(tmp_path / "a.npz", 3)
    np.testing.assert_array_equal(again.distance_mm, labels.distance_mm)
    with pytest.raises(InputError, match="labels 3 vertices, the scan has 4"):
        Labels.read(tmp_path / "a.npz", 4)
    (tmp_path / "b.npz").write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(InputError, match="damaged labels"):
        Labels.read(tmp_path / "b.npz")
    with pytest.raises(InputError, match="labels are missing"):
        Labels.read(tmp_path / "c.npz")
    with pytest.raises(InputError, match="negative"):
        Labels(np.array([-1.0]), np.array([True]))


def test_labels_say_where_it_is_known_what_a_vertex_is() -> None:
    distance, skin = np.zeros(3), np.array([True, False, True])
    np.testing.assert_array_equal(Labels(distance, skin).is_known, [True, True, True])
    np.testing.assert_array_equal(Labels(distance, skin, known=[True, False, True]).is_known, [True, False, True])


def test_labels_say_whether_a_person_painted_them(tmp_path: Path) -> None:
    """In files from before the key, and only there, unknown distances say it."""
    unknown, skin, path = np.full(3, np.nan, np.float32), np.array([True, False, True]), tmp_path / "labels.npz"
    Labels(unknown, skin, scan="a", painted=True).write(path)
    assert Labels.read(path).painted and is_painted(path)
    with np.load(path) as arrays:
        assert arrays["painted"] and set(arrays) == {"distance_mm", "skin", "scan", "painted"}
    Labels(np.zeros(3, np.float32), skin, painted=True).write(path)
    assert is_painted(path)
    np.savez(path, distance_mm=unknown, skin=skin, painted=False)
    assert not is_painted(path)
    np.savez(path, distance_mm=unknown, skin=skin)
    assert is_painted(path)
    for computed in (np.zeros(3), np.array([np.nan, 0, np.nan]), np.zeros(0)):
        Labels(computed.astype(np.float32), skin[: len(computed)]).write(path)
        assert not is_painted(path)
        with np.load(path) as arrays:
            assert set(arrays) == {"distance_mm", "skin"}  # as they always were
    for damage in (skin, np.array("yes"), np.array([1.0, 2.0])):
        np.savez(path, distance_mm=unknown, skin=skin, painted=damage)
        with pytest.raises(InputError, match="damaged labels"):
            Labels.read(path)


def test_labels_with_any_damage_are_named(tmp_path: Path) -> None:
    """Flipped bits surface as errors of zip, of zlib and of numpy alike."""
    path = tmp_path / "labels.npz"
    Labels(np.linspace(0, 9, 500, dtype=np.float32), np.arange(500) < 100).write(path)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 4):
            data[place] = rng.integers(256)
        path.write_bytes(data)
        try:
            Labels.read(path)
        except InputError as error:
            refused += "labels" in str(error)
    assert refused > 100
