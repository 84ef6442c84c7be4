"""Frames whose origin is far away (maps, rigs in millimetres): as near it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capture import Mesh, Scan, vertex_normals
from capture.frames import far_origin, shifted_camera
from scans.meshes.reading import read_scan, scan_key
from scans.ray_casting import RayCaster
from scans.units import find_units
from scans.visibility import project_views
from tests.training.toy import toy_camera, toy_mesh

UTM = np.array([5e5, 5e6, 100.0])


@pytest.mark.parametrize("suffix", [".ply", ".obj"])
def test_positions_far_from_the_origin_keep_double_precision(tmp_path: Path, suffix: str) -> None:
    vertices, faces, _ = toy_mesh(0)
    far, path = vertices.astype(float) + UTM, tmp_path / f"far{suffix}"
    if suffix == ".ply":
        Scan(far, faces).write(path)
    else:
        lines = [f"v {x!r} {y!r} {z!r}" for x, y, z in far.tolist()] + [f"f {a} {b} {c}" for a, b, c in faces + 1]
        path.write_text("\n".join(lines))
    scan = read_scan(path)
    assert scan.vertices.dtype == np.float64
    np.testing.assert_array_equal(scan.vertices, far)
    near = Scan(vertices.astype(float), faces)
    assert near.vertices.dtype == np.float32 and scan_key(near) == scan_key(Scan(vertices, faces))
    moved = Scan(far + np.array([0, 1e-3, 0]), faces)  # in single precision it would be the same
    assert scan_key(moved) != scan_key(scan)
    unused = Scan(np.concatenate([far, np.zeros((len(far), 3))]), faces)  # they say nothing of the precision needed
    assert unused.vertices.dtype == np.float64


def test_vertices_that_no_face_uses_need_be_no_numbers() -> None:
    vertices, faces, _ = toy_mesh(0)
    scan = Scan(np.concatenate([vertices, np.full((9, 3), np.nan)]), faces)
    assert np.isfinite(scan.vertices).all() and np.abs(scan.vertices[-9:]).max() < 0.1
    np.testing.assert_array_equal(scan.vertices[:-9], vertices)


@pytest.mark.parametrize("factor", [1.0, 1000.0])
def test_units_and_visibility_are_those_at_the_origin(factor: float) -> None:
    """Also in millimetres."""
    vertices, faces, _ = toy_mesh(0)
    cameras = [toy_camera(i, 3) for i in range(3)]
    far = [shifted_camera(camera, -UTM) for camera in cameras]
    scan = Scan((vertices.astype(float) + UTM) * factor, faces)
    units = find_units(scan, [replace(camera, translation=camera.translation * factor) for camera in far])
    assert (units.scan, units.cameras) == (1 / factor, 1 / factor)
    metric = Scan(scan.vertices / factor, faces)
    found = []
    for mesh, views in ((Scan(vertices, faces), cameras), (metric, far)):
        points = mesh.vertices.astype(float)
        normals = vertex_normals(points, faces)
        found.append(project_views(views, points, normals, RayCaster(points, faces)))
    assert (found[0].weights > 0).sum() > 1000
    np.testing.assert_allclose(found[1].weights, found[0].weights, atol=1e-5)
    np.testing.assert_allclose(found[1].where, found[0].where, atol=1e-6)


def test_what_is_near_is_not_moved() -> None:
    vertices, faces, _ = toy_mesh(0)
    assert not far_origin(vertices).any() and not far_origin(vertices + np.array([0.5, -1, 0])).any()
    camera = toy_camera(0, 3)
    assert shifted_camera(camera, np.zeros(3)) is camera
    np.testing.assert_allclose(far_origin(vertices + UTM), UTM, atol=0.1)
    moved = shifted_camera(camera, UTM)
    np.testing.assert_allclose(moved.centre + UTM, camera.centre, atol=1e-8)
    assert isinstance(Mesh(vertices + UTM, faces).vertices[0, 0], np.float64)
