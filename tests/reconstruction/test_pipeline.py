from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from capture import Camera, Capture, InputError, Scan, SparsePoints, write_json
from capture.frames import shifted_camera
from reconstruction import ReconstructionSettings, reconstruct_capture
from reconstruction.backends import choose_backend
from reconstruction.colmap import pycolmap
from reconstruction.neighbours import find_neighbours
from reconstruction.ranges import find_volume
from reconstruction.views import View, load_views, undistort
from scans.distance import surface_distance
from tests.reconstruction.synthetic import RADIUS, look_at, make_capture, rig

SETTINGS = ReconstructionSettings(backend="cpu")


@pytest.fixture(scope="module")
def scanned(sphere: Capture, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, float]]]:
    folder = tmp_path_factory.mktemp("scanned") / "capture"
    shutil.copytree(sphere.folder, folder)
    steps: list[tuple[str, float]] = []
    reconstruct_capture(folder, SETTINGS, lambda step, share: steps.append((step, share)))
    return folder, steps


def test_scan_lies_on_the_sphere_and_nowhere_else(scanned: tuple[Path, list]) -> None:
    scan = Scan.read(scanned[0] / "scan.ply")
    distance = np.abs(np.linalg.norm(scan.vertices, axis=1) - RADIUS)
    assert np.median(distance) < 0.0011  # a pixel shows 2.7 mm
    assert np.percentile(distance, 95) < 0.006
    assert scan.vertices[:, 1].max() < 0.05, "the unseen back was made up"
    assert scan.colours is not None and scan.normals is not None
    outwards = scan.vertices / np.linalg.norm(scan.vertices, axis=1, keepdims=True)
    assert np.median((outwards * scan.normals).sum(axis=1)) > 0.95


def test_scan_is_a_clean_mesh(scanned: tuple[Path, list]) -> None:
    scan = Scan.read(scanned[0] / "scan.ply")
    mesh = trimesh.Trimesh(scan.vertices, scan.faces, process=False)
    assert (mesh.area_faces > 0).all()
    assert np.unique(mesh.edges_sorted, axis=0, return_counts=True)[1].max() <= 2
    assert len(np.unique(scan.faces)) == len(scan.vertices)


def test_progress_rises_to_one(scanned: tuple[Path, list[tuple[str, float]]]) -> None:
    shares = [share for _, share in scanned[1]]
    assert shares == sorted(shares) and shares[-1] == 1
    assert {step for step, _ in scanned[1]} == {"stereo", "fusion", "meshing"}


def test_same_capture_same_scan(scanned: tuple[Path, list], sphere: Capture, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    shutil.copytree(sphere.folder, folder)
    path = reconstruct_capture(folder, ReconstructionSettings(backend="cpu", threads=1))
    assert path.read_bytes() == (scanned[0] / "scan.ply").read_bytes()


def test_a_capture_far_from_the_origin_gives_the_same_scan_there(
    scanned: tuple[Path, list], sphere: Capture, tmp_path: Path
) -> None:
    far = np.array([5e5, 5e6, 100.0])
    shutil.copytree(sphere.folder / "images", tmp_path / "images")
    Capture.create(tmp_path, [shifted_camera(camera, -far) for camera in sphere.cameras], sphere.info)
    moved = Scan.read(reconstruct_capture(tmp_path, SETTINGS))
    assert moved.vertices.dtype == np.float64
    here = Scan.read(scanned[0] / "scan.ply")
    distance = 1000 * surface_distance(moved.vertices - far, here)[0]
    assert np.percentile(distance, 90) < 0.3 and len(moved.vertices) == pytest.approx(len(here.vertices), rel=0.02)


def test_undistortion_undoes_distortion() -> None:
    camera = look_at("a.png", 0, 0, 64)
    fx, cx = camera.focal[0], camera.principal[0]
    lens = Camera("a.png", 64, 64, "OPENCV", (fx, fx, cx, cx, 0.8, 0, 0, 0), camera.rotation, camera.translation)
    rows = np.stack(np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5), axis=-1)
    straight = ((lens.unproject(rows, 1.0) - lens.centre) @ lens.rotation.T)[..., :2] * fx + cx  # straight in the world
    picture = np.repeat(np.clip(straight[..., :1] * 3, 0, 255), 3, axis=2).astype(np.uint8)
    view = undistort(View(lens, picture))
    assert not view.camera.distorted
    assert np.abs(view.colours[8:56, 8:56, 0] - 3 * rows[8:56, 8:56, 0]).max() < 2.5


@pytest.mark.parametrize("model", ["OPENCV_FISHEYE", "SIMPLE_DIVISION"])
def test_fisheyes_are_undistorted(model: str) -> None:
    pose = look_at("a.png", 0, 0, 64)
    params = (20, 20, 32, 32, 0.05, 0, 0, 0) if model == "OPENCV_FISHEYE" else (20, 32, 32, -0.4)
    lens = Camera("a.png", 64, 64, model, params, pose.rotation, pose.translation)
    rows = np.stack(np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5), axis=-1)
    rays = lens.rays(rows) @ pose.rotation.T
    straight = 20 * rays[..., :1] / np.maximum(rays[..., 2:], 1e-3) + 32
    view = undistort(View(lens, np.repeat(np.nan_to_num(np.clip(straight * 3, 0, 255)), 3, axis=2).astype(np.uint8)))
    assert not view.camera.distorted and view.camera.focal == (20, 20)
    assert np.abs(view.colours[20:44, 8:56, 0] - 3 * rows[20:44, 8:56, 0]).max() < 3


def test_what_the_lens_folds_away_is_outside() -> None:
    pose = look_at("a.png", 0, 0, 64)
    lens = Camera("a.png", 64, 64, "SIMPLE_RADIAL", (20, 32, 32, -0.2), pose.rotation, pose.translation)
    view = undistort(View(lens, np.full((64, 64, 3), 200, np.uint8)))  # r (1 - 0.2 r^2) folds at r = 1.29, 26 pixels
    y, x = np.mgrid[:64, :64] - 31.5
    assert view.inside is not None and not view.inside[np.hypot(x, y) > 26.5].any()
    assert view.inside[np.hypot(x, y) < 25].all()


def test_stereo_refuses_panoramas() -> None:
    pose = look_at("a.png", 0, 0, 64)
    lens = Camera("a.png", 64, 64, "EQUIRECTANGULAR", (64, 64), pose.rotation, pose.translation)
    with pytest.raises(InputError, match=r"camera of a\.png: .*EQUIRECTANGULAR"):
        undistort(View(lens, np.zeros((64, 64, 3), np.uint8)))


def break_image(folder: Path) -> None:
    (folder / "images" / "view_02.png").write_bytes(b"no picture")


def remove_image(folder: Path) -> None:
    """Of a capture that was rendered: of a user's own, the rest is used."""
    write_json(folder / Capture.INFO, replace(Capture.read(folder).info, spec={}).to_json())
    (folder / "images" / "view_02.png").unlink()


def blacken(folder: Path) -> None:
    Image.new("RGB", (96, 96)).save(folder / "images" / "view_02.png")


def shrink(folder: Path) -> None:
    Image.new("RGB", (48, 96), "red").save(folder / "images" / "view_02.png")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [(break_image, "damaged"), (remove_image, "missing"), (blacken, "black"), (shrink, "48 x 96")],
)
def test_bad_images_are_named_and_nothing_is_written(
    sphere: Capture, tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    folder = tmp_path / "capture"
    shutil.copytree(sphere.folder, folder)
    spoil(folder)
    before = sorted(path.name for path in folder.rglob("*"))
    with pytest.raises(InputError, match=says) as error:
        reconstruct_capture(folder, SETTINGS)
    assert "view_02.png" in str(error.value) and "\n" not in str(error.value)
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_two_images_are_too_few(tmp_path: Path) -> None:
    capture = make_capture(tmp_path / "two", 32, rig(32)[:2])
    with pytest.raises(InputError, match="at least 3"):
        load_views(capture)


def test_cameras_that_share_no_view() -> None:
    away = [
        Camera.pinhole(c.name, (64, 64), c.focal, c.principal, c.rotation, c.translation - np.array([0, 0, 2]))
        for c in rig(64)
    ]
    with pytest.raises(InputError, match="share no view"):
        find_volume(away, SparsePoints(), SETTINGS)


def test_parallel_cameras_need_a_range() -> None:
    cameras = [Camera.pinhole(f"{i}", (64, 64), (64, 64), (32, 32), np.eye(3), [-i, 0, 0]) for i in range(3)]
    with pytest.raises(InputError, match="`depth_min`"):
        find_volume(cameras, SparsePoints(), SETTINGS)
    volume = find_volume(cameras, SparsePoints(), ReconstructionSettings(depth_min=5, depth_max=10))
    assert [len(item.views) for item in find_neighbours(cameras, volume, 4)] == [2, 2, 2]


def test_plain_images_give_one_clear_error(sphere: Capture, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    shutil.copytree(sphere.folder, folder)
    for path in (folder / "images").iterdir():
        Image.new("RGB", (96, 96), "gray").save(path)
    with pytest.raises(InputError, match="found only"):
        reconstruct_capture(folder, SETTINGS)
    assert not (folder / "scan.ply").exists()


def test_backend_is_chosen_and_cuda_is_refused_without_a_gpu(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "reconstruction"):
        assert choose_backend("auto") == ("cuda" if pycolmap.has_cuda else "cpu")
    assert "stereo backend" in caplog.text
    if not pycolmap.has_cuda:
        with pytest.raises(InputError, match="CUDA"):
            choose_backend("cuda")
    with pytest.raises(InputError, match="backend"):
        ReconstructionSettings(backend="magic")
