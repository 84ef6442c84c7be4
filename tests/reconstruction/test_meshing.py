"""Support of the mesh by the fused points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reconstruction import ReconstructionSettings
from reconstruction.fusion import PointCloud
from reconstruction.meshing import supported

PIXEL = 0.001


def sheet(height: float, left: float, right: float) -> tuple[np.ndarray, np.ndarray]:
    """Points of a level sheet, a pixel apart, and their normals."""
    x, y = np.meshgrid(np.arange(left, right, PIXEL), np.arange(0, 0.02, PIXEL))
    points = np.stack([x.ravel(), y.ravel(), np.full(x.size, height)], axis=1)
    return points, np.tile([0.0, 0.0, 1.0], (x.size, 1))


@pytest.fixture
def step() -> PointCloud:
    """A low sheet and, where it ends, another five pixels above."""
    low, high = sheet(0.0, 0.0, 0.02), sheet(0.005, 0.02, 0.04)
    points, normals = (np.concatenate(pair) for pair in zip(low, high, strict=True))
    return PointCloud(points, normals, np.zeros((len(points), 3), np.uint8), Path("unused.ply"))


def at(x: float, z: float) -> np.ndarray:
    return np.array([[x, 0.01, z]])


def test_both_sheets_are_supported_and_the_web_between_them_is_not(step: PointCloud) -> None:
    settings = ReconstructionSettings()
    assert supported(at(0.0103, 0.0), step, PIXEL, settings).all()
    assert supported(at(0.0301, 0.005), step, PIXEL, settings).all()
    web = np.concatenate([at(0.0195, z) for z in (0.002, 0.0025, 0.003)])
    assert not supported(web, step, PIXEL, settings).any()
    assert supported(web, step, PIXEL, ReconstructionSettings(max_lift=0.3)).all()


def test_a_gap_within_a_sheet_is_supported_as_far_as_max_gap(step: PointCloud) -> None:
    settings = ReconstructionSettings()
    assert supported(at(-0.0025, 0.0), step, PIXEL, settings).all()
    assert not supported(at(-0.0035, 0.0), step, PIXEL, settings).any()


def test_the_mesh_may_leave_points_that_scatter_farther_than_points_that_do_not(step: PointCloud) -> None:
    height = np.where(np.arange(len(step.positions)) % 2 == 0, 1.5, -1.5) * PIXEL
    rough = PointCloud(step.positions + height[:, None] * (0, 0, 1), step.normals, step.colours, step.path)
    above = at(0.0103, 0.001)
    assert not supported(above, step, PIXEL, ReconstructionSettings()).any()
    assert supported(above, rough, PIXEL, ReconstructionSettings()).all()


def test_pixels_finer_than_a_600th_of_the_object_count_as_that(step: PointCloud) -> None:
    settings, fine = ReconstructionSettings(), PIXEL / 100  # 3 / 600 of 40 mm are 0.2 mm
    assert supported(at(-0.00015, 0.0), step, fine, settings).all()
    assert not supported(at(-0.00025, 0.0), step, fine, settings).any()
