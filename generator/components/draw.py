"""Drawing numbers for specs: plain Python values, rounded so that JSON holds them exactly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

DIGITS = 6


def uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number in [low, high)."""
    return round(low + (high - low) * float(rng.random()), DIGITS)


def chance(rng: np.random.Generator, probability: float) -> bool:
    """True with a probability."""
    return bool(rng.random() < probability)


def pick(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """One of the keys, as often as its weight says."""
    names = list(weights)
    edges = np.cumsum([weights[name] for name in names])
    return names[int(np.searchsorted(edges, rng.random() * edges[-1], side="right"))]


def integer(rng: np.random.Generator) -> int:
    """A seed for the detail of a component, 0 to 2**31 - 1."""
    return int(rng.random() * 2**31)
