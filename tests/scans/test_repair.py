"""Repair of people's meshes: whatever a tool made of a clean mesh, it comes out as the clean one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from benchmarks.noisy_head import noisy_head
from capture import Scan
from scans.meshes.extent import core_vertices
from scans.meshes.pieces import piece_of_faces
from scans.meshes.repair import repair
from scans.ray_casting import RayCaster

Arrays = tuple[NDArray, NDArray, NDArray]  # vertices, faces, and the vertex of the clean mesh for each, -1 for none


def _head() -> tuple[NDArray, NDArray]:
    """An open bowl, as a scan of a head is: 2.4 thousand vertices."""
    ball = trimesh.creation.icosphere(4, radius=0.1)
    faces = ball.faces[(ball.vertices[ball.faces][:, :, 2] > -0.07).all(axis=1)]
    used, corners = np.unique(faces, return_inverse=True)
    return ball.vertices[used] * [0.8, 1.0, 1.3], corners.reshape(-1, 3)


def _as_is(vertices: NDArray, faces: NDArray) -> Arrays:
    return vertices, faces, np.arange(len(vertices))


def _turned(vertices: NDArray, faces: NDArray) -> Arrays:
    return vertices, faces[:, ::-1], np.arange(len(vertices))


def _partly_turned(vertices: NDArray, faces: NDArray) -> Arrays:
    some = np.random.default_rng(0).random(len(faces)) < 0.3
    return vertices, np.where(some[:, None], faces[:, ::-1], faces), np.arange(len(vertices))


def _doubled(vertices: NDArray, faces: NDArray) -> Arrays:
    return vertices, np.concatenate([faces[:, ::-1], faces]), np.arange(len(vertices))


def _doubled_with_vertices(vertices: NDArray, faces: NDArray) -> Arrays:
    both = np.concatenate([faces, faces[:, ::-1] + len(vertices)])
    return np.concatenate([vertices, vertices]), both, np.tile(np.arange(len(vertices)), 2)


def _soup(vertices: NDArray, faces: NDArray) -> Arrays:
    return vertices[faces.ravel()], np.arange(faces.size).reshape(-1, 3), faces.ravel()


def _rough_soup(vertices: NDArray, faces: NDArray) -> Arrays:
    """Corners of a face rounded on their own: a hundredth of a millimetre apart."""
    places, own, source = _soup(vertices, faces)
    return places + np.random.default_rng(0).uniform(-5e-6, 5e-6, places.shape), own, source


def _tiles(vertices: NDArray, faces: NDArray) -> Arrays:
    """Tiles that share no vertices, each a little away from where it was."""
    cell = np.floor(vertices[faces].mean(axis=1) / 0.03).astype(int)
    _, tile = np.unique(cell, axis=0, return_inverse=True)
    pairs, corners = np.unique(
        np.stack([np.repeat(tile.ravel(), 3), faces.ravel()], axis=1), axis=0, return_inverse=True
    )
    drift = np.random.default_rng(0).normal(size=(tile.max() + 1, 3)) * 1e-5
    return vertices[pairs[:, 1]] + drift[pairs[:, 0]], corners.reshape(-1, 3), pairs[:, 1]


def _turned_tiles(vertices: NDArray, faces: NDArray) -> Arrays:
    places, own, source = _tiles(vertices, faces)
    some = np.isin(piece_of_faces(own) % 3, [0])
    return places, np.where(some[:, None], own[:, ::-1], own), source


def _stray(vertices: NDArray, faces: NDArray) -> Arrays:
    """A triangle far away, larger than the head."""
    more = np.array([[30, 0, 0], [30, 5, 0], [30, 0, 5.0]])
    own = np.concatenate([faces, [[len(vertices) + k for k in range(3)]]])
    return np.concatenate([vertices, more]), own, np.append(np.arange(len(vertices)), [-1, -1, -1])


def _spiked(vertices: NDArray, faces: NDArray) -> Arrays:
    """A face with one corner far away."""
    own = np.concatenate([faces, [[0, 1, len(vertices)]]])
    return np.concatenate([vertices, [[0, 0, 40.0]]]), own, np.append(np.arange(len(vertices)), -1)


def _unused(vertices: NDArray, faces: NDArray) -> Arrays:
    """Three vertices that no face uses for every one that has some: at the origin, and not numbers."""
    count = len(vertices)
    places = np.concatenate([np.zeros((2 * count, 3)), vertices + np.array([0, 1, 0]), np.full((count, 3), np.nan)])
    source = np.concatenate([np.full(2 * count, -1), np.arange(count), np.full(count, -1)])
    return places, faces + 2 * count, source


KINDS = [_turned, _partly_turned, _doubled, _doubled_with_vertices, _soup, _rough_soup, _tiles, _turned_tiles]
KINDS += [_stray, _spiked, _unused]


def _volume(scan: Scan) -> float:
    return float(trimesh.Trimesh(scan.vertices, scan.faces, process=False).volume)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
@pytest.mark.parametrize("spoil", KINDS)
def test_a_spoilt_mesh_is_repaired_to_the_clean_one(spoil: Callable[..., Arrays], scale: float) -> None:
    vertices, faces = _head()
    places, own, source = spoil(vertices, faces)
    scan = Scan(places * scale, own)
    done = repair(scan)
    clean = vertices + ([0, 1, 0] if spoil is _unused else 0)
    assert done.index is not None and len(done.index) == len(places) and done.text
    assert len(done.scan.vertices) == len(vertices) and len(done.scan.faces) == len(faces)
    np.testing.assert_array_equal(done.index < 0, source < 0)
    known = source >= 0
    np.testing.assert_allclose(done.scan.vertices[done.index[known]] / scale, clean[source[known]], atol=6e-5)
    assert (source[known] == _clean_vertex(done.scan, clean * scale)[done.index[known]]).all()
    assert piece_of_faces(done.scan.faces).max() == 0
    middle = (clean * scale).mean(axis=0)
    turned = Scan(done.scan.vertices - middle, done.scan.faces)
    assert _volume(turned) == pytest.approx(_volume(Scan(clean * scale - middle, faces)), rel=1e-3)  # and its sign
    spread = done.spread(np.arange(len(vertices)), -1)
    assert (spread[~known] == -1).all() and (spread[known] >= 0).all()


def _clean_vertex(scan: Scan, clean: NDArray) -> NDArray:
    """(W,) the nearest clean vertex of each repaired one."""
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(clean).query(scan.vertices)[1])


def test_a_clean_mesh_is_left_as_it_is() -> None:
    """Also one with loose pieces, noise and folded faces, as stereo makes it, and one cut where it is not manifold."""
    vertices, faces = _head()
    cut, own = np.concatenate([vertices, vertices[:5]]), faces.copy()
    for vertex in range(5):
        beside = np.flatnonzero((faces == vertex).any(axis=1))[:2]
        own[beside] = np.where(faces[beside] == vertex, len(vertices) + vertex, own[beside])
    for scan in (Scan(vertices, faces), Scan(*noisy_head(8000)), Scan(cut, own)):
        done = repair(scan)
        assert done.scan is scan and done.index is None and not done.text
        values = np.arange(len(scan.vertices))
        assert done.spread(values, -1) is values and done.gather(values) is values


def test_weights_of_copies_are_averaged() -> None:
    places, own, source = _soup(*_head())
    done = repair(Scan(places, own))
    values = np.random.default_rng(0).random(len(places))
    means = np.bincount(source, values) / np.bincount(source)
    np.testing.assert_allclose(done.spread(done.gather(values), 0), means[source])


def test_rays_start_as_high_above_a_surface_with_strays() -> None:
    vertices, faces = _head()
    plain = RayCaster(vertices, faces)
    for spoil in (_stray, _spiked):
        places, own, source = spoil(vertices, faces)
        np.testing.assert_array_equal(core_vertices(places, own), source >= 0)
        caster = RayCaster(places, own)
        assert caster.offset == plain.offset
        np.testing.assert_array_equal(caster.centre, plain.centre)
