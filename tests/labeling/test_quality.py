from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from capture import Camera, Capture, CaptureInfo, HeadSurface, InputError, PixelClass, Scan
from labeling import label_and_measure, label_capture, measure_capture
from labeling.masks import without_specks
from labeling.quality import measure_regions


def camera(name: str, azimuth: float) -> Camera:
    a = np.radians(azimuth)
    centre = 0.6 * np.array([np.sin(a), -np.cos(a), 0])
    forward = -centre / 0.6
    right = np.cross(forward, [0, 0, 1.0])
    rotation = np.stack([right, np.cross(forward, right), forward])
    return Camera.pinhole(name, (64, 64), (120, 120), (32, 32), rotation, -rotation @ centre)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sphere as head and as scan; the scan has a hole on the face's right, the face mask is the front."""
    ball = trimesh.creation.icosphere(5, 0.1)
    HeadSurface(ball.vertices, ball.faces, None, ball.vertices[:, 1] < -0.05).write(tmp_path / "head.ply")
    hole = ball.triangles_center[:, 0] < -0.04
    Scan(ball.vertices * 1.002, ball.faces[~hole]).write(tmp_path / "scan.ply")
    cameras = [camera(f"view_{i:02d}.png", azimuth) for i, azimuth in enumerate((-20, 0, 20))]
    for kind, value in (("images", 128), ("masks", int(PixelClass.SKIN))):
        (tmp_path / kind).mkdir()
        for item in cameras:
            Image.fromarray(np.full((64, 64), value, np.uint8)).save(tmp_path / kind / item.name)
    Capture.create(tmp_path, cameras, CaptureInfo("ball", 0, {}))
    label_capture(tmp_path)
    return tmp_path


def test_quality_of_a_known_scan(folder: Path) -> None:
    quality = json.loads(measure_capture(folder).read_text())
    assert quality["accuracy"]["skin_pixels"]["median_mm"] == pytest.approx(0.2, abs=0.02)
    face = quality["completeness"]["face_mask"]
    # The cap y < -0.05 of the sphere has an area of pi R^2; the part x < -0.04 of it is missing.
    assert face["area_cm2"] == pytest.approx(314.16 * face["seen_share"], rel=0.05)
    assert 0.7 < face["within_1_0_mm"] < 0.9
    assert quality["skin_share"] > 0.9
    assert 0.3 < quality["unseen_share"] < 0.7  # nobody looks from behind
    assert quality["completeness"]["visible_skin"]["area_cm2"] >= face["area_cm2"]
    assert quality["completeness"]["hair"] is None


def test_completeness_of_a_region_is_that_of_its_faces_alone(folder: Path) -> None:
    capture = Capture.read(folder)
    head, scan = HeadSurface.read(capture.head_path), Scan.read(capture.scan_path)
    left, right = head.vertices[:, 0] > 0.01, head.vertices[:, 0] < -0.045
    found = measure_regions(scan, head, capture, {"left": left, "right": right, "none": left & right})
    assert found["left"]["within_1_5_mm"] == 1  # the hole is on the right
    assert found["right"]["within_1_5_mm"] < 0.1
    assert found["left"]["area_cm2"] > found["right"]["area_cm2"] > 0
    assert found["none"]["area_cm2"] == 0 and found["none"]["within_1_5_mm"] is None
    whole = measure_regions(scan, head, capture, {"head": np.ones(len(head.vertices), bool)})["head"]
    assert whole == json.loads(measure_capture(folder).read_text())["completeness"]["visible_skin"]


def test_pixels_of_another_class_don_t_count(folder: Path) -> None:
    Image.fromarray(np.full((64, 64), PixelClass.SCALP_HAIR, np.uint8)).save(folder / "masks" / "view_01.png")
    quality = json.loads(measure_capture(folder).read_text())
    assert quality["completeness"]["face_mask"]["area_cm2"] == 0
    assert quality["completeness"]["face_mask"]["within_1_0_mm"] is None
    # All of one view is hair; the sphere covers so much of it, less the hole.
    disc = np.pi * (120 * np.tan(np.arcsin(0.1 / 0.6))) ** 2 / 64**2
    assert 0.7 * disc < quality["completeness"]["hair"] <= 1.02 * disc


def test_specks_of_skin_are_told_apart() -> None:
    mask = np.full((5, 6), PixelClass.SKIN, np.uint8)
    mask[2, 2] = PixelClass.FACIAL_HAIR
    clear = without_specks(mask)
    assert clear is not None and without_specks(None) is None
    expected = np.full((5, 6), PixelClass.SKIN)
    expected[1:4, 1:4] = PixelClass.BACKGROUND
    expected[2, 2] = PixelClass.FACIAL_HAIR
    assert np.array_equal(clear, expected)


def test_damaged_masks_are_named(folder: Path) -> None:
    (folder / "masks" / "view_01.png").write_bytes(b"nothing")
    with pytest.raises(InputError, match="view_01"):
        measure_capture(folder)


def test_labels_and_quality_in_one_go_are_those_of_each_alone(folder: Path) -> None:
    alone = [(folder / "labels.npz").read_bytes(), measure_capture(folder).read_bytes()]
    for path in folder.glob("*.npz"):
        path.unlink()
    assert [path.read_bytes() for path in label_and_measure(folder)] == alone
