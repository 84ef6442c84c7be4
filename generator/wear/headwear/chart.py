"""The skull as a height over the sphere of directions, and what is worn on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capture.geometry import Floats
from generator.geometry.head_frame import HeadFrame

COLUMNS = 120
ELEVATIONS = np.radians(np.arange(-60.0, 90.1, 3.0))
AZIMUTHS = 2 * np.pi * np.arange(COLUMNS) / COLUMNS
"""0 is the front, growing to the subject's left."""


def polar(local: Floats) -> tuple[Floats, Floats, Floats]:
    """Azimuth in [0, 2 pi), elevation, and radius (N,) each, of local points (N, 3)."""
    x, y, z = np.ascontiguousarray(local.T)  # of columns beside others numpy computes arctan2 in one way or another
    return np.arctan2(x, -y) % (2 * np.pi), np.arctan2(z, np.hypot(x, y)), np.linalg.norm(local, axis=1)


def directions(azimuth: Floats, elevation: Floats) -> Floats:
    """(..., 3) unit vectors."""
    flat = np.cos(elevation)
    return np.stack(np.broadcast_arrays(flat * np.sin(azimuth), -flat * np.cos(azimuth), np.sin(elevation)), axis=-1)


def interpolated(grid: Floats, azimuth: Floats, elevation: Floats) -> Floats:
    """(N,) a grid (elevations, azimuths) between its nodes, bilinear."""
    row = np.clip((elevation - ELEVATIONS[0]) / (ELEVATIONS[1] - ELEVATIONS[0]), 0, len(ELEVATIONS) - 1.001)
    column = azimuth / (2 * np.pi) * COLUMNS
    i, j = row.astype(int), np.floor(column).astype(int) % COLUMNS
    s, t, k = row - i, column - np.floor(column), (j + 1) % COLUMNS
    low, high = grid[i, j] * (1 - t) + grid[i, k] * t, grid[i + 1, j] * (1 - t) + grid[i + 1, k] * t
    return np.asarray(low * (1 - s) + high * s)


def blurred(grid: Floats, rounds: int = 1) -> Floats:
    """A grid averaged with its neighbours, around and up; the pole is one value."""
    for _ in range(rounds):
        grid = 0.5 * grid + 0.25 * (np.roll(grid, 1, 1) + np.roll(grid, -1, 1))
        padded = np.concatenate([grid[:1], grid, np.roll(grid[-2:-1], COLUMNS // 2, 1)])
        grid = 0.5 * grid + 0.25 * (padded[:-2] + padded[2:])
        grid[-1] = grid[-2].mean()
    return grid


def skull_heights(local: Floats) -> Floats:
    """(elevations, azimuths) radius, metres, that the points (N, 3) around the origin stay within, smooth."""
    azimuth, elevation, radius = polar(local)
    row = np.rint((elevation - ELEVATIONS[0]) / (ELEVATIONS[1] - ELEVATIONS[0])).astype(int)
    column = np.rint(azimuth / (2 * np.pi) * COLUMNS).astype(int) % COLUMNS
    inside = row >= 0
    grid = np.zeros((len(ELEVATIONS), COLUMNS))
    np.maximum.at(grid, (row[inside], column[inside]), radius[inside])
    top = np.radians(80) < ELEVATIONS
    grid[top] = grid[top].max(axis=1, keepdims=True)
    known = grid > 0
    for _ in range(len(ELEVATIONS)):
        wide = np.maximum.reduce([np.roll(grid, shift, 1) for shift in (-1, 0, 1)])
        wide = np.maximum(wide, np.maximum(np.vstack([wide[1:], wide[-1:]]), np.vstack([wide[:1], wide[:-1]])))
        if known.all():
            break
        grid, known = np.where(known, grid, wide), known | (wide > 0)
    tight = blurred(np.maximum(wide, grid), 1)
    smooth = tight
    for _ in range(6):
        smooth = np.maximum(blurred(smooth, 3), tight)
    return np.maximum(blurred(smooth, 2), tight)


@dataclass(frozen=True, eq=False)
class Cover:
    """The cover of the skull by headwear, for the hair below it.

    Attributes:
        frame: of the skull.
        skin, inner: (elevations, azimuths) radii of the skin and of the cover's inside.
        low, high: (azimuths,) elevations between which it covers.
        slope: by how much hair may stand off more for every metre that it is away from the cover's rim.
    """

    frame: HeadFrame
    skin: Floats
    inner: Floats
    low: Floats
    high: Floats
    slope: float

    def outside(self, azimuth: Floats, elevation: Floats) -> Floats:
        """(N,) how far directions lie off the covered band, metres; negative within it."""
        low = np.interp(azimuth, AZIMUTHS, self.low, period=2 * np.pi)
        high = np.interp(azimuth, AZIMUTHS, self.high, period=2 * np.pi)
        return np.asarray(0.1 * np.maximum(low - elevation, elevation - high))
