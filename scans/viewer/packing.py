"""Meshes in few bytes: places in 16 bits, neighbours next to one another, differences in place of numbers, deflated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture import Mesh

_STEPS = 65535  # 16 bits along the longest side of the box
_TINY = float(np.finfo(np.float64).tiny)
_CELLS = 1023  # 10 bits an axis order the faces


@dataclass(frozen=True, eq=False)
class PackedMesh:
    """A mesh whose vertices and faces stand in an order that packs well.

    Attributes:
        kept: (U,) the vertices of the mesh that faces use, in the new order.
        steps: (U, 3) uint16 places in the box.
        corners: (3 F,) uint32, new numbers of the faces' corners, each first used one above the highest before it.
        low: (3,) corner of the box, metres.
        step: metres.
    """

    kept: NDArray[np.int64]
    steps: NDArray[np.uint16]
    corners: NDArray[np.uint32]
    low: NDArray[np.float64]
    step: float

    @property
    def vertices(self) -> NDArray[np.float64]:
        """(U, 3) metres, as they are unpacked."""
        return self.low + self.steps * self.step


def pack_mesh(mesh: Mesh) -> PackedMesh:
    """Order and quantise a mesh; vertices that no face uses are left out."""
    points = np.asarray(mesh.vertices, np.float64)
    used = points[np.unique(mesh.faces)]
    low, high = used.min(axis=0), used.max(axis=0)
    step = float(max((high - low).max() / _STEPS, _TINY))
    middles = points[mesh.faces].mean(axis=1)
    order = np.argsort(_morton((middles - low) / max(float((high - low).max()), _TINY)))
    corners = mesh.faces[order].astype(np.int64).ravel()
    first, where = np.unique(corners, return_index=True)
    kept = first[np.argsort(where)]
    number = np.zeros(len(points), np.uint32)
    number[kept] = np.arange(len(kept), dtype=np.uint32)
    steps = ((points[kept] - low) / step).round().astype(np.uint16)
    return PackedMesh(kept, steps, number[corners], low, step)


def _morton(places: NDArray[np.float64]) -> NDArray[np.int64]:
    """(N,) numbers along a space-filling curve (Morton 1966) of places (N, 3) in the unit cube."""
    cells = (np.clip(places, 0, 1) * _CELLS).astype(np.int64)
    code = np.zeros(len(cells), np.int64)
    for bit in range(10):
        for axis in range(3):
            code |= ((cells[:, axis] >> bit) & 1) << (3 * bit + axis)
    return code


@dataclass
class ByteStore:
    """Arrays one behind another, each as planes of bytes.

    Attributes:
        places: name -> where its bytes begin and how many planes of how many values they are.
        chunks: the bytes.
    """

    places: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, name: str, values: NDArray[np.unsignedinteger]) -> None:
        """Store values as they are, the lowest bytes of all first; columns (N, C) one after another."""
        columns = np.ascontiguousarray(values.T.astype(values.dtype.newbyteorder("<"))).ravel()
        width = values.dtype.itemsize
        planes = np.ascontiguousarray(columns.view(np.uint8).reshape(-1, width).T)
        while len(planes) > 1 and not planes[-1].any():
            planes = planes[:-1]
        self.places[name] = {"at": self.size, "count": columns.size, "planes": len(planes)}
        self.chunks.append(planes.tobytes())
        self.size += planes.size

    def add_differences(self, name: str, values: NDArray[np.unsignedinteger]) -> None:
        """Store values (N,) or (N, C) as steps down the rows, modulo their range, small ones of either sign first."""
        kind = values.dtype
        signed = np.dtype(kind.str.replace("u", "i"))
        steps = np.diff(values, axis=0, prepend=np.zeros_like(values[:1])).view(signed)
        self.add(name, ((steps << 1) ^ (steps >> (8 * kind.itemsize - 1))).view(kind))

    def add_corners(self, name: str, corners: NDArray[np.uint32]) -> None:
        """Store corners of `PackedMesh` as the distance below the first number that was not used yet, 0 for itself."""
        highest = np.maximum.accumulate(corners)
        unused = np.concatenate([[0], highest[:-1] + 1]).astype(np.uint32)
        self.add(name, unused - corners)

    def joined(self) -> bytes:
        """All bytes."""
        return b"".join(self.chunks)
