"""Fit of the head model's coefficients: identity, expression, and the pose of neck and jaw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from assets.head_models.head_model import HeadModel
from assets.parameter_sampler import ParameterSampler
from capture.geometry import rotation_matrix, vertex_normals
from registration.nonrigid import DRAWN_M
from registration.openings import Openings
from registration.target import Target
from registration.template import Coefficients, Template, axis_angle

Floats = NDArray[np.float64]

_SAMPLES = 400  # heads from which the prior's spread is taken
_LINEARISED = (0, 3, 6)  # steps that linearise the model anew; from the last on it hardly changes any more
_ANGLE = 0.15  # radians, spread of the joints
_DRAWING = 3000  # places that draw, at most
_STEP = 0.05  # of a spread, for differences
_MARKED = 20.0  # vertices of the scan that a landmark counts as much as
_MARK_M = 0.008  # from here on a landmark is doubted
_NOISE = 0.0007  # metres: how far from a head of the model skin lies in scans; weighs the prior against the scan
# Steps are damped (Levenberg): neck and whole head turn against one another, and what they find changes on the way.
_DAMPING = 10.0  # of the spread's own weight, for a step
_HELD = np.array([0.025, 0.005]) ** -2  # radians and metres that the head turns and moves in a step, about


@dataclass(frozen=True)
class Prior:
    """Mean and spread of all numbers of a head, as one vector: identity, expression, neck, jaw; and their limits."""

    mean: Floats
    spread: Floats
    low: Floats
    high: Floats


def prior_of(model: HeadModel) -> Prior:
    """Prior of the coefficients, from samples of the model's own; taken once of a model."""
    if model not in _PRIORS:
        _PRIORS[model] = _sampled_prior(model)
    return _PRIORS[model]


_PRIORS: WeakKeyDictionary[HeadModel, Prior] = WeakKeyDictionary()


def _sampled_prior(model: HeadModel) -> Prior:
    rng = np.random.default_rng(0)
    identity = np.stack([model.sample_identity(ParameterSampler(rng)) for _ in range(_SAMPLES)])
    expression = np.stack([model.sample_expression(ParameterSampler(rng)) for _ in range(_SAMPLES)])
    samples = np.concatenate([identity, expression], axis=1)
    margin = 0.25 * np.ptp(samples, axis=0)
    zeros, limit = np.zeros(6), np.full(6, 4 * _ANGLE)
    mean = np.concatenate([identity.mean(axis=0), np.zeros(expression.shape[1]), zeros])
    spread = np.concatenate([samples.std(axis=0), np.full(6, _ANGLE)])
    low = np.concatenate([samples.min(axis=0) - margin, -limit])
    high = np.concatenate([samples.max(axis=0) + margin, limit])
    return Prior(mean, spread, low, high)


def fit(
    template: Template,
    head: Coefficients,
    target: Target,
    steps: int = 12,
    drawn: NDArray[np.bool_] | None = None,
    landmarks: Mapping[str, Floats] | None = None,
    openings: Openings | None = None,
) -> Coefficients:
    """Fit identity, expression, joints and motion by robust point-to-plane distances and the model's prior.

    Damped Gauss-Newton with finite differences; Tukey weights whose width follows the residuals down. Places of the
    scan that have one of the `drawn` vertices (V,) as their nearest are fitted from there as well. Landmarks, name ->
    (3,), tell what distances don't: where along the surface something lies. So do openings.
    """
    prior = prior_of(template.model)
    free = np.flatnonzero(prior.spread > 1e-9)
    chosen = np.flatnonzero(template.shown[: template.cage_size])
    marks = _marks(template, landmarks or {})
    shape = _pack(head)
    limit = 0.02
    for step in range(steps):
        head = _unpack(shape, head)
        if step in _LINEARISED:
            motion = _motion(template, shape, head, prior, free)
            jacobian = motion[:, chosen]
        whole = template.surface(head)
        surface, normals = whole[chosen], vertex_normals(whole, template.faces)[chosen]
        hits = target.nearest(surface, 3 * limit)
        offset = ((hits.points - surface) * hits.normals).sum(axis=1)
        facing = (hits.normals * normals).sum(axis=1)
        weights = hits.weights * (facing > 0.5) * np.clip(1 - (hits.distance / (3 * limit)) ** 2, 0, 1) ** 2
        weights *= np.clip(1 - (offset / limit) ** 2, 0, 1) ** 2
        rows = np.einsum("pnk,nk->np", jacobian, hits.normals)
        rows = np.concatenate([rows, np.cross(surface - head.shift, hits.normals), hits.normals], axis=1)
        if drawn is not None:
            back = _drawn_rows(surface, normals, weights, drawn[chosen], target, jacobian, head.shift)
            rows, offset = np.concatenate([rows, back[0]]), np.concatenate([offset, back[1]])
            weights = np.concatenate([weights, back[2]])
        spread = 1.4826 * float(np.median(np.abs(offset[weights > 0]))) if (weights > 0).any() else limit
        if len(marks.index):
            more = marks.rows(whole, motion, head.shift)
            rows, offset = np.concatenate([rows, more[0]]), np.concatenate([offset, more[1]])
            weights = np.concatenate([weights, more[2]])
        if openings is not None:
            more = openings.rows(whole, motion, head.rotation)
            rows, offset = np.concatenate([rows, more[0]]), np.concatenate([offset, more[1]])
            weights = np.concatenate([weights, more[2]])
        scale = np.concatenate([prior.spread[free], np.full(6, 1.0)])
        system = (rows * weights[:, None]).T @ rows / _NOISE**2 * scale[:, None] * scale
        right = (rows * weights[:, None]).T @ offset / _NOISE**2 * scale
        pull = (shape[free] - prior.mean[free]) / prior.spread[free]
        diagonal = np.concatenate([np.full(len(free), 1 + _DAMPING), np.repeat(_HELD, 3)])
        right[: len(free)] -= pull
        change = np.linalg.solve(system + np.diag(diagonal), right) * scale
        shape = shape.copy()
        shape[free] = np.clip(shape[free] + change[: len(free)], prior.low[free], prior.high[free])
        head = _moved(head, change[-6:-3], change[-3:])
        limit = float(np.clip(4 * spread, 0.002, limit))
    return _unpack(shape, head)


@dataclass(frozen=True)
class _Marks:
    """Landmarks of the scan: vertices of the cage (L,) and where they belong (L, 3)."""

    index: NDArray[np.intp]
    goal: Floats

    def rows(self, surface: Floats, motion: Floats, pivot: Floats) -> tuple[Floats, Floats, Floats]:
        """Rows, offsets and weights of the three coordinates of each; those that lie far off count less."""
        here = surface[self.index]
        apart = self.goal - here
        turn = np.cross(here[:, None] - pivot, np.eye(3))  # a row is cross(point, axis), as for planes
        shift = np.broadcast_to(np.eye(3), (len(here), 3, 3))
        rows = np.concatenate([np.moveaxis(motion[:, self.index], 0, -1), turn, shift], axis=2)
        weight = _MARKED / (1 + (np.linalg.norm(apart, axis=1) / _MARK_M) ** 2) ** 2
        return rows.reshape(-1, rows.shape[2]), apart.ravel(), np.repeat(weight, 3)


def _marks(template: Template, landmarks: Mapping[str, Floats]) -> _Marks:
    """The landmarks that are vertices of the template's skin, each vertex once; contours have no place of their own."""
    found = {
        index: np.asarray(landmarks[name], float)
        for name in landmarks
        if not name.startswith("jaw_") and (index := template.landmark_index(name)) is not None
    }
    return _Marks(np.array(list(found), np.intp), np.array(list(found.values())).reshape(-1, 3))


def _drawn_rows(
    surface: Floats,
    normals: Floats,
    found: Floats,
    drawn: NDArray[np.bool_],
    target: Target,
    jacobian: Floats,
    pivot: Floats,
) -> tuple[Floats, Floats, Floats]:
    """Rows, offsets and weights (P,) of places of the scan whose nearest vertex is one of the drawn.

    They count as far as that vertex finds nothing itself: `found` (V,) are the weights of what the vertices find.
    """
    distance, at = cKDTree(surface).query(target.vertices, distance_upper_bound=DRAWN_M)
    mine = np.append(drawn, False)[at] & (target.weights > 0)
    index = np.flatnonzero(mine)
    index = index[:: max(1, len(index) // _DRAWING)]
    at, way = at[index], target.normals[index]
    facing = (normals[at] * way).sum(axis=1)
    offset = ((target.vertices[index] - surface[at]) * way).sum(axis=1)
    weights = target.weights[index] * (facing > 0.3) * (1 - (distance[index] / DRAWN_M) ** 2) ** 2
    weights *= (1 - np.minimum(found[at], 1)) * drawn.sum() / max(len(index), 1)
    rows = np.concatenate(
        [np.einsum("pnk,nk->np", jacobian[:, at], way), np.cross(surface[at] - pivot, way), way], axis=1
    )
    return rows, offset, weights


def _motion(template: Template, shape: Floats, head: Coefficients, prior: Prior, free: NDArray) -> Floats:
    """(P, C, 3) derivatives of the model's own vertices by each free number; subdivided ones move with them."""
    steps = _STEP * prior.spread[free]
    steps = np.where(shape[free] + steps > prior.high[free], -steps, steps)
    here = template.cage(head)
    motion = np.empty((len(free), *here.shape))
    for row, (number, step) in enumerate(zip(free, steps, strict=True)):
        other = shape.copy()
        other[number] += step
        motion[row] = (template.cage(_unpack(other, head)) - here) / step
    return motion


def _moved(head: Coefficients, turn: Floats, shift: Floats) -> Coefficients:
    return replace(head, turn=axis_angle(rotation_matrix(turn) @ head.rotation), shift=head.shift + shift)


def _pack(head: Coefficients) -> Floats:
    return np.concatenate([head.identity, head.expression, head.neck, head.jaw])


def _unpack(shape: Floats, head: Coefficients) -> Coefficients:
    identity, expression = len(head.identity), len(head.expression)
    parts = np.split(shape, [identity, identity + expression, identity + expression + 3])
    return replace(head, identity=parts[0], expression=parts[1], neck=parts[2], jaw=parts[3])
