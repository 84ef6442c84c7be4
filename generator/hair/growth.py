"""Growing strands step by step: they follow a combing direction, sink under gravity, and stay outside the head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from capture.geometry import Floats, unit
from generator.hair.obstacle import Obstacle
from generator.hair.strands import Roots, smoothstep

Comb = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True)
class Growth:
    """Parameters of growing strands.

    Attributes:
        lift: share of the skin's normal in the first direction, 0 lies flat, 1 stands up.
        comb: pull towards the combing direction per step.
        gravity: pull down per step.
        stiffness: share of the direction that survives a step.
        cohesion: pull back to the head where a strand stands off farther than its layer, above the chin.
    """

    lift: float = 0.3
    comb: float = 0.25
    gravity: float = 0.1
    stiffness: float = 1.0
    cohesion: float = 0.0


def grow(
    roots: Roots, length: Floats, layer: Floats, steps: int, comb: Comb, obstacle: Obstacle, growth: Growth
) -> Floats:
    """Grow strands.

    Args:
        roots: S roots.
        length: (S,) metres.
        layer: (S,) metres that a strand's far part keeps from the head: its place in the depth of the hair.
        steps: points per strand.
        comb: (points (S, 3), away-from-the-head (S, 3)) -> directions of combing (S, 3).

    Returns:
        (S, steps, 3) metres.
    """
    step = (length / (steps - 1))[:, None]
    points = roots.points.copy()
    away = roots.normals
    direction = unit(unit(_tangential(comb(points, away), away)) * (1 - growth.lift) + away * growth.lift)
    track = [points]
    for index in range(1, steps):
        combed = comb(points, away)
        direction = unit(
            growth.stiffness * direction
            + growth.comb * combed
            + np.array([0, 0, -growth.gravity])
            - away * (growth.cohesion * _excess(obstacle, points, layer))[:, None]
        )
        moved = points + direction * step
        reached = index * step[:, 0]
        height = np.minimum(0.0004 + 0.8 * reached, 0.0012 + (layer - 0.0012) * smoothstep(reached, 0.004, 0.035))
        moved = obstacle.push(obstacle.deflect(moved), height)
        change = moved - points
        size = np.linalg.norm(change, axis=1, keepdims=True)
        moved = points + change * np.minimum(1.0, step / np.maximum(size, 1e-9))  # no jumps, and no longer than asked
        direction = unit(moved - points)
        away = obstacle.field.gradient(moved)
        points = moved
        track.append(points)
    return np.stack(track, axis=1)


def _excess(obstacle: Obstacle, points: Floats, layer: Floats) -> Floats:
    """(N,) 0 to 1, how far points stand off their layer; 1 is 12 mm or more. Fades out below the level to hang from."""
    far = np.clip((obstacle.field.distance(points) - layer) / 0.012, 0, 1)
    return np.asarray(far * smoothstep(points[:, 2], obstacle.hang - 0.01, obstacle.hang + 0.04))


def _tangential(vectors: Floats, normals: Floats) -> Floats:
    return np.asarray(vectors - (vectors * normals).sum(axis=1, keepdims=True) * normals)


def curl(
    strands: Floats, radius: Floats, turns: Floats, phase: Floats, ramp: tuple[float, float] = (0.05, 0.4)
) -> Floats:
    """Wind strands (S, P, 3) around themselves.

    Args:
        radius: (S,) of the coils, metres.
        turns: (S,) per metre.
        phase: (S,) radians.
        ramp: share of the length over which the coil opens.
    """
    steps = np.linalg.norm(np.diff(strands, axis=1), axis=2)
    along = np.concatenate([np.zeros((len(strands), 1)), np.cumsum(steps, axis=1)], axis=1)
    forward = unit(np.gradient(strands, axis=1))
    side = unit(np.cross(forward, np.array([0.31, 0.17, 0.93])))
    up = np.cross(forward, side)
    angle = 2 * np.pi * turns[:, None] * along + phase[:, None]
    t = along / np.maximum(along[:, -1:], 1e-9)
    amount = (radius[:, None] * smoothstep(t, *ramp))[..., None]
    return strands + amount * (np.cos(angle)[..., None] * side + np.sin(angle)[..., None] * up)


def frizz(strands: Floats, amount: float | Floats, rng: np.random.Generator) -> Floats:
    """Bend each strand its own way; `amount` in metres at the tip, one or (S,)."""
    count, steps = strands.shape[:2]
    t = np.linspace(0, 1, steps)[None, :, None]
    once, twice = rng.standard_normal((count, 1, 3)), rng.standard_normal((count, 1, 3))
    phase = 2 * np.pi * rng.random((count, 1, 1))
    size = np.asarray(amount, float).reshape(-1, 1, 1)
    return strands + size * (once * t**1.5 * 0.6 + twice * t * np.sin(5 * t + phase) * 0.5)


def settle(strands: Floats, obstacle: Obstacle, least: float) -> Floats:
    """Push all but the roots out to at least `least` metres from the head, growing from the root."""
    count, steps = strands.shape[:2]
    flat = strands[:, 1:].reshape(-1, 3)
    ramp = np.tile(np.minimum(np.arange(1, steps) / 3, 1.0) * least, count)
    moved = obstacle.push(flat, ramp).reshape(count, steps - 1, 3)
    return np.concatenate([strands[:, :1], moved], axis=1)
