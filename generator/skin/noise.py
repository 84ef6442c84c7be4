"""Noise at points: fields that are smooth enough are computed once a vertex, not in the shader."""

from __future__ import annotations

import numpy as np

from capture.geometry import Floats, unit

_WAVES = 16
_DEVIATION = 0.085  # of Blender's noise texture with three octaves


def wave_noise(points: Floats, size: float, rng: np.random.Generator, octaves: int = 3) -> Floats:
    """(V,) noise around 0.5 with features of about `size` metres and finer ones, at points (V, 3) in metres.

    A sum of cosines of random directions, lengths and phases (Shinozuka and Jan 1972, "Digital simulation of random
    processes and its applications"), as even as Blender's noise texture; octave i weighs 0.6**i.
    """
    octave = np.repeat(np.arange(octaves), _WAVES)
    directions = unit(rng.standard_normal((len(octave), 3)))
    per_metre = rng.uniform(0.4, 0.9, len(octave)) * 2.0**octave / size
    phase = 2 * np.pi * rng.random(len(octave))
    weights = 0.6**octave
    weights *= _DEVIATION / np.sqrt((weights**2).sum() / 2)
    waves = (2 * np.pi * directions * per_metre[:, None]).astype(np.float32)
    # not products of matrices: those add up in an order that depends on the number of threads
    angles = np.einsum("vc,wc->vw", points.astype(np.float32), waves)
    angles += phase.astype(np.float32)
    return 0.5 + np.einsum("vw,w->v", np.cos(angles), weights.astype(np.float32)).astype(float)
