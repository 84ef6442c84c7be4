"""The cameras and sparse points of a capture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from capture.camera import Camera
from capture.errors import InputError


@dataclass(frozen=True, eq=False)
class SparsePoints:
    """Sparse points with tracks.

    Attributes:
        positions: (P, 3) float64 metres.
        colours: (P, 3) uint8.
        tracks: per point the indices of the views that see it, in the order of the cameras; at least one each.
        pixels: per point the (n, 2) pixels of it in those views.
    """

    positions: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    colours: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 3), np.uint8))
    tracks: Sequence[NDArray[np.int64]] = ()
    pixels: Sequence[NDArray[np.float64]] = ()

    def __post_init__(self) -> None:
        counts = {len(self.positions), len(self.colours), len(self.tracks), len(self.pixels)}
        if len(counts) != 1:
            raise InputError("sparse points: positions, colours, tracks and pixels must be equally many")

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True, eq=False)
class SparseModel:
    """The cameras of a capture and, where there are any, its sparse points."""

    cameras: tuple[Camera, ...]
    points: SparsePoints = field(default_factory=SparsePoints)

    def with_views(self, cameras: Sequence[Camera], index: Sequence[int]) -> SparseModel:
        """A model of some of the views, and of the points that they see.

        Args:
            cameras: the views of the new model, in its order.
            index: for each, which view of this model it is.
        """
        new = np.full(len(self.cameras), -1)
        new[list(index)] = np.arange(len(index))
        kept, tracks, pixels = [], [], []
        for number, (views, seen) in enumerate(zip(self.points.tracks, self.points.pixels, strict=True)):
            left = new[views] >= 0
            if left.any() or not len(views):
                kept.append(number)
                tracks.append(new[views][left])
                pixels.append(seen[left])
        chosen = np.array(kept, np.int64)
        points = SparsePoints(self.points.positions[chosen], self.points.colours[chosen], tuple(tracks), tuple(pixels))
        return SparseModel(tuple(cameras), points)
