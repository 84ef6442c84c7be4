"""Rigid alignment of the template to the scan, searched for all over the scan where needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assets.head_models.head_model import Pose
from capture import InputError, Mesh
from capture.geometry import vertex_normals
from registration.plausibility import Plausibility
from registration.target import Correspondences, Target
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
_ROUNDS = ((120, 8, 48), (400, 20, 16))  # points, steps, how many are kept
_FEW = 100
_LAST = 4  # places that are followed to the end
_APART = 0.35, 0.03  # radians and metres, between places that are not the same


@dataclass(frozen=True)
class Motions:
    """S rigid motions, and the shares of the template's points that they bring near and tight to the scan.

    Attributes:
        rotations, shifts: (S, 3, 3) and (S, 3).
        near, tight: (S,).
    """

    rotations: Floats
    shifts: Floats
    near: Floats
    tight: Floats

    def __len__(self) -> int:
        return len(self.shifts)

    def __getitem__(self, index: NDArray[np.intp] | list[int] | slice) -> Motions:
        return Motions(self.rotations[index], self.shifts[index], self.near[index], self.tight[index])

    def and_those(self, other: Motions) -> Motions:
        """These, and others behind them."""
        fields = ("rotations", "shifts", "near", "tight")
        return Motions(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in fields))


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
    scan: Mesh,
    weights: NDArray | None = None,
    least: float = 0.5,
    search: bool = True,
    detected: Mapping[str, Floats] | None = None,
) -> list[Coefficients]:
    """The head moved rigidly onto the target: the places where it may be, the likeliest first.

    It starts where `head` is, in the frame of our captures. Where the face doesn't come to lie tightly on the skin from
    there, or the rest of the scan speaks against it, it starts where landmarks are that were detected, and else it is
    looked for all over the scan, unless `search` is False: of a bearded man too little may be skin to tell where his
    face is.

    Args:
        template, head: the head before it is moved.
        target: the skin of the scan.
        scan: all of it, V vertices.
        weights: (V,) of being skin, NaN where nobody knows; None where all may be, and the target is all of the scan.
        least: weight from which on a vertex is skin.
        search: whether it is looked for.
        detected: landmarks, name -> (3,), roughly.

    Raises:
        InputError: where it isn't found.
    """
    plausible = Plausibility(template, head, scan, weights, least)
    surface = template.surface(head)
    normals = vertex_normals(surface, template.faces)
    face = np.flatnonzero(template.face_mask)
    chosen = evenly_spaced(face, _POINTS)
    found = icp(surface[chosen], normals[chosen], target, np.eye(3)[None], np.zeros((1, 3)))
    if detected and not _sure(found, plausible):
        start = from_landmarks(template, head, detected)
        turn = start.rotation @ head.rotation.T
        shift = start.shift - turn @ head.shift
        found = found.and_those(icp(surface[chosen], normals[chosen], target, turn[None], shift[None], _CLOSE))
    if search and not _sure(found, plausible):
        whole = target if weights is None else Target(scan)
        places = _search(surface[face], normals[face], whole, plausible)
        there = judged(surface[chosen], normals[chosen], target, places.rotations, places.shifts)
        on_skin = icp(surface[chosen], normals[chosen], target, places.rotations, places.shifts, _CLOSE)
        found = found.and_those(there).and_those(on_skin)  # of the little skin of a bearded man it may drift
    worth = _worth(found, plausible)
    right = [int(index) for index in np.argsort(-worth) if found.near[index] >= _GOOD and found.tight[index] >= _LEAST]
    if not right:
        cure = "look at the names, places and unit of the landmarks"
        if search:
            cure = "bring it near the frame of our captures (metres, Z up, face towards -Y), or give `landmarks`"
        best = found.tight.max()
        raise InputError(f"only {best:.0%} of the template's face comes to lie on the scan; {cure}")
    right = _distinct(found, right)
    right = [index for index in right if worth[index] > worth[right[0]] - plausible.DOUBT]
    return [_moved(head, found.rotations[index], found.shifts[index]) for index in right]


def _sure(found: Motions, plausible: Plausibility) -> bool:
    """Whether one of the motions leaves no doubt."""
    tight = np.flatnonzero(found.tight >= _SURE)
    return any(plausible.sure(found.rotations[index], found.shifts[index]) for index in tight)


def _moved(head: Coefficients, rotation: Floats, shift: Floats) -> Coefficients:
    return replace(head, turn=axis_angle(rotation @ head.rotation), shift=rotation @ head.shift + shift)


def _worth(found: Motions, plausible: Plausibility) -> Floats:
    """(S,) how likely each motion is."""
    return np.array([plausible.worth(turn, shift) for turn, shift in zip(found.rotations, found.shifts, strict=True)])


def _distinct(found: Motions, order: list[int]) -> list[int]:
    """Of motions in an order those that are not the same as one before."""
    angle, length = _APART
    kept: list[int] = []
    for index in order:
        turns = [found.rotations[index].T @ found.rotations[other] for other in kept]
        angles = [np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)) for turn in turns]
        ways = [np.linalg.norm(found.shifts[index] - found.shifts[other]) for other in kept]
        if all(a > angle or way > length for a, way in zip(angles, ways, strict=True)):
            kept.append(index)
    return kept


def _search(points: Floats, normals: Floats, target: Target, plausible: Plausibility) -> Motions:
    """The best places for a face (N, 3) anywhere on the target, whichever way round."""
    middle, forward = points.mean(axis=0), normals.mean(axis=0)
    starts = [
        (rotation, target.vertices[seed] - rotation @ middle)
        for seed in _far_apart(target.vertices, _SEEDS)
        for rotation in _turns(forward, target.mean_normal(target.vertices[seed], _AROUND))
    ]
    rotations, shifts = (np.stack(values) for values in zip(*starts, strict=True))
    reach = _FAR
    for count, steps, kept in _ROUNDS:
        some = evenly_spaced(np.arange(len(points)), count)
        found = icp(points[some], normals[some], target, rotations, shifts, reach, steps)
        worth = found.tight if len(found) > _FEW else _worth(found, plausible)  # what takes longer, only for few
        found = found[np.argsort(-worth, kind="stable")[:kept]]
        rotations, shifts, reach = found.rotations, found.shifts, _CLOSE
    found = found[_distinct(found, list(range(len(found))))[:_LAST]]
    some = evenly_spaced(np.arange(len(points)), _POINTS)
    return icp(points[some], normals[some], target, found.rotations, found.shifts, _CLOSE, _STEPS)


def icp(
    points: Floats,
    normals: Floats,
    target: Target,
    rotations: Floats,
    shifts: Floats,
    reach: float = _FAR,
    steps: int = _STEPS,
) -> Motions:
    """Point-to-plane ICP with Tukey weights, from S starts side by side: one query a step finds what is near to all."""
    from scipy.spatial.transform import Rotation

    rotations, shifts = rotations.copy(), shifts.copy()
    least = _NEAR / 4
    fall = min(0.85, (least / reach) ** (1 / steps))
    alive = np.arange(len(shifts))
    for step in range(steps):
        moved, turned = _all_moved(points, normals, rotations[alive], shifts[alive])
        limit = max(reach * fall**step, least)
        hits = target.nearest(moved.reshape(-1, 3), 2 * limit)
        hit_normals, offset, facing, distance = _compared(hits, moved, turned)
        weights = (
            hits.weights.reshape(facing.shape) * (facing > 0.3) * np.clip(1 - (distance / (2 * limit)) ** 2, 0, 1) ** 2
        )
        enough = (weights > 0).sum(axis=1) >= 20
        alive = alive[enough]
        if not len(alive):
            break
        rows = np.concatenate([np.cross(moved[enough], hit_normals[enough]), hit_normals[enough]], axis=2)
        weighted = rows * weights[enough][:, :, None]
        system = np.einsum("spi,spj->sij", weighted, rows) + 1e-9 * np.eye(6)
        change = np.linalg.solve(system, np.einsum("spi,sp->si", weighted, offset[enough])[:, :, None])[:, :, 0]
        turn = np.asarray(Rotation.from_rotvec(change[:, :3]).as_matrix())
        rotations[alive] = turn @ rotations[alive]
        shifts[alive] = np.einsum("sij,sj->si", turn, shifts[alive]) + change[:, 3:]
        if limit <= least:
            alive = alive[np.abs(change).max(axis=1) >= 1e-6]
            if not len(alive):
                break
    return judged(points, normals, target, rotations, shifts)


def judged(points: Floats, normals: Floats, target: Target, rotations: Floats, shifts: Floats) -> Motions:
    """S motions, with the shares of points (N, 3) that they bring near and tight to the target."""
    moved, turned = _all_moved(points, normals, rotations, shifts)
    hits = target.nearest(moved.reshape(-1, 3), _NEAR)
    _, offset, facing, distance = _compared(hits, moved, turned)
    near = (facing > 0.3) & (distance < _NEAR)
    tight = (facing > 0.7) & (distance < _BESIDE) & (np.abs(offset) < _TIGHT)
    return Motions(rotations, shifts, near.mean(axis=1), tight.mean(axis=1))


def _all_moved(points: Floats, normals: Floats, rotations: Floats, shifts: Floats) -> tuple[Floats, Floats]:
    """Points and normals (N, 3) by each of S motions: (S, N, 3)."""
    back = rotations.transpose(0, 2, 1)
    return points @ back + shifts[:, None], normals @ back


def _compared(hits: Correspondences, moved: Floats, turned: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Normals (S, N, 3) of what is near, the way there along them, its cosine to our normals, the distance (S, N)."""
    normals = hits.normals.reshape(moved.shape)
    offset = ((hits.points.reshape(moved.shape) - moved) * normals).sum(axis=2)
    return normals, offset, (normals * turned).sum(axis=2), hits.distance.reshape(moved.shape[:2])


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


def evenly_spaced(chosen: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """About `count` of the indices, evenly spaced."""
    return chosen[:: max(1, len(chosen) // count)]
