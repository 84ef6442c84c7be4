from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from capture import HeadSurface, InputError, Labels, Scan
from labeling import label_capture, label_scan, surface_distance


def ball(radius: float = 0.1, level: int = 4, parts: np.ndarray | None = None) -> HeadSurface:
    mesh = trimesh.creation.icosphere(level, radius)
    return HeadSurface(mesh.vertices, mesh.faces, parts)


def shell(radius: float) -> Scan:
    mesh = trimesh.creation.icosphere(3, radius)
    return Scan(mesh.vertices, mesh.faces)


def test_distance_agrees_with_an_analytic_sphere() -> None:
    points = np.random.default_rng(0).normal(size=(500, 3)) * 0.1
    distance, _ = surface_distance(points, ball(level=6))
    assert np.allclose(distance, np.abs(np.linalg.norm(points, axis=1) - 0.1), atol=2e-5)


def test_distance_agrees_with_trimesh() -> None:
    head = ball(level=2)
    points = np.random.default_rng(1).normal(size=(300, 3)) * 0.1
    corners = np.tile(head.vertices.astype(float)[head.faces], (len(points), 1, 1))
    each = np.repeat(points, len(head.faces), axis=0)  # every point with every triangle
    nearest = trimesh.triangles.closest_point(corners, each)
    expected = np.linalg.norm(nearest - each, axis=1).reshape(len(points), -1).min(axis=1)
    assert np.allclose(surface_distance(points, head)[0], expected, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(offset_mm=st.floats(0.05, 4.0), outside=st.booleans())
def test_the_threshold_decides(offset_mm: float, outside: bool) -> None:
    radius = 0.1 + (offset_mm if outside else -offset_mm) / 1000
    labels = label_scan(shell(radius), ball(level=5), threshold_mm=1.5)
    assert np.allclose(labels.distance_mm, offset_mm, atol=0.05)
    if abs(offset_mm - 1.5) > 0.05:
        assert labels.skin.all() == (offset_mm < 1.5) and labels.skin.any() == (offset_mm < 1.5)


def test_eyes_are_no_skin_unless_asked_for() -> None:
    mesh = trimesh.creation.icosphere(4, 0.1)
    front = mesh.triangles_center[:, 1] < 0
    head = ball(parts=np.where(front, 1, 0).astype(np.uint8))
    scan = shell(0.1)
    labels = label_scan(scan, head)
    assert not labels.skin[scan.vertices[:, 1] < -0.01].any() and labels.skin[scan.vertices[:, 1] > 0.01].all()
    assert label_scan(scan, head, skin_parts=HeadSurface.PARTS).skin.all()


@pytest.mark.parametrize(
    ("scan", "says"),
    [
        (shell(100.0), "unit"),
        (Scan(shell(0.1).vertices + np.float32(0.5), shell(0.1).faces), "apart"),
        (shell(0.15), "same frame"),
    ],
)
def test_misalignment_is_refused(scan: Scan, says: str) -> None:
    with pytest.raises(InputError, match=says):
        label_scan(scan, ball())


def test_bad_settings_are_refused() -> None:
    with pytest.raises(InputError, match="threshold"):
        label_scan(shell(0.1), ball(), threshold_mm=0)
    with pytest.raises(InputError, match="nose"):
        label_scan(shell(0.1), ball(), skin_parts=("nose",))


def test_labels_of_a_capture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"scan\.ply"):
        label_capture(tmp_path)
    shell(0.1005).write(tmp_path / "scan.ply")
    with pytest.raises(InputError, match=r"head\.ply"):
        label_capture(tmp_path)
    ball().write(tmp_path / "head.ply")
    labels = Labels.read(label_capture(tmp_path), vertices=642)
    assert labels.skin.all()
    with pytest.raises(InputError, match="no such capture"):
        label_capture(tmp_path / "nowhere")


def test_refused_labels_leave_the_old_ones(tmp_path: Path) -> None:
    ball().write(tmp_path / "head.ply")
    shell(0.1).write(tmp_path / "scan.ply")
    before = label_capture(tmp_path).read_bytes()
    shell(100).write(tmp_path / "scan.ply")
    with pytest.raises(InputError, match=tmp_path.name):
        label_capture(tmp_path)
    assert (tmp_path / "labels.npz").read_bytes() == before
