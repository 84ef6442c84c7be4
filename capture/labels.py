"""Labels of a scan: the distance of each vertex to the true surface, and whether it is skin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from capture.arrays import read_npz
from capture.errors import InputError
from capture.files import atomic_path

if TYPE_CHECKING:
    from typing import Self  # Python 3.11; Blender before 4.1 runs 3.10

_OPTIONAL = {
    "part": np.uint8,
    "side": np.int8,
    "views": np.uint8,
    "seen_class": np.uint8,
    "nearest_face": np.int32,
    "known": np.bool_,
}


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of a scan's V vertices.

    Attributes:
        distance_mm: (V,) float32 unsigned distance to the head surface; NaN where it is not known.
        skin: (V,) bool.
        part: (V,) uint8 index into `HeadSurface.PARTS` of the nearest face; None where nobody looked.
        side: (V,) int8, 1 outside the surface, -1 inside, 0 where it is too open to say; None where nobody looked.
        views: (V,) uint8 number of cameras that see the vertex; None where nobody looked.
        seen_class: (V,) uint8 `PixelClass` that the masks show there, 255 where no camera sees it; None where nobody
            looked.
        nearest_face: (V,) int32 index of the face of the head surface that is nearest; None where nobody looked.
        known: (V,) bool, False where a person left open what it is: nothing is learned or measured there; None where
            all is known.
        scan: name of the content of the scan that a person painted them on; empty for labels of a known surface.
        painted: whether a person made them; the distances are NaN then.

    Raises:
        InputError: where the arrays have different shapes, or a distance is negative.

    Example:
        >>> from pixels2points import Labels
        >>> labels = Labels(distance_mm=[0.2, 7.5], skin=[True, False])
        >>> labels.write("labels.npz")
        >>> Labels.read("labels.npz").skin
        array([ True, False])
    """

    distance_mm: NDArray[np.float32]
    skin: NDArray[np.bool_]
    part: NDArray[np.uint8] | None = None
    side: NDArray[np.int8] | None = None
    views: NDArray[np.uint8] | None = None
    seen_class: NDArray[np.uint8] | None = None
    nearest_face: NDArray[np.int32] | None = None
    known: NDArray[np.bool_] | None = None
    scan: str = ""
    painted: bool = False

    def __post_init__(self) -> None:
        distance_mm, skin = np.array(self.distance_mm, np.float32), np.array(self.skin, bool)
        if distance_mm.ndim != 1 or distance_mm.shape != skin.shape:
            raise InputError(f"labels: distance_mm {distance_mm.shape} and skin {skin.shape} must both be (V,)")
        if (distance_mm < 0).any():
            raise InputError("labels: a distance is negative")
        arrays: list[tuple[str, NDArray]] = [("distance_mm", distance_mm), ("skin", skin)]
        for name, kind in _OPTIONAL.items():
            if getattr(self, name) is not None:
                arrays.append((name, np.array(getattr(self, name), kind)))
                if arrays[-1][1].shape != skin.shape:
                    raise InputError(f"labels: {name} {arrays[-1][1].shape} must be (V,) as skin {skin.shape}")
        for name, array in arrays:
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.skin)

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """(V,) bool, whether it is known what each vertex is."""
        return np.ones(len(self), bool) if self.known is None else self.known

    @classmethod
    def read(cls, path: Path | str, vertices: int | None = None) -> Self:
        """Read `labels.npz`. Raises `InputError` where it is damaged or not for a scan of `vertices` vertices."""
        path = Path(path)
        try:
            arrays = read_npz(path)
            optional = {name: arrays.get(name) for name in _OPTIONAL}
            scan, painted = str(arrays.get("scan", "")), _are_painted(arrays)
            labels = cls(arrays["distance_mm"], arrays["skin"], **optional, scan=scan, painted=painted)
        except FileNotFoundError:
            raise InputError(f"labels are missing: {path}; run `p2p label` on the capture") from None
        except KeyError as error:
            cure = "name a labels.npz or a prediction.npz, or make labels with `p2p label` or `p2p annotate`"
            raise InputError(f"{path} holds no labels (no {error}); {cure}") from None
        except (OSError, ValueError) as error:
            raise InputError(f"damaged labels: {path} ({error}); run `p2p label` on the capture again") from None
        if vertices is not None and len(labels) != vertices:
            cure = "they are of another scan; label this one"
            raise InputError(f"{path} labels {len(labels)} vertices, the scan has {vertices}: {cure}")
        return labels

    def write(self, path: Path | str) -> None:
        """Write as NPZ, atomically; the same labels give the same bytes."""
        with atomic_path(Path(path)) as temporary:
            more = {name: getattr(self, name) for name in _OPTIONAL if getattr(self, name) is not None}
            if self.scan:
                more["scan"] = np.array(self.scan)
            if self.painted:
                more["painted"] = np.array(True)
            np.savez_compressed(temporary, distance_mm=self.distance_mm, skin=self.skin, **more)


def _are_painted(arrays: Mapping[str, NDArray]) -> bool:
    if "painted" not in arrays:  # a file from before this key: nobody knows the distances of what was painted
        return arrays["distance_mm"].size > 0 and bool(np.isnan(arrays["distance_mm"].astype(np.float32)).all())
    if arrays["painted"].dtype != bool or arrays["painted"].shape != ():
        raise ValueError("painted is neither true nor false")
    return bool(arrays["painted"])


def is_painted(path: Path) -> bool:
    """Whether a file holds labels that a person painted: work that no stage can make again."""
    try:
        return Labels.read(path).painted
    except InputError:
        return False
