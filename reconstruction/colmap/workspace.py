"""COLMAP's dense workspace, which the depth backends write and COLMAP's own tools open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, InputError, SparseModel, SparsePoints, write_bytes, write_model
from reconstruction.colmap.maps import read_map, write_map
from reconstruction.depth import DepthMap
from reconstruction.neighbours import Neighbours
from reconstruction.views import View

_LOSSLESS = {".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP", ".ppm": "PPM"}
_SEEDS_PER_VIEW = 400
_SEED_TOLERANCE = 0.01  # relative difference of depth up to which two views see the same point


@dataclass(frozen=True)
class Workspace:
    """A folder in the layout of COLMAP's `image_undistorter`."""

    folder: Path

    @property
    def sparse(self) -> Path:
        return self.folder / "sparse"

    def depth_path(self, name: str) -> Path:
        return self.folder / "stereo" / "depth_maps" / f"{name}.geometric.bin"

    def normal_path(self, name: str) -> Path:
        return self.folder / "stereo" / "normal_maps" / f"{name}.geometric.bin"

    def confidence_path(self, name: str) -> Path:
        return self.folder / "stereo" / "confidence_maps" / f"{name}.geometric.bin"

    def create(self, views: Sequence[View], neighbours: Sequence[Neighbours]) -> None:
        """Write images, cameras and the two configuration files.

        Raises `InputError` where the folder holds something: fusion would read maps of another run.
        """
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise InputError(f"workspace {self.folder} is not empty; name a new folder, or empty it")
        for view in views:
            path = self.folder / "images" / view.camera.name
            path.parent.mkdir(parents=True, exist_ok=True)
            _save(path, view.colours)
            for map_path in (self.depth_path(view.camera.name), self.normal_path(view.camera.name)):
                map_path.parent.mkdir(parents=True, exist_ok=True)
        self.write_sparse([view.camera for view in views], SparsePoints())
        names = [view.camera.name for view in views]
        lines = []
        for name, item in zip(names, neighbours, strict=True):
            if len(item.views):
                lines += [name, ", ".join(names[i] for i in item.views)]
        write_bytes(self.folder / "stereo" / "patch-match.cfg", ("\n".join(lines) + "\n").encode())
        write_bytes(self.folder / "stereo" / "fusion.cfg", ("\n".join(names) + "\n").encode())

    def write_sparse(self, cameras: Sequence[Camera], points: SparsePoints) -> None:
        write_model(self.sparse, SparseModel(tuple(cameras), points), binary=True)

    def write_maps(self, name: str, depth_map: DepthMap) -> None:
        write_map(self.depth_path(name), depth_map.depth)
        write_map(self.normal_path(name), depth_map.normal)
        if depth_map.confidence is not None:
            self.confidence_path(name).parent.mkdir(parents=True, exist_ok=True)
            write_map(self.confidence_path(name), depth_map.confidence)

    def read_maps(self, name: str) -> DepthMap:
        return DepthMap(read_map(self.depth_path(name)), read_map(self.normal_path(name)))


def _save(path: Path, colours: NDArray[np.uint8]) -> None:
    """Write an image under the name that the cameras know it by.

    In formats that are lossy by default, or can't be written, it becomes a PNG: COLMAP goes by the content.
    """
    suffix = path.suffix.lower()
    if suffix in (".jpg", ".jpeg"):
        Image.fromarray(colours).save(path, quality=98, subsampling=0)
    else:
        Image.fromarray(colours).save(path, format=_LOSSLESS.get(suffix, "PNG"))


def seed_points(views: Sequence[View], maps: Sequence[DepthMap]) -> SparsePoints:
    """A thin sample of the depth maps as sparse points with tracks.

    COLMAP's fusion joins views that share sparse points: without any it fuses nothing.
    """
    positions, colours, tracks, pixels = [], [], [], []
    for i, (view, depth_map) in enumerate(zip(views, maps, strict=True)):
        rows, columns = np.nonzero(depth_map.depth)
        if not len(rows):
            continue
        pick = np.unique(np.linspace(0, len(rows) - 1, _SEEDS_PER_VIEW).astype(int))
        rows, columns = rows[pick], columns[pick]
        here = np.stack([columns, rows], axis=1) + 0.5
        points = view.camera.unproject(here, depth_map.depth[rows, columns])
        seen, where = _sightings(points, views, maps)
        seen[:, i], where[:, i] = True, here
        for k in np.flatnonzero(seen.sum(axis=1) >= 2):
            members = np.flatnonzero(seen[k])
            positions.append(points[k])
            colours.append(view.colours[rows[k], columns[k]])
            tracks.append(members.astype(np.int64))
            pixels.append(where[k, members])
    if not positions:
        return SparsePoints()
    return SparsePoints(np.array(positions), np.array(colours), tuple(tracks), tuple(pixels))


def _sightings(
    points: NDArray[np.float64], views: Sequence[View], maps: Sequence[DepthMap]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether views have points (P, 3) in their depth maps, (P, N), and at which pixels, (P, N, 2)."""
    seen = np.zeros((len(points), len(views)), bool)
    where = np.zeros((len(points), len(views), 2))
    for j, (view, depth_map) in enumerate(zip(views, maps, strict=True)):
        pixels, depth = view.camera.project(points)
        inside = view.camera.inside(pixels)
        columns, rows = np.where(inside[:, None], pixels, 0).astype(int).T
        there = depth_map.depth[rows, columns]
        seen[:, j] = inside & (there > 0) & (np.abs(there - depth) < _SEED_TOLERANCE * np.abs(depth))
        where[:, j] = pixels
    return seen, where
