"""Pieces of cloth, the surface that they lie on, and sheets and tubes with a thickness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capture.geometry import Floats, Ints
from generator.geometry.distance import REACH, DistanceField


@dataclass(frozen=True, eq=False)
class Cloth:
    """A closed mesh of cloth.

    Attributes:
        name: of the piece.
        vertices: (V, 3) metres.
        triangles: (F, 3).
        fabric: (V, 3) metres along the weave: across, along, and which panel.
        collar: (V,) 1 on ribbed bands, 0 elsewhere.
        material: key of `generator.blender.materials.registry.MATERIALS`.
    """

    name: str
    vertices: Floats
    triangles: Ints
    fabric: Floats
    collar: Floats
    material: str = "garment"


class Surface:
    """The body and what it wears so far: what the next piece lies on.

    Attributes:
        field: signed distance to the skin.
        cover: (V,) metres by which clothes stand off each vertex of the skin.
    """

    def __init__(self, field: DistanceField, count: int, least: float) -> None:
        self.field, self.least = field, least
        self.cover = np.zeros(count)

    def clearance(self, points: Floats) -> Floats:
        """(N,) metres from points (N, 3) to the clothes, or to `least` off the bare skin."""
        near = self.field.near(points)
        cover = np.where(near >= 0, self.cover[near], 0.0)
        return np.asarray(self.field.distance(points) - np.maximum(cover, self.least))

    def push(self, points: Floats, least: float | Floats) -> Floats:
        """Points moved out until they clear the clothes by `least` metres."""
        for _ in range(3):
            lack = least - self.clearance(points)
            points = points + self.field.gradient(points) * np.clip(lack, 0, 0.01)[:, None]
        return points

    def clear_skin(self, points: Floats, least: float) -> Floats:
        """Points moved out until they are `least` metres from the skin."""
        for _ in range(4):
            near = np.flatnonzero(self.field.distance(points) < least)
            if not len(near):
                break
            points = points.copy()
            lack = least - self.field.distance(points[near])
            points[near] += self.field.gradient(points[near]) * lack[:, None]
        return points

    def add(self, points: Floats, edges: Ints) -> None:
        """Remember points of the outer side of a piece; `edges` (E, 2) of the skin spread them a little."""
        near, height = self.field.near(points), self.field.distance(points)
        known = (near >= 0) & (height < (REACH - 0.2) * self.field.spacing)
        cover = self.cover.copy()
        np.maximum.at(cover, near[known], height[known])
        for _ in range(3):
            low = cover.copy()
            np.maximum.at(cover, edges[:, 0], low[edges[:, 1]])
            np.maximum.at(cover, edges[:, 1], low[edges[:, 0]])
        self.cover = cover


def grid_normals(sheet: Floats, closed: bool) -> Floats:
    """(R, M, 3) unit normals of a sheet of rows and columns; `closed` joins the last column to the first."""
    down = np.gradient(sheet, axis=0)
    if closed:
        across = np.roll(sheet, -1, axis=1) - np.roll(sheet, 1, axis=1)
    else:
        across = np.gradient(sheet, axis=1)
    normal = np.cross(across, down)
    return np.asarray(normal / np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-12))


def thick_sheet(
    name: str, sheet: Floats, thickness: float, closed: bool, material: str = "garment", rib: float = 0.0
) -> Cloth:
    """A sheet (R, M, 3) with rounded edges along its first and last row, as a closed mesh."""
    normal = grid_normals(sheet, closed) * thickness / 2
    first, last = sheet[:1] - sheet[1:2], sheet[-1:] - sheet[-2:-1]
    tips = [end / np.maximum(np.linalg.norm(end, axis=2, keepdims=True), 1e-9) * thickness / 2 for end in (first, last)]
    loop = np.concatenate([sheet[:1] + tips[0], sheet + normal, sheet[-1:] + tips[1], (sheet - normal)[::-1]])
    rows = [0, *range(len(sheet)), len(sheet) - 1, *range(len(sheet) - 1, -1, -1)]
    return tube(name, loop, closed, material, rib, _measure(sheet)[rows])


def tube(
    name: str, loop: Floats, closed: bool, material: str = "garment", rib: float = 0.0, fabric: Floats | None = None
) -> Cloth:
    """A mesh around closed profiles (R, M, 3), one per column; open ends are capped."""
    rows, columns = loop.shape[:2]
    if fabric is None:
        fabric = _measure(loop)
    if closed:  # the first column twice, so that the weave has a seam
        loop, fabric = np.concatenate([loop, loop[:, :1]], 1), np.concatenate([fabric, fabric[:, -1:]], 1)
        columns += 1
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b = index[:, :-1], index[:, 1:]
    c, d = np.roll(b, -1, axis=0), np.roll(a, -1, axis=0)
    faces = [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    points, weave = loop.reshape(-1, 3), fabric.reshape(-1, 3)
    if not closed:
        for column, flip in ((0, False), (columns - 1, True)):
            ring, centre = index[:, column], np.array([len(points)])
            points = np.concatenate([points, loop[:, column].mean(axis=0)[None]])
            weave = np.concatenate([weave, fabric[:, column].mean(axis=0)[None]])
            fan = np.stack([np.repeat(centre, rows), ring, np.roll(ring, -1)], -1)
            faces.append(fan[:, ::-1] if flip else fan)
    return Cloth(name, points, np.concatenate(faces), weave, np.full(len(points), rib), material)


def _measure(sheet: Floats) -> Floats:
    """(R, M, 3) metres along the middle row and down the middle column."""
    across = np.linalg.norm(np.diff(sheet[len(sheet) // 2], axis=0), axis=1)
    down = np.linalg.norm(np.diff(sheet[:, sheet.shape[1] // 2], axis=0), axis=1)
    u, v = np.concatenate([[0.0], np.cumsum(across)]), np.concatenate([[0.0], np.cumsum(down)])
    return np.stack([*np.meshgrid(u, v, indexing="xy"), np.full((len(v), len(u)), 5.0)], axis=-1)
