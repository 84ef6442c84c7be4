"""Fused points of few views: kept where there are no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from capture.ply.files import PlyMesh, read_ply, write_ply
from reconstruction.fusion import drop_surplus, read_view_counts


def write_fused(path: Path, positions: np.ndarray, views: list[int]) -> None:
    """A fused cloud as COLMAP leaves it: positions, and the views of each point in a second file."""
    columns = {name: positions[:, i].astype(np.float32) for i, name in enumerate("xyz")}
    columns["red"] = np.arange(len(positions)).astype(np.uint8)
    write_ply(path, PlyMesh(columns, np.zeros((0, 3), np.int32)))
    words = np.concatenate([[count, *range(count)] for count in views]).astype(np.uint32)
    path.with_suffix(".ply.vis").write_bytes(np.uint64(len(views)).tobytes() + words.tobytes())


def grid(side: int) -> np.ndarray:
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    return np.stack([x.ravel(), y.ravel(), np.zeros(side * side)], axis=1).astype(float)


def test_points_of_few_views_go_where_there_are_others_and_stay_where_there_are_none(tmp_path: Path) -> None:
    sure, beside, alone = grid(10), [[4.5, 4.5, 0.2]], [[30.0, 30.0, 0.0], [31.0, 30.0, 0.0]]
    write_fused(tmp_path / "fused.ply", np.concatenate([sure, beside, alone]), [3] * 99 + [5, 2, 2, 2])
    drop_surplus(tmp_path / "fused.ply", 3)
    assert read_ply(tmp_path / "fused.ply").vertex["red"].tolist() == [*range(100), 101, 102]


def test_nothing_is_left_out_where_all_points_are_alike(tmp_path: Path) -> None:
    for views in (2, 3):
        write_fused(tmp_path / "fused.ply", grid(4), [views] * 16)
        before = (tmp_path / "fused.ply").read_bytes()
        drop_surplus(tmp_path / "fused.ply", 3)
        assert (tmp_path / "fused.ply").read_bytes() == before


def test_counts_of_views_are_read_as_colmap_writes_them(tmp_path: Path) -> None:
    write_fused(tmp_path / "fused.ply", grid(2), [2, 7, 3, 2])
    assert read_view_counts(tmp_path / "fused.ply.vis").tolist() == [2, 7, 3, 2]
