"""The priors of identity, expression and pose: what users can override, and how evenly they draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.head_models.expression_prior import MOODS, VISEMES, sample_expression
from assets.makehuman.prior import MACRO_NAMES, sample_identity, sample_pose
from assets.parameter_sampler import ParameterSampler
from capture.errors import InputError

PAIRS = ("browDown", "browOuterUp", "cheekSquint", "eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp",
         "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown", "mouthLowerDown", "mouthPress", "mouthSmile",
         "mouthStretch", "mouthUpperUp", "noseSneer")  # fmt: skip
SINGLE = ("browInnerUp", "cheekPuff", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthFunnel",
          "mouthLeft", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower",
          "mouthShrugUpper", "tongueOut")  # fmt: skip
ACTIONS = tuple(sorted([f"{name}{side}" for name in PAIRS for side in ("Left", "Right")] + list(SINGLE)))
DETAILS = ("nose-hump", "asym-nose-1-r", "head-oval")


def _draw(seed: int, **overrides: Any) -> ParameterSampler:
    return ParameterSampler(np.random.default_rng(seed), overrides)


def _identity(seed: int, **overrides: Any) -> dict[str, float]:
    values = sample_identity(_draw(seed, **overrides), DETAILS)
    return dict(zip((*MACRO_NAMES, *DETAILS), values.tolist(), strict=True))


def _expression(seed: int, **overrides: Any) -> dict[str, float]:
    return dict(zip(ACTIONS, sample_expression(_draw(seed, **overrides), ACTIONS).tolist(), strict=True))


def test_there_are_52_actions_and_the_prior_reaches_all() -> None:
    assert len(ACTIONS) == 52
    seen = np.zeros(52)
    for seed in range(1500):
        seen = np.maximum(seen, sample_expression(_draw(seed, mood=["random", "talk"]), ACTIONS))
    assert not [name for name, most in zip(ACTIONS, seen, strict=True) if most == 0]


def test_sexes_ages_and_ancestries_are_even() -> None:
    people = [_identity(seed) for seed in range(900)]
    assert np.mean([p["gender"] > 0.5 for p in people]) == pytest.approx(0.5, abs=0.06)
    ages = np.array([p["age"] for p in people])
    assert np.histogram(ages, 6, (18, 85))[0] == pytest.approx(150, rel=0.25)
    for name in ("african", "asian", "caucasian"):
        assert np.mean([p[name] for p in people]) == pytest.approx(1 / 3, abs=0.05)
    assert all(sum(p[name] > 0 for name in ("african", "asian", "caucasian")) <= 2 for p in people)


def test_overrides_hold_and_leave_the_rest_alone() -> None:
    plain = _identity(5)
    overridden = _identity(5, age=70, gender="male", ancestry="asian", mixture=0)
    assert overridden["age"] == 70 and overridden["gender"] > 0.5 and overridden["asian"] == 1
    assert [plain[k] for k in ("weight", "proportions", *DETAILS)] != [0] * 5
    assert {k: plain[k] for k in ("weight", "proportions", "nose-hump")} == {
        k: overridden[k] for k in ("weight", "proportions", "nose-hump")
    }
    assert _identity(5, variation=0)["nose-hump"] == 0 and _identity(5, asymmetry=0)["asym-nose-1-r"] == 0
    assert _identity(5, asymmetry=2)["asym-nose-1-r"] == pytest.approx(2 * plain["asym-nose-1-r"])


@pytest.mark.parametrize(
    "override", [{"age": 8}, {"variation": 9}, {"mixture": 2}, {"size": 1}, {"weight": 50}, {"height": -1}]
)
def test_impossible_people_are_refused(override: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(override))):
        _identity(0, **override)


@pytest.mark.parametrize("mood", MOODS)
def test_moods_by_name(mood: str) -> None:
    for seed in range(20):
        values = _expression(seed, mood=mood)
        assert all(0 <= value <= 1 for value in values.values())
        for side in ("Left", "Right"):
            shut = sum(values[f"{name}{side}"] for name in ("eyeBlink", "eyeSquint", "eyeLookDown"))
            assert shut <= 1 + max(values[f"eyeSquint{side}"] + values[f"eyeLookDown{side}"] - 1, 0) + 1e-9
            assert values[f"eyeLookIn{side}"] * values[f"eyeLookOut{side}"] == 0
        assert values["eyeLookInLeft"] == values["eyeLookOutRight"]
    assert mood != "smile" or values["mouthSmileLeft"] > 0.1
    assert not np.any(list(_expression(3, mood=mood, strength=0).values()))


def test_visemes_and_gaze_and_lids() -> None:
    mouths = {name: tuple(_expression(1, mood="talk", viseme=name).values()) for name in VISEMES}
    assert len(set(mouths.values())) == len(VISEMES)
    looking = _expression(2, mood="neutral", gaze_azimuth=10, gaze_elevation=-5, blink=0)
    assert looking["eyeLookOutLeft"] == looking["eyeLookInRight"] > 0.5 and looking["eyeLookDownLeft"] > 0.3
    assert _expression(2, mood="closed_eyes", gaze_elevation=0)["eyeBlinkLeft"] == 1
    with pytest.raises(InputError, match="mood"):
        _expression(0, mood="grumpy")
    with pytest.raises(InputError, match="strength"):
        _expression(0, strength=10)


def test_pose_in_degrees() -> None:
    pose = sample_pose(_draw(0, yaw=20, pitch=0, roll=0))
    assert np.degrees(pose.neck[2]) == pytest.approx(20) and pose.neck[:2] == (0, 0)
    assert sample_pose(_draw(0, strength=0)).neck == (0, 0, 0)
    with pytest.raises(InputError, match="yaw"):
        sample_pose(_draw(0, yaw=170))


def test_a_fifth_of_the_heads_are_turned_from_the_body() -> None:
    angles = np.degrees([sample_pose(_draw(seed)).neck for seed in range(1000)])  # pitch, roll, yaw
    beyond = np.abs(angles) > (7.5, 5.0, 10.0)  # where the others end
    assert beyond.any(axis=1).mean() == pytest.approx(0.2 * (1 - 0.5 * 0.625 * 0.625), abs=0.035)
    assert (np.abs(angles).max(axis=0) <= (12, 8, 20)).all() and np.abs(angles[:, 2]).max() > 18
    assert np.degrees(sample_pose(_draw(3, turn=-15, nod=0, tilt=0)).neck[2]) == pytest.approx(-15)
    before, after = sample_pose(_draw(3, turned=True)), sample_pose(_draw(3, turned=True, turn=5))
    assert before.neck[:2] == after.neck[:2] and np.degrees(after.neck[2]) == pytest.approx(5)


@given(st.integers(0, 9999), st.sets(st.sampled_from(ACTIONS), min_size=1, max_size=8))
def test_models_with_few_of_the_actions_have_those(seed: int, few: set[str]) -> None:
    names = tuple(sorted(few))
    weights = sample_expression(_draw(seed, mood="random"), names)
    assert weights.shape == (len(names),) and (weights >= 0).all() and (weights <= 1).all()
