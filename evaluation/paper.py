"""Results of the paper, as far as they are known (Chen et al., "Pixels2Points", Eurographics 2025 short papers).

Its tables could be had neither as text nor as numbers: only what its abstract and supplement say in words, or what can
be read off a plot, stands here. The page marks the cells that `TABLE` lacks; type one in and it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """A row of the paper's tables: mIoU, and mean and standard deviation of the registration's distance in mm."""

    miou: float | None = None
    mean_mm: float | None = None
    std_mm: float | None = None


TABLE: Mapping[str, Cell] = {}  # row of `p2p evaluate` -> what the paper has there

# Training heads -> mIoU on synthetic heads; the supplement's curve over the size of the data set.
SIZE_CURVE: dict[int, float] = {10: 0.81, 50: 0.875, 500: 0.90, 2500: 0.93}

# By how much less the registration's distance is than with the best baseline of a kind (abstract).
BETTER_THAN = {"2D": 0.0889, "3D": 0.143}
