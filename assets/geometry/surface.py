"""Small tools on triangle meshes: nearest points, closest points of triangles, similarity, sphere, smoothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets.head_models.head_model import FloatArray
from capture.geometry import Floats, Ints

_CHUNK = 2048


def nearest(queries: FloatArray, points: FloatArray, count: int = 1) -> Ints:
    """(N, count) indices of the points (M, D) nearest to each query (N, D), in no order for count above one.

    Brute force in chunks, float32: 27,000 queries among 6,000 points of six numbers take about a second.
    """
    middle = points.mean(axis=0)
    a, b = (queries - middle).astype(np.float32), (points - middle).astype(np.float32)
    half_square = 0.5 * (b**2).sum(axis=1)
    indices = np.empty((len(a), count), dtype=np.int64)
    for start in range(0, len(a), _CHUNK):
        distance = half_square - a[start : start + _CHUNK] @ b.T
        rows = indices[start : start + _CHUNK]
        if count == 1:
            rows[:, 0] = distance.argmin(axis=1)
        else:
            rows[:] = np.argpartition(distance, count - 1, axis=1)[:, :count]
    return indices


def similarity(source: FloatArray, target: FloatArray, weights: FloatArray) -> tuple[float, Floats, Floats]:
    """Scale s, rotation R and shift t that minimise sum w |s R p + t - q|^2 over points (N, 3) (Umeyama 1991)."""
    share = weights / weights.sum()
    from_middle, to_middle = share @ source, share @ target
    a, b = source - from_middle, target - to_middle
    u, spread, vt = np.linalg.svd((b * share[:, None]).T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((spread * sign).sum() / (share @ (a**2).sum(axis=1)))
    return scale, rotation, to_middle - scale * rotation @ from_middle


def sphere_centre(points: FloatArray) -> Floats:
    """Centre of the sphere through points (N, 3): least squares of |p|^2 - 2 p.c = const."""
    system = np.column_stack([2.0 * points, np.ones(len(points))])
    return np.asarray(np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0][:3])


def closest_weights(points: FloatArray, triangles: FloatArray) -> Floats:
    """(..., 3) barycentric weights of the point of each triangle (..., 3, 3) that is closest to its point (..., 3)."""
    a, b, c = (triangles[..., corner, :] for corner in range(3))
    best, best_distance = np.zeros((*points.shape[:-1], 3)), np.full(points.shape[:-1], np.inf)
    for first, second, i, j in ((a, b, 0, 1), (b, c, 1, 2), (c, a, 2, 0)):
        edge = second - first
        length = np.maximum((edge**2).sum(-1), 1e-30)
        t = np.clip(((points - first) * edge).sum(-1) / length, 0.0, 1.0)
        distance = ((first + t[..., None] * edge - points) ** 2).sum(-1)
        closer = distance < best_distance
        weights = np.zeros_like(best)
        weights[..., i], weights[..., j] = 1.0 - t, t
        best = np.where(closer[..., None], weights, best)
        best_distance = np.where(closer, distance, best_distance)
    u, v, w = b - a, c - a, points - a
    uu, uv, vv, wu, wv = ((p * q).sum(-1) for p, q in ((u, u), (u, v), (v, v), (w, u), (w, v)))
    area = np.maximum(uu * vv - uv * uv, 1e-30)
    s, t = (vv * wu - uv * wv) / area, (uu * wv - uv * wu) / area
    inside = (s >= 0) & (t >= 0) & (s + t <= 1) & (uu * vv - uv * uv > 1e-24)
    return np.where(inside[..., None], np.stack([1.0 - s - t, s, t], axis=-1), best)


def faces_around(faces: NDArray[np.integer], count: int) -> Ints:
    """(count, D) the faces at every vertex; rows are filled up with a face of theirs, or 0 where there is none."""
    vertex = faces.ravel()
    order = np.argsort(vertex, kind="stable")
    number = np.bincount(vertex, minlength=count)
    start = np.cumsum(number) - number
    column = np.minimum(np.arange(max(int(number.max()), 1)), np.maximum(number - 1, 0)[:, None])
    place = np.minimum(start[:, None] + column, len(order) - 1)
    return np.where(number[:, None] > 0, order[place] // faces.shape[1], 0)


def smooth(values: FloatArray, weights: FloatArray, edges: Ints, stiffness: float, rounds: int = 150) -> Floats:
    """(N, C) x that minimises sum w |x - values|^2 + stiffness sum over edges |xi - xj|^2, by conjugate gradients.

    values may hold anything where weights (N,) are zero: there x continues what is around.
    """
    first, second = edges.T
    degree = np.bincount(edges.ravel(), minlength=len(values))
    diagonal = weights + stiffness * degree + 1e-9

    def product(x: Floats) -> Floats:
        out = x * diagonal[:, None]
        for axis in range(x.shape[1]):
            out[:, axis] -= stiffness * (
                np.bincount(first, x[second, axis], len(x)) + np.bincount(second, x[first, axis], len(x))
            )
        return out

    right = np.where(weights[:, None] > 0, values, 0.0) * weights[:, None]
    x = np.zeros_like(right)
    residual = right - product(x)
    step = z = residual / diagonal[:, None]
    power = (residual * z).sum(axis=0)
    for _ in range(rounds):
        moved = product(step)
        alpha = power / np.maximum((step * moved).sum(axis=0), 1e-300)
        x = x + alpha * step
        residual = residual - alpha * moved
        z = residual / diagonal[:, None]
        before, power = power, (residual * z).sum(axis=0)
        step = z + power / np.maximum(before, 1e-300) * step
    return x
