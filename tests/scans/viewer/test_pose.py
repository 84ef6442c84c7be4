"""Where a view puts the top of a head and its face."""

from __future__ import annotations

import numpy as np
import pytest

from capture import Mesh, Scan
from capture.geometry import rotation_matrix
from scans.viewer.page import _pose as pose_of
from scans.viewer.view import View, ViewedScan
from tests.scans.viewer.made import ball, view


@pytest.mark.parametrize("turn", [(0, 0, 0), (np.pi / 2, 0, 0), (0, 0, 2.0), (0.9, -0.7, 0.6)])
def test_up_and_front_follow_cameras_and_skin_in_any_frame(turn: tuple[float, float, float]) -> None:
    rotation = rotation_matrix(turn)
    pose = pose_of(view(rotation))
    np.testing.assert_allclose(pose.up, rotation @ [0, 0, 1], atol=1e-6)
    assert pose.front @ (rotation @ [0, -1, 0]) > 0.99
    assert abs(pose.up @ pose.front) < 1e-9
    np.testing.assert_allclose(pose.centre, 0, atol=0.01)
    assert 0.1 < pose.radius < 0.18


def test_nearly_upright_is_upright() -> None:
    tilted = view(rotation_matrix((0.2, 0, 0)))
    assert pose_of(tilted).up.tolist() == [0, 0, 1]


def test_without_labels_the_cameras_are_in_front() -> None:
    shown = view(rotation_matrix((0, 0, 1.0)))
    pose = pose_of(View("x", ViewedScan(shown.scan.scan), cameras=shown.cameras))
    assert pose.front @ (rotation_matrix((0, 0, 1.0)) @ [0, -1, 0]) > 0.98


def test_a_mesh_alone_stands_as_our_captures_do_unless_it_is_told() -> None:
    scan = Scan(ball().vertices, ball().faces)
    pose = pose_of(View("x", ViewedScan(scan)))
    assert pose.up.tolist() == [0, 0, 1] and pose.front.tolist() == [0, -1, 0]
    told = pose_of(View("x", ViewedScan(scan), up=np.array([0, 2.0, 0]), front=np.array([0, 1.0, 1.0])))
    assert told.up.tolist() == [0, 1, 0] and told.front.tolist() == [0, 0, 1]


def test_up_and_front_along_one_line_are_no_failure() -> None:
    scan = Scan(Mesh(ball().vertices, ball().faces).vertices, ball().faces)
    pose = pose_of(View("x", ViewedScan(scan), up=np.array([0, 1.0, 0]), front=np.array([0, -1.0, 0])))
    assert abs(pose.up @ pose.front) < 1e-12 and np.isclose(np.linalg.norm(pose.front), 1)
