from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from capture import HeadSurface, InputError, Labels, Scan
from labeling import label_capture, label_scan
from labeling.alignment import best_motion, check_alignment


def ball(radius: float = 0.1, level: int = 4, parts: np.ndarray | None = None) -> HeadSurface:
    mesh = trimesh.creation.icosphere(level, radius)
    return HeadSurface(mesh.vertices, mesh.faces, parts)


def shell(radius: float) -> Scan:
    mesh = trimesh.creation.icosphere(3, radius)
    return Scan(mesh.vertices, mesh.faces)


@settings(max_examples=20, deadline=None)
@given(offset_mm=st.floats(0.05, 4.0), outside=st.booleans())
def test_the_threshold_decides(offset_mm: float, outside: bool) -> None:
    radius = 0.1 + (offset_mm if outside else -offset_mm) / 1000
    on, off = shell(0.1), shell(radius)  # half of the scan lies on the head: it is aligned
    both = Scan(np.concatenate([on.vertices, off.vertices]), np.concatenate([on.faces, off.faces + len(on.vertices)]))
    labels = label_scan(both, ball(level=5), threshold_mm=1.5)
    distance_mm, skin = labels.distance_mm[len(on.vertices) :], labels.skin[len(on.vertices) :]
    assert np.allclose(distance_mm, offset_mm, atol=0.05)
    if abs(offset_mm - 1.5) > 0.05:
        assert skin.all() == (offset_mm < 1.5) and skin.any() == (offset_mm < 1.5)


def test_the_nearest_face_is_as_far_as_the_distance() -> None:
    head, scan = ball(level=2), shell(0.1004)
    labels = label_scan(scan, head)
    assert labels.nearest_face is not None
    corners = head.vertices.astype(float)[head.faces[labels.nearest_face]]
    nearest = trimesh.triangles.closest_point(corners, scan.vertices.astype(float))
    assert np.allclose(1000 * np.linalg.norm(nearest - scan.vertices, axis=1), labels.distance_mm, atol=1e-3)


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
        (Scan(shell(0.1).vertices + np.float32([0.004, 0, 0]), shell(0.1).faces), "shifted by 4.0 mm"),
        (Scan(shell(0.1).vertices + np.float32([0, 0, -0.03]), shell(0.1).faces), "shifted by 30.0 mm"),
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


def egg() -> HeadSurface:
    """Nothing that looks the same when it is turned."""
    mesh = trimesh.creation.icosphere(5, 0.1)
    x, y, z = mesh.vertices.T
    shape = np.stack([x * 0.8 + 0.2 * y * np.abs(z) / 0.1, y * 1.1 + 0.03 * np.sin(40 * x), z * (1.2 + x)], axis=1)
    return HeadSurface(shape, mesh.faces)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.floats(4, 15), st.floats(5, 25))
def test_motion_between_scan_and_head_is_found(seed: int, turn: float, shift_mm: float) -> None:
    rng = np.random.default_rng(seed)
    head, axis, way = egg(), rng.normal(size=3), rng.normal(size=3)
    rotation = trimesh.transformations.rotation_matrix(np.radians(turn), axis)[:3, :3]
    moved = head.vertices @ rotation.T + shift_mm / 1000 * way / np.linalg.norm(way)
    motion = best_motion(moved, head)
    assert motion.after_mm < 0.1 < motion.before_mm
    assert motion.turn_degrees == pytest.approx(turn, abs=0.5)
    with pytest.raises(InputError, match="same frame"):
        check_alignment(moved, head)


def test_hair_is_no_misalignment() -> None:
    """Most of the scan stands off the head, on one side more: that's a hairstyle."""
    head = egg()
    off = np.where(head.vertices[:, 1] > -0.02, 0.02 + 0.1 * np.maximum(head.vertices[:, 0], 0), 0.0)
    noise = 0.0002 * np.random.default_rng(0).normal(size=len(off))
    check_alignment(head.vertices * (1 + (off + noise) / 0.1)[:, None], head)


def test_labels_tell_part_side_and_views(tmp_path: Path) -> None:
    labels = label_scan(shell(0.1005), ball(), views=np.zeros(642, np.uint8))
    assert (labels.side == 1).all() and not labels.part.any() and not labels.views.any()
    labels.write(tmp_path / "labels.npz")
    again = Labels.read(tmp_path / "labels.npz")
    for name in ("part", "side", "views"):
        assert np.array_equal(getattr(again, name), getattr(labels, name))
