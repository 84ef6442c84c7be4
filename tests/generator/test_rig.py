"""The default rig: directions, framing, jitter; rigs of the user's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.parameter_sampler import ParameterSampler
from capture import InputError
from generator.cameras.kinds import STUDIO_DIRECTIONS
from generator.cameras.rig import RigSpec, fixes_resolution, read_rig, rig_cameras, sample_rig
from generator.cameras.views import ViewSpec
from generator.records import from_json, to_json
from generator.sampling import sample_spec
from generator.spec import HeadSpec
from tests.generator.toy_model import ToyModel, override

CENTRE = np.array([0.01, 0.06, -0.02])


def test_front_view_is_upright_and_not_mirrored() -> None:
    front = rig_cameras(RigSpec(), CENTRE, 0.15, 512)[3]
    assert front.name == "view_03.png"
    assert front.centre == pytest.approx(CENTRE + np.array([0, -1.2, 0]))
    above, _ = front.project(CENTRE + np.array([0, 0, 0.05]))
    left, _ = front.project(CENTRE + np.array([0.05, 0, 0]))  # the subject's left is on the right of the picture
    assert above[1] < 256 - 10 and above[0] == pytest.approx(256)
    assert left[0] > 256 + 10 and left[1] == pytest.approx(256)


def test_thirteen_views_with_near_neighbours() -> None:
    cameras = rig_cameras(RigSpec(), CENTRE, 0.15, 512)
    assert len(cameras) == 13 == len(STUDIO_DIRECTIONS)
    axes = np.array([camera.direction for camera in cameras])
    angles = np.degrees(np.arccos(np.clip(axes @ axes.T, -1, 1))) + 1000 * np.eye(13)
    assert angles.min(axis=1).max() <= 30.01


def test_from_profile_to_profile_with_some_from_above_and_below() -> None:
    axes = np.array([camera.direction for camera in rig_cameras(RigSpec(), CENTRE, 0.15, 512)])
    assert axes[:, 0].min() == pytest.approx(-1) and axes[:, 0].max() == pytest.approx(1)
    elevation = np.degrees(np.arcsin(-axes[:, 2]))
    assert (elevation > 20).sum() == (elevation < -20).sum() == 3 and (np.abs(elevation) < 1).sum() == 7


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.1, 0.25), st.sampled_from([96, 512, (640, 480)]))
def test_the_sphere_fills_every_frame(seed: int, radius: float, size: int | tuple[int, int]) -> None:
    rig = sample_rig(ParameterSampler(np.random.default_rng(seed)))
    rng = np.random.default_rng(1)
    directions = rng.standard_normal((400, 3))
    points = CENTRE + radius * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    for camera in rig_cameras(rig, CENTRE, radius, size):
        pixels, depth = camera.project(points)
        assert camera.inside(pixels).all() and (depth > 0).all()
        assert np.ptp(pixels[:, 1]) > 0.85 * camera.height
        assert np.allclose(camera.rotation @ camera.rotation.T, np.eye(3), atol=1e-9)


def sampled(seed: int = 0, **overrides: Any) -> RigSpec:
    return sample_rig(ParameterSampler(np.random.default_rng(seed), overrides, "rig"))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["orbit", "selfie"]), st.integers(5, 60))
def test_neighbours_along_a_path_see_enough_alike(seed: int, kind: str, count: int) -> None:
    rig = sampled(seed, kind=kind, count=count)
    axes = np.array([camera.direction for camera in rig_cameras(rig, CENTRE, 0.15, 64)])
    apart = np.degrees(np.arccos(np.clip((axes[1:] * axes[:-1]).sum(axis=1), -1, 1)))
    assert len(axes) == count and apart.max() < 42 and apart.min() > 0


def test_an_orbit_goes_all_around_and_a_selfie_stays_before_the_face() -> None:
    orbit = sampled(kind="orbit", count=36, sweep=360, jitter=False)
    azimuths = np.array([view.azimuth for view in orbit.views])
    assert np.allclose(np.diff(azimuths), 10) and np.ptp(azimuths) == 350 and np.allclose(azimuths + azimuths[::-1], 0)
    short = sampled(kind="orbit", count=5, sweep=360, jitter=False)
    assert np.ptp([view.azimuth for view in short.views]) == 100
    elevations = [view.elevation for view in sampled(kind="orbit", count=40, elevation=10, wave=20).views]
    assert min(elevations) < -8 and max(elevations) > 28
    for seed in range(20):
        selfie = sampled(seed, kind="selfie")
        assert 5 <= len(selfie.views) <= 24 and 0.5 <= selfie.distance < 0.75
        assert max(abs(view.azimuth) for view in selfie.views) <= 75


def test_formats_have_as_many_pixels_as_a_square() -> None:
    for name, wide in (("portrait", 3 / 4), ("landscape", 4 / 3), ("square", 1.0)):
        for camera in rig_cameras(sampled(kind="orbit", format=name), CENTRE, 0.15, 240):
            assert camera.width / camera.height == pytest.approx(wide, rel=0.01)
            assert camera.width * camera.height == pytest.approx(240**2, rel=0.01)
    assert {rig_cameras(sampled(seed, kind="selfie"), CENTRE, 0.15, 240)[0].width for seed in range(5)} == {208}
    front = rig_cameras(sampled(kind="orbit", format="portrait"), CENTRE, 0.15, (300, 200))[0]
    assert (front.width, front.height) == (300, 200)  # who gives both sides means them


def test_a_path_is_drawn_only_where_it_is_asked_for() -> None:
    assert {sampled(seed).kind for seed in range(200)} == {"studio"}
    assert {sampled(seed, kind={"studio": 1, "orbit": 1}).kind for seed in range(40)} == {"studio", "orbit"}
    for wrong in ({"count": 1}, {"sweep": 400}, {"elevation": 80}):
        with pytest.raises(InputError, match="a path of"):
            sampled(kind="orbit", **wrong)
    with pytest.raises(InputError, match="both kind selfie and views"):
        sampled(kind="selfie", views=[[0, 0], [20, 0]])


def test_a_record_of_before_kinds_is_a_studios() -> None:
    written = to_json(sampled())
    assert written["kind"] == "studio" and written["aspect"] == 1
    del written["kind"], written["aspect"]
    assert from_json(RigSpec, written, "rig") == sampled()


def test_impossible_rigs_are_refused() -> None:
    with pytest.raises(InputError, match="inside a head"):
        rig_cameras(RigSpec(distance=0.3), CENTRE, 0.3, 512)
    with pytest.raises(InputError, match="inside a head"):
        rig_cameras(RigSpec((ViewSpec(focal=2.0),), distance=0.3), CENTRE, 0.31, 512)
    with pytest.raises(InputError, match="no views"):
        RigSpec(views=())
    with pytest.raises(InputError, match=r"views\[0\] and views\[2\] stand in one place"):
        RigSpec.around(((0, 0), (30, 0), (360, 0)))
    with pytest.raises(InputError, match="jitter"):
        RigSpec(jitter=((0.0,) * 5,))


def at(x: float, y: float, z: float) -> np.ndarray:
    """A point in metres from the centre."""
    return CENTRE + np.array([x, y, z])


def write(path: Path, rig: Any) -> Path:
    path.write_text(json.dumps(rig))
    return path


def test_a_rig_of_ones_own(tmp_path: Path) -> None:
    rig = {"resolution": [300, 400], "focal_mm": 70, "sensor_mm": 35, "jitter": False, "views": [
        {"position": [0, -1.5, 0]}, {"azimuth": 90, "distance": 1, "look_at": [0, 0, 0.05], "resolution": 200},
        {"position": [0, 0, 0.8], "focal_px": 500}, [-30, 10]]}  # fmt: skip
    overridden = read_rig(write(tmp_path / "rig.json", rig))
    assert fixes_resolution(overridden)
    spec = sample_spec(3, ToyModel(), override(rig=overridden))
    assert HeadSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    front, side, above, last = rig_cameras(spec.rig, CENTRE, 0.15, 64)
    assert front.centre == pytest.approx(at(0, -1.5, 0)) and (front.width, front.height) == (300, 400)
    assert front.focal == pytest.approx((600, 600))
    assert side.centre == pytest.approx(at(1, 0, 0)) and side.width == side.height == 200
    assert side.project(at(0, 0, 0.05))[0] == pytest.approx([100, 100]) and side.focal[0] == pytest.approx(400)
    assert above.centre == pytest.approx(at(0, 0, 0.8)) and above.focal[0] == pytest.approx(500)
    assert above.project(at(0.1, 0.1, 0))[0] == pytest.approx([150 + 62.5, 200 - 62.5])
    assert np.linalg.norm(last.centre - CENTRE) == pytest.approx(spec.rig.distance)


def test_the_rig_in_the_documentation_is_the_default_one(tmp_path: Path) -> None:
    """The rig that docs/generator.md prints is the default one."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "generator.md").read_text()
    path = tmp_path / "rig.yaml"
    path.write_text(page.split("```yaml")[1].split("```")[0])
    plain, written = sample_spec(3, ToyModel()), sample_spec(3, ToyModel(), override(rig=read_rig(path)))
    assert written.rig == plain.rig and written.overrides


@pytest.mark.parametrize(
    ("rig", "match"),
    [
        ([], "an object is needed"),
        ({"views": []}, "views: it has none"),
        ({"views": [{}]}, r"views\[0\]: it stands nowhere"),
        ({"views": [[0, 0], {"azimut": 3}]}, r"views\[1\]: unknown azimut; a view has azimuth"),
        ({"vews": [[0, 0]]}, "unknown vews; .*views"),
        (
            {"views": [[0, 0], [20, 0], {"position": [0, -1.2, 0]}], "distance": 1.2},
            r"views\[0\] and views\[2\] stand in one place",
        ),
        ({"views": [{"position": [0, -0.05, 0]}]}, r"views\[0\]: a camera 0.05 m from the head's centre"),
        ({"views": [{"position": [0, 0, 0]}]}, r"views\[0\]: it stands in the centre"),
        ({"views": [{"position": [0, "far", 0]}]}, r"views\[0\]: position: 'far'; a number"),
        ({"views": [{"position": [0, 1]}]}, r"views\[0\]: position: .*x, y, z"),
        ({"views": [{"azimuth": 0, "position": [0, 1, 0]}]}, "both position and azimuth"),
        ({"views": [{"azimuth": 0, "elevation": 95}]}, r"views\[0\]: elevation 95"),
        ({"views": [{"azimuth": 0, "focal_px": 900}]}, "focal_px needs the resolution"),
        ({"views": [{"azimuth": 0, "focal_mm": 50}]}, "focal_mm needs the width of the sensor"),
        ({"views": [{"azimuth": 0, "focal_mm": -50, "sensor_mm": 36}]}, "focal length of -1.389 widths"),
        ({"views": [{"azimuth": 0, "focal_mm": 50, "sensor_mm": 0}]}, "sensor_mm 0"),
        ({"views": [{"azimuth": 0, "resolution": "big"}]}, "resolution 'big'"),
        ({"views": [{"azimuth": 0, "resolution": 4}]}, "resolution 4 x 4"),
        ({"views": [{"azimuth": 0, "look_at": [0, -1.2, 0], "distance": 1.2}]}, "looks at a point less than 0.1 m"),
        ({"distance": "far"}, "distance: 'far'"),
        ({"distance": 40}, "40 m from the head's centre"),
        ({"jitter": "much"}, "jitter: 'much'"),
    ],
)
def test_what_is_no_rig_is_named_with_its_file(rig: Any, match: str, tmp_path: Path) -> None:
    path = write(tmp_path / "rig.json", rig)
    with pytest.raises(InputError, match=match) as caught:
        read_rig(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    if isinstance(rig, dict):
        with pytest.raises(InputError, match=match):
            sample_spec(0, ToyModel(), override(rig=rig))
