"""A labeller's prediction for a scan, as a file that is tied to that scan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from capture import InputError, Mesh, PixelClass, atomic_path
from capture.arrays import read_npz
from scans.meshes.reading import scan_key

PARTS: tuple[str, ...] = tuple(item.name.lower() for item in PixelClass)  # the classes that the generator renders
UNKNOWN = 255  # the part of a vertex that no camera sees
_KINDS = {
    "probability": np.float32,
    "skin": np.bool_,
    "distance_mm": np.float32,
    "part": np.uint8,
    "part_probability": np.float32,
    "visible_skin": np.bool_,
    "visible_probability": np.float32,
    "distance_spread_mm": np.float32,
    "uncertain": np.bool_,
}
_OPTIONAL = tuple(name for name in _KINDS if name not in ("probability", "skin"))


@dataclass(frozen=True, eq=False)
class Prediction:
    """A labeller's prediction for the V vertices of a scan.

    It answers two questions: whether the scan lies on the skin (`skin`, for registration), and whether skin is what
    is seen there (`visible_skin`, for masks), be the scan right or not: below a chin it often isn't.

    Attributes:
        probability: (V,) float32, of being skin: of lying within the labels' threshold of the true skin.
        skin: (V,) bool.
        scan: name of the scan's content (`scan_key`); empty where it is not known.
        distance_mm: (V,) float32 to the skin surface, None where the labeller doesn't predict it.
        part: (V,) uint8, an index into `PARTS`, None where the labeller doesn't predict it.
        part_probability: (V,) float32, of that part.
        visible_skin: (V,) bool, whether images show skin there; None where the labeller doesn't predict parts.
        visible_probability: (V,) float32, of that.
        distance_spread_mm: (V,) float32, the distance lies within so much of `distance_mm` in 68 % of all cases, or a
            few more; None where the labeller doesn't predict it.
        uncertain: (V,) bool, the least sure labels: as sure as these were a tenth on the labeller's validation heads;
            None where that wasn't measured.

    Raises:
        InputError: where the arrays are not of the same V vertices.

    Example:
        >>> from pixels2points import Prediction
        >>> prediction = Prediction(probability=[0.9, 0.2], skin=[True, False])
        >>> prediction.write("prediction.npz")
        >>> Prediction.read("prediction.npz").skin
        array([ True, False])
    """

    probability: NDArray[np.float32]
    skin: NDArray[np.bool_]
    scan: str = ""
    distance_mm: NDArray[np.float32] | None = None
    part: NDArray[np.uint8] | None = None
    part_probability: NDArray[np.float32] | None = None
    visible_skin: NDArray[np.bool_] | None = None
    visible_probability: NDArray[np.float32] | None = None
    distance_spread_mm: NDArray[np.float32] | None = None
    uncertain: NDArray[np.bool_] | None = None

    FILE: ClassVar[str] = "prediction.npz"

    def __post_init__(self) -> None:
        for name, kind in _KINDS.items():
            if getattr(self, name) is not None:
                array = np.array(getattr(self, name), kind)
                array.setflags(write=False)
                object.__setattr__(self, name, array)
                if array.ndim != 1 or array.shape != self.probability.shape:
                    raise InputError(f"prediction: {name} {array.shape} must be (V,) as {self.probability.shape}")

    @classmethod
    def read(cls, path: Path | str, scan: Mesh | None = None) -> Self:
        """Read `prediction.npz`. Raises `InputError` where it is missing, damaged, or of another scan than `scan`."""
        try:
            arrays = read_npz(Path(path))
            more = {name: arrays.get(name) for name in _OPTIONAL}
            prediction = cls(arrays["probability"], arrays["skin"], str(arrays.get("scan", "")), **more)
        except FileNotFoundError:
            raise InputError(f"no prediction at {path}; run `p2p segment`") from None
        except (OSError, ValueError, KeyError, InputError) as error:
            raise InputError(f"damaged prediction: {path} ({error}); run `p2p segment` again") from None
        if not np.isfinite(prediction.probability).all():
            raise InputError(f"damaged prediction: {path} (a probability is not a number); run `p2p segment` again")
        if scan is not None and prediction.scan != scan_key(scan):
            cure = "run `p2p segment` again, or name the mesh that was segmented"
            raise InputError(f"{path} is of another scan than this, or of this one in other units; {cure}")
        return prediction

    def write(self, path: Path | str) -> None:
        """Write `prediction.npz`, atomically."""
        arrays: dict[str, Any] = {"probability": self.probability, "skin": self.skin}
        if self.scan:
            arrays["scan"] = np.array(self.scan)
        arrays |= {name: getattr(self, name) for name in _OPTIONAL if getattr(self, name) is not None}
        if self.part is not None:
            arrays["part_names"] = np.array(PARTS)
        with atomic_path(Path(path)) as temporary:
            np.savez_compressed(temporary, **arrays)
