"""Pores, oil and lines of the skin: fields over its vertices that steer the shader's fine relief."""

from __future__ import annotations

import numpy as np

from capture.geometry import Floats
from generator.hair.strands import smoothstep
from generator.head import Part
from generator.skin.colour import region, soft_spot
from generator.skin.noise import wave_noise
from generator.streams import detail_stream


def relief_fields(part: Part, seed: int) -> tuple[Floats, Floats]:
    """Values of every vertex that the skin's shader reads: (V, 3) strengths and (V, 3) marks.

    Strengths are those of pores, oil and lines of age; marks are the lips (0 or 1), the phase across the lines, which
    wander and break off, and a noise that gathers freckles in patches.
    """
    lines, strength = wrinkles(part)
    rng = detail_stream(seed, "relief")
    lines = lines + 1.1 * (wave_noise(part.base, 0.018, rng) - 0.5)
    strength = strength * smoothstep(wave_noise(part.base, 0.011, rng), 0.40, 0.62)
    lips = part.masks.get("lips", np.zeros(len(part.vertices)))
    marks = np.stack([lips, lines, wave_noise(part.base, 0.03, rng)], axis=1)
    return np.stack([pore_strength(part.base), oil_strength(part.base), strength], axis=1), marks


def pore_strength(base: Floats) -> Floats:
    """(V,) 0 to 1: large pores on the nose and beside it, fewer on chin and forehead, hardly any elsewhere."""
    nose = soft_spot(base, (0.0, -0.035, -0.036), (0.020, 0.03, 0.020))
    cheeks = soft_spot(base, (0.028, -0.02, -0.035), (0.022, 0.04, 0.022))
    chin = soft_spot(base, (0.0, -0.03, -0.098), (0.022, 0.04, 0.016))
    forehead = soft_spot(base, (0.0, -0.02, 0.045), (0.045, 0.05, 0.028))
    return np.asarray(np.clip(0.25 + 0.75 * nose + 0.55 * cheeks + 0.35 * chin + 0.3 * forehead, 0, 1))


def oil_strength(base: Floats) -> Floats:
    """(V,) 0 to 1: the T of forehead, nose and chin."""
    nose = soft_spot(base, (0.0, -0.035, -0.025), (0.012, 0.03, 0.030))
    forehead = soft_spot(base, (0.0, -0.02, 0.045), (0.035, 0.05, 0.022))
    chin = 0.6 * soft_spot(base, (0.0, -0.03, -0.100), (0.014, 0.04, 0.012))
    return np.asarray(np.clip(nose + forehead + chin, 0, 1))


def wrinkles(part: Part) -> tuple[Floats, Floats]:
    """Lines of age: (V,) a phase that runs across them, one per line, and (V,) their strength, 0 to 1.

    Horizontal lines on the forehead, crow's feet that fan out from the outer corners of the eyes, lines under the eyes,
    the fold from nose to mouth, short ones around the lips. Where several overlap, the strongest gives the phase.
    """
    base = part.base
    side = np.stack([np.abs(base[:, 0]), base[:, 1], base[:, 2]], axis=1)
    sets = [_forehead(side), _crows_feet(side), _under_eye(side), _nasolabial(side), _around_lips(side)]
    strengths = np.stack([strength for _, strength in sets])
    winner = strengths.argmax(axis=0)
    phase = np.choose(winner, [line for line, _ in sets])
    second, strength = np.sort(strengths, axis=0)[-2:]
    strength = strength * (1 - second / np.maximum(strength, 1e-9)) ** 0.5  # fade where one set ends and another begins
    for name in ("lips", "inner_mouth", "nostrils", "eyelids", "ears"):
        strength = strength * (1 - region(part.masks, name))
    return phase, np.asarray(np.clip(strength, 0, 1))


def _forehead(side: Floats) -> tuple[Floats, Floats]:
    wave = 0.003 * (1 - np.cos(side[:, 0] / 0.014))  # they dip in the middle and above the ends of the brows
    return (side[:, 2] - wave) / 0.0085, 0.8 * soft_spot(side, (0.0, -0.02, 0.046), (0.040, 0.05, 0.020))


def _crows_feet(side: Floats) -> tuple[Floats, Floats]:
    x, z = side[:, 0] - 0.042, side[:, 2] + 0.002
    radius, angle = np.hypot(x, z), np.arctan2(z, np.maximum(x, 1e-6))
    reach = smoothstep(radius, 0.004, 0.009) * (1 - smoothstep(radius, 0.012, 0.026))
    fan = (1 - smoothstep(np.abs(angle), 0.7, 1.1)) * (x > 0) * (side[:, 1] < 0.03)
    return angle / 0.32, 0.6 * reach * fan


def _under_eye(side: Floats) -> tuple[Floats, Floats]:
    x, z = side[:, 0] - 0.032, side[:, 2] - 0.012  # circles around a point above the eye
    radius = np.hypot(0.8 * x, z)
    return radius / 0.0045, 0.6 * soft_spot(side, (0.031, -0.01, -0.016), (0.012, 0.04, 0.0055))


def _nasolabial(side: Floats) -> tuple[Floats, Floats]:
    at = np.clip((-0.040 - side[:, 2]) / 0.034, 0, 1.25)  # 0 beside the wing of the nose, 1 at the corner of the mouth
    curve = 0.0195 + 0.0125 * at**0.8 - 0.002 * at**3
    across = (side[:, 0] - curve) / 0.007
    along = smoothstep(at, 0.0, 0.15) * (1 - smoothstep(at, 1.0, 1.25)) * (side[:, 1] < 0.02)
    return across, np.exp(-(across**2)) * along


def _around_lips(side: Floats) -> tuple[Floats, Floats]:
    x, z = side[:, 0], side[:, 2] + 0.069
    angle = np.arctan2(z / 0.6, x)
    ring = np.hypot(x, z / 0.6)
    near = smoothstep(ring, 0.018, 0.022) * (1 - smoothstep(ring, 0.026, 0.034))
    near = near * (np.abs(x) < 0.016) * (side[:, 1] < 0.0)
    return angle / 0.17, 0.35 * near
