from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from capture import Capture
from reconstruction.depth import DepthMap
from reconstruction.neighbours import find_neighbours
from reconstruction.patchmatch import estimate
from reconstruction.patchmatch.estimate import estimate_depth_maps
from reconstruction.patchmatch.jit import source_digest
from reconstruction.patchmatch.sweep import FAR, NEAR, sweep
from reconstruction.ranges import find_volume
from reconstruction.settings import ReconstructionSettings
from reconstruction.views import load_views
from tests.reconstruction.synthetic import grid, sphere_depth


def maps_of(capture: Capture, settings: ReconstructionSettings) -> tuple[DepthMap, ...]:
    views = load_views(capture)
    volume = find_volume(capture.cameras, capture.model.points, settings)
    return estimate_depth_maps(views, volume, find_neighbours(capture.cameras, volume, 4), settings)


@pytest.fixture(scope="module")
def maps(sphere: Capture) -> tuple[DepthMap, ...]:
    return maps_of(sphere, ReconstructionSettings(threads=1))


def test_depth_of_a_sphere_is_right(sphere: Capture, maps: tuple[DepthMap, ...]) -> None:
    camera = sphere.cameras[0]
    truth = sphere_depth(camera, grid(camera))
    known = maps[0].depth > 0
    both = known & (truth > 0)
    assert both.sum() > 0.7 * (truth > 0).sum()
    around = ndimage.binary_dilation(truth > 0, iterations=3)  # a window sees the outline from there
    assert (known & ~around).sum() < 0.01 * (~around).sum()
    footprint = 0.6 / camera.focal[0]
    error = np.abs(maps[0].depth - truth)[both]
    # A window of 11 pixels is a third of the sphere's radius here: planes cut across its curvature.
    assert np.median(error) < 0.45 * footprint
    assert np.percentile(error, 90) < 2 * footprint


def test_normals_of_a_sphere_are_right(sphere: Capture, maps: tuple[DepthMap, ...]) -> None:
    camera = sphere.cameras[0]
    truth = sphere_depth(camera, grid(camera))
    both = (maps[0].depth > 0) & (truth > 0)
    outwards = camera.unproject(grid(camera), truth)[both]
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    normals = maps[0].normal[both] @ camera.rotation
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-4)
    angle = np.degrees(np.arccos(np.clip((normals * outwards).sum(axis=1), -1, 1)))
    assert np.median(angle) < 8


def test_confidence_goes_with_depth(maps: tuple[DepthMap, ...]) -> None:
    for item in maps:
        assert item.confidence is not None
        assert ((item.confidence > 0) == (item.depth > 0)).all()


def test_same_seed_same_maps_on_any_number_of_threads(sphere: Capture, maps: tuple[DepthMap, ...]) -> None:
    for one, two in zip(maps, maps_of(sphere, ReconstructionSettings(threads=2)), strict=True):
        assert np.array_equal(one.depth, two.depth)
        assert np.array_equal(one.normal, two.normal)


@pytest.mark.parametrize(
    ("level", "agreeing", "cost", "kept"),
    [(0, 2, 0.8, True), (0, 2, 0.9, False), (0, 1, 0.45, True), (0, 1, 0.55, False), (0, 0, 0.1, False),
     (1, 0, 0.1, False), (1, 1, 0.8, True)],
)  # fmt: skip
def test_a_pixel_that_matches_well_needs_one_source_less(
    sphere: Capture, monkeypatch: pytest.MonkeyPatch, level: int, agreeing: int, cost: float, kept: bool
) -> None:
    monkeypatch.setattr(estimate, "count_consistent", lambda *given: given[-1].fill(agreeing))
    monkeypatch.setattr(estimate, "reject_fattened", lambda depth, *given: depth > 0)
    settings = ReconstructionSettings(threads=1)
    views, volume = load_views(sphere), find_volume(sphere.cameras, sphere.model.points, settings)
    solver = estimate._Level(views, volume, find_neighbours(sphere.cameras, volume, 4), settings, level)
    states = solver.start(None, [])
    for state in states:
        state.depth[:], state.cost[:] = 0.5, cost
    keep = solver.trusted(states, 2 if level == 0 else 1)[0]
    assert np.array_equal(keep, solver.textured(0) & kept)


def test_another_seed_gives_other_maps(sphere: Capture, maps: tuple[DepthMap, ...]) -> None:
    other = maps_of(sphere, ReconstructionSettings(seed=1))
    assert not np.array_equal(maps[0].depth, other[0].depth)


def test_propagation_stays_on_the_other_colour() -> None:
    for offsets in (NEAR, FAR):
        assert (np.abs(offsets).sum(axis=-1) % 2 == 1).all()


def test_kernels_are_kept_on_disk_under_a_stamp_of_all_sources() -> None:
    assert sweep._cache._cache_file._source_stamp == source_digest()
    assert sum(sweep.stats.cache_hits.values()) + sum(sweep.stats.cache_misses.values()) > 0
