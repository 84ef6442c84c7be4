"""Captures as users bring them: lenses, sizes, masks, sparse points, large images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, Capture, CaptureInfo, InputError, Scan, SparsePoints
from reconstruction import ReconstructionSettings, find_masks, reconstruct
from reconstruction.backends import within
from reconstruction.depth import DepthMap
from reconstruction.ranges import find_volume
from reconstruction.views import View, load_views
from tests.reconstruction.synthetic import RADIUS, grid, look_at, make_capture, rig, sphere_depth

SETTINGS = ReconstructionSettings(backend="cpu")


def distance_to_sphere(scan: Scan) -> NDArray[np.float64]:
    return np.asarray(np.abs(np.linalg.norm(scan.vertices.astype(float), axis=1) - RADIUS))


def with_lens(camera: Camera) -> Camera:
    """The same camera with a barrel distortion that moves the image's corners by several pixels."""
    params = (*camera.focal, *camera.principal, -1.2, 0.5, 0.002, -0.001)
    return Camera(camera.name, camera.width, camera.height, "OPENCV", params, camera.rotation, camera.translation)


def sightings(cameras: list[Camera]) -> SparsePoints:
    """Points on the front of the sphere, each with the views that face it."""
    angle = np.random.default_rng(0).uniform(-0.7, 0.7, (120, 2))
    a, e = angle.T
    points = RADIUS * np.stack([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)], axis=1)
    faces = np.stack([(points * (c.centre - points)).sum(axis=1) > 0 for c in cameras], axis=1)
    tracks = tuple(np.flatnonzero(row).astype(np.int64) for row in faces)
    pairs = zip(points, tracks, strict=True)
    pixels = tuple(np.stack([cameras[i].project(p[None])[0][0] for i in t]) for p, t in pairs)
    return SparsePoints(points, np.zeros((120, 3), np.uint8), tracks, pixels)


def test_lenses_sizes_and_sparse_points(tmp_path: Path) -> None:
    cameras = [with_lens(camera) for camera in rig(96)]
    cameras[1] = look_at("view_01.png", -18, 0, 128)
    cameras[2] = with_lens(look_at("view_02.png", 18, 0, 80))
    made = make_capture(tmp_path / "capture", cameras=cameras)
    capture = Capture.create(made.folder, cameras, CaptureInfo("lenses"), sightings(cameras))
    assert find_volume(capture.cameras, capture.model.points, SETTINGS).centre is None, "the points give the range"
    distance = distance_to_sphere(reconstruct(capture, SETTINGS))
    assert np.median(distance) < 0.0011 and np.percentile(distance, 95) < 0.006


def upper_half(camera: Camera) -> NDArray[np.bool_]:
    """(H, W) pixels that show the sphere's upper half."""
    depth = sphere_depth(camera, grid(camera))
    points = camera.unproject(grid(camera), np.where(depth > 0, depth, 1))
    return np.asarray((depth > 0) & (points[..., 2] > 0))


def test_masks_and_alpha_leave_out_the_same(tmp_path: Path) -> None:
    plain, alpha = make_capture(tmp_path / "plain"), make_capture(tmp_path / "alpha")
    folder = tmp_path / "masks"
    folder.mkdir()
    for camera, path in zip(alpha.cameras, alpha.image_paths, strict=True):
        mask = Image.fromarray(np.where(upper_half(camera), np.uint8(255), np.uint8(0)))
        mask.save(folder / camera.name)
        picture = Image.open(path).convert("RGB")
        picture.putalpha(mask)
        picture.save(path)
    scan = reconstruct(plain, SETTINGS, masks=find_masks(plain, folder))
    assert scan.vertices[:, 2].min() > -0.008, "two pixels below the middle at most"
    assert np.median(distance_to_sphere(scan)) < 0.0015
    other = reconstruct(alpha, SETTINGS)
    assert np.array_equal(scan.vertices, other.vertices) and np.array_equal(scan.faces, other.faces)


def test_large_images_are_shrunk(sphere: Capture, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "reconstruction"):
        views = load_views(sphere, max_size=48)
    assert "5 of 5 images are shrunk to 48 pixels" in caplog.text
    for view, camera in zip(views, sphere.cameras, strict=True):
        assert view.colours.shape == (48, 48, 3)
        point = np.array([[0.02, -RADIUS, 0.03]])
        assert np.allclose(2 * view.camera.project(point)[0], camera.project(point)[0])
    assert all(view.camera.width == 96 for view in load_views(sphere, max_size=96))
    with pytest.raises(InputError, match="max_image_size"):
        ReconstructionSettings(max_image_size=8)
    with pytest.raises(InputError, match=r"`max_lift` nan.*0 or more"):
        ReconstructionSettings(max_lift=float("nan"))


def test_what_colmap_finds_is_cut_to_mask_and_volume(sphere: Capture) -> None:
    camera = sphere.cameras[0]
    volume = find_volume(sphere.cameras, SparsePoints(), SETTINGS)
    inside = np.zeros((96, 96), bool)
    inside[:, :48] = True
    depth = np.full((96, 96), 0.55, np.float32)
    depth[:40] = 5.0
    depth_map = DepthMap(depth, np.full((96, 96, 3), -0.5, np.float32))
    cut = within(depth_map, View(camera, np.zeros((96, 96, 3), np.uint8), inside), volume, 0)
    assert (cut.depth[40:, 20:48] > 0).any()
    assert not cut.depth[:40].any() and not cut.depth[:, 48:].any()
    assert ((cut.normal != 0).any(axis=2) == (cut.depth > 0)).all()


def test_workspace_must_be_empty(sphere: Capture, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("")
    with pytest.raises(InputError, match="not empty"):
        reconstruct(sphere, SETTINGS, workspace=tmp_path)
