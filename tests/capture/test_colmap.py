from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture import CAMERA_MODELS, Camera, InputError, SparseModel, SparsePoints, read_model, write_model
from capture.colmap import quaternion_from_rotation, rotation_from_quaternion
from tests.helpers import camera, rotation


def model(models: list[str]) -> SparseModel:
    cameras = []
    for i, name in enumerate(models):
        view = camera(i, name)
        cameras.append(Camera(f"view_{i:02d}.png", 640, 480, name, view.params, view.rotation, view.translation))
    rng = np.random.default_rng(0)
    tracks = tuple(np.sort(rng.choice(len(models), 2, replace=False)) for _ in range(7))
    pixels = tuple(rng.uniform(0, 480, (2, 2)) for _ in tracks)
    colours = rng.integers(0, 256, (7, 3)).astype(np.uint8)
    return SparseModel(tuple(cameras), SparsePoints(rng.normal(size=(7, 3)), colours, tracks, pixels))


def assert_same(a: SparseModel, b: SparseModel, tolerance: float = 0.0) -> None:
    for one, other in zip(a.cameras, b.cameras, strict=True):
        assert (one.name, one.width, one.height, one.model) == (other.name, other.width, other.height, other.model)
        np.testing.assert_allclose(one.params, other.params, atol=tolerance)
        np.testing.assert_allclose(one.rotation, other.rotation, atol=1e-14)
        np.testing.assert_allclose(one.translation, other.translation, atol=tolerance)
    np.testing.assert_allclose(a.points.positions, b.points.positions, atol=tolerance)
    np.testing.assert_array_equal(a.points.colours, b.points.colours)
    for i in range(len(a.points)):
        np.testing.assert_array_equal(a.points.tracks[i], b.points.tracks[i])
        np.testing.assert_allclose(a.points.pixels[i], b.points.pixels[i], atol=tolerance)


@given(st.integers(0, 100_000))
def test_quaternions_invert(seed: int) -> None:
    r = rotation(seed)
    np.testing.assert_allclose(rotation_from_quaternion(list(quaternion_from_rotation(r))), r, atol=1e-12)


@pytest.mark.parametrize("diagonal", [(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)])
def test_half_turns(diagonal: tuple[int, int, int]) -> None:
    r = np.diag(np.array(diagonal, float))
    np.testing.assert_allclose(rotation_from_quaternion(list(quaternion_from_rotation(r))), r, atol=1e-15)


@pytest.mark.parametrize("binary", [False, True])
@given(st.lists(st.sampled_from(sorted(CAMERA_MODELS)), min_size=2, max_size=4))
@settings(max_examples=10)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, binary: bool, models: list[str]) -> None:
    folder = tmp_path_factory.mktemp("sparse")
    made = model(models)
    write_model(folder, made, binary=binary)
    assert_same(made, read_model(folder))


PROGRAM = """
import sys, json
import numpy as np
import pycolmap
reconstruction = pycolmap.Reconstruction(sys.argv[1])
points = json.loads(sys.argv[2])
out = {}
for image in reconstruction.images.values():
    out[image.name] = image.project_point(points[image.name]).tolist()
reconstruction.write_text(sys.argv[3]); reconstruction.write_binary(sys.argv[4])
print(json.dumps({"projections": out, "points": len(reconstruction.points3D)}))
"""


@pytest.mark.parametrize("binary", [False, True])
def test_pycolmap_agrees(tmp_path: Path, binary: bool) -> None:
    """pycolmap opens our files and projects to the same pixels; we open what it writes."""
    import json

    pytest.importorskip("pycolmap")
    made = model(sorted(CAMERA_MODELS))
    folders = [tmp_path / name for name in ("ours", "text", "binary")]
    for folder in folders:
        folder.mkdir()
    write_model(folders[0], made, binary=binary)
    seen = {view.name: (view.centre + 2 * view.rays([300.0, 200.0])).tolist() for view in made.cameras}
    # In a process of its own: loading pycolmap's native libraries here could disturb other tests.
    command = [sys.executable, "-c", PROGRAM, str(folders[0]), json.dumps(seen), str(folders[1]), str(folders[2])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["points"] == 7
    for view in made.cameras:
        expected, _ = view.project(seen[view.name])
        np.testing.assert_allclose(answer["projections"][view.name], expected, atol=1e-6)
    for folder in folders[1:]:
        assert_same(made, read_model(folder), 1e-9)


def test_views_are_ordered_by_name_and_tracks_follow(tmp_path: Path) -> None:
    made = model(["PINHOLE", "OPENCV", "PINHOLE"])
    write_model(tmp_path, made)
    lines = (tmp_path / "images.txt").read_text().splitlines()
    (tmp_path / "images.txt").write_text("\n".join([lines[0], *lines[5:7], *lines[3:5], *lines[1:3]]) + "\n")
    assert_same(made, read_model(tmp_path))


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("name", ["cameras", "images", "points3D"])
def test_damage_is_named(tmp_path: Path, binary: bool, name: str) -> None:
    write_model(tmp_path, model(["PINHOLE", "PINHOLE"]), binary=binary)
    path = tmp_path / f"{name}.{'bin' if binary else 'txt'}"
    data = path.read_bytes()
    path.write_bytes(data[:-9] if binary else data.replace(b"0.", b"zero."))
    with pytest.raises(InputError, match="damaged COLMAP model"):
        read_model(tmp_path)


def test_missing_and_empty(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no cameras"):
        read_model(tmp_path)
    write_model(tmp_path, SparseModel(()))
    with pytest.raises(InputError, match="has no image"):
        read_model(tmp_path)
