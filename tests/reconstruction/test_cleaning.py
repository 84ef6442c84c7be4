from __future__ import annotations

import numpy as np
import trimesh

from capture import vertex_normals
from reconstruction.cleaning import drop_bad_faces, largest_components, make_manifold


def test_degenerate_and_repeated_faces_go() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [2, 0, 0.0]])
    faces = np.array([[0, 1, 2], [1, 2, 0], [0, 0, 1], [0, 1, 3]])
    kept, left = drop_bad_faces(vertices, faces)
    assert left.tolist() == [[0, 1, 2]] and len(kept) == 3


def test_small_pieces_go() -> None:
    big, small = trimesh.creation.icosphere(2, 1.0), trimesh.creation.icosphere(1, 0.1)
    vertices = np.concatenate([big.vertices, small.vertices + 5])
    faces = np.concatenate([big.faces, small.faces + len(big.vertices)])
    kept, left = largest_components(vertices, faces, 0.1)
    assert len(kept) == len(big.vertices) and len(left) == len(big.faces)


def test_a_fin_is_cut_off_and_two_fans_get_two_vertices() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, -1, 0], [0.5, 0, 1.0]])
    cut, faces = make_manifold(vertices, np.array([[0, 1, 2], [1, 0, 3], [0, 1, 4]]))
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert np.unique(edges, axis=0, return_counts=True)[1].max() <= 2
    bow = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [-1, 0, 0], [-1, -1, 0.0]])
    cut, _ = make_manifold(bow, np.array([[0, 1, 2], [0, 3, 4]]))
    assert len(cut) == 6


def test_a_manifold_mesh_stays_as_it_is() -> None:
    ball = trimesh.creation.icosphere(2)
    vertices, faces = make_manifold(np.asarray(ball.vertices), np.asarray(ball.faces))
    assert np.array_equal(vertices, ball.vertices) and np.array_equal(faces, ball.faces)


def test_normals_agree_with_trimesh() -> None:
    ball = trimesh.creation.icosphere(3)
    normals = vertex_normals(np.asarray(ball.vertices), np.asarray(ball.faces))
    assert np.abs((normals * ball.vertices).sum(axis=1) - 1).max() < 1e-3
