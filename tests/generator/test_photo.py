"""Photographs: tone curve, denoising, sharpening, JPEG and motion, against other programs and what must hold."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from assets.parameter_sampler import ParameterSampler
from capture import InputError
from generator.cameras.filters import line_kernel, smooth_detail
from generator.cameras.jpeg import through_jpeg
from generator.cameras.photo import motion, scene_light, sharpen, take_photo, tone_curve
from generator.cameras.sensor import linear_light, quantised, quantised_srgb
from generator.components.person import Person
from generator.components.photo import KINDS, PhotoSpec, sample_photo
from generator.components.sensor import SensorSpec
from generator.sampling import check_overrides, sample_spec
from generator.spec import HeadSpec
from tests.generator.toy_model import ToyModel

PHONE = PhotoSpec("phone", 0.6, 0.1, 0.03, 1.2, 1.2, 70.0, True, 1.5, 3)
curves = st.builds(PhotoSpec, st.just("phone"), st.floats(0, 1), st.floats(0, 0.3))


def photograph(height: int, width: int, seed: int) -> np.ndarray:
    """A smooth picture with detail and an edge, as photographs are."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 40.0
    smooth = np.stack([128 + 90 * np.sin(x * a + y * b) for a, b in rng.uniform(0.3, 2, (3, 2))], axis=-1)
    smooth[:, width // 2 :] -= 40
    return np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


@settings(max_examples=25, deadline=None)
@given(st.integers(30, 98), st.booleans(), st.integers(40, 90), st.integers(40, 90), st.integers(0, 99))
def test_jpeg_loses_what_pillows_jpeg_loses(quality: int, subsampled: bool, height: int, width: int, seed: int) -> None:
    """But for cosines that lie between two steps: a last bit decides to which of them they go."""
    off, lost = differences(photograph(height, width, seed), quality, subsampled)
    assert off <= 0.1 * lost + 0.5, (off, lost)


@pytest.mark.parametrize("quality", [60, 75, 95])
def test_jpeg_is_pillows_on_average(quality: int) -> None:
    pairs = np.array([differences(photograph(96, 128, seed), quality, bool(seed % 2)) for seed in range(10)])
    off, lost = pairs.mean(axis=0)
    assert off < 0.3 and off < 0.1 * lost, (off, lost)


def differences(image: np.ndarray, quality: int, subsampled: bool) -> tuple[float, float]:
    """Mean differences in grey levels: of our pixels from Pillow's, and of the image from Pillow's."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling=2 if subsampled else 0)
    expected = np.asarray(Image.open(file)).astype(int)
    off = np.abs(through_jpeg(image, quality, subsampled).astype(int) - expected)
    return float(off.mean()), float(np.abs(image.astype(int) - expected).mean())


@pytest.mark.parametrize("subsampled", [False, True])
def test_jpeg_leaves_an_even_grey_and_adds_rings_at_edges(subsampled: bool) -> None:
    even = np.full((21, 35, 3), 90, np.uint8)
    assert np.abs(through_jpeg(even, 80, subsampled).astype(int) - even).max() <= 1
    even[:, 20:] = 200
    rings = np.abs(through_jpeg(even, 60, subsampled).astype(int) - even)
    assert rings[:, :16].max() <= 1 and rings[:, 16:24].max() > 3  # within the block of the edge alone


@given(curves, st.integers(0, 2**32 - 1))
def test_the_tone_curve_keeps_black_white_and_the_order_of_tones(photo: PhotoSpec, seed: int) -> None:
    tones = np.sort(np.random.default_rng(seed).random(50, dtype=np.float32))
    tones[0], tones[-1] = 0, 1
    made = tone_curve(tones, photo)
    assert made[0] == 0 and made[-1] == pytest.approx(1, abs=1e-6)
    assert (np.diff(made) >= -1e-6).all() and made.min() >= 0 and made.max() <= 1 + 1e-6


def test_shadows_are_lifted_by_as_much_as_asked_and_contrast_spreads_the_middle() -> None:
    tones = np.linspace(0, 1, 3001, dtype=np.float32)
    lift = tone_curve(tones, PhotoSpec("phone", shadows=0.1)) - tones
    assert lift.max() == pytest.approx(0.1, abs=1e-4) and tones[lift.argmax()] == pytest.approx(1 / 3, abs=1e-2)
    spread = tone_curve(tones, PhotoSpec("phone", contrast=0.5))
    assert spread[750] < 0.25 and spread[2250] > 0.75 and spread[1500] == pytest.approx(0.5)


@settings(max_examples=30, deadline=None)
@given(curves)
def test_light_below_a_tone_curve_is_found_again(photo: PhotoSpec) -> None:
    pixels = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
    taken = quantised_srgb(tone_curve((pixels / 255).astype(np.float32), photo))
    slope = np.gradient(taken[:, 0].astype(float))
    close = np.abs(quantised(scene_light(taken, photo))[:, 0].astype(int) - pixels[:, 0]) <= 1 / np.maximum(slope, 0.2)
    assert close.mean() > 0.95
    assert np.array_equal(scene_light(pixels, PhotoSpec()), linear_light(pixels))


def test_the_denoiser_takes_faint_detail_and_leaves_edges() -> None:
    rng = np.random.default_rng(0)
    image = np.full((60, 80, 1), 0.3, np.float32)
    image[:, 40:] = 0.7
    noisy = image + rng.normal(0, 0.01, image.shape).astype(np.float32)
    made = smooth_detail(noisy, 2, 0.03)
    assert made[:, 5:30].std() < 0.5 * noisy[:, 5:30].std()
    assert made[:, 39].mean() == pytest.approx(0.3, abs=0.02) and made[:, 40].mean() == pytest.approx(0.7, abs=0.02)


def test_detail_as_strong_as_the_denoisers_contrast_keeps_half_of_its_height() -> None:
    y, x = np.mgrid[:60, :60]
    pattern = (0.5 + 0.04 * np.where((x + y) % 2, 1, -1)).astype(np.float32)[..., None]
    made = smooth_detail(pattern, 2, 0.04)
    assert made[10:50, 10:50].std() == pytest.approx(0.02, rel=0.05)


def test_sharpening_leaves_halos_on_both_sides_of_an_edge_and_even_tones_alone() -> None:
    image = np.full((20, 40, 3), 0.3, np.float32)
    image[:, 20:] = (0.7, 0.6, 0.5)
    made = sharpen(image, 1.0, 1.0)
    assert made[10, 19, 0] < 0.25 and made[10, 20, 0] > 0.75
    assert np.allclose(made[:, :10], image[:, :10], atol=1e-6) and np.allclose(made[:, 30:], image[:, 30:], atol=1e-6)
    added = made - image
    assert np.allclose(added, added[..., :1], atol=1e-6)  # the luma's, without coloured fringes


@given(st.floats(0.01, 9), st.floats(0, math.pi))
def test_motion_is_an_even_path_around_the_middle(length: float, angle: float) -> None:
    kernel = line_kernel(length, angle)
    assert kernel.min() >= 0 and kernel.sum() == pytest.approx(1) and kernel.shape[0] % 2 == 1
    y, x = np.mgrid[: len(kernel), : len(kernel)] - len(kernel) // 2
    assert (kernel * x).sum() == pytest.approx(0, abs=1e-9) and (kernel * y).sum() == pytest.approx(0, abs=1e-9)
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    interpolation = 0.25  # greatest variance that sharing a point among pixels adds along an axis
    assert (kernel * along**2).sum() == pytest.approx(length**2 / 12, abs=2 * interpolation + 0.03)
    assert (kernel * across**2).sum() <= 2 * interpolation


def test_every_view_moves_on_its_own() -> None:
    first, second = motion(PHONE, 0), motion(PHONE, 1)
    assert first.shape != second.shape or not np.allclose(first, second)
    assert np.array_equal(first, motion(PHONE, 0))


def test_a_studios_files_have_the_sensors_values_and_the_same_photo_the_same_bytes() -> None:
    linear = np.random.default_rng(0).random((40, 50, 3), np.float32)
    assert np.array_equal(take_photo(linear, None, PhotoSpec(), 0), quantised(linear))
    one, two = (take_photo(linear, SensorSpec(seed=4), PHONE, 2) for _ in range(2))
    assert np.array_equal(one, two) and not np.array_equal(one, take_photo(linear, SensorSpec(seed=4), PhotoSpec(), 2))


def test_black_stays_black_and_pixels_that_stay_alone_know_no_neighbours() -> None:
    linear = np.zeros((24, 40, 3), np.float32)
    linear[:, 13:] = np.random.default_rng(0).random((24, 27, 3), np.float32) + 0.01
    made = take_photo(linear, SensorSpec(), PHONE, 0, black=True)
    assert made[:, :13].max() == 0 and made[:, 13:].max() > 0
    alone = take_photo(linear, None, PHONE, 0, alone=True)
    turned = take_photo(linear[::-1, ::-1], None, PHONE, 0, alone=True)
    assert np.array_equal(alone[::-1, ::-1], turned)
    assert np.array_equal(alone, quantised_srgb(tone_curve(_encoded(linear), PHONE)))


def _encoded(linear: np.ndarray) -> np.ndarray:
    light = np.clip(linear.astype(float), 0, 1)
    power = 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, 12.92 * light, power).astype(np.float32)


def test_half_of_the_heads_keep_a_studios_files_and_the_others_vary() -> None:
    drawn = [sample_photo(ParameterSampler(np.random.default_rng(seed)), Person()) for seed in range(600)]
    shares = {kind: sum(each.kind == kind for each in drawn) / len(drawn) for kind in KINDS}
    assert shares == pytest.approx(KINDS, abs=0.06)
    plain = [each for each in drawn if each.kind == "studio"]
    assert {(each.contrast, each.denoising, each.sharpening, each.quality, each.motion_px) for each in plain} == {
        (0.0, 0.0, 0.0, 100.0, 0.0)
    }
    phones = [each for each in drawn if each.kind == "phone"]
    assert all(60 <= each.quality <= 95 for each in phones) and len({each.quality for each in phones}) == len(phones)


def test_an_override_leaves_the_other_parameters_and_one_without_effect_is_told() -> None:
    def photo(seed: int, **overrides: object) -> PhotoSpec:
        return sample_photo(ParameterSampler(np.random.default_rng(seed), {"kind": "phone"} | overrides), Person())

    for seed in range(5):
        before, after = photo(seed), photo(seed, quality=66)
        assert after.quality == 66 and (before.contrast, before.seed) == (after.contrast, after.seed)
    overrides = {"photo": {"kind": "studio", "contrast": 0.5}}
    (told,) = _mistakes(overrides)
    assert "photo.contrast" in told and "has no effect" in told


def _mistakes(overrides: dict[str, dict[str, object]]) -> list[str]:
    from generator.distributions import Distributions

    return check_overrides(0, ToyModel(), Distributions(overrides))


def test_a_record_of_before_photographs_is_read_as_a_studios() -> None:
    spec = sample_spec(5, ToyModel())
    written = spec.to_json()
    assert HeadSpec.from_json(written) == spec and "photo" in written
    del written["photo"]
    assert HeadSpec.from_json(written).photo == PhotoSpec()


@pytest.mark.parametrize("made", [{"kind": "polaroid"}, {"quality": 0}, {"contrast": 2}, {"radius_px": 0}])
def test_photographs_that_are_none_are_refused(made: dict[str, object]) -> None:
    with pytest.raises(InputError, match="photo"):
        PhotoSpec(**made)  # type: ignore[arg-type]
