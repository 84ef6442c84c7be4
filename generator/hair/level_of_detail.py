"""Hair at the level of detail of the pixels: fewer strands, as much wider.

Cook et al. 2007, "Stochastic Simplification of Aggregate Detail": elements are left out in an order that is the same
at every level, the others grow so that all of them together cover as much.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capture.geometry import Floats
from generator.hair.strands import Strands

WIDEST = 1 / 4
"""Width of a strand, in pixels, up to which fewer ones are made wider."""
LEAST_LENGTH = 0.016
"""Metres from which strands lie in many layers over each other; shorter hair is seen hair by hair."""
_GOLDEN = (5**0.5 - 1) / 2


def coarse_strands(strands: Strands, pixel: float) -> Strands:
    """The strands that pixels of a size ask for: a share of them, spread evenly, with radii that keep their area.

    Strands of a coarser level are strands of every finer one. What lies on the skin hair by hair (stubble, brows,
    lashes) stays as it is: there it is seen how many there are.

    Args:
        strands: at full detail.
        pixel: metres that a pixel covers; 0 is full detail.
    """
    width = 2 * float(strands.radii.mean())
    if width >= WIDEST * pixel or lengths(strands).mean() < LEAST_LENGTH:
        return strands
    kept = strands.keep(detail_order(len(strands)) < width / (WIDEST * pixel))
    if not len(kept):
        return strands
    return replace(kept, radii=kept.radii * (side_area(strands) / side_area(kept)))


def detail_order(count: int) -> Floats:
    """(count,) 0 to 1, the share of strands from which on each is there: multiples of the golden ratio, modulo 1.

    Every share is spread evenly over the numbers of the strands, and with them over the skin.
    """
    return np.asarray(np.arange(1, count + 1) * _GOLDEN % 1.0)


def side_area(strands: Strands) -> float:
    """Sum of length times width, square metres."""
    return float((_steps(strands) * (strands.radii[:, 1:] + strands.radii[:, :-1])).sum())


def lengths(strands: Strands) -> Floats:
    """(S,) metres."""
    return np.asarray(_steps(strands).sum(axis=1))


def _steps(strands: Strands) -> Floats:
    return np.asarray(np.linalg.norm(np.diff(strands.points, axis=1), axis=2))
