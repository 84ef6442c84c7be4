"""Labels of a scan: the distance of each vertex to the true surface, and whether it is skin."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from capture.arrays import read_npz
from capture.errors import InputError
from capture.files import atomic_path


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of a scan's vertices.

    Attributes:
        distance_mm: (V,) float32 unsigned distance to the head surface; NaN where it is not known.
        skin: (V,) bool.
    """

    distance_mm: NDArray[np.float32]
    skin: NDArray[np.bool_]

    def __post_init__(self) -> None:
        distance_mm, skin = np.array(self.distance_mm, np.float32), np.array(self.skin, bool)
        if distance_mm.ndim != 1 or distance_mm.shape != skin.shape:
            raise InputError(f"labels: distance_mm {distance_mm.shape} and skin {skin.shape} must both be (V,)")
        if (distance_mm < 0).any():
            raise InputError("labels: a distance is negative")
        for name, array in (("distance_mm", distance_mm), ("skin", skin)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.skin)

    @classmethod
    def read(cls, path: Path, vertices: int | None = None) -> Self:
        """Read `labels.npz`. Raises `InputError` where it is damaged or not for a scan of `vertices` vertices."""
        path = Path(path)
        try:
            arrays = read_npz(path)
            labels = cls(arrays["distance_mm"], arrays["skin"])
        except FileNotFoundError:
            raise InputError(f"labels are missing: {path}; run `p2p label` on the capture") from None
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"damaged labels: {path} ({error}); run `p2p label` on the capture again") from None
        if vertices is not None and len(labels) != vertices:
            raise InputError(f"{path} labels {len(labels)} vertices, the scan has {vertices}; label it again")
        return labels

    def write(self, path: Path) -> None:
        """Write as NPZ, atomically; the same labels give the same bytes."""
        with atomic_path(Path(path)) as temporary:
            np.savez_compressed(temporary, distance_mm=self.distance_mm, skin=self.skin)
