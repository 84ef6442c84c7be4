"""Random numbers by counting: each is a hash of what it is for, so no thread's order can change it."""

from __future__ import annotations

import numpy as np

from reconstruction.patchmatch.jit import inlined

_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_UNIT = np.float32(1.0 / (1 << 24))


@inlined
def mix(value):  # type: ignore[no-untyped-def]
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): 64 well mixed bits of a 64-bit counter."""
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


@inlined
def stream(key, pixel):  # type: ignore[no-untyped-def]
    """Start of the numbers of a pixel, under a key that stands for seed, view, level and iteration."""
    return mix(np.uint64(key) + _STEP * np.uint64(pixel + 1))


@inlined
def uniform(start, index):  # type: ignore[no-untyped-def]
    """Number `index` of a stream, in [0, 1)."""
    bits = mix(start + _STEP * np.uint64(index + 1))
    return np.float32(bits >> np.uint64(40)) * _UNIT


def stream_key(*parts: int) -> np.uint64:
    """A key (see `stream`) out of small non-negative integers."""
    value = 0
    for part in parts:
        value = ((value ^ (part + 1)) * 0x9E3779B97F4A7C15 + 0x7F4A7C15) & 0xFFFFFFFFFFFFFFFF
        value ^= value >> 29
    return np.uint64(value)
