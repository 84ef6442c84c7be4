"""Alignment of a scan with its head, checked by looking for a rigid motion that fits the scan better."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture import HeadSurface, RefusedError
from capture.geometry import face_normals, rotation_matrix
from scans.distance import SurfaceSearch

Points = NDArray[np.float64]

_SAMPLES = 3000
_ROUNDS = 25
_NEAREST = 0.5  # share of the samples that each round aligns: hair and cloth are not of the head

# Misaligned: the nearest half gets at least this much nearer by a motion ...
_GAIN = 0.45
# ... and stays farther than this without it; scans of small images have errors of their own.
_LEAST_MM = 0.5
# Where not even the best motion helps, no more than a warning is due below this.
_HOPELESS_MM = 6.0


@dataclass(frozen=True, eq=False)
class Motion:
    """A rigid motion that brings scan to head, and what it gains.

    Attributes:
        shift_mm: of the samples' centre.
        turn_degrees: of the rotation.
        before_mm, after_mm: median distance of the nearest half of the samples.
    """

    shift_mm: float
    turn_degrees: float
    before_mm: float
    after_mm: float


def check_alignment(points: Points, head: HeadSurface, what: str = "scan", search: SurfaceSearch | None = None) -> None:
    """Raise `RefusedError` where points that should lie on the head (P, 3) would fit far better elsewhere, or nowhere.

    Half of them may be hair or cloth. A stereo scan's own errors are no rigid motion, so they pass. `search` is the
    head's, where there is one.
    """
    motion = best_motion(points, head, search)
    moved = f"shifted by {motion.shift_mm:.1f} mm and turned by {motion.turn_degrees:.1f} degrees"
    cure = "reconstruct it from this capture's cameras again, or give head.ply in the scan's frame"
    if motion.before_mm > _LEAST_MM and motion.after_mm < _GAIN * motion.before_mm:
        raise RefusedError(f"{what} and head are not in the same frame: the {what} fits when {moved}; {cure}")
    if motion.before_mm > _HOPELESS_MM:
        raise RefusedError(
            f"{what} and head are not in the same frame, or the head is another one: "
            f"half of it lies farther than {motion.before_mm:.1f} mm from the head; {cure}"
        )


def best_motion(points: Points, head: HeadSurface, search: SurfaceSearch | None = None) -> Motion:
    """Trimmed point-to-plane ICP (Chen and Medioni 1992; Chetverikov et al. 2002) from where the points are."""
    chosen = points[np.linspace(0, len(points) - 1, min(_SAMPLES, len(points))).astype(int)]
    start, search = chosen, search or SurfaceSearch(head)
    before = after = _spread(search.closest_points(chosen)[0])
    best = chosen
    for _ in range(_ROUNDS):
        distance, face, nearest = search.closest_points(chosen)
        spread = _spread(distance)
        if spread < after:
            best, after = chosen, spread
        use = distance <= np.quantile(distance, _NEAREST)
        moved = _step(chosen, chosen[use], nearest[use], face_normals(head.vertices, head.faces[face[use]]))
        if np.linalg.norm(moved - chosen, axis=1).max() < 1e-6:
            break
        chosen = moved
    rotation, centre = _rigid(start, best)
    turn = float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))))
    return Motion(1000 * float(np.linalg.norm(centre)), turn, 1000 * before, 1000 * after)


def _spread(distance: NDArray[np.float64]) -> float:
    """Median of the nearest half."""
    return float(np.quantile(distance, _NEAREST / 2))


def _step(points: Points, used: Points, nearest: Points, normals: Points) -> Points:
    """All points after one linearised point-to-plane step that fits the used ones."""
    middle = used.mean(axis=0)
    rows = np.concatenate([np.cross(used - middle, normals), normals], axis=1)
    gap = ((nearest - used) * normals).sum(axis=1)
    damped = rows.T @ rows + 1e-9 * len(rows) * np.eye(6)
    twist = np.linalg.solve(damped, rows.T @ gap)
    return np.asarray((points - middle) @ rotation_matrix(twist[:3]).T + middle + twist[3:])


def _rigid(start: Points, end: Points) -> tuple[Points, Points]:
    """Rotation, and shift of the centre, that move start (P, 3) to end (Kabsch 1976)."""
    a, b = start - start.mean(axis=0), end - end.mean(axis=0)
    u, _, vt = np.linalg.svd(b.T @ a)
    sign = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    return u @ sign @ vt, end.mean(axis=0) - start.mean(axis=0)
