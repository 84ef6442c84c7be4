"""Small shaded pictures of meshes by ray casting: no display, no graphics library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

from capture import Camera

BACKGROUND = 245
_AMBIENT = 0.35

Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Shot:
    """What the pixels of a picture of a mesh show; it can be painted in any colours.

    Attributes:
        hit: (H, W) whether a pixel shows the mesh.
        corners: (P, 3) the corners of the faces that the P hit pixels show, row by row.
        weights: (P, 3) shares of the corners.
        light: (P,) in [0, 1].
    """

    hit: NDArray[np.bool_]
    corners: NDArray[np.int64]
    weights: NDArray[np.float64]
    light: NDArray[np.float64]

    def paint(self, colours: NDArray, onto: Picture | None = None, cover: float = 1.0) -> Picture:
        """A picture (H, W, 3) with colours (V, 3) in [0, 255] of the vertices, over another one where it is given."""
        picture = np.full((*self.hit.shape, 3), BACKGROUND, np.float64) if onto is None else onto.astype(np.float64)
        smooth = np.einsum("pk,pkc->pc", self.weights, np.asarray(colours, np.float64)[self.corners])
        picture[self.hit] = (1 - cover) * picture[self.hit] + cover * smooth * self.light[:, None]
        return picture.round().clip(0, 255).astype(np.uint8)


class Stage:
    """A mesh to take pictures of: vertices (V, 3) and faces (F, 3)."""

    def __init__(self, vertices: ArrayLike, faces: NDArray) -> None:
        self._vertices, self._faces = np.asarray(vertices, np.float64), np.asarray(faces)
        self._low, self._high = self._vertices.min(axis=0), self._vertices.max(axis=0)
        self._middle = (self._low + self._high) / 2
        self._scene = EmbreeScene()
        TriangleMesh(self._scene, (self._vertices - self._middle)[self._faces].astype(np.float32))

    def from_direction(self, forward: ArrayLike, down: ArrayLike, size: int) -> Shot:
        """A picture (size, size) by parallel rays along `forward`; `down` is roughly the way down in it."""
        way = np.asarray(forward, float) / np.linalg.norm(np.asarray(forward, float))
        right = np.cross(np.asarray(down, float), way)
        right /= np.linalg.norm(right)
        below = np.cross(way, right)
        local = self._vertices - self._middle
        across, along = local @ right, local @ below
        half = 0.52 * max(float(np.ptp(across)), float(np.ptp(along)))
        steps = ((np.arange(size) + 0.5) / size * 2 - 1) * half
        middle = right * (across.max() + across.min()) / 2 + below * (along.max() + along.min()) / 2
        start = middle + steps[None, :, None] * right + steps[:, None, None] * below
        far = 2 * float(np.linalg.norm(self._high - self._low))
        return self._cast(start - far * way, np.broadcast_to(way, start.shape))

    def from_camera(self, camera: Camera) -> Shot:
        """What a camera sees, pixel by pixel: the distortion is in it."""
        x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
        ways = camera.unproject(np.stack([x, y], axis=-1), 1.0) - camera.centre
        ways /= np.linalg.norm(ways, axis=-1, keepdims=True)
        return self._cast(np.broadcast_to(camera.centre - self._middle, ways.shape), ways)

    def _cast(self, start: NDArray, ways: NDArray) -> Shot:
        """Rays (H, W, 3)."""
        rays = start.reshape(-1, 3).astype(np.float32), ways.reshape(-1, 3).astype(np.float32)
        found = self._scene.run(*rays, query="INTERSECT", output=True)
        face = np.asarray(found["primID"])
        index = np.flatnonzero(face >= 0)
        corners = self._faces[face[index]].astype(np.int64)
        u, v = np.asarray(found["u"], float)[index], np.asarray(found["v"], float)[index]
        a, b, c = self._vertices[corners].transpose(1, 0, 2)
        normals = np.cross(b - a, c - a)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
        facing = np.abs(np.einsum("pc,pc->p", normals, ways.reshape(-1, 3)[index]))
        weights = np.stack([1 - u - v, u, v], axis=1)
        return Shot((face >= 0).reshape(start.shape[:2]), corners, weights, _AMBIENT + (1 - _AMBIENT) * facing)


def legend(entries: Mapping[str, tuple[int, int, int]]) -> Picture:
    """Names beside squares of their colours, one below the other."""
    line, width = 16, 120
    page = Image.new("RGB", (width, line * max(len(entries), 1)), (255, 255, 255))
    draw = ImageDraw.Draw(page)
    for number, (name, colour) in enumerate(entries.items()):
        top = number * line
        draw.rectangle((2, top + 3, 12, top + 13), fill=colour)
        draw.text((18, top + 2), name, fill=(40, 40, 40))
    return np.asarray(page)


def sheet(rows: Sequence[Sequence[tuple[str, Picture]]]) -> Picture:
    """Rows of titled pictures on one page, columns flush left."""
    gap, head = 6, 16
    columns = range(max(map(len, rows)))
    widths = [max(row[i][1].shape[1] for row in rows if i < len(row)) for i in columns]
    heights = [head + max(picture.shape[0] for _, picture in row) + gap for row in rows]
    page = Image.new("RGB", (sum(widths) + gap * (len(widths) + 1), sum(heights)), (255, 255, 255))
    draw = ImageDraw.Draw(page)
    for number, row in enumerate(rows):
        left, top = gap, sum(heights[:number])
        for (title, picture), width in zip(row, widths, strict=False):
            draw.text((left + 2, top + 2), title, fill=(40, 40, 40))
            page.paste(Image.fromarray(picture), (left, top + head))
            left += width + gap
    return np.asarray(page)
