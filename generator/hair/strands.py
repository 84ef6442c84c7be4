"""Strands, and the roots that they grow from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture.geometry import Floats, face_areas
from generator.head import Part


@dataclass(frozen=True, eq=False)
class Strands:
    """Hair of one kind.

    Attributes:
        points: (S, P, 3) from root to tip, metres.
        radii: (S, P) metres.
        shade: (S,) 0 to 1, what makes a strand differ from its neighbours in colour.
        tone: (S,) 0 to 1, what makes a lock differ from the next, or None.
    """

    points: Floats
    radii: Floats
    shade: Floats
    tone: Floats | None = None

    def __len__(self) -> int:
        return len(self.points)

    def keep(self, chosen: NDArray) -> Strands:
        """Those of an index or a boolean mask."""
        tone = None if self.tone is None else self.tone[chosen]
        return Strands(self.points[chosen], self.radii[chosen], self.shade[chosen], tone)


@dataclass(frozen=True, eq=False)
class Roots:
    """The points at which strands leave the skin.

    Attributes:
        points, normals, base: (S, 3) position, outward normal, and position on the mean head.
        mask: (S,) value of the region's mask.
    """

    points: Floats
    normals: Floats
    base: Floats
    mask: Floats

    def __len__(self) -> int:
        return len(self.points)

    def keep(self, chosen: NDArray) -> Roots:
        """Those of an index or a boolean mask."""
        return Roots(self.points[chosen], self.normals[chosen], self.base[chosen], self.mask[chosen])


def scatter(part: Part, density: Floats, count: int, rng: np.random.Generator) -> Roots:
    """Roots spread over a part, as many per area as `density` (V,) says."""
    weight = np.cumsum(face_areas(part.vertices, part.triangles) * density[part.triangles].mean(axis=1))
    if count == 0 or weight[-1] <= 0:
        empty = np.zeros((0, 3))
        return Roots(empty, empty, empty, np.zeros(0))
    # Stratified: evenly spaced along the sum of areas, so that no bald spots arise by chance.
    at = (np.arange(count) + rng.random(count)) / count * weight[-1]
    face = np.minimum(np.searchsorted(weight, at, side="right"), len(weight) - 1)
    u, v = np.sqrt(rng.random(count)), rng.random(count)
    barycentric = np.stack([1 - u, u * (1 - v), u * v], axis=1)

    def interpolate(values: Floats) -> Floats:
        return np.asarray(np.einsum("sc,sc...->s...", barycentric, values[part.triangles[face]]))

    normals = interpolate(part.normals)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Roots(interpolate(part.vertices), normals, interpolate(part.base), interpolate(density))


def taper(count: int, points: int, root: float, tip: float, rng: np.random.Generator) -> Floats:
    """(count, points) radii that shrink towards the tips, strands of slightly different strength."""
    t = np.linspace(0, 1, points)
    shape = tip + (1 - tip) * (1 - t**3)
    return root * np.asarray(shape[None] * (0.8 + 0.4 * rng.random((count, 1))))


def smoothstep(value: Floats, low: float, high: float) -> Floats:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
