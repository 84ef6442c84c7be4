"""The prior of expressions, over the 52 facial actions that Apple's ARKit made a common vocabulary.

A mood is a table of actions with the range that each is drawn from at full intensity. A name without a side stands for
a left and a right action, which are drawn together and differ by a few percent.
"""

from __future__ import annotations

import numpy as np

from assets.head_models.head_model import FloatArray
from assets.parameter_sampler import ParameterSampler
from capture.errors import InputError

Actions = dict[str, tuple[float, float]]

MOODS: dict[str, Actions] = {
    "neutral": {},
    "smile": {"mouthSmile": (0.5, 0.9), "cheekSquint": (0.2, 0.5), "eyeSquint": (0.1, 0.4)},
    "laugh": {"mouthSmile": (0.6, 0.9), "jawOpen": (0.12, 0.35), "cheekSquint": (0.3, 0.6), "eyeSquint": (0.2, 0.5)},
    "talk": {},
    "brows": {"browInnerUp": (0.4, 0.8), "browOuterUp": (0.3, 0.7), "eyeWide": (0.1, 0.5)},
    "frown": {"browDown": (0.4, 0.8), "mouthFrown": (0.2, 0.5), "noseSneer": (0.0, 0.3)},
    "press": {"mouthPress": (0.3, 0.7), "mouthShrugLower": (0.1, 0.3)},
    "surprise": {"browInnerUp": (0.5, 0.9), "browOuterUp": (0.5, 0.8), "eyeWide": (0.4, 0.8), "jawOpen": (0.2, 0.5)},
    "disgust": {"noseSneer": (0.4, 0.8), "mouthUpperUp": (0.2, 0.5), "browDown": (0.2, 0.5), "eyeSquint": (0.1, 0.4)},
    "sad": {"browInnerUp": (0.4, 0.8), "mouthFrown": (0.4, 0.7), "mouthShrugLower": (0.1, 0.4)},
    "closed_eyes": {"eyeBlink": (1.0, 1.0)},
    "puff": {"cheekPuff": (0.4, 0.9), "mouthPress": (0.1, 0.3)},
    "kiss": {"mouthPucker": (0.5, 0.9), "mouthFunnel": (0.0, 0.2)},
    "random": {},
}
MOOD_WEIGHTS = {
    "neutral": 0.33, "smile": 0.12, "laugh": 0.04, "talk": 0.14, "brows": 0.06, "frown": 0.05, "press": 0.04,
    "surprise": 0.03, "disgust": 0.03, "sad": 0.02, "closed_eyes": 0.05, "puff": 0.01, "kiss": 0.01, "random": 0.07,
}  # fmt: skip

VISEMES: dict[str, Actions] = {
    "AA": {"jawOpen": (0.25, 0.45), "mouthLowerDown": (0.1, 0.25)},
    "EE": {"jawOpen": (0.06, 0.14), "mouthStretch": (0.2, 0.45), "mouthLowerDown": (0.15, 0.35)},
    "OO": {"jawOpen": (0.08, 0.18), "mouthPucker": (0.3, 0.6)},
    "OH": {"jawOpen": (0.18, 0.35), "mouthFunnel": (0.3, 0.6)},
    "MM": {"mouthPress": (0.2, 0.45), "mouthRollLower": (0.1, 0.3), "mouthRollUpper": (0.1, 0.25)},
    "FF": {"mouthRollLower": (0.25, 0.5), "mouthUpperUp": (0.1, 0.25)},
    "SS": {"jawOpen": (0.03, 0.07), "mouthStretch": (0.1, 0.3)},
    "TH": {"jawOpen": (0.10, 0.20), "mouthLowerDown": (0.1, 0.2)},
}

# A random expression takes at most one of each row, so that no two pull the same skin against each other.
ROWS: tuple[tuple[Actions, ...], ...] = (
    ({"browDown": (0.1, 0.8)}, {"browInnerUp": (0.1, 0.9)}, {"browOuterUp": (0.1, 0.8)},
     {"browInnerUp": (0.2, 0.8), "browOuterUp": (0.2, 0.7)}),
    ({"eyeSquint": (0.1, 0.8)}, {"eyeWide": (0.1, 0.8)}, {"eyeBlink": (0.1, 0.4)}),
    ({"cheekSquint": (0.1, 0.8)}, {"noseSneer": (0.1, 0.7)}),
    ({"mouthSmile": (0.1, 0.8)}, {"mouthFrown": (0.1, 0.7)}, {"mouthStretch": (0.1, 0.6)}, {"mouthPucker": (0.1, 0.8)},
     {"mouthFunnel": (0.1, 0.6)}, {"mouthDimple": (0.1, 0.7)}, {"mouthPress": (0.1, 0.7)},
     {"cheekPuff": (0.1, 0.8)}, {"mouthLeft": (0.1, 0.6)}, {"mouthRight": (0.1, 0.6)}),
    ({"mouthShrugLower": (0.1, 0.5)}, {"mouthShrugUpper": (0.1, 0.4)}, {"mouthRollLower": (0.1, 0.5)},
     {"mouthRollUpper": (0.1, 0.4)}, {"mouthUpperUp": (0.1, 0.4)}, {"mouthLowerDown": (0.1, 0.4)},
     {"jawOpen": (0.2, 0.4), "mouthClose": (0.05, 0.15)}),
    ({"jawOpen": (0.05, 0.5)}, {"jawForward": (0.1, 0.6)}, {"jawLeft": (0.1, 0.6)}, {"jawRight": (0.1, 0.6)},
     {"jawOpen": (0.3, 0.45), "tongueOut": (0.3, 0.8)}),
)  # fmt: skip
_MOST_ACTIONS = sum(max(map(len, row)) for row in ROWS)  # of one expression
ONE_SIDED_ANYWAY = ("mouthLeft", "mouthRight", "jawLeft", "jawRight")
FULL_GAZE_DEGREES = (14.5, 10.0)
"""Degrees by which an eyeLook action at 1 turns the eyeball, across and up or down; farther it does not go."""


def sample_expression(sampler: ParameterSampler, names: tuple[str, ...]) -> FloatArray:
    """(E,) weights of the actions `names`; actions that the model lacks are left out.

    Asks for mood, viseme, intensity, gaze_azimuth and gaze_elevation (degrees, to the subject's left and up), blink
    (0 open, 1 closed), and strength, which scales everything.
    """
    strength = sampler.number("strength", 1.0, 1.0)
    mood = sampler.choice("mood", MOOD_WEIGHTS, shows={"viseme": ("talk",)})
    viseme = sampler.choice("viseme", dict.fromkeys(VISEMES, 1.0))
    intensity = sampler.number("intensity", 0.3, 1.0)
    for name, value, most in (("strength", strength, 1.5), ("intensity", intensity, 1.5)):
        if not 0 <= value <= most:
            raise InputError(f"expression.{name}: {value:g} is no plausible face; use 0 to {most:g}")
    azimuth, elevation = sampler.normal("gaze_azimuth", 0.0, 7.0), sampler.normal("gaze_elevation", 0.0, 5.0)
    drowsy = sampler.number("blink", 0.0, 0.35, power=3.0)
    if not 0 <= drowsy <= 1:
        raise InputError(f"expression.blink: {drowsy:g}; use 0, open, to 1, closed")
    at = sampler.rng.random(3 * len(ROWS) + 8)
    uneven = sampler.rng.standard_normal(2 * max(len(names), _MOST_ACTIONS))  # a model may have few of them
    actions = {"talk": VISEMES[viseme], "random": _random_actions(at)}.get(mood, MOODS[mood])
    weights: dict[str, float] = {}
    for i, (name, (low, high)) in enumerate(actions.items()):
        value = (low + (high - low) * float(at[3 * len(ROWS) + i % 8])) * (1.0 if name == "eyeBlink" else intensity)
        for side, where in enumerate(_sides(name, names)):
            noise = 0.0 if name == "eyeBlink" else 0.12 * float(np.clip(uneven[2 * i + side], -2.5, 2.5))
            weights[where] = max(value * (1.0 + noise), 0.0)
    _look(weights, azimuth, elevation)
    _close_lids(weights, drowsy)
    return strength * np.array([min(weights.get(name, 0.0), 1.0) for name in names])


def _sides(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    pair = (f"{name}Left", f"{name}Right")
    return (name,) if name in names or name in ONE_SIDED_ANYWAY or pair[0] not in names else pair


def _random_actions(at: FloatArray) -> Actions:
    """One entry of each row at most, with the greater of two values where they share an action."""
    actions: Actions = {}
    for i, row in enumerate(ROWS):
        if at[2 * i] < 0.5:
            actions = {**row[int(at[2 * i + 1] * len(row))], **actions}
    return actions


def _look(weights: dict[str, float], azimuth: float, elevation: float) -> None:
    """Both eyes turned alike, in degrees: they look at something far, so they never cross."""
    left, up = azimuth / FULL_GAZE_DEGREES[0], elevation / FULL_GAZE_DEGREES[1]
    weights["eyeLookOutLeft"] = weights["eyeLookInRight"] = max(left, 0.0)
    weights["eyeLookInLeft"] = weights["eyeLookOutRight"] = max(-left, 0.0)
    for side in ("Left", "Right"):
        weights[f"eyeLookUp{side}"] = max(up, 0.0)
        weights[f"eyeLookDown{side}"] = max(-up, 0.0)


def _close_lids(weights: dict[str, float], drowsy: float) -> None:
    """No lid closes further than shut, whatever squints or looks down beside."""
    for side in ("Left", "Right"):
        room = 1.0 - weights.get(f"eyeSquint{side}", 0.0) - weights[f"eyeLookDown{side}"]
        wanted = max(weights.get(f"eyeBlink{side}", 0.0), drowsy if weights.get(f"eyeWide{side}", 0.0) == 0 else 0.0)
        weights[f"eyeBlink{side}"] = wanted * max(room, 0.0)
