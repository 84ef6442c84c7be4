"""Copies of heads as other cameras would have seen them: the same head in other pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture import Camera, InputError, vertex_normals
from scans.head_sample import HeadSample
from tests.training.toy import toy_sample
from training.preparation.copies import LEAST_VIEWS, Variety, mirrored_camera, mirrored_scan, seen_otherwise

MIRROR = np.array([-1.0, 1.0, 1.0])


def head(seed: int = 0, views: int = 9, scans: int = 1) -> HeadSample:
    return HeadSample.from_sample({**toy_sample(seed, views, scans=scans), "__key__": f"toy_{seed}"}, "toy")


@given(
    turn=st.floats(-1.5, 1.5),
    centre=st.tuples(st.floats(20, 60), st.floats(20, 60)),
    point=st.tuples(*[st.floats(-0.1, 0.1)] * 3),
)
def test_a_mirrored_camera_sees_the_mirror_image(turn: float, centre: tuple, point: tuple) -> None:
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [0, 0, -1], [np.sin(turn), np.cos(turn), 0]])
    camera = Camera.pinhole("a", (80, 60), (90.0, 95.0), centre, rotation, [0.02, -0.03, 0.6])
    pixel, depth = camera.project(np.array([point]))
    there, same = mirrored_camera(camera).project(MIRROR * [point])
    np.testing.assert_allclose(there, [[80 - pixel[0, 0], pixel[0, 1]]], atol=1e-9)
    np.testing.assert_allclose(same, depth)
    twice = mirrored_camera(mirrored_camera(camera))
    np.testing.assert_allclose(twice.rotation, camera.rotation)


def test_a_mirrored_scan_still_looks_outwards() -> None:
    scan = head().scan
    mirrored = mirrored_scan(scan)
    np.testing.assert_allclose(
        vertex_normals(mirrored.vertices, mirrored.faces), MIRROR * vertex_normals(scan.vertices, scan.faces), atol=1e-5
    )


def redder(each: HeadSample) -> float:
    """By how much the skin, which is red, is redder than the rest, over what faces the views."""
    normals, points = vertex_normals(each.scan.vertices, each.scan.faces), each.scan.vertices.astype(float)
    differences = []
    for camera, image in zip(each.cameras, each.pixels(), strict=True):
        facing = ((camera.centre - points) * normals).sum(axis=1) > 0.7 * np.linalg.norm(camera.centre - points, axis=1)
        where = camera.project(points)[0].astype(int).clip(0, [camera.width - 1, camera.height - 1])
        red = image[where[:, 1], where[:, 0], 0].astype(float) - image[where[:, 1], where[:, 0], 1]
        assert each.labels is not None
        skin, rest = facing & each.labels.skin, facing & ~each.labels.skin
        if skin.sum() > 20 and rest.sum() > 20:
            differences.append(red[skin].mean() - red[rest].mean())
    return float(np.mean(differences))


@pytest.mark.parametrize("number", range(8))
def test_a_copy_shows_the_same_head(number: int) -> None:
    """Cameras, images and scan still fit one another, mirrored or not."""
    given_head = head(number % 3)
    copy = seen_otherwise(given_head, number)
    assert LEAST_VIEWS <= len(copy.cameras) <= 9 and len(copy.images) == len(copy.cameras) == len(copy.image_names)
    before, after = redder(given_head), redder(copy)
    assert before > 100 and after > 0.4 * before
    assert copy.labels is given_head.labels and copy.key() != given_head.key()
    assert seen_otherwise(given_head, number).key() == copy.key()


def test_copies_differ_and_half_are_mirrored() -> None:
    copies = [seen_otherwise(head(), number) for number in range(24)]
    assert len({copy.key() for copy in copies}) == 24
    mirrored = [copy.scan.vertices[0, 0] != head().scan.vertices[0, 0] for copy in copies]
    assert 5 < sum(mirrored) < 19
    assert len({len(copy.cameras) for copy in copies}) >= 4
    assert len({copy.cameras[0].width for copy in copies}) >= 10


@given(scans=st.one_of(st.none(), st.integers(1, 4)), copies=st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_variety_is_scans_then_copies_of_them_in_turn(scans: int | None, copies: int) -> None:
    made = Variety(scans, copies).of(head(views=3, scans=3))
    first = min(3, 3 if scans is None else scans)
    assert len(made) == first + copies
    assert len({each.key() for each in made}) == len(made)
    for number, each in enumerate(made[first:]):
        np.testing.assert_array_equal(np.abs(each.scan.vertices), np.abs(made[number % first].scan.vertices))


@pytest.mark.parametrize("wrong", [{"scans": 0}, {"copies": -1}, {"copies": 100}])
def test_other_counts_are_refused(wrong: dict) -> None:
    with pytest.raises(InputError, match="use "):
        Variety(**wrong)
