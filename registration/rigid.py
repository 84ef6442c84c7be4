"""Rigid alignment of the template to the scan, searched for all over the scan where needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assets.head_models.head_model import Pose
from capture import InputError
from capture.geometry import rotation_matrix, vertex_normals
from registration.target import Target
from registration.template import Coefficients, Template, axis_angle

Floats = NDArray[np.float64]

_POINTS = 1500  # of the template that take part
_NEAR = 0.02  # metres: nothing is right unless most of the face is so near
_TIGHT = 0.003  # metres: skin of another head's shape, put right; on hair and shoulders little of a face lies so near
_BESIDE = 0.006  # metres to the nearest vertex, as scans may be coarse; tight is the way to its tangent plane
_FAR, _CLOSE = 0.1, 0.03  # metres, from where a scan attracts the head at first
_STEPS = 40
_GOOD = 0.5  # share of the face that has to lie near
_SURE, _LEAST = 0.55, 0.25  # shares that lie tight: where no other place is looked for, and below which none is right

# The search: from few points, steps and many starts to all points, a full course and the best few.
_SEEDS = 64  # places on the scan where the face is put, looking the way the scan does there
_AROUND = 0.04  # metres, over which that way is taken
_SPINS = 8  # about that way
_ROUNDS = ((120, 8, 40), (400, 20, 8), (_POINTS, _STEPS, 1))  # points, steps, how many are kept


@dataclass(frozen=True)
class _Fit:
    """A rigid motion, and the shares of the points that it brings near and tight to the scan."""

    near: float
    tight: float
    rotation: Floats
    shift: Floats


def from_landmarks(template: Template, head: Coefficients, landmarks: Mapping[str, Floats]) -> Coefficients:
    """The head moved so that its landmarks lie on the scan's, name -> (3,) metres (Umeyama 1991, without scale).

    Raises `InputError` where fewer than three are known to the head model, or they lie on a line.
    """
    known = [name for name in landmarks if name in template.model.landmarks]
    if len(known) < 3:
        some = ", ".join(sorted(template.model.landmarks)[:6])
        raise InputError(f"landmarks: {len(known)} of them are known; three are needed of {some}, ...")
    vertices = np.asarray(template.model.vertices(head.identity, head.expression, Pose()), float)
    ours = np.stack([vertices[template.model.landmarks[name]] for name in known])
    theirs = np.stack([np.asarray(landmarks[name], float) for name in known])
    if np.linalg.svd(theirs - theirs.mean(axis=0), compute_uv=False)[1] < 0.005:
        raise InputError(f"landmarks {', '.join(known)} lie on a line; give some that don't")
    rotation, shift = rigid_motion(ours, theirs)
    return replace(head, turn=axis_angle(rotation), shift=shift)


def rigid_motion(source: Floats, goal: Floats, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Rotation (3, 3) and shift (3,) that bring points (N, 3) nearest to others (Kabsch)."""
    w = np.ones(len(source)) if weights is None else weights
    w = w / w.sum()
    centre, aim = w @ source, w @ goal
    u, _, vt = np.linalg.svd((source - centre).T @ ((goal - aim) * w[:, None]))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(vt.T @ u.T))])
    rotation = vt.T @ flip @ u.T
    return rotation, aim - rotation @ centre


def align(
    template: Template,
    head: Coefficients,
    target: Target,
    search: bool = True,
    detected: Mapping[str, Floats] | None = None,
) -> Coefficients:
    """The head moved rigidly onto the target.

    It starts where `head` is, in the frame of our captures. Where the face doesn't come to lie tightly on the scan from
    there, it starts where landmarks are that were detected, name -> (3,), and else it is looked for all over, unless
    `search` is False.

    Raises `InputError` where it isn't found.
    """
    surface = template.surface(head)
    normals = vertex_normals(surface, template.faces)
    face = np.flatnonzero(template.face_mask)
    chosen = _spread(face, _POINTS)
    best = _icp(surface[chosen], normals[chosen], target)
    if best.tight < _SURE and detected:
        there = from_landmarks(template, head, detected)
        turn = there.rotation @ head.rotation.T
        start = turn, there.shift - turn @ head.shift
        best = max(best, _icp(surface[chosen], normals[chosen], target, start, _CLOSE), key=lambda fit: fit.tight)
    if best.tight < _SURE and search:
        best = max(best, _search(surface[face], normals[face], target), key=lambda fit: fit.tight)
    if best.near < _GOOD or best.tight < _LEAST:
        cure = "bring it near the frame of our captures (metres, Z up, face towards -Y), or give `landmarks`"
        raise InputError(f"only {best.tight:.0%} of the template's face comes to lie on the scan; {cure}")
    rotation, shift = best.rotation, best.shift
    return replace(head, turn=axis_angle(rotation @ head.rotation), shift=rotation @ head.shift + shift)


def _search(points: Floats, normals: Floats, target: Target) -> _Fit:
    """The best place for a face (N, 3) anywhere on the target, whichever way round."""
    middle, forward = points.mean(axis=0), normals.mean(axis=0)
    starts = [
        (rotation, target.vertices[seed] - rotation @ middle)
        for seed in _far_apart(target.vertices, _SEEDS)
        for rotation in _turns(forward, target.mean_normal(target.vertices[seed], _AROUND))
    ]
    fits: list[_Fit] = []
    for count, steps, kept in _ROUNDS:
        some = _spread(np.arange(len(points)), count)
        reach = _CLOSE if fits else _FAR
        fits = [_icp(points[some], normals[some], target, start, reach, steps) for start in starts]
        fits = sorted(fits, key=lambda fit: -fit.tight)[:kept]
        starts = [(fit.rotation, fit.shift) for fit in fits]
    return fits[0]


def _icp(
    points: Floats,
    normals: Floats,
    target: Target,
    start: tuple[Floats, Floats] | None = None,
    reach: float = _FAR,
    steps: int = _STEPS,
) -> _Fit:
    """Point-to-plane ICP with Tukey weights."""
    rotation, shift = start or (np.eye(3), np.zeros(3))
    least = _NEAR / 4
    fall = min(0.85, (least / reach) ** (1 / steps))
    for step in range(steps):
        moved, turned = points @ rotation.T + shift, normals @ rotation.T
        limit = max(reach * fall**step, least)
        hits = target.nearest(moved, 2 * limit)
        facing = (hits.normals * turned).sum(axis=1)
        offset = ((hits.points - moved) * hits.normals).sum(axis=1)
        weights = hits.weights * (facing > 0.3) * np.clip(1 - (hits.distance / (2 * limit)) ** 2, 0, 1) ** 2
        if (weights > 0).sum() < 20:
            break
        rows = np.concatenate([np.cross(moved, hits.normals), hits.normals], axis=1)
        system = rows.T @ (rows * weights[:, None]) + 1e-9 * np.eye(6)
        change = np.linalg.solve(system, rows.T @ (weights * offset))
        turn = rotation_matrix(change[:3])
        rotation, shift = turn @ rotation, turn @ shift + change[3:]
        if limit <= least and np.abs(change).max() < 1e-6:
            break
    moved, turned = points @ rotation.T + shift, normals @ rotation.T
    hits = target.nearest(moved, _NEAR)
    facing = (hits.normals * turned).sum(axis=1)
    offset = np.abs(np.where(np.isfinite(hits.distance), ((hits.points - moved) * hits.normals).sum(axis=1), np.inf))
    near = (facing > 0.3) & (hits.distance < _NEAR)
    tight = (facing > 0.7) & (hits.distance < _BESIDE) & (offset < _TIGHT)
    return _Fit(float(near.mean()), float(tight.mean()), rotation, shift)


def _turns(source: Floats, goal: Floats) -> list[Floats]:
    """Rotations that take one direction (3,) to another, spun about it."""
    from scipy.spatial.transform import Rotation

    axis = goal / np.linalg.norm(goal)
    first, _ = Rotation.align_vectors(axis[None], source[None] / np.linalg.norm(source))
    angles = 2 * np.pi * np.arange(_SPINS) / _SPINS
    return [np.asarray((Rotation.from_rotvec(angle * axis) * first).as_matrix()) for angle in angles]


def _far_apart(points: Floats, count: int) -> list[int]:
    """Indices of points that cover all of them: each is the farthest from those before (Gonzalez 1985)."""
    chosen = [int(np.linalg.norm(points - points.mean(axis=0), axis=1).argmin())]
    distance = np.linalg.norm(points - points[chosen[0]], axis=1)
    while len(chosen) < count:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return chosen


def _spread(chosen: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """About `count` of the indices, evenly spaced."""
    return chosen[:: max(1, len(chosen) // count)]
