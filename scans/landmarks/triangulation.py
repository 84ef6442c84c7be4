"""Triangulation of a face's landmarks: robust against wrong faces, and against hidden and wrong landmarks.

A detector's errors are a share of the face, whatever its size in the image: so what is minimised is the distance of a
landmark from the lines of sight, in the world, and not that of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from capture import Camera
from scans.landmarks.crops import Floats
from scans.landmarks.face_mesh import FaceMesh

Bools = NDArray[np.bool_]

_PAIRS = 150  # of views that are tried, at most
_LEAST_ANGLE = np.radians(2.0)  # between two views, for a pair to tell depth
_AGREE = (
    0.045  # of the face's size: how far, in the median, landmarks of a view that agrees lie from the lines of sight
)
_NEAR = 0.033  # of the face's size, within which a view counts for a landmark
_LEAST_SCALE = 0.002  # of the face's size: as well as the detector can be
_TUNING = 3.0  # scales at which a view's weight has fallen to a quarter
_STEPS = 12
_COUNTS = 0.25  # weight from which on a view counts as used
_FACING = (0.05, 0.4)  # cosines between the face's normal and the line of sight: hidden below, in full view above


@dataclass(frozen=True, eq=False)
class Triangulated:
    """L landmarks of N views.

    Attributes:
        positions: (L, 3) in the cameras' frame and unit; NaN where fewer than two views tell.
        used: (N, L) views that a landmark was triangulated from.
        residual_px: (L,) root mean square of the distance, in pixels, of its images from where the views have it.
        spread: (L,) standard deviation in the worst direction, in the cameras' unit, by the residuals and the angles.
        agreeing: (N,) views whose face is the same one.
        size: of the face: about the distance of its outer eye corners.
    """

    positions: Floats
    used: Bools
    residual_px: Floats
    spread: Floats
    agreeing: Bools
    size: float


@dataclass(frozen=True, eq=False)
class _Sight:
    """Lines of sight: centres (N, 3), unit directions (N, L, 3), NaN where a view has none."""

    centres: Floats
    directions: Floats

    @property
    def known(self) -> Bools:
        return np.isfinite(self.directions).all(axis=-1)

    def distances(self, points: Floats) -> Floats:
        """(..., N, L) of points (..., L, 3) from the lines; infinite where there is none or the point is behind."""
        away = points[..., None, :, :] - self.centres[:, None]
        along = np.einsum("...nlc,nlc->...nl", away, self.directions)
        across = np.linalg.norm(away - along[..., None] * self.directions, axis=-1)
        return np.where(along > 0, across, np.inf)  # NaN is not above 0

    def nearest(self, weights: Floats) -> tuple[Floats, Floats]:
        """Points (..., L, 3) with the least weighted squared distances, and the matrices (..., L, 3, 3) of these."""
        known = self.known
        directions = np.where(known[..., None], self.directions, 0)
        across = np.eye(3) - directions[..., :, None] * directions[..., None, :]
        weights = np.where(known, weights, 0)
        matrix = np.einsum("...nl,nlij->...lij", weights, across)
        right = np.einsum("...nl,nlij,nj->...li", weights, across, self.centres)
        told = np.linalg.eigvalsh(matrix)[..., 0] > 1e-9 * np.maximum(weights.sum(axis=-2), 1e-300)
        safe = np.where(told[..., None, None], matrix, np.eye(3))
        points = np.linalg.solve(safe, right[..., None])[..., 0]
        return np.where(told[..., None], points, np.nan), matrix


def triangulate_face(cameras: Sequence[Camera], pixels: Floats, mesh: FaceMesh | None = None) -> Triangulated | None:
    """Triangulate the landmarks of a face.

    The views that show the same face are those that agree with the best pair; of these each landmark takes the pair
    that most agree with, and then all, by weights that fall with the distance (Geman and McClure). Views that see a
    landmark's place on the face from behind don't count.

    Args:
        cameras: N views.
        pixels: (N, L, 2) in the images; NaN where a view has no face.
        mesh: an average face, by which it is told what views see; None where nothing is hidden.

    Returns:
        The landmarks; None where no two views show the same face from different places.
    """
    rays = np.stack([camera.rays(points) for camera, points in zip(cameras, pixels, strict=True)])
    sight = _Sight(np.stack([camera.centre for camera in cameras]), rays)
    pairs = _pairs(sight)
    if not len(pairs):
        return None
    hypotheses = _hypotheses(sight, pairs)
    best = _best_pair(sight, pairs, hypotheses)
    if best is None:
        return None
    agreeing, size = best
    inside = agreeing[pairs].all(axis=1)
    sight = _Sight(sight.centres, np.where(agreeing[:, None, None], rays, np.nan))
    start = _consensus(sight, hypotheses[inside], np.ones(rays.shape[:2]), size)
    points, weights, _ = _refined(sight, start, np.ones(rays.shape[:2]), size)
    if mesh is not None:
        shown = _shown(sight, points, mesh)
        start = _consensus(sight, hypotheses[inside], shown, size)
        points, weights, matrix = _refined(sight, start, shown, size)
    else:
        points, weights, matrix = _refined(sight, points, np.ones(rays.shape[:2]), size)
    return _measured(cameras, pixels, sight, points, weights, matrix, agreeing, size)


def _pairs(sight: _Sight) -> NDArray[np.int64]:
    """(P, 2) views whose lines of sight cross at an angle, evenly chosen where there are many."""
    views = np.flatnonzero(sight.known.any(axis=1))
    pairs = np.array(list(combinations(views, 2)), np.int64).reshape(-1, 2)
    middle = np.nanmedian(sight.directions[views], axis=1) if len(views) else np.zeros((0, 3))
    direction = dict(zip(views.tolist(), middle / np.linalg.norm(middle, axis=1, keepdims=True), strict=True))
    cosine = np.array([direction[a] @ direction[b] for a, b in pairs.tolist()])
    pairs = pairs[cosine < np.cos(_LEAST_ANGLE)] if len(pairs) else pairs
    if len(pairs) > _PAIRS:
        pairs = pairs[np.random.default_rng(0).permutation(len(pairs))[:_PAIRS]]
    return pairs


def _hypotheses(sight: _Sight, pairs: NDArray[np.int64]) -> Floats:
    """(P, L, 3) each landmark by each pair of views alone."""
    found = [_Sight(sight.centres[pair], sight.directions[pair]).nearest(np.ones(()))[0] for pair in pairs]
    both = [sight.known[pair].all(axis=0) for pair in pairs]
    return np.where(np.stack(both)[..., None], np.stack(found), np.nan)


def _best_pair(sight: _Sight, pairs: NDArray[np.int64], hypotheses: Floats) -> tuple[Bools, float] | None:
    """The views (N,) that agree with the pair that most agree with, and the face's size by it."""
    best: tuple[int, float, Bools, float] | None = None
    for pair, points in zip(pairs, hypotheses, strict=True):
        size = min(_size(sight, view, points) for view in pair)
        if not size > 0:
            continue
        with np.errstate(invalid="ignore"):
            share = sight.distances(points) / size
        off = np.full(len(share), np.inf)
        for view in np.flatnonzero(sight.known.any(axis=1)):
            rows = sight.known[view] & np.isfinite(points).all(axis=1)
            off[view] = np.median(share[view, rows]) if rows.any() else np.inf
        agreeing = off < _AGREE
        if agreeing.sum() < 2:
            continue
        found = (int(agreeing.sum()), -float(off[agreeing].mean()), agreeing, size)
        if best is None or found[:2] > best[:2]:
            best = found
    return None if best is None else (best[2], best[3])


def _size(sight: _Sight, view: int, points: Floats) -> float:
    """The size of a face (L, 3) across a view's lines of sight: a wrong pair draws it out along them. NaN for none."""
    known = np.isfinite(points).all(axis=1) & sight.known[view]
    if not known.any():
        return float("nan")
    directions = sight.directions[view, known]
    middle = directions.mean(axis=0)
    sines = np.linalg.norm(np.cross(directions, middle / np.linalg.norm(middle)), axis=1)
    return 2.2 * float(np.median(sines) * np.median(np.linalg.norm(points[known] - sight.centres[view], axis=1)))


def _consensus(sight: _Sight, hypotheses: Floats, shown: Floats, size: float) -> Floats:
    """(L, 3) of each landmark the pair's point with the least cost, which is bounded for each view (MSAC)."""
    limit = _NEAR * size
    cost = np.empty(hypotheses.shape[:2])
    for number, points in enumerate(hypotheses):
        with np.errstate(invalid="ignore"):
            squares = np.minimum((sight.distances(points) / limit) ** 2, 1)
        cost[number] = (shown * np.where(sight.known, squares, 0)).sum(axis=0)
        cost[number, ~np.isfinite(points).all(axis=1)] = np.inf
    best = np.argmin(cost, axis=0)
    return np.asarray(hypotheses[best, np.arange(len(best))])


def _refined(sight: _Sight, points: Floats, shown: Floats, size: float) -> tuple[Floats, Floats, Floats]:
    """Points (L, 3), weights (N, L) of the views, and matrices (L, 3, 3), by reweighted least squares."""
    known = sight.known
    weights = np.where(known, shown, 0.0)
    matrix = np.zeros((len(points), 3, 3))
    for _ in range(_STEPS):
        with np.errstate(invalid="ignore"):
            distance = np.where(known, sight.distances(points), np.inf)
        near = (distance < _NEAR * size) & (shown > 0)
        scale = np.maximum(1.2 * _medians(distance, near), _LEAST_SCALE * size)
        weights = shown / (1 + (distance / (_TUNING * scale)) ** 2) ** 2
        weights = np.where(near, weights, 0.0)
        moved, matrix = sight.nearest(weights)
        enough = ((weights > 0).sum(axis=0) >= 2) & np.isfinite(moved).all(axis=1)
        change = np.abs(np.where(enough[:, None], moved - points, 0)).max(initial=0)
        points = np.where(enough[:, None], moved, points)
        if change < 1e-6 * size:
            break
    return points, weights, matrix


def _medians(values: Floats, chosen: Bools) -> Floats:
    """(L,) the lower median of the chosen of values (N, L), 0 where none is: many times as fast as numpy's own."""
    ordered = np.sort(np.where(chosen, values, np.inf), axis=0)
    count = chosen.sum(axis=0)
    middle = ordered[np.maximum(count - 1, 0) // 2, np.arange(values.shape[1])]
    return np.where(count > 0, middle, 0.0)


def _shown(sight: _Sight, points: Floats, mesh: FaceMesh) -> Floats:
    """(N, L) from 0 to 1: how much the views face a landmark's place on the face.

    Its normal is that of an average face in the same pose, as noise of the landmarks would be more in theirs.
    """
    usable = np.isfinite(points).all(axis=1)
    if len(mesh.common(points)) < 3:
        return np.ones(sight.directions.shape[:2])
    rotation, _, _ = mesh.similarity_to(points)
    normals = mesh.landmark_normals @ rotation.T
    whole = np.where(usable[:, None], points, np.nanmedian(points, axis=0))
    away = sight.centres[:, None] - whole
    cosine = np.einsum("nlc,lc->nl", away / np.linalg.norm(away, axis=-1, keepdims=True), normals)
    low, high = _FACING
    return np.clip((cosine - low) / (high - low), 0, 1)


def _measured(
    cameras: Sequence[Camera],
    pixels: Floats,
    sight: _Sight,
    points: Floats,
    weights: Floats,
    matrix: Floats,
    agreeing: Bools,
    size: float,
) -> Triangulated:
    used = weights > _COUNTS
    enough = (used.sum(axis=0) >= 2) & np.isfinite(points).all(axis=1)
    points = np.where(enough[:, None], points, np.nan)
    used = used & enough
    images = np.stack([camera.project(points)[0] for camera in cameras])
    squares = np.where(used, ((images - pixels) ** 2).sum(axis=-1), 0.0)
    count = np.maximum(used.sum(axis=0), 1)
    residual = np.where(enough, np.sqrt(squares.sum(axis=0) / count), np.nan)
    with np.errstate(invalid="ignore"):
        across = np.where(used, sight.distances(points) ** 2, 0.0).sum(axis=0)
    # Two distances a view, three unknowns; a scale that two views alone can't tell is the detector's usual one.
    variance = np.maximum(across / np.maximum(2 * count - 3, 1), (_LEAST_SCALE * size) ** 2)
    least = np.linalg.eigvalsh(np.where(enough[:, None, None], matrix, np.eye(3)))[:, 0]
    spread = np.where(enough, np.sqrt(variance / np.maximum(least, 1e-12)), np.nan)
    return Triangulated(points, used, residual, spread, agreeing, size)
