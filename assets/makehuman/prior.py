"""The prior of the MakeHuman head: which identities and poses are drawn, and how often.

MakeHuman's sliders at +-1 are caricatures; people differ by a small part of that. A detail modifier is drawn from a
normal distribution with the mean and standard deviation of the first rule that its name matches, cut at two and a
half standard deviations. Modifiers without a rule stay at 0. The prior's means repair what MakeHuman's average
lacks against anthropometry (its eyes stand some 4 mm too close: adults have 62 mm between the pupils).
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np

from assets.head_models.head_model import FloatArray, Pose
from assets.parameter_sampler import ParameterSampler
from capture.errors import InputError

MACRO_NAMES = ("gender", "age", "muscle", "weight", "height", "proportions", "african", "asian", "caucasian", "size")
MEAN_MACROS = (0.5, 25.0, 0.5, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 0.012)
CUT = 2.5
ANCESTRIES = ("african", "asian", "caucasian")
SIZE_OF_SEX = 0.0
"""Share by which a man's head is larger, and a woman's smaller, beyond the targets' own effect."""

# (pattern, mean, standard deviation)
DETAIL_RULES: tuple[tuple[str, float, float], ...] = (
    (r"asym-", 0.0, 0.09),
    (r"ear-shape|chin-triangle", 0.0, 0.0),
    (r"head-(oval|round|rectangular|square|triangular|invertedtriangular|diamond)", 0.0, 0.12),
    (r"head-scale", 0.0, 0.10),
    (r"head-fat", 0.0, 0.12),
    (r"head-", 0.0, 0.10),
    (r"forehead-(scale-vert|nubian)", 0.0, 0.10),
    (r"forehead-", 0.0, 0.20),
    (r"eyebrows-trans-forward", 0.0, 0.14),
    (r"eyebrows-", 0.0, 0.28),
    (r"eye-trans-out", 0.40, 0.18),
    (r"eye-trans", 0.0, 0.12),
    (r"eye-scale", 0.0, 0.15),
    (r"eye-(height|corner)", 0.0, 0.20),
    (r"eye-epicanthus", 0.0, 0.20),
    (r"eye-", 0.0, 0.20),
    (r"nose-trans-(out|in)|mouth-trans-(out|in)", 0.0, 0.0),
    (r"nose-(scale|trans)", 0.0, 0.18),
    (r"nose-(volume|point-width)", 0.0, 0.14),
    (r"nose-", 0.0, 0.22),
    (r"mouth-(scale|trans)", 0.0, 0.18),
    (r"mouth-", 0.0, 0.20),
    (r"chin-(jaw-drop|prognathism|prominent)", 0.0, 0.15),
    (r"chin-", 0.0, 0.22),
    (r"cheek-", 0.0, 0.25),
    (r"ear-", 0.0, 0.22),
    (r"neck-(scale|back)", 0.0, 0.15),
)
ONE_SIDED = re.compile(r"head-(oval|round|rectangular|square|triangular|invertedtriangular|diamond)$")

LONGER_FACES = {"chin-height": 0.20, "head-scale-vert": 0.10, "mouth-scale-horiz": 0.20, "head-scale-depth": -0.08}
"""Offsets of people's details from those of the mean head: MakeHuman's faces are short and their mouths narrow against
`benchmarks/anthropometry.py`. The mean head keeps its shape, because regions and patterns are drawn on it."""

STOUTNESS = {"head-fat": 0.9, "cheek-volume": 0.9, "neck-double": 1.2, "neck-scale-horiz": 0.4}
"""Change of a detail with a unit of weight: MakeHuman's weight targets leave the face as it is."""


@cache
def detail_rule(name: str) -> tuple[float, float]:
    """(mean, standard deviation) of a detail modifier."""
    for pattern, mean, deviation in DETAIL_RULES:
        if re.match(pattern, name):
            return mean, deviation
    return 0.0, 0.0


def mean_identity(detail_names: tuple[str, ...]) -> FloatArray:
    """(I,) the middle of the prior, a young adult."""
    return np.array([*MEAN_MACROS, *(detail_rule(name)[0] for name in detail_names)])


def sample_identity(sampler: ParameterSampler, detail_names: tuple[str, ...]) -> FloatArray:
    """(I,) one adult: both sexes, all ages from 18 to 85 and all ancestries evenly, by default.

    Asks for gender (female, male) and masculinity 0 to 1; age in years (below 25 MakeHuman's faces look alike);
    ancestry, second_ancestry and mixture (the share of the second); muscle, weight, height, proportions 0 to 1 with 0.5
    the average; size (relative to the average of all); variation and asymmetry, which scale the details.
    Raises `InputError` for overrides that no adult fulfils.
    """
    male = sampler.choice("gender", {"female": 0.5, "male": 0.5}) == "male"
    sign = 1.0 if male else -1.0
    gender = min(max(sampler.normal("masculinity", 0.5 + 0.4 * sign, 0.11), 0.0), 1.0)
    age = _limited(sampler.number("age", 18.0, 85.0), "age", 18.0, 90.0)
    ancestry = dict.fromkeys(ANCESTRIES, 0.0)
    first, second = (sampler.choice(name, dict.fromkeys(ANCESTRIES, 1.0)) for name in ("ancestry", "second_ancestry"))
    mixture = _limited(sampler.number("mixture", 0.0, 0.5, power=1.7), "mixture", 0.0, 1.0)
    ancestry[first] += 1.0 - mixture
    ancestry[second] += mixture
    muscle = _limited(sampler.normal("muscle", 0.5 + 0.05 * sign, 0.12), "muscle", 0.0, 1.0)
    weight = _limited(sampler.normal("weight", 0.5, 0.14), "weight", 0.0, 1.0)
    height = _limited(sampler.normal("height", 0.5, 0.035), "height", 0.0, 1.0)
    proportions = _limited(sampler.number("proportions", 0.35, 0.85), "proportions", 0.0, 1.0)
    size = _limited(sampler.normal("size", SIZE_OF_SEX * sign, 0.018), "size", -0.2, 0.2)
    variation = _limited(sampler.number("variation", 1.0, 1.0), "variation", 0.0, 2.0)
    asymmetry = _limited(sampler.number("asymmetry", 1.0, 1.0), "asymmetry", 0.0, 4.0)
    units = np.clip(sampler.rng.standard_normal(len(detail_names)), -CUT, CUT)
    details = []
    for name, unit in zip(detail_names, units.tolist(), strict=True):
        mean, deviation = detail_rule(name)
        scale = asymmetry if name.startswith("asym-") else variation
        value = mean + LONGER_FACES.get(name, 0.0) + scale * deviation * unit
        value += STOUTNESS.get(name, 0.0) * (weight - 0.5)
        details.append(max(value, 0.0) if ONE_SIDED.match(name) else value)
    macros = [gender, age, muscle, weight, height, proportions, *ancestry.values(), MEAN_MACROS[-1] + size]
    return np.array([*macros, *details])


def _limited(value: float, name: str, low: float, high: float) -> float:
    if not low <= value <= high:
        raise InputError(f"identity.{name}: {value:g} is out of reach; use {low:g} to {high:g}")
    return value


def sample_pose(sampler: ParameterSampler) -> Pose:
    """A sitting person, the jaw at rest: most look at the camera, a fifth have the head turned from the body.

    Asks for strength, which scales the rest, for yaw (to the subject's left), pitch (down) and roll in degrees, for
    turned, and for turn, nod and tilt, the same three of a head that is turned.
    """
    strength = sampler.number("strength", 1.0, 1.0)
    yaw, pitch, roll = (
        sampler.normal("yaw", 0.0, 4.0),
        sampler.normal("pitch", 0.0, 3.0),
        sampler.normal("roll", 0.0, 2.0),
    )
    away = ("turn", "nod", "tilt")
    turned = sampler.flag("turned", 0.2, yes_for=away, no_for=("yaw", "pitch", "roll"))
    further = [sampler.number(name, -most, most) for name, most in zip(away, (20.0, 12.0, 8.0), strict=True)]
    if turned:
        yaw, pitch, roll = further
    for name, value in (("yaw", yaw), ("pitch", pitch), ("roll", roll)):
        if abs(value * strength) > 45:
            raise InputError(f"pose.{name}: {value:g} degrees is more than this neck turns; use -45 to 45")
    x, y, z = (strength * float(np.radians(value)) for value in (pitch, roll, yaw))
    return Pose(neck=(x, y, z))
