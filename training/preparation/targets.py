"""Targets: what training learns and metrics compare with, at vertices of a labelled scan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from capture import Labels
from scans.meshes.boundary import boundary_distance_mm
from scans.predictions import UNKNOWN


@dataclass(frozen=True, eq=False)
class Targets:
    """Labels at P vertices.

    Attributes:
        skin: (P,) bool.
        known: (P,) bool, whether it is known if it is skin.
        distance_mm: (P,) float32, to the skin surface, unsigned; NaN where it is not known.
        part: (P,) uint8, an index into `scans.predictions.PARTS`, `UNKNOWN` where it is not known.
        boundary_mm: (P,) float32, to the nearest edge of the scan between skin and the rest; infinite without one.
    """

    skin: NDArray[np.bool_]
    distance_mm: NDArray[np.float32]
    part: NDArray[np.uint8]
    boundary_mm: NDArray[np.float32]
    known: NDArray[np.bool_]

    @classmethod
    def of_scan(cls, vertices: NDArray, faces: NDArray, labels: Labels) -> Self:
        """Of the V vertices of a scan (metres)."""
        part = labels.seen_class
        if part is None:
            part = np.full(len(labels), UNKNOWN, np.uint8)
        boundary_mm = boundary_distance_mm(vertices, faces, labels.skin, labels.known)
        return cls(labels.skin, labels.distance_mm, part, boundary_mm, labels.is_known)

    def at(self, source: NDArray[np.int64]) -> Targets:
        """Of some of the vertices, by their indices."""
        return Targets(*(getattr(self, item.name)[source] for item in fields(self)))

    def of_parts_alone(self) -> Targets:
        """The same, without what tells where the scan lies on the skin."""
        nothing = np.full_like(self.distance_mm, np.nan)
        return replace(self, distance_mm=nothing, known=np.zeros_like(self.known))

    def to_arrays(self, prefix: str = "") -> dict[str, NDArray]:
        """The arrays by name."""
        return {prefix + item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray], prefix: str = "") -> Self | None:
        """The inverse of `to_arrays`, None without labels. Raises `KeyError` where some are missing."""
        if prefix + "skin" not in arrays:
            return None
        known = prefix + "known"  # not in files of former versions
        last = arrays[known] if known in arrays else np.ones(len(arrays[prefix + "skin"]), bool)
        others = {item.name: arrays[prefix + item.name] for item in fields(cls) if item.name != "known"}
        return cls(**others, known=last)
