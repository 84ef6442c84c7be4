from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assets.head_models.registry import load_head_model
from capture import Mesh
from registration.apertures import PAIRS, Apertures
from registration.coefficients import fit
from registration.nonrigid import Stiffness, deform
from registration.openings import Lips, Openings, lips_of
from registration.target import Target
from registration.template import Coefficients, Template


@pytest.fixture(scope="module")
def template() -> Template:
    return Template(load_head_model())


@pytest.fixture(scope="module")
def lips(template: Template) -> Lips:
    found = lips_of(template)
    assert found is not None
    return found


def _with(template: Template, **expressions: float) -> Coefficients:
    values = np.array([expressions.get(name, 0.0) for name in template.model.expression_names])
    return replace(template.mean, expression=values)


def _skin(template: Template, head: Coefficients) -> Mesh:
    """The skin that a scan of a head shows."""
    faces = template.faces[template.shown[template.faces].all(axis=1)]
    return Mesh(template.surface(head), faces)


def _width(template: Template, surface: np.ndarray, opening: str) -> float:
    one, two = (template.landmark(surface, name) for name in PAIRS[opening])
    assert one is not None and two is not None
    return float(np.linalg.norm(one - two))


def _gap(lips: Lips, surface: np.ndarray) -> float:
    middle = np.abs(surface[lips.first][:, 0]) < 0.012
    return float(np.mean(np.linalg.norm(surface[lips.first] - surface[lips.second], axis=1)[middle]))


def test_lips_face_each_other_all_along_the_mouth(template: Template, lips: Lips) -> None:
    surface = template.surface(template.mean)
    upper, lower = surface[lips.first], surface[lips.second]
    np.testing.assert_allclose(upper - lower, lips.apart)
    assert np.linalg.norm(lips.apart, axis=1).max() < 0.0036
    corners = [template.landmark(surface, f"{side}_mouth_corner") for side in ("left", "right")]
    width = abs(corners[0][0] - corners[1][0])  # type: ignore[index]
    assert np.ptp(upper[:, 0]) > 0.8 * width
    outer = template.surface(_with(template, jawOpen=0.5))  # which parts the lips, and nothing of one lip
    assert np.linalg.norm(outer[lips.first] - outer[lips.second], axis=1)[np.abs(upper[:, 0]) < 0.012].min() > 0.004


def test_parted_lips_meet_where_the_skin_goes_on_and_stay_where_it_does_not(template: Template, lips: Lips) -> None:
    parted = template.surface(_with(template, jawOpen=0.12))
    shut = _skin(template, _with(template, jawOpen=0.12, mouthClose=0.12))  # the jaw as it is

    def after(scan: Mesh, apertures: Apertures | None) -> float:
        target = Target(scan, template.shown * 1.0)
        openings = None if apertures is None else Openings(template, lips, target.mesh, parted, apertures)
        stiffness = Stiffness(wavelengths_mm=(25.0, 18.0))
        return _gap(lips, deform(parted, template.faces, template.shown, target, stiffness, openings=openings))

    without = after(shut, None)
    assert after(shut, Apertures({})) < 0.85 * without
    assert after(shut, Apertures({"mouth": 0.006})) == without  # images say that it is open
    wide = _with(template, jawOpen=0.6)
    surface, scan = template.surface(wide), _skin(template, wide)
    nothing = np.zeros(len(surface)), np.zeros_like(surface)
    weights, _ = Openings(template, lips, scan, surface, Apertures({})).joined(surface, *nothing)
    middle = np.abs(surface[lips.first][:, 0]) < 0.012
    assert weights[lips.first[middle]].max() < 0.05
    assert weights[np.setdiff1d(np.arange(len(surface)), [*lips.first, *lips.second])].max() == 0


def test_eyes_and_mouths_are_as_wide_as_images_show_them(template: Template, lips: Lips) -> None:
    """Skin without lids and lips says nothing of them."""
    scan = _skin(template, template.mean)
    places = [template.landmark_index(name) for pair in PAIRS.values() for name in pair]
    around = scan.vertices[np.array(places, np.intp)]
    off = np.linalg.norm(scan.vertices[:, None] - around, axis=2).min(axis=1) > 0.02
    target = Target(scan, off & template.shown)

    def fitted(apertures: Apertures) -> np.ndarray:
        openings = Openings(template, lips, target.mesh, template.surface(template.mean), apertures)
        return template.surface(fit(template, template.mean, target, steps=6, openings=openings))

    for wanted in ({"left_eye": 0.004, "right_eye": 0.006}, {"mouth": 0.012}):
        free, bound = fitted(Apertures({})), fitted(Apertures(wanted))
        for name, wide in wanted.items():
            was, now = abs(_width(template, free, name) - wide), abs(_width(template, bound, name) - wide)
            assert now < 0.001 and now < 0.5 * was, (name, was, now)


def test_apertures_are_those_of_the_landmarks_and_the_detectors_lids_lie_nearer() -> None:
    landmarks = {
        "mouth_inner_2": np.array([0.0, 0.0, 0.004]),
        "mouth_inner_6": np.zeros(3),
        "left_eye_1": np.array([0.0, 0.0, 0.009]),
        "left_eye_5": np.zeros(3),
        "right_eye_2": np.array([0.0, 0.0, 0.9]),  # a mistake
        "right_eye_4": np.zeros(3),
    }
    found = Apertures.of(landmarks)
    assert found.metres == pytest.approx({"mouth": 0.004, "left_eye": 0.010})
    assert found.mouth_open
    assert not Apertures.of({name: landmarks[name] for name in ("left_eye_1", "mouth_inner_2")}).metres


def test_bits_of_a_mouth_elsewhere_are_no_lips(template: Template, lips: Lips, monkeypatch: pytest.MonkeyPatch) -> None:
    nostrils, mouth = template.region("nostrils"), template.region("inner_mouth")
    monkeypatch.setattr(template, "region", lambda *names: mouth | nostrils)
    with_bits = lips_of(template)
    assert with_bits is not None
    np.testing.assert_array_equal(with_bits.first, lips.first)
    monkeypatch.setattr(template, "region", lambda *names: np.zeros_like(mouth))
    assert lips_of(template) is None
