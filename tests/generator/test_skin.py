"""Skin: colours in the range of measured skin, relief and lines where they belong, make-up only where it is put."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from assets.makehuman.model import load_default_model
from assets.parameter_sampler import ParameterSampler
from capture import InputError
from generator.components.person import Person
from generator.components.skin import MakeUp, SkinSpec, sample_skin
from generator.head import HeadGeometry, build_head
from generator.sampling import sample_spec
from generator.skin.colour import skin_albedo, skin_overlay, tone
from generator.skin.noise import wave_noise
from generator.skin.relief import oil_strength, pore_strength, relief_fields, wrinkles
from tests.generator.toy_model import override


@pytest.fixture(scope="module")
def head() -> HeadGeometry:
    try:
        model = load_default_model()
    except InputError as error:
        pytest.skip(str(error))
    still = override(expression={"strength": 0}, pose={"strength": 0})
    return build_head(model, sample_spec(1, model, still).shape)


def lab(rgb: np.ndarray) -> tuple[float, float]:
    """CIE L* and b* (D65) of a linear RGB colour."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    f = np.cbrt(xyz / np.array([0.9505, 1.0, 1.089]))
    return float(116 * f[1] - 16), float(200 * (f[1] - f[2]))


@pytest.mark.parametrize("haemoglobin", [0.3, 0.8])
def test_tones_span_measured_skin(haemoglobin: float) -> None:
    """Individual typology angles of people run from above 55 degrees (very light) to below -30 (dark): Del Bino and
    Bernerd 2013."""
    angles = []
    for melanin in np.linspace(0, 1, 9):
        light, yellow = lab(tone(SkinSpec(melanin=float(melanin), haemoglobin=haemoglobin)))
        angles.append(np.degrees(np.arctan2(light - 50, yellow)))
    assert np.all(np.diff(angles) < 0)
    assert angles[0] > 50 and angles[-1] < -30


def test_age_brings_lines_and_spots() -> None:
    young = [sample_skin(ParameterSampler(np.random.default_rng(i)), Person(0.5, 22)) for i in range(50)]
    old = [sample_skin(ParameterSampler(np.random.default_rng(i)), Person(0.5, 78)) for i in range(50)]
    for name in ("wrinkles", "age_spots", "circles"):
        assert np.mean([getattr(s, name) for s in old]) > 1.5 * np.mean([getattr(s, name) for s in young]), name


def test_lips_are_redder_and_shaded_nostrils_dark(head: HeadGeometry) -> None:
    colour, masks = skin_albedo(SkinSpec(), head), head.skin.masks
    cheek = np.abs(head.skin.base - [0.05, 0.0, -0.04]).sum(axis=1).argmin()
    lips = colour[masks["lips"] > 0.9].mean(axis=0)
    assert lips[1] / lips[0] < colour[cheek, 1] / colour[cheek, 0]
    assert colour[masks["nostrils"] > 0.9].sum(axis=1).mean() < 0.5 * colour[cheek].sum()


def test_make_up_stays_where_it_is_put(head: HeadGeometry) -> None:
    bare = SkinSpec()
    painted = dataclasses.replace(bare, makeup=MakeUp(lipstick=1.0, lip_colour="red", liner=1.0))
    change = np.abs(skin_albedo(painted, head) - skin_albedo(bare, head)).max(axis=1) > 0.01
    lips = head.skin.masks["lips"] > 0.02
    lines = np.concatenate([line for name, line in head.chains.items() if name.startswith("lash_upper")])
    gap = np.linalg.norm(head.skin.vertices[change & ~lips][:, None] - lines[None], axis=2).min(axis=1)
    assert (change & lips).sum() > 200
    assert gap.max() < 0.006  # the liner; vertices of a lash line are up to 8 mm apart


def test_relief_lies_where_it_belongs(head: HeadGeometry) -> None:
    base = head.skin.base
    nose = np.abs(base - [0.0, -0.042, -0.038]).sum(axis=1).argmin()
    neck = base[:, 2].argmin()
    assert pore_strength(base)[nose] > 0.8 > 0.3 > pore_strength(base)[neck]
    assert oil_strength(base)[nose] > 0.5 and oil_strength(base)[neck] < 0.05
    phase, strength = wrinkles(head.skin)
    assert np.isfinite(phase).all() and 0 <= strength.min() <= strength.max() <= 1
    for region in ("lips", "ears", "nostrils"):
        assert strength[head.skin.masks[region] > 0.99].max() < 0.02, region
    assert strength[np.abs(base - [0.0, -0.02, 0.046]).sum(axis=1).argmin()] > 0.5  # the forehead
    assert strength[base[:, 2] < -0.15].max() < 0.05  # not the neck


def test_lines_wander_and_break_off_where_they_were(head: HeadGeometry) -> None:
    phase, strength = wrinkles(head.skin)
    fields, marks = relief_fields(head.skin, 5)
    assert np.array_equal(marks[:, 0], head.skin.masks["lips"])
    assert np.abs(marks[:, 1] - phase).max() < 0.6 and np.ptp(marks[:, 1] - phase) > 0.3
    assert (fields[:, 2] <= strength + 1e-12).all() and 0.2 < fields[:, 2].sum() / strength.sum() < 0.8
    again, other = relief_fields(head.skin, 5)[1], relief_fields(head.skin, 6)[1]
    assert np.array_equal(again, marks) and not np.array_equal(other, marks)


def test_noise_of_vertices_is_as_coarse_and_as_strong_as_asked() -> None:
    points = np.random.default_rng(3).uniform(0, 1, (4000, 3))
    field = wave_noise(points, 0.02, np.random.default_rng(4))
    assert field.mean() == pytest.approx(0.5, abs=0.01)
    assert field.std() == pytest.approx(0.085, rel=0.1)

    def alike(metres: float) -> float:
        moved = wave_noise(points + np.array([metres, 0, 0]), 0.02, np.random.default_rng(4))
        return float(np.corrcoef(field, moved)[0, 1])

    assert alike(0.001) > 0.9 > 0.7 > alike(0.005) and abs(alike(0.3)) < 0.3


def test_a_texture_keeps_roots_and_shadows(head: HeadGeometry) -> None:
    plain = skin_overlay(SkinSpec(circles=0.0), head)
    assert np.allclose(plain, 1)
    roots = np.zeros(len(plain))
    roots[7] = 1
    assert (skin_overlay(SkinSpec(circles=0.0), head, roots)[7] < 0.3).all()


@pytest.mark.parametrize("change", [{"melanin": 1.2}, {"pores": -0.1}, {"wrinkles": 2.0}])
def test_numbers_out_of_range_are_named(change: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(change))):
        SkinSpec(**change)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="lip colour 'green'"):
        MakeUp(lip_colour="green")
