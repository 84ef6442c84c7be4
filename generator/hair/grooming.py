"""Grooming: few guides are grown, many strands lie between them, gather in locks and are trimmed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture.geometry import Floats
from generator.components.hair import HairSpec
from generator.hair.growth import Comb, Growth, curl, frizz, grow, settle
from generator.hair.obstacle import Obstacle
from generator.hair.strands import Roots, smoothstep

GUIDES = 700
"""Guides of a whole head of hair."""


@dataclass(frozen=True, eq=False)
class Guides:
    """Attributes:
    root: (G, 3).
    inner, outer: (G, P, 3) the lowest and the topmost layer of the hair above each root.
    side: (G,) -1 or 1 beside a parting, else 0: strands keep to the guides of their side.
    """

    root: Floats
    inner: Floats
    outer: Floats
    side: Floats


def choose_guides(roots: Roots, rng: np.random.Generator, count: int = GUIDES) -> NDArray[np.int64]:
    """(G,) the roots that guides are grown from, drawn without replacement."""
    return rng.permutation(len(roots))[:count]


def grow_guides(
    roots: Roots, side: Floats, length: Floats, depth: float, steps: int, comb: Comb, obstacle: Obstacle, growth: Growth
) -> Guides:
    """Guides from roots (G), metres; `comb` sees both layers of each at once, the inner ones first."""
    both = Roots(*(np.concatenate([v, v]) for v in (roots.points, roots.normals, roots.base, roots.mask)))
    layer = np.repeat([0.0014, 0.0014 + depth], len(roots))
    points = grow(both, np.tile(length, 2), layer, steps, comb, obstacle, growth)
    return Guides(roots.points, points[: len(roots)], points[len(roots) :], side)


def fill(guides: Guides, roots: Roots, side: Floats, depth: Floats) -> Floats:
    """(S, P, 3) strands between their three nearest guides, at `depth` (S,) 0 to 1 of the hair's layers."""
    nearest, weight = _neighbours(guides, roots, side)
    points = np.zeros((len(roots), *guides.inner.shape[1:]))
    for k in range(nearest.shape[1]):
        at = nearest[:, k]
        shape = guides.inner[at] + (guides.outer[at] - guides.inner[at]) * depth[:, None, None]
        points += (shape - guides.root[at][:, None]) * weight[:, k, None, None]
    return points + roots.points[:, None]


def _neighbours(guides: Guides, roots: Roots, side: Floats) -> tuple[NDArray[np.int64], Floats]:
    here = np.concatenate([roots.points, 0.1 * side[:, None]], axis=1).astype(np.float32)
    there = np.concatenate([guides.root, 0.1 * guides.side[:, None]], axis=1).astype(np.float32)
    square = (here**2).sum(1)[:, None] - 2 * here @ there.T + (there**2).sum(1)[None]
    count = min(3, len(there))
    nearest = (
        np.argpartition(square, count - 1, axis=1)[:, :count]
        if count < len(there)
        else np.tile(np.arange(count), (len(here), 1))
    )
    near = np.maximum(np.take_along_axis(square, nearest, axis=1), 0.0).astype(float) + 4e-6
    weight = 1 / near
    return nearest, weight / weight.sum(axis=1, keepdims=True)


def gather(strands: Floats, amount: float, size: int, rng: np.random.Generator) -> tuple[Floats, NDArray[np.int64]]:
    """Locks of about `size` strands: strands (S, P, 3) near to each other at root and middle meet towards the tips.

    Returns:
        the strands, and the lock of each (S,).
    """
    count = len(strands)
    locks = max(count // size, 1)
    guides = np.argsort(rng.random(count))[:locks]
    middle = strands[:, strands.shape[1] // 2]
    features = np.concatenate([strands[:, 0], 0.7 * middle], axis=1).astype(np.float32)
    centres = features[guides]
    lock = np.argmin((centres**2).sum(1)[None] - 2 * features @ centres.T, axis=1)
    t = np.linspace(0, 1, strands.shape[1])[None, :]
    reach = 0.25 + 0.5 * rng.random((locks, 1))  # where each lock closes
    loose = np.where(rng.random((count, 1)) < 0.04, 0.15, 0.7 + 0.3 * rng.random((count, 1)))  # fly-aways
    pull = amount * loose * np.clip(t / reach[lock], 0, 1) ** 1.3
    return strands + (strands[guides[lock]] - strands) * pull[..., None], lock


def trim(strands: Floats, share: Floats) -> Floats:
    """Strands (S, P, 3) cut to a share (S,) of their length, the points spread evenly again."""
    at = np.linspace(0, 1, strands.shape[1])[None] * (np.clip(share, 0.02, 1) * (strands.shape[1] - 1))[:, None]
    low = np.minimum(at.astype(int), strands.shape[1] - 2)
    t = (at - low)[..., None]
    rows = np.arange(len(strands))[:, None]
    return np.asarray(strands[rows, low] * (1 - t) + strands[rows, low + 1] * t)


def cut(strands: Floats, level: Floats, where: NDArray[np.bool_] | None = None) -> Floats:
    """Strands shortened where they first go below `level` (S,) metres; only those of `where` (S,) if given."""
    below = strands[..., 2] < level[:, None]
    below[:, :2] = False
    if where is not None:
        below &= where[:, None]
    last = strands.shape[1] - 1
    return trim(strands, np.where(below.any(axis=1), below.argmax(axis=1), last) / last)


def stretch(spec: HairSpec) -> float:
    """Length of a coiled strand over that of the axis that it winds around."""
    return float(np.hypot(1.0, 2 * np.pi * spec.curl_mm / 1000 * spec.curl_turns * 10))


def finish(
    points: Floats, spec: HairSpec, obstacle: Obstacle, rng: np.random.Generator, size: int = 14, wild: float = 0.004
) -> tuple[Floats, Floats]:
    """Locks within locks, curls that a lock shares, frizz, and all of it pushed off the skin.

    Returns:
        strands, and (S,) 0 to 1 by which locks differ in colour.
    """
    points, big = gather(points, 0.55 * spec.clump, size * 6, rng)
    points, lock = gather(points, 0.95 * spec.clump, size, rng)
    count, locks = len(points), int(lock.max(initial=0)) + 1
    loose = 0.12 + 0.4 * spec.frizz
    swing = 0.5 + 2.5 * min(spec.curl_turns / 10, 1.0)  # wide waves swing together, tight coils each for itself
    phase = (2 * np.pi * rng.random(int(big.max(initial=0)) + 1))[big] * min(spec.curl_turns / 5, 1.0)
    phase = phase + (swing * rng.standard_normal(locks))[lock] + loose * rng.standard_normal(count)
    turns = spec.curl_turns * 10 * (0.8 + 0.4 * rng.random(locks))[lock] * (1 + 0.03 * rng.standard_normal(count))
    radius = spec.curl_mm / 1000 * (0.5 + 0.6 * rng.random(locks))[lock]
    if spec.curl_mm > 0:
        points = curl(points, radius, turns, phase)
    amount = wild * (0.12 + 0.88 * spec.frizz) * np.where(rng.random(count) < 0.03, 2.2, 0.8)
    points = frizz(points, amount, rng)
    tone = 0.5 * rng.random(locks)[lock] + 0.3 * rng.random(int(big.max(initial=0)) + 1)[big] + 0.2 * rng.random(count)
    return settle(points, obstacle, 0.0012), tone


def edges(roots: Roots) -> Floats:
    """(S,) 0.5 to 1: hair is shorter and finer at the hairline."""
    return 0.5 + 0.5 * smoothstep(roots.mask, 0.15, 0.9)
