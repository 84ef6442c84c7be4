"""Polygons of an .obj file with their texture points: for heads and assets whose polygons matter, not for scans."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture.errors import InputError

_NOWHERE = -2  # texture point that is counted from the end of none
Corner = tuple[int, int]  # a vertex and a texture point, from 0; -1 for no texture point


@dataclass(frozen=True, eq=False)
class ObjPolygons:
    """Content of an .obj file.

    Attributes:
        vertices: (V, 3), finite.
        points: (T, 2) texture points, none or more.
        polygons: of three or more corners each, at least one polygon.
    """

    vertices: NDArray[np.float64]
    points: NDArray[np.float64]
    polygons: tuple[tuple[Corner, ...], ...]

    @property
    def textured(self) -> bool:
        """True where each corner has a texture point."""
        return bool(len(self.points)) and all(point >= 0 for polygon in self.polygons for _, point in polygon)


def read_polygons(lines: Iterable[str], path: Path) -> ObjPolygons:
    """The polygons in the lines of an .obj file; raises `InputError`, which names the path, where it is damaged.

    A file whose faces name texture points, and that has none at all, is taken as one without.
    """
    vertices: list[list[float]] = []
    points: list[list[float]] = []
    polygons: list[tuple[Corner, ...]] = []
    for number, line in enumerate(lines, 1):
        words = line.split("#")[0].split()
        try:
            if words[:1] == ["v"]:
                vertices.append([float(word) for word in words[1:4]])
            elif words[:1] == ["vt"]:
                points.append([float(word) for word in words[1:3]])
            elif words[:1] == ["f"]:
                polygons.append(_polygon(words[1:], len(vertices), len(points)))
        except (ValueError, IndexError):
            raise InputError(f"{path}: line {number} is no part of a mesh: {line.strip()[:60]!r}") from None
    if not polygons or {len(row) for row in vertices} != {3} or {len(row) for row in points} - {2}:
        raise InputError(f"{path}: no mesh (v and f lines)")
    if not points:
        polygons = [tuple((vertex, -1) for vertex, _ in polygon) for polygon in polygons]
    corners = np.array([corner for polygon in polygons for corner in polygon])
    if (corners.min(axis=0) < (0, -1)).any() or (corners.max(axis=0) >= (len(vertices), len(points))).any():
        raise InputError(f"{path}: a face refers to a vertex or texture point that is not there")
    table = np.array(vertices)
    if not np.isfinite(table).all():
        raise InputError(f"{path}: has vertices that are not finite numbers; clean the mesh first")
    return ObjPolygons(table, np.array(points).reshape(-1, 2), tuple(polygons))


def _polygon(words: list[str], vertices: int, points: int) -> tuple[Corner, ...]:
    if len(words) < 3:
        raise ValueError("a face of fewer than three corners")
    return tuple(_corner(word, vertices, points) for word in words)


def _corner(word: str, vertices: int, points: int) -> Corner:
    """Vertex and texture point of `7`, `7/3`, `7//1`, `7/3/1` or `-1/-1`; the latter is -2 where it can't be told."""
    parts = word.split("/")
    vertex = int(parts[0])
    point = int(parts[1]) if len(parts) > 1 and parts[1] else 0
    if point == 0:
        return _index(vertex, vertices), -1
    if point < 0 and not points:
        return _index(vertex, vertices), _NOWHERE
    return _index(vertex, vertices), _index(point, points)


def _index(number: int, count: int) -> int:
    """From 0, of a number from 1, or from the end where it is negative; raises `ValueError` where it is neither."""
    index = number - 1 if number > 0 else count + number
    if number == 0 or index < 0:
        raise ValueError("no such vertex")
    return index
