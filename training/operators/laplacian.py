"""The Laplacian of any triangle mesh: Sharp and Crane, "A Laplacian for Nonmanifold Triangle Meshes" (2020).

The mesh is doubled into a front and a back that are glued around each edge (the tufted cover: closed and manifold
whatever the mesh is), edges are flipped intrinsically until the cover is Delaunay, and the cotangent weights of both
sides are averaged. All weights are then non-negative. Half-edges are numbered 3 f + i and run from corner i of face f
to the next; `twin` is the half-edge on the other side, `tail` the vertex where one starts.
"""

from __future__ import annotations

import logging

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from training.compiled import compiled

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

MOLLIFY = 1e-5  # mean edge lengths by which any two sides of a triangle must exceed the third (their Section 4.5)
FLAT = -1e-6  # cotangent weights above need no flip: those of four points on a circle are 0 up to rounding
MOST_FLIPS = 100  # a half-edge, on the average: never reached, but a loop must end


def robust_laplacian(vertices: NDArray, faces: NDArray) -> tuple[scipy.sparse.csc_matrix, Floats]:
    """Laplacian (V, V), symmetric and positive semi-definite with zero row sums, and vertex areas (V,).

    Args:
        vertices: (V, 3), any unit.
        faces: (F, 3) with three different corners each; edges may have any number of faces, in any orientation.
    """
    points, corners = np.ascontiguousarray(vertices, np.float64), np.ascontiguousarray(faces, np.int64)
    lengths = np.linalg.norm(points[np.roll(corners, -1, axis=1)] - points[corners], axis=2)
    order, low, high = _around_edges(corners, len(points))
    once = order[(np.diff(low[order], prepend=-1) != 0) | (np.diff(high[order], prepend=-1) != 0)]
    lengths += _mollification(lengths, float(lengths.ravel()[once].mean()))
    tail, sides = np.empty(6 * len(corners), np.int64), np.empty(6 * len(corners))
    _double(corners, lengths, tail, sides)
    twin = _glue(points, corners, order, low, high)
    flips = _flip_to_delaunay(tail, twin, sides, FLAT, MOST_FLIPS * len(tail))
    log.debug("%d flips among %d edges of the cover", flips, len(tail) // 2)
    if flips == MOST_FLIPS * len(tail):
        log.warning("edges are still flipped after %d flips; the Laplacian may have negative weights", flips)
    pointers, columns, values, area = _assemble(tail, twin, sides, len(points))
    return scipy.sparse.csc_matrix((values, columns, pointers), shape=(len(points),) * 2), area


def _mollification(lengths: Floats, mean: float) -> float:
    """Length by which all sides (F, 3) must grow for every triangle to be one, with room to spare."""
    excess = 2 * lengths.max(axis=1) - lengths.sum(axis=1)
    return max(0.0, float(excess.max()) + MOLLIFY * mean)


@compiled
def _double(corners, lengths, tail, sides):  # type: ignore[no-untyped-def]
    """Fill in the front faces as given and, after them, the back faces turned around: i there runs along 2 - i here."""
    count = len(corners)
    for f in range(count):
        for i in range(3):
            tail[3 * f + i], sides[3 * f + i] = corners[f, i], lengths[f, i]
            back = 3 * (count + f) + 2 - i
            tail[back], sides[back] = corners[f, (i + 1) % 3], lengths[f, i]


@compiled
def _around_edges(corners, vertices):  # type: ignore[no-untyped-def]
    """Half-edges of the faces, those along one edge together; and each one's lower and higher vertex."""
    count = 3 * len(corners)
    low, high = np.empty(count, np.int64), np.empty(count, np.int64)
    starts = np.zeros(vertices + 1, np.int64)
    for h in range(count):
        a, b = corners[h // 3, h % 3], corners[h // 3, (h + 1) % 3]
        low[h], high[h] = min(a, b), max(a, b)
        starts[low[h] + 1] += 1
    starts = np.cumsum(starts)
    place, order = starts.copy(), np.empty(count, np.int64)
    for h in range(count):  # ordered by the lower vertex; by the higher one as they come in
        k = place[low[h]]
        place[low[h]] += 1
        while k > starts[low[h]] and high[order[k - 1]] > high[h]:
            order[k] = order[k - 1]
            k -= 1
        order[k] = h
    return order, low, high


@compiled
def _glue(points, corners, order, low, high):  # type: ignore[no-untyped-def]
    """Twins (6F,) of the cover: around each edge, what two neighbouring faces turn to each other is one surface."""
    count = len(order)
    twin = np.empty(2 * count, np.int64)
    first = 0
    while first < count:
        last = first + 1
        while last < count and low[order[last]] == low[order[first]] and high[order[last]] == high[order[first]]:
            last += 1
        if last - first > 2:  # of one or two faces any order is the order around the edge
            order[first:last] = order[first:last][np.argsort(_angles(points, corners, order[first:last], low, high))]
        for k in range(first, last):
            here, there = order[k], order[k + 1 if k + 1 < last else first]
            above = _side(here, corners, low, count, True)
            below = _side(there, corners, low, count, False)
            twin[above], twin[below] = below, above
        first = last
    return twin


@compiled
def _side(h, corners, low, count, upper):  # type: ignore[no-untyped-def]
    """The half-edge of the side, front or back, that looks up (or down) the angles around the edge."""
    along = corners[h // 3, h % 3] == low[h]
    return h if along == upper else count + 3 * (h // 3) + 2 - h % 3


@compiled
def _angles(points, corners, some, low, high):  # type: ignore[no-untyped-def]
    """Of the faces at some half-edges along one edge: their angles around it, from its lower to its higher vertex."""
    a, b = points[low[some[0]]], points[high[some[0]]]
    axis = (b - a) / np.sqrt(((b - a) ** 2).sum())
    first, second = np.zeros(3), np.zeros(3)
    angles = np.zeros(len(some))
    for k, h in enumerate(some):
        arm = points[corners[h // 3, (h + 2) % 3]] - a
        arm -= (arm * axis).sum() * axis
        if k == 0:
            first[:] = arm
            for i in range(3):
                second[i] = axis[(i + 1) % 3] * arm[(i + 2) % 3] - axis[(i + 2) % 3] * arm[(i + 1) % 3]
        angles[k] = np.arctan2((arm * second).sum(), (arm * first).sum())
    return angles


@compiled
def _next(h):  # type: ignore[no-untyped-def]
    return h - 2 if h % 3 == 2 else h + 1


@compiled
def _area(a, b, c):  # type: ignore[no-untyped-def]
    """Of a triangle with these sides (Heron)."""
    return 0.25 * np.sqrt(max((a + b + c) * (b + c - a) * (c + a - b) * (a + b - c), 0.0))


@compiled
def _cotangent(h, sides):  # type: ignore[no-untyped-def]
    """Of the angle opposite a half-edge."""
    a, b, c = sides[h], sides[_next(h)], sides[_next(_next(h))]
    return (b * b + c * c - a * a) / (4 * _area(a, b, c))


@compiled
def _diagonal(h, t, sides):  # type: ignore[no-untyped-def]
    """Length of the other diagonal of the two triangles at an edge, laid flat side by side."""
    base, total = sides[h], _area(sides[h], sides[_next(h)], sides[_next(_next(h))])
    total += _area(sides[t], sides[_next(t)], sides[_next(_next(t))])
    right, left = sides[_next(h)], sides[_next(_next(h))]
    near, far = sides[_next(t)], sides[_next(_next(t))]
    along = (left * left - right * right - near * near + far * far) / (2 * base)
    return np.hypot(along, 2 * total / base)


@compiled
def _flip_to_delaunay(tail, twin, sides, flat, most):  # type: ignore[no-untyped-def]
    """Flip edges, in place, until no two opposite angles add up to more than half a turn; the number of flips."""
    waiting, queued = np.arange(len(tail)), np.ones(len(tail), np.bool_)
    left, flips = len(tail), 0
    while left and flips < most:
        left -= 1
        h = waiting[left]
        queued[h] = False
        t = twin[h]
        if h // 3 == t // 3 or 0.5 * (_cotangent(h, sides) + _cotangent(t, sides)) >= flat:
            continue  # a face glued to itself is a cone about a vertex and can't be flipped
        _flip(h, t, tail, twin, sides)
        flips += 1
        for touched in (h, _next(_next(h)), t, _next(_next(t))):
            if not queued[touched]:
                queued[touched] = True
                waiting[left] = touched
                left += 1
    return flips


@compiled
def _flip(h, t, tail, twin, sides):  # type: ignore[no-untyped-def]
    """Faces (a, b, c) and (b, a, d) at a → b become (a, d, c) and (b, c, d): two half-edges move, two are new."""
    length = _diagonal(h, t, sides)
    right, near = _next(h), _next(t)  # b → c and a → d
    beyond_right, beyond_near = twin[right], twin[near]
    if beyond_right == near:  # the two are one edge
        twin[h], twin[t] = t, h
    else:
        twin[t], twin[beyond_right] = beyond_right, t
        twin[h], twin[beyond_near] = beyond_near, h
    sides[t], sides[h] = sides[right], sides[near]
    twin[right], twin[near] = near, right
    sides[right] = sides[near] = length
    tail[right], tail[near] = tail[_next(near)], tail[_next(right)]


@compiled
def _assemble(tail, twin, sides, vertices):  # type: ignore[no-untyped-def]
    """Pointers, columns and values of the Laplacian's rows, and areas; each side of the cover counts half."""
    weight, area = np.empty(len(tail)), np.zeros(vertices)
    starts = np.zeros(vertices + 1, np.int64)
    for h in range(len(tail)):
        weight[h] = 0.25 * _cotangent(h, sides)
        area[tail[h]] += _area(sides[h], sides[_next(h)], sides[_next(_next(h))]) / 6
        starts[tail[h] + 1] += 1
    starts = np.cumsum(starts + 1) - 1  # and one for the diagonal
    columns, values = np.empty(starts[-1], np.int64), np.empty(starts[-1])
    ends = starts[:-1].copy()
    for v in range(vertices):
        columns[ends[v]], values[ends[v]] = v, 0
        ends[v] += 1
    for h in range(len(tail)):
        a, b = tail[h], tail[_next(h)]
        if a == b:  # a loop has no weight
            continue
        both = weight[h] + weight[twin[h]]
        k = starts[a]
        while k < ends[a] and columns[k] != b:
            k += 1
        if k == ends[a]:
            columns[k], values[k] = b, 0
            ends[a] += 1
        values[k] -= both
    pointers, tight, entries = _sorted_rows(starts, ends, columns, values)
    return pointers, tight, entries, area


@compiled
def _sorted_rows(starts, ends, columns, values):  # type: ignore[no-untyped-def]
    """The rows one after the other, columns ascending; the diagonal, which comes first, balances the rest."""
    pointers = np.zeros(len(starts), np.int32)
    pointers[1:] = np.cumsum(ends - starts[:-1])
    tight, entries = np.empty(pointers[-1], np.int32), np.empty(pointers[-1])
    for v in range(len(ends)):
        row = slice(starts[v], ends[v])
        values[starts[v]] = -values[row].sum()
        order = np.argsort(columns[row])
        tight[pointers[v] : pointers[v + 1]] = columns[row][order]
        entries[pointers[v] : pointers[v + 1]] = values[row][order]
    return pointers, tight, entries
