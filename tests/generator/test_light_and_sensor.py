"""Studio light, the sensor, and the files that pixels are kept in: numpy alone."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from assets.parameter_sampler import ParameterSampler
from capture import InputError
from generator.cameras.photo import take_photo
from generator.cameras.sensor import srgb
from generator.components.environment import LAMPS, LIGHTINGS, EnvironmentSpec, sample_environment
from generator.components.person import Person
from generator.components.photo import PhotoSpec
from generator.components.sensor import SensorSpec, sample_sensor
from generator.image_files.exr import decode_exr, encode_exr
from generator.image_files.png import encode_png
from generator.lighting import (
    LUMINANCE,
    face_light,
    face_shares,
    fill_share,
    lamp_light,
    limit_radiance,
    studio_light,
    unevenness,
)
from tests.generator.read_exr import read_exr


def expose(linear: np.ndarray, sensor: SensorSpec | None, view: int) -> np.ndarray:
    return take_photo(linear, sensor, PhotoSpec(), view)


def grey(value: float, size: tuple[int, int] = (80, 100)) -> np.ndarray:
    return np.full((*size, 3), value, np.float32)


def test_unevenness_of_light_is_that_of_its_mean_square() -> None:
    even = np.full((64, 128, 3), 7.0)
    assert unevenness(even, 0.0, 0.0) == pytest.approx(1)
    half = even.copy()
    half[:, :64] = 0.0
    assert unevenness(half, 30.0, 0.0) == pytest.approx(2, rel=0.02)
    assert unevenness(half, 30.0, 0.5) < 1.5
    front = np.zeros((64, 128, 3))
    front[:, 48:80] = 1.0
    assert unevenness(front, 0.0, 0.0) == pytest.approx(4, rel=0.02)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(list(LIGHTINGS)))
def test_every_drawn_light_is_valid_and_an_override_leaves_the_rest(seed: int, lighting: str) -> None:
    plain = sample_environment(ParameterSampler(np.random.default_rng(seed)), Person())
    overridden = sample_environment(ParameterSampler(np.random.default_rng(seed), {"lighting": lighting}), Person())
    assert overridden.lighting == lighting
    assert (overridden.hdri, overridden.rotation, overridden.exposure, overridden.backdrop) == (
        plain.hdri,
        plain.rotation,
        plain.exposure,
        plain.backdrop,
    )
    assert overridden.specular == 1 or lighting == "dome"


def test_a_white_sky_lights_the_card_fully() -> None:
    shares = face_shares(64, 128, 30.0)
    assert face_light(np.ones((64, 128, 3)), shares) == pytest.approx(1, abs=0.02)


def test_the_main_softbox_lights_its_side() -> None:
    """Radiance on the subject's left half (x > 0) beats that on the right where the key stands on the left."""
    for azimuth in (50.0, -50.0):
        light = studio_light(EnvironmentSpec("softboxes", key=(azimuth, 20.0), contrast=4.0)) @ LUMINANCE
        column = np.arange(256)
        left = np.cos(-((column + 0.5) / 256 - 0.5) * 2 * np.pi) > 0  # the middle column is +X
        front = np.sin(-((column + 0.5) / 256 - 0.5) * 2 * np.pi) < 0  # the face looks to -Y
        sides = light[:, left & front].sum(), light[:, ~left & front].sum()
        assert (sides[0] > 1.5 * sides[1]) if azimuth > 0 else (sides[1] > 1.5 * sides[0])


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(LAMPS), st.floats(-180, 180), st.floats(-60, 85), st.floats(3, 30))
def test_a_lamp_shines_from_where_it_stands_and_takes_the_angle_it_is_given(
    lighting: str, azimuth: float, elevation: float, softness: float
) -> None:
    """A disc of radiance 1 and radius a gives a card that faces it sin(a)^2, and a card at 60 degrees half of it."""
    light = studio_light(EnvironmentSpec(lighting, key=(azimuth, elevation), softness=softness))
    facing = lamp_light(light, (azimuth, elevation))
    expected = np.sin(np.radians(softness)) ** 2
    assert facing == pytest.approx(expected, rel=0.1)
    aside = lamp_light(light, (azimuth, elevation - 60))
    assert aside == pytest.approx(facing / 2, rel=0.1 if softness < 20 else 0.2)


def test_lamps_keep_their_radiance_and_their_room_has_the_light_that_contrast_leaves() -> None:
    light = studio_light(EnvironmentSpec("flash", key=(0.0, 5.0), softness=3.0))
    assert limit_radiance(light, 0.0)[0] < light.max() < limit_radiance(light, 0.0, math.inf)[0]
    assert fill_share(EnvironmentSpec("overhead", contrast=4.0)) == pytest.approx(0.2)
    assert fill_share(EnvironmentSpec("softboxes", contrast=4.0)) == fill_share(EnvironmentSpec("softboxes"))


def test_a_lamp_lights_one_head_in_seven_and_side_light_comes_from_both_sides() -> None:
    drawn = [sample_environment(ParameterSampler(np.random.default_rng(seed)), Person()) for seed in range(800)]
    lamps = [each for each in drawn if each.lighting in LAMPS]
    assert len(lamps) / len(drawn) == pytest.approx(0.15, abs=0.035)
    sides = [each.key[0] for each in lamps if each.lighting == "side"]
    assert min(sides) < -55 and max(sides) > 55 and min(map(abs, sides)) >= 55
    assert all(each.key[1] >= 50 for each in lamps if each.lighting == "overhead")


def test_an_even_dome_is_even_and_panels_leave_nothing_to_cut() -> None:
    light = studio_light(EnvironmentSpec("dome"))
    assert limit_radiance(light, 0.0)[0] > light.max()
    halves = light[64:, :128].mean(), light[64:, 128:].mean()
    assert halves[0] == pytest.approx(halves[1], rel=0.02)


@pytest.mark.parametrize("value", [0.02, 0.2, 0.7])
def test_noise_has_the_variance_of_shot_and_read_noise(value: float) -> None:
    """Measured behind the sRGB curve, whose slope brings it back to linear light."""
    spec = SensorSpec(20000.0, 30.0, seed=3)
    seen = expose(grey(value, (400, 400)), spec, 0)[..., 1] / 255
    step = 1e-3
    slope = float(srgb(np.float32(value + step)) - srgb(np.float32(value - step))) / (2 * step)  # type: ignore[arg-type]
    expected = np.sqrt(value / 20000 + (30 / 20000) ** 2) * slope
    assert seen.std() == pytest.approx(np.hypot(expected, 1 / 255 / np.sqrt(12)), rel=0.03)
    assert seen.mean() == pytest.approx(float(srgb(np.float32(value))), abs=0.004)  # type: ignore[arg-type]


def test_noise_belongs_to_the_seed_and_the_view() -> None:
    spec = sample_sensor(ParameterSampler(np.random.default_rng(0)), Person())
    first = expose(grey(0.3), spec, 0)
    assert np.array_equal(first, expose(grey(0.3), spec, 0))
    assert not np.array_equal(first, expose(grey(0.3), spec, 1))
    assert not np.array_equal(first, expose(grey(0.3), replace(spec, seed=spec.seed + 1), 0))


def test_without_a_sensor_values_pass_the_curve_alone() -> None:
    ramp = np.repeat(np.linspace(-0.5, 1.5, 300, dtype=np.float32)[None, :, None], 3, axis=2)
    seen = expose(ramp, None, 0)[0, :, 0]
    assert seen[0] == 0 and seen[-1] == 255 and (np.diff(seen.astype(int)) >= 0).all()
    assert expose(grey(0.2140), None, 0)[0, 0, 0] == 127  # 0.2140 is sRGB 0.5 (IEC 61966-2-1)


def test_gains_and_vignetting() -> None:
    spec = SensorSpec(1e9, 0.0, red=1.1, blue=0.9, vignetting=0.3)
    seen = expose(grey(0.3), spec, 0).astype(int)
    assert seen[40, 50, 0] > seen[40, 50, 1] > seen[40, 50, 2]
    assert seen[0, 0, 1] < seen[40, 50, 1] and abs(seen[0, 0, 1] - seen[-1, -1, 1]) <= 1


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (lambda: EnvironmentSpec("torch"), "torch"),
        (lambda: EnvironmentSpec(hdri="moon"), "moon"),
        (lambda: EnvironmentSpec(exposure=0), "exposure"),
        (lambda: SensorSpec(white_electrons=3), "electrons"),
        (lambda: SensorSpec(red=0), "red"),
        (lambda: SensorSpec(vignetting=2), "vignetting"),
    ],
)
def test_values_that_render_nonsense_are_refused(made, match: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=match):
        made()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.booleans(), st.integers(0, 99))
def test_png_round_trip(height: int, width: int, colour: bool, seed: int) -> None:
    shape = (height, width, 3) if colour else (height, width)
    pixels = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(pixels)))), pixels)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["Z", "RGB"]), st.booleans(), st.integers(0, 99))
def test_another_reader_reads_our_exr(
    tmp_path_factory: pytest.TempPathFactory, height: int, width: int, names: str, smooth: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values = {name: (np.zeros if smooth else rng.standard_normal)((height, width)).astype(np.float32) for name in names}
    values[names[0]][0, 0] = np.inf
    path = tmp_path_factory.getbasetemp() / "a.exr"
    path.write_bytes(encode_exr(values))
    read = read_exr(path)
    assert set(read) == set(values) and all(np.array_equal(read[name], values[name]) for name in names)


def test_what_is_no_exr_is_refused() -> None:
    for data in (b"", b"\x76\x2f\x31\x01", b"\x76\x2f\x31\x01\x02\0\0\0channels\0chl", b"PNG" * 100):
        with pytest.raises(ValueError, match="OpenEXR"):
            decode_exr(data)
