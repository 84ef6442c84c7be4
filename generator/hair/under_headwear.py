"""Hair below our own headwear: pressed into the gap between skin and cloth; what hangs out below the rim stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from generator.hair.strands import Strands
from generator.wear.headwear.chart import Cover, interpolated, polar

MARGIN = 0.0008
"""Distance that strands keep from the cover's inside, metres."""
HIDDEN = 0.012
"""Strands that stay farther than this within the rim are left out, as nobody sees them, metres."""


def press_under_headwear(strands: Strands, cover: Cover) -> Strands:
    """Strands that stay within a cover, and near its rim flare out no steeper than its brim allows.

    Radii are squeezed smoothly (x / (1 + x^3)^(1/3) of the room), so that what lay outside still does.
    """
    count, steps = strands.points.shape[:2]
    local = cover.frame.local(strands.points.reshape(-1, 3))
    azimuth, elevation, radius = polar(local)
    off = cover.outside(azimuth, elevation)
    skin = interpolated(cover.skin, azimuth, elevation)
    room = interpolated(cover.inner, azimuth, elevation) - MARGIN + cover.slope * np.maximum(off, 0) - skin
    share = np.maximum(radius - skin, 0) / np.maximum(room, 1e-5)
    kept = skin + room * share / np.cbrt(1 + share**3)
    moved = np.where((radius > skin) & (room > 0), np.minimum(kept, radius), radius)
    points = cover.frame.world(local * (moved / np.maximum(radius, 1e-9))[:, None]).reshape(count, steps, 3)
    seen = (off.reshape(count, steps) > -HIDDEN).any(axis=1)
    return replace(strands, points=points).keep(seen)
