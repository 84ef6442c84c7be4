"""Triangulated landmarks, beside the points that they are images of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture import Camera
from capture.geometry import rotation_matrix
from scans.landmarks.triangulation import triangulate_face
from tests.scans.landmarks.faces import face_in_world, half_ellipsoid, project, views

FACE = face_in_world()
SOME = FACE[::9]  # where a property is tried many times
SEEDS = st.integers(0, 2**32 - 1)


def test_images_without_error_give_the_points() -> None:
    cameras = views()
    done = triangulate_face(cameras, project(cameras, FACE))
    assert done is not None and done.agreeing.all() and done.used.all()
    np.testing.assert_allclose(done.positions, FACE, atol=1e-9)
    assert done.residual_px.max() < 1e-6 and 0 < done.spread.max() < 0.001


def test_lenses_bend_no_line_of_sight() -> None:
    params = (1400.0, 1400.0, 200.0, 200.0, 0.2, -0.1, 0.002, -0.001)
    cameras = [
        Camera(view.name, view.width, view.height, "OPENCV", params, view.rotation, view.translation)
        for view in views()
    ]
    done = triangulate_face(cameras, project(cameras, FACE))
    assert done is not None
    np.testing.assert_allclose(done.positions, FACE, atol=1e-6)


@settings(max_examples=10)
@given(seed=SEEDS, wrong=st.integers(0, 2))
def test_wrong_faces_are_left_out_and_change_nothing(seed: int, wrong: int) -> None:
    """Of six views, two may show something else: another place, or noise."""
    rng, cameras = np.random.default_rng(seed), views()
    pixels = project(cameras, SOME)
    chosen = rng.permutation(len(cameras))[:wrong]
    for view in chosen:
        if rng.random() < 0.5:
            pixels[view] += rng.choice([-1, 1], 2) * rng.uniform(60, 200, 2)
        else:
            pixels[view] = rng.uniform(0, 400, pixels[view].shape)
    done = triangulate_face(cameras, pixels)
    assert done is not None
    assert set(np.flatnonzero(~done.agreeing)) == set(chosen.tolist())
    np.testing.assert_allclose(done.positions, SOME, atol=1e-7)


@settings(max_examples=10)
@given(seed=SEEDS)
def test_wrong_landmarks_in_two_of_six_views_are_not_used(seed: int) -> None:
    """In each view a sixth of them, 30 to 80 pixels off: a view in which more are wrong is no face."""
    rng, cameras = np.random.default_rng(seed), views()
    pixels = project(cameras, SOME)
    wrong = np.zeros(pixels.shape[:2], bool)
    for landmark in range(0, len(SOME), 2):
        wrong[rng.permutation(len(cameras))[:2], landmark] = True
    away = rng.normal(size=pixels.shape)
    away *= rng.uniform(30, 80, pixels.shape[:2])[..., None] / np.linalg.norm(away, axis=-1, keepdims=True)
    pixels[wrong] += away[wrong]
    done = triangulate_face(cameras, pixels)
    assert done is not None and done.agreeing.all()
    assert not (done.used & wrong).any(axis=1).all()
    off = np.linalg.norm(done.positions - SOME, axis=1)
    assert np.quantile(off, 0.97) < 1e-5  # two wrong ones may agree by chance
    assert (done.used & wrong).sum() < 0.1 * wrong.sum()


@settings(max_examples=10)
@given(seed=SEEDS, scale=st.floats(0.01, 1000), shift=st.floats(-100, 100))
def test_unit_and_frame_change_nothing_else(seed: int, scale: float, shift: float) -> None:
    rng, cameras = np.random.default_rng(seed), views()
    pixels = project(cameras, SOME) + rng.normal(0, 1.0, (len(cameras), len(SOME), 2))
    turn = rotation_matrix(rng.normal(size=3))
    moved = [
        Camera(
            view.name, view.width, view.height, view.model, view.params, view.rotation @ turn.T,
            scale * view.translation - view.rotation @ turn.T @ np.full(3, shift),
        )
        for view in cameras
    ]  # fmt: skip
    here, there = triangulate_face(cameras, pixels), triangulate_face(moved, pixels)
    assert here is not None and there is not None
    np.testing.assert_allclose(there.positions / scale, here.positions @ turn.T + shift / scale, atol=1e-4)
    np.testing.assert_allclose(there.spread / scale, here.spread, rtol=0.1)
    np.testing.assert_allclose(there.residual_px, here.residual_px, rtol=0.1)


def test_the_spread_is_that_of_the_errors() -> None:
    rng, cameras = np.random.default_rng(0), views()
    pixels = project(cameras, FACE) + rng.normal(0, 1.5, (len(cameras), len(FACE), 2))
    done = triangulate_face(cameras, pixels)
    assert done is not None
    off = np.sqrt(np.mean(np.sum((done.positions - FACE) ** 2, axis=1)))
    assert 0.6 < off / np.sqrt(np.mean(done.spread**2)) < 1.8
    assert 1.2 < np.median(done.residual_px) < 2.6  # two coordinates, less what three unknowns take


def test_views_from_behind_a_landmark_do_not_count() -> None:
    """As a detector draws what it doesn't see: on the outline. Five such views agree on a wrong place, two see it."""
    cameras, mesh = views((-75, -70, -65, -60, -55, 0, 20)), half_ellipsoid()
    pixels = project(cameras, FACE)
    normals = mesh.landmark_normals @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], float)
    for view, camera in enumerate(cameras):
        away = camera.centre - FACE
        hidden = np.einsum("lc,lc->l", away, normals) < 0
        pixels[view, hidden, 0] += 15 * np.sign(camera.centre[0])
    done, blind = triangulate_face(cameras, pixels, mesh), triangulate_face(cameras, pixels)
    assert done is not None and blind is not None
    turned_away = (FACE[:, 0] > 0.045) & np.isfinite(done.positions[:, 0])
    off, blind_off = (np.linalg.norm(each.positions - FACE, axis=1)[turned_away] for each in (done, blind))
    assert turned_away.sum() > 20 and np.nanmax(off) < 1e-6
    assert np.nanmedian(blind_off) > 0.002


@pytest.mark.parametrize(
    "azimuths", [(0.0,), (0.0, 0.5), (0.0, 0.0, 0.0)], ids=["one view", "half a degree", "one place"]
)
def test_one_place_tells_no_depth(azimuths: tuple[float, ...]) -> None:
    cameras = views(azimuths)
    assert triangulate_face(cameras, project(cameras, FACE)) is None


def test_views_without_a_face_take_no_part() -> None:
    cameras = views()
    pixels = project(cameras, FACE)
    pixels[[1, 4]] = np.nan
    done = triangulate_face(cameras, pixels)
    assert done is not None and set(np.flatnonzero(~done.agreeing)) == {1, 4}
    np.testing.assert_allclose(done.positions, FACE, atol=1e-9)
