"""The prior of the MakeHuman head: which identities, expressions and poses are drawn, and how often.

MakeHuman's sliders at +-1 are caricatures; people differ by a small part of that. A detail modifier is drawn from a
normal distribution with the mean and standard deviation of the first rule that its name matches, cut at two and a
half standard deviations. Modifiers without a rule stay at 0. The prior's means repair what MakeHuman's average
lacks against anthropometry (its eyes stand some 4 mm too close: adults have 62 mm between the pupils).
"""

from __future__ import annotations

import re

import numpy as np

from assets.head_model import FloatArray, Pose, Rotation

MACRO_NAMES = ("gender", "age", "muscle", "weight", "height", "proportions", "african", "asian", "caucasian", "size")
MEAN_MACROS = (0.5, 25.0, 0.5, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 0.012)
CUT = 2.5

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

STOUTNESS = {"head-fat": 0.9, "cheek-volume": 0.9, "neck-double": 1.2, "neck-scale-horiz": 0.4}
"""What a unit of weight adds to a detail: MakeHuman's weight targets leave the face as it is."""


def detail_rule(name: str) -> tuple[float, float]:
    """(mean, standard deviation) of a detail modifier."""
    for pattern, mean, deviation in DETAIL_RULES:
        if re.match(pattern, name):
            return mean, deviation
    return 0.0, 0.0


def mean_identity(detail_names: tuple[str, ...]) -> FloatArray:
    """(I,) the middle of the prior, a young adult."""
    return np.array([*MEAN_MACROS, *(detail_rule(name)[0] for name in detail_names)])


def sample_identity(rng: np.random.Generator, detail_names: tuple[str, ...]) -> FloatArray:
    """(I,) one adult. Two genders at equal odds with some overlap, 18 to 85 years, mostly one ancestry or two."""
    male = rng.random() < 0.5
    gender = float(np.clip((0.9 if male else 0.1) + 0.12 * rng.standard_normal(), 0.0, 1.0))
    age = 18.0 + 67.0 * float(rng.beta(1.1, 1.7))
    muscle = float(rng.beta(5.0, 5.0)) * 0.8 + (0.15 if male else 0.05)
    weight = float(rng.beta(4.0, 4.0)) * 0.85 + 0.1
    height = float(np.clip(0.5 + 0.035 * rng.standard_normal(), 0.4, 0.6))
    proportions = float(rng.uniform(0.35, 0.85))
    ancestry = rng.dirichlet([0.45, 0.45, 0.45])
    size = MEAN_MACROS[-1] + (-0.004 if male else 0.004) + 0.02 * float(np.clip(rng.standard_normal(), -2, 2))
    details = [_draw_detail(rng, name) + STOUTNESS.get(name, 0.0) * (weight - 0.5) for name in detail_names]
    return np.array([gender, age, muscle, weight, height, proportions, *ancestry, size, *details])


def _draw_detail(rng: np.random.Generator, name: str) -> float:
    """One number is drawn whatever the rule, so that a change to one rule leaves the other modifiers alone."""
    mean, deviation = detail_rule(name)
    unit = float(np.clip(rng.standard_normal(), -CUT, CUT))
    value = mean + deviation * unit
    return max(value, 0.0) if ONE_SIDED.match(name) else value


def sample_expression(rng: np.random.Generator, names: tuple[str, ...]) -> FloatArray:
    """(E,) one expression: half the time about neutral, else a mild mixture; eyes mostly open, lips mostly closed.

    Left and right of a pair are drawn together and differ by a few percent. Jaw, lids and lips are limited so that
    no lid enters the eye and the lips do not cross.
    """
    weights: dict[str, float] = {}

    def pair(name: str, value: float) -> None:
        for side, noise in zip(("Left", "Right"), rng.standard_normal(2), strict=True):
            weights[name + side] = weights.get(name + side, 0.0) + max(value * (1.0 + 0.12 * float(noise)), 0.0)

    lively = rng.random() < 0.5
    strength = float(rng.uniform(0.25, 1.0)) if lively else float(rng.uniform(0.0, 0.12))
    mood = rng.choice(["smile", "talk", "brows", "frown", "press"], p=[0.35, 0.25, 0.2, 0.1, 0.1])
    if mood == "smile":
        pair("mouthSmile", 0.75 * strength)
        pair("cheekSquint", 0.4 * strength)
        pair("eyeSquint", 0.3 * strength)
    elif mood == "talk":
        weights["jawOpen"] = 0.35 * strength
        weights["mouthFunnel"] = 0.25 * strength * float(rng.random())
        pair("mouthLowerDown", 0.2 * strength)
    elif mood == "brows":
        weights["browInnerUp"] = 0.7 * strength
        pair("browOuterUp", 0.6 * strength)
        pair("eyeWide", 0.4 * strength)
    elif mood == "frown":
        pair("browDown", 0.7 * strength)
        pair("mouthFrown", 0.4 * strength)
        pair("noseSneer", 0.25 * strength)
    else:
        pair("mouthPress", 0.5 * strength)
        weights["mouthShrugLower"] = 0.25 * strength
    _look_and_blink(rng, weights, mood == "brows")
    return np.array([min(weights.get(name, 0.0), 1.0) for name in names])


def _look_and_blink(rng: np.random.Generator, weights: dict[str, float], wide: bool) -> None:
    """Gaze within some ten degrees, both eyes together; a partly closed lid at times, fully closed seldom."""
    across, up = 0.25 * np.clip(rng.standard_normal(2), -2, 2)
    to_left = float(across)
    weights["eyeLookOutLeft"] = weights["eyeLookInRight"] = max(to_left, 0.0)
    weights["eyeLookInLeft"] = weights["eyeLookOutRight"] = max(-to_left, 0.0)
    for side in ("Left", "Right"):
        weights[f"eyeLookUp{side}"] = max(float(up), 0.0)
        weights[f"eyeLookDown{side}"] = max(-float(up), 0.0)
    chance, closing = rng.random(2)
    if wide:
        return
    closed = 1.0 if chance < 0.03 else 0.35 * float(closing) if chance < 0.35 else 0.0
    for side in ("Left", "Right"):
        room = 1.0 - weights.get(f"eyeSquint{side}", 0.0) - weights[f"eyeLookDown{side}"]
        weights[f"eyeBlink{side}"] = closed * max(room, 0.0)


def sample_pose(rng: np.random.Generator) -> Pose:
    """A sitting person who looks at the camera: the neck turned by a few degrees, the jaw at rest."""

    def turn(*degrees: float) -> Rotation:
        x, y, z = np.radians(degrees) * np.clip(rng.standard_normal(3), -2, 2)
        return float(x), float(y), float(z)

    return Pose(neck=turn(3.0, 2.0, 3.0))
