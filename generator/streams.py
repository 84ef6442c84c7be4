"""Random streams: every component of a head, and every detail of a component, draws from one of its own.

They are part of the data format: a seed gives the same head in every version.
"""

from __future__ import annotations

import hashlib

import numpy as np

from capture import InputError


def component_stream(seed: int, name: str) -> np.random.Generator:
    """The random stream of one component of one head: the same for the same seed and name, whatever else is drawn."""
    if seed < 0:
        raise InputError(f"seed {seed}: use an integer from 0 on")
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, number])))


def detail_stream(seed: int, name: str) -> np.random.Generator:
    """The random stream of a detail of a component, such as its folds; `seed` is the one in the component's record."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *name.encode()])))
