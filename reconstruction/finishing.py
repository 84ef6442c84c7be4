"""Cut, noise, smoothing and wall of a style. All in the mesh's unit, the same for any number of threads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, diags_array

from capture import Camera, vertex_normals
from capture.geometry import Floats, Ints, MeshArrays, border_vertices, unique_edges, unit
from reconstruction.cleaning import keep_vertices
from reconstruction.styles import ScanStyle

_WALL_SIDE = 0.9  # metres
_WALL_STEP = 0.008  # metres
_WALL_WAVES = 0.0015  # metres: standard deviation of what stereo makes of a plain wall
_SHIFT = 0.5  # of the way to the neighbours' middle, an iteration


def cut_below(vertices: Floats, faces: Ints, up: Floats, share: float) -> MeshArrays:
    """The mesh without what lies in the lowest `share` of its height along `up` (3,)."""
    height = vertices @ up
    low, high = np.percentile(height, (0.5, 99.5))
    return keep_vertices(vertices, faces, height >= low + share * (high - low))


def finish(vertices: Floats, faces: Ints, style: ScanStyle, rng: np.random.Generator) -> Floats:
    """The vertices (V, 3) with the noise and the smoothing of a style."""
    if style.noise_mm > 0:
        heights = _correlated(vertices, faces, style.noise_width_mm / 1000, rng) * style.noise_mm / 1000
        vertices = vertices + heights[:, None] * vertex_normals(vertices, faces)
    if style.smooth_mm > 0:
        vertices = _smoothed(vertices, vertices, faces, style.smooth_mm / 1000)
    return vertices


def _correlated(vertices: Floats, faces: Ints, width: float, rng: np.random.Generator) -> Floats:
    """(V,) normal noise that goes together over `width` along the mesh, of standard deviation 1."""
    noise = _smoothed(rng.standard_normal((len(vertices), 1)), vertices, faces, width / 2, borders=True)[:, 0]
    return np.asarray(noise / max(float(noise.std()), 1e-12))


def _smoothed(values: Floats, vertices: Floats, faces: Ints, width: float, borders: bool = False) -> Floats:
    """Values (V, C) at the vertices, diffused over `width`; those at borders stay unless `borders`.

    In n steps of `_SHIFT` to the neighbours' mean a value spreads like a random walk: over a variance of
    n _SHIFT h² / 2 in each direction, with h the length of an edge.
    """
    edges = unique_edges(faces)
    length = float(np.median(np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)))
    steps = int(np.clip(round(2 * width**2 / (_SHIFT * length**2)), 1, 400))
    mean = _neighbour_means(edges, len(vertices))
    moving = np.full((len(vertices), 1), _SHIFT)
    if not borders:
        moving[border_vertices(faces, len(vertices))] = 0
    for _ in range(steps):
        values = values + moving * (mean @ values - values)
    return values


def _neighbour_means(edges: Ints, count: int) -> csr_matrix:
    """(V, V) matrix that takes the mean over each vertex' neighbours; a vertex without any keeps its value."""
    rows, columns = np.concatenate([edges, edges[:, ::-1]]).T
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), (count, count)).tocsr()
    degree = np.asarray(graph.sum(axis=1)).ravel()
    return csr_matrix(diags_array(1 / np.maximum(degree, 1)) @ graph + diags_array((degree == 0).astype(float)))


def up_of(cameras: Sequence[Camera]) -> Floats:
    """(3,) the mean direction up in the images."""
    return unit(-np.mean([camera.rotation[1] for camera in cameras], axis=0))


def wall_behind(
    vertices: Floats,
    cameras: Sequence[Camera],
    up: Floats,
    distance: float,
    rng: np.random.Generator,
    metres: float = 1.0,
) -> tuple[Floats, Ints, Floats]:
    """Vertices, faces and normals (W, 3) of a wall behind a mesh, as stereo rebuilds one: a sheet with waves.

    Behind is where the cameras look on average, level with the ground.

    Args:
        vertices: (V, 3) of the mesh.
        cameras: N.
        up: (3,).
        distance: from the end of the mesh, in its unit.
        rng: of the waves.
        metres: of its unit.
    """
    behind = np.mean([camera.direction for camera in cameras], axis=0)
    behind = unit(behind - (behind @ up) * up)
    side = np.cross(behind, up)
    far = float(np.percentile(vertices @ behind, 99.5)) + distance
    middle = vertices.mean(axis=0)
    middle = middle + (far - middle @ behind) * behind
    count = round(_WALL_SIDE / _WALL_STEP) + 1
    at = (np.arange(count) - (count - 1) / 2) * _WALL_STEP / metres
    across, along = np.meshgrid(at, at, indexing="ij")
    flat = middle + across.reshape(-1, 1) * side + along.reshape(-1, 1) * up
    faces = _grid_faces(count)
    waves = _correlated(flat, faces, 5 * _WALL_STEP / metres, rng) * _WALL_WAVES / metres
    points = flat + waves[:, None] * behind
    return points, faces, vertex_normals(points, faces)


def _grid_faces(count: int) -> NDArray[np.int64]:
    """Faces of a grid of count x count vertices, which face against the direction behind the wall."""
    index = np.arange(count * count).reshape(count, count)
    a, b, c, d = index[:-1, :-1].ravel(), index[1:, :-1].ravel(), index[1:, 1:].ravel(), index[:-1, 1:].ravel()
    return np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]).astype(np.int64)
