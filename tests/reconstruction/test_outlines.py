"""Beside outlines: detail without halos, depths without fattening."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from reconstruction.patchmatch.detail import fine_detail, median_network
from reconstruction.patchmatch.fattening import reject_fattened

CAMERA = np.array([500, 500, 40, 30], np.float32)
SHAPE = (60, 80)


def detail(image: NDArray[np.float32], limit: float) -> NDArray[np.float32]:
    return fine_detail(image, 4, 2, limit)


def test_detail_is_what_a_median_leaves() -> None:
    image = np.random.default_rng(0).uniform(0, 1, SHAPE).astype(np.float32)
    footprint = np.zeros((9, 9), bool)
    footprint[::2, ::2] = True
    median = ndimage.median_filter(image, footprint=footprint, mode="nearest")
    assert np.allclose(detail(image, 1e3), image - median, atol=1e-4)
    assert np.abs(detail(image, 0.02)).max() <= 0.02


@pytest.mark.parametrize("count", [1, 2, 3, 9, 16, 25, 49])
def test_median_network_leaves_the_median_in_the_middle(count: int) -> None:
    numbers = np.random.default_rng(count).integers(0, 20, (count, 1000))
    network = median_network(count)
    result = numbers.copy()
    for low, high in network:
        assert low < high
        result[[low, high]] = np.sort(result[[low, high]], axis=0)
    assert np.array_equal(result[count // 2], np.sort(numbers, axis=0)[count // 2])
    assert len(network) <= count * (count - 1) / 2


def test_detail_is_the_same_in_bands_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(1).uniform(0, 1, SHAPE).astype(np.float32)
    whole = detail(image, 0.02)
    monkeypatch.setattr("reconstruction.patchmatch.detail._BAND", 7 * SHAPE[1] + 3)
    assert np.array_equal(detail(image, 0.02), whole)


def test_detail_has_no_halo_and_keeps_strands() -> None:
    edge = np.zeros(SHAPE, np.float32)
    edge[:, 40:] = 0.5
    assert np.abs(detail(edge, 0.02)).max() < 1e-6
    strand = np.full(SHAPE, 0.2, np.float32)
    strand[:, 40:42] = 0.6
    fine = detail(strand, 0.02)
    assert (fine[:, 40:42] > 0.019).all() and np.abs(fine[:, :40]).max() < 1e-6


def outline(fat: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8], NDArray[np.bool_]]:
    """Depth, normals and colours of a dark bar 1 cm before light skin; `fat` pixels beside it took its depth."""
    depth = np.full(SHAPE, 0.51, np.float32)
    front = np.zeros(SHAPE, bool)
    front[:, 30:42] = True
    rim = ndimage.binary_dilation(front, iterations=fat) & ~front if fat else np.zeros(SHAPE, bool)
    depth[front | rim] = 0.5
    normal = np.zeros((*SHAPE, 3), np.float32)
    normal[..., 2] = -1
    colours = np.where(front[..., None], np.uint8(40), np.uint8(180)).repeat(3, axis=2)
    return depth, normal, colours, rim


def test_fattening_is_rejected_and_nothing_else() -> None:
    depth, normal, colours, rim = outline(4)
    keep = reject_fattened(depth, normal, colours, CAMERA)
    assert not keep[rim].any()
    assert keep[~rim].all()


def test_true_depths_stay() -> None:
    depth, normal, colours, _ = outline(0)
    assert reject_fattened(depth, normal, colours, CAMERA).all()
    unknown = depth.copy()
    unknown[::3] = 0
    assert (reject_fattened(unknown, normal, colours, CAMERA) == (unknown > 0)).all()


def test_a_slope_is_no_step() -> None:
    """A plane under 60 degrees, in one colour: its far pixels are not behind its near ones."""
    normal = np.broadcast_to(np.array([np.sin(1.05), 0, -np.cos(1.05)], np.float32), (*SHAPE, 3)).copy()
    u = (np.arange(SHAPE[1]) - CAMERA[2]) / CAMERA[0]
    along = normal[0, 0, 0] * u + normal[0, 0, 2]
    depth = np.broadcast_to((0.5 * normal[0, 0, 2] / along).astype(np.float32), SHAPE).copy()
    colours = np.full((*SHAPE, 3), 120, np.uint8)
    assert reject_fattened(depth, normal, colours, CAMERA).all()
