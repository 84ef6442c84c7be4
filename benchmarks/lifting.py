"""Visibility of a scan's vertices in 13 views: ours beside trimesh with Embree, on the same rays in the same run.

The scan is the default model's mean head, subdivided and cut to 250,000 vertices, with 0.1 mm of noise; the views are
those of the default rig. CPU time counts. The peer is used as its documentation shows: a `RayMeshIntersector` and
`intersects_any`, with projections, angles and rays in plain numpy; it gets our normals, as its own leave out the small
triangles of meshes in metres. Then the tokens of a ViT-S are lifted to all vertices.

    python -m benchmarks.lifting [--vertices 250000] [--repeat 5]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from trimesh import Trimesh
from trimesh.ray.ray_pyembree import RayMeshIntersector

from assets.geometry.subdivision import catmull_clark
from assets.head_models.head_model import Pose
from assets.makehuman.model import load_default_model
from capture import Camera, vertex_normals
from generator.cameras.rig import RigSpec, rig_cameras
from scans.ray_casting import OFFSET, RayCaster
from scans.visibility import Views, project_views
from training.features.lifting import lift

PROMISE = 1.5  # CPU-seconds for 250,000 vertices in 13 views, normals and the tree included


def head(vertices: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The upper part of the mean head's skin, of so many vertices, as triangles with the noise of a scan."""
    model = load_default_model()
    points = model.vertices(model.mean_identity, model.neutral_expression(), Pose())
    quads = model.polygons[model.polygon_parts == model.part_names.index("skin")].astype(np.int64)
    while len(np.unique(quads)) < vertices:
        points, quads, _ = catmull_clark(points, quads, np.zeros((len(points), 0)))
    height = points[:, 2]
    line = np.sort(height[np.unique(quads)])[-vertices]
    used, corners = np.unique(quads[(height[quads] >= line).all(axis=1)], return_inverse=True)
    corners = corners.reshape(-1, 4)
    noisy = points[used] + np.random.default_rng(0).normal(0, 1e-4, (len(used), 3))
    return noisy.astype(np.float32), np.concatenate([corners[:, :3], corners[:, [0, 2, 3]]]).astype(np.int32)


def ours(cameras: Sequence[Camera], vertices: NDArray, faces: NDArray) -> Views:
    """Everything from the mesh to the weights."""
    return project_views(cameras, vertices, vertex_normals(vertices, faces), RayCaster(vertices, faces))


def theirs(cameras: Sequence[Camera], vertices: NDArray, faces: NDArray) -> NDArray[np.float64]:
    """The weights (N, V) by trimesh."""
    mesh = Trimesh(vertices.astype(float), faces, process=False)
    caster, normals = RayMeshIntersector(mesh), vertex_normals(vertices, faces)
    starts = mesh.vertices + OFFSET * np.linalg.norm(mesh.extents) * normals
    weights = np.zeros((len(cameras), len(vertices)))
    for row, camera in zip(weights, cameras, strict=True):
        pixels = camera.project(mesh.vertices)[0]
        inside = ((pixels >= 0) & (pixels < (camera.width, camera.height))).all(axis=1)
        ways = camera.centre - mesh.vertices
        cosine = (ways * normals).sum(axis=1) / np.linalg.norm(ways, axis=1)
        index = np.flatnonzero(inside & (cosine > 0))
        hidden = caster.intersects_any(starts[index], camera.centre - starts[index])
        row[index] = np.where(hidden, 0, cosine[index])
    return weights


def cpu(work: Callable[[], object], repeat: int) -> tuple[object, list[float]]:
    """The result and the CPU-seconds of each run."""
    seconds, result = [], None
    for _ in range(repeat):
        start = time.process_time()
        result = work()
        seconds.append(time.process_time() - start)
    return result, seconds


def main() -> None:
    """Print times, ratio and agreement; fails where we are slower than we say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vertices", type=int, default=250_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    vertices, faces = head(options.vertices)
    centre, radius = (vertices.max(0) + vertices.min(0)) / 2, float(np.ptp(vertices, axis=0).max() / 2)
    cameras = rig_cameras(RigSpec(), centre, radius, 1024)
    print(f"{len(vertices)} vertices, {len(faces)} faces, {len(cameras)} views")
    own: list[float] = []
    peer: list[float] = []
    for _ in range(options.repeat):  # in turns: what else runs on the machine falls on both
        views, seconds = cpu(lambda: ours(cameras, vertices, faces), 1)
        weights, peer_seconds = cpu(lambda: theirs(cameras, vertices, faces), 1)
        own, peer = own + seconds, peer + peer_seconds
    assert isinstance(views, Views) and isinstance(weights, np.ndarray)
    print(f"  ours                 {min(own):6.2f} CPU-s (median {np.median(own):.2f})")
    print(
        f"  trimesh with Embree  {min(peer):6.2f} CPU-s (median {np.median(peer):.2f}), "
        f"ratio {min(peer) / min(own):.1f}"
    )
    differ = ((views.weights > 0) != (weights > 0)).mean()
    print(f"  seen: {(views.weights > 0).mean():.1%} of vertices times views; the two differ in {differ:.2e} of them")
    tokens = [np.random.default_rng(i).normal(size=(37, 37, 384)).astype(np.float16) for i in range(len(cameras))]
    _, lifting = cpu(lambda: lift(tokens, views, "weighted_mean_variance"), 1)
    print(f"  lifting 384 channels, mean and variance: {lifting[0]:.2f} CPU-s")
    assert differ < 1e-3, "trimesh disagrees"
    assert min(own) * 250_000 / len(vertices) < PROMISE, f"more than {PROMISE} CPU-seconds"


if __name__ == "__main__":
    main()
