"""The unit of a scan by the size of the head in it: the average head, moved and scaled onto the skin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from capture import InputError, Scan
from capture.geometry import vertex_normals
from registration.pipeline import gathered
from registration.rigid import align, evenly_spaced, judged, rigid_motion
from registration.target import Target
from registration.template import Template
from scans.meshes.repair import repair
from scans.scale import Evidence
from scans.scaling import scaled

Floats = NDArray[np.float64]

HEAD = "head model on the scan"  # the source of the evidence

_SKIN_M = 0.24  # width of what is skin on a scan: .18 to .28, by hair, collar and what was scanned
_SKIN = 0.5
_FACTORS = (1.0, 0.8, 1.25, 0.64, 1.5625)  # times the unit that this gives: what lies between them is reached
_POINTS = 1500  # of the face
_STEPS = 40
_FAR, _NEAR = 0.03, 0.005  # metres, from where a scan attracts the face, at first and at last
_FALL = 0.85  # of that distance a step
_MOST = 0.35  # logarithm of the size that one start may come to
_FACING = 0.3  # least cosine of normals
_ROUNDS, _SETTLED = 3, 0.02  # of the whole, and the change of the size's logarithm that ends them
_ENOUGH = 50  # points that meet skin
_SPREAD = 0.08  # of heads' sizes, and of what little a smooth face tells of its size
_FOUND, _SURE = 0.45, 0.62  # shares of the face that lie tight: fewer is no head, more leaves nothing to look for
# On six scans, real and rendered, .58 to .76 at the right size; at others, where anything was found, .28 to .56.


@dataclass(frozen=True)
class HeadSize:
    """The unit in which a scan's head is as large as the average one.

    Attributes:
        metres: per unit.
        tight: share of the average face that lies tight on the skin.
    """

    metres: float
    tight: float


def evidence_of_head(
    template: Template, scan: Scan, weights: NDArray | None, metres: float | None = None, *, look: bool = True
) -> Evidence | None:
    """The scale of a scan by its head; None where none is found.

    Heads of grown-ups differ from the average by some 4 % (standard deviation), and a smooth face that lies tight on
    another tells its size to about 7 % more.

    Args:
        template: the head model.
        scan: V vertices, in its own unit.
        weights: (V,) of being skin, 0 to 1; None where all may be.
        metres: per unit, as far as something tells it.
        look: whether the head is looked for in other sizes, too, where it isn't found in that: that may take a minute.
    """
    repaired = repair(scan)  # its faces outwards, as a search by normals takes them to be
    scan, weights = repaired.scan, gathered(repaired, weights)
    starts, best = _starts(scan, weights, metres), None
    if metres is not None and not look:
        starts = [metres]
    for search in (False, True):  # the frame of our captures takes no search
        for start in starts:
            found = _from(template, scan, weights, start, search)
            if found and found.tight >= _FOUND and (best is None or found.tight > best.tight):
                best = found
            if best and best.tight >= _SURE:
                return Evidence(HEAD, best.metres, _SPREAD)
    return None if best is None else Evidence(HEAD, best.metres, _SPREAD)


def _starts(scan: Scan, weights: NDArray | None, metres: float | None) -> list[float]:
    """Metres per unit to start from: as it is told, then by the width of what counts as skin."""
    count = None if weights is None else np.asarray(weights) >= _SKIN
    points = scan.vertices if count is None or not count.any() else scan.vertices[count]
    low, high = np.percentile(points, [1, 99], axis=0)
    width = float((high - low).max())
    by_width = [factor * _SKIN_M / width for factor in _FACTORS] if width > 0 else []
    return by_width if metres is None else [metres, *by_width]


def _from(template: Template, scan: Scan, weights: NDArray | None, metres: float, search: bool) -> HeadSize | None:
    """The size from one start, in the best of the places where the head may be; `search` for it all over."""
    face = evenly_spaced(np.flatnonzero(template.face_mask), _POINTS)
    surface = template.surface(template.mean)
    points, normals = surface[face], vertex_normals(surface, template.faces)[face]
    try:
        near = scaled(scan, metres)
        places = align(template, template.mean, Target(near, weights), near, weights, search=search)
        found = []
        for place in places:
            turn, shift = rigid_motion(points, template.surface(place)[face])
            found.append(_grown(_Fit(points, normals, turn, shift, metres), scan, weights))
    except InputError:  # it is no head's size, or none is found
        return None
    sizes = [size for size in found if size is not None]
    return max(sizes, key=lambda size: size.tight, default=None)


@dataclass(frozen=True)
class _Fit:
    """The average face (N, 3) with normals, its rotation and shift, and the unit in which it fits a scan."""

    points: Floats
    normals: Floats
    turn: Floats
    shift: Floats
    metres: float


def _grown(fit: _Fit, scan: Scan, weights: NDArray | None) -> HeadSize | None:
    """The size that a face comes to from a place: what is near and tight is measured in the unit that this gives."""
    for _ in range(_ROUNDS):
        target = Target(scaled(scan, fit.metres), weights)
        step = _similarity_icp(fit, target)
        if step is None:
            return None
        turn, shift, size = step
        back = float(np.exp(-size))  # the skin is brought to the head's size
        fit = replace(fit, turn=turn, shift=back * shift, metres=fit.metres * back)
        if abs(size) < _SETTLED:
            break
    target = Target(scaled(scan, fit.metres), weights)
    fitted = judged(fit.points, fit.normals, target, fit.turn[None], fit.shift[None])
    return HeadSize(fit.metres, float(fitted.tight[0]))


def _similarity_icp(fit: _Fit, target: Target) -> tuple[Floats, Floats, float] | None:
    """Rotation, shift and logarithm of the size that bring a face to a target; None where it ends nowhere.

    Point-to-plane ICP with Tukey weights.
    """
    from scipy.spatial.transform import Rotation

    middle = fit.points.mean(axis=0)
    points, turn, size = fit.points - middle, fit.turn, 0.0
    centre = fit.turn @ middle + fit.shift
    for step in range(_STEPS):
        limit = max(_FAR * _FALL**step, _NEAR)
        out = np.exp(size) * points @ turn.T
        hits = target.nearest(out + centre, 2 * limit)
        offset = ((hits.points - out - centre) * hits.normals).sum(axis=1)
        facing = (hits.normals * (fit.normals @ turn.T)).sum(axis=1)
        weights = hits.weights * (facing > _FACING) * np.clip(1 - (hits.distance / (2 * limit)) ** 2, 0, 1) ** 2
        if (weights > 0).sum() < _ENOUGH:
            return None
        outward = (out * hits.normals).sum(axis=1, keepdims=True)
        rows = np.concatenate([np.cross(out, hits.normals), hits.normals, outward], axis=1)
        system = (rows * weights[:, None]).T @ rows + 1e-9 * np.eye(7)
        change = np.linalg.solve(system, (rows * weights[:, None]).T @ offset)
        turn = np.asarray(Rotation.from_rotvec(change[:3]).as_matrix()) @ turn
        centre = centre + change[3:6]
        size += float(change[6])
        if abs(size) > _MOST:
            return None
    return turn, centre - np.exp(size) * turn @ middle, size
