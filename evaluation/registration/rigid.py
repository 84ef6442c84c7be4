"""Where the head is: a rigid motion of the template onto the scan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from capture import InputError
from capture.geometry import vertex_normals
from evaluation.registration.target import Target
from evaluation.registration.template import Coefficients, Template, axis_angle, rotation_matrix

Floats = NDArray[np.float64]

_POINTS = 1500  # of the template that take part
_NEAR = 0.02  # metres: the search is right where most of the face is so near
_FAR, _CLOSE = 0.1, 0.03  # metres, from where a scan attracts the head at first
_STEPS = 40
_GOOD = 0.5  # share of the face that has to lie near


@dataclass(frozen=True)
class _Fit:
    """How well a motion fits: mean nearness of the points, 0 to 1; share of them that lie near; and the motion."""

    score: float
    near: float
    rotation: Floats
    shift: Floats


def from_landmarks(template: Template, head: Coefficients, found: Mapping[str, Floats]) -> Coefficients:
    """The head moved so that its landmarks lie on those found, name -> (3,) metres (Umeyama 1991, without scale).

    Raises `InputError` where fewer than three are known to the head model, or they lie on a line.
    """
    known = [name for name in found if name in template.model.landmarks]
    if len(known) < 3:
        some = ", ".join(sorted(template.model.landmarks)[:6])
        raise InputError(f"landmarks: {len(known)} of them are known; three are needed of {some}, ...")
    from assets.head_model import Pose

    vertices = np.asarray(template.model.vertices(head.identity, head.expression, Pose()), float)
    ours = np.stack([vertices[template.model.landmarks[name]] for name in known])
    theirs = np.stack([np.asarray(found[name], float) for name in known])
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


def align(template: Template, head: Coefficients, target: Target, search: bool = True) -> Coefficients:
    """The head moved rigidly onto the target.

    It starts where `head` is, in the frame of our captures. Where little of the face comes to lie on the scan from
    there, it is looked for from all sides, unless `search` is False.

    Raises `InputError` where it isn't found.
    """
    surface = template.surface(head)
    normals = vertex_normals(surface, template.faces)
    chosen = _spread(template.face_mask)
    best = _icp(surface[chosen], normals[chosen], target)
    if best.near < _GOOD and search:
        whole = _spread(template.shown)  # a face alone also fits an elbow; the head around it doesn't
        found = []
        for rotation in _rotations():
            start = rotation, target.vertices.mean(axis=0) - rotation @ surface[whole].mean(axis=0)
            found.append(_icp(surface[whole], normals[whole], target, start))
        likely = max(found, key=lambda result: result.score)
        best = _icp(surface[chosen], normals[chosen], target, (likely.rotation, likely.shift), _CLOSE)
    rotation, shift = best.rotation, best.shift
    if best.near < _GOOD:
        cure = "bring it near the frame of our captures (metres, Z up, face towards -Y), or give landmarks"
        raise InputError(f"only {best.near:.0%} of the template's face comes to lie on the scan; {cure}")
    return replace(head, turn=axis_angle(rotation @ head.rotation), shift=rotation @ head.shift + shift)


def _icp(
    points: Floats, normals: Floats, target: Target, start: tuple[Floats, Floats] | None = None, reach: float = _FAR
) -> _Fit:
    """Point-to-plane ICP with Tukey weights."""
    rotation, shift = start or (np.eye(3), np.zeros(3))
    for step in range(_STEPS):
        moved, turned = points @ rotation.T + shift, normals @ rotation.T
        limit = max(reach * 0.85**step, _NEAR / 4)
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
        if limit <= _NEAR / 4 and np.abs(change).max() < 1e-6:
            break
    moved, turned = points @ rotation.T + shift, normals @ rotation.T
    hits = target.nearest(moved, _NEAR)
    facing = (hits.normals * turned).sum(axis=1) > 0.3
    near = np.clip(1 - (np.minimum(hits.distance, _NEAR) / _NEAR) ** 2, 0, 1)
    return _Fit(float((near * facing).mean()), float((facing & (hits.distance < _NEAR)).mean()), rotation, shift)


def _rotations() -> list[Floats]:
    """Rotations all around: 24 of the cube, each turned by none and by 45 degrees about the vertical."""
    from scipy.spatial.transform import Rotation

    cube = Rotation.create_group("O").as_matrix()
    half = Rotation.from_euler("z", 45, degrees=True).as_matrix()
    return [np.asarray(r @ t) for r in cube for t in (np.eye(3), half)]


def _spread(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Some of the vertices in a mask."""
    chosen = np.flatnonzero(mask)
    return chosen[:: max(1, len(chosen) // _POINTS)]
