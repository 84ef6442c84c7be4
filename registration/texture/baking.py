"""Baking: what the views of a capture show of a registered template, as images in its texture space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture import InputError, Mesh
from registration.template import Template
from registration.texture.atlas import Texels, pad, rasterise, tiles_of
from registration.texture.balance import blend_of, corrected_table
from registration.texture.filling import filled_colours, shown_share
from registration.texture.surface import TexturedSurface
from registration.texture.views import View, look
from scans.images.sampling import sample_image

_AT_ONCE = 400_000  # texels
_PADDING = 256  # a texture's side has so many times the padding

Progress = Callable[[float], None]


def _no_progress(share: float) -> None:
    pass


@dataclass(frozen=True, eq=False)
class Tile:
    """A tile of a texture.

    Attributes:
        colours: (side, side, 3) sRGB.
        shown: (side, side) 255 where the images are baked, 0 where colours are made up or nothing is, and between.
    """

    colours: NDArray[np.uint8]
    shown: NDArray[np.uint8]


class Baking:
    """Baking of a registered template's texture.

    Args:
        template: a head model with texture coordinates.
        vertices: (V, 3) metres, of the template.
        views: in the frame of the vertices.
        scan: W vertices; what of it is no skin hides what is behind it, and gives no colours.
        skin: (W,) which of them are.
        progress: called with the share of this that is done; `tile` takes about as long again.

    Raises:
        InputError: views that show no skin.
    """

    def __init__(
        self,
        template: Template,
        vertices: NDArray,
        views: Sequence[View],
        scan: Mesh,
        skin: NDArray[np.bool_],
        progress: Progress = _no_progress,
    ) -> None:
        self.views = views
        self.surface = TexturedSurface.of(template, vertices)
        seen = look(self.surface, views, scan, skin, lambda share: progress(0.6 * share))
        if not (seen.weights > 0).any():
            cure = "look at the cameras and the labels, or state `camera_unit`"
            raise InputError(f"no image shows any skin of the registered head; {cure}")
        self.blend = blend_of(self.surface, seen)
        progress(0.9)
        self.shown = shown_share(self.surface, self.blend.seen)
        self.filled = filled_colours(self.surface, self.blend, self.shown)
        self._tiles = tiles_of(self.surface.corner_uvs)
        progress(1.0)

    @property
    def tiles(self) -> tuple[int, ...]:
        """UDIM numbers of the tiles; 1001 where there is one."""
        return tuple(self._tiles)

    def tile(self, number: int, side: int, progress: Progress = _no_progress) -> Tile:
        """Bake a tile of so many pixels a side. What is held in memory is that tile and one image at a time."""
        texels = rasterise(self.surface.corner_uvs, np.flatnonzero(self._tiles[number]), side)
        total = np.zeros((len(texels.place), 3), np.float32)
        for i in range(len(self.views)):
            _add_view(total, texels, self, i, side)
            progress(0.9 * (i + 1) / len(self.views))
        colours = np.empty((side * side, 3), np.uint8)
        colours[:] = np.round(np.clip(self.filled.mean(axis=0), 0, 255))
        shown = np.zeros(side * side, np.uint8)
        known = np.zeros(side * side, bool)
        known[texels.place] = True
        for first in range(0, len(total), _AT_ONCE):
            block = slice(first, first + _AT_ONCE)
            at, shares = self.surface.faces[texels.face[block]], texels.shares[block]
            share = _between(self.shown[:, None], at, shares)
            images = total[block] + _between(self.blend.coarse, at, shares)
            values = share * images + (1 - share) * _between(self.filled, at, shares)
            colours[texels.place[block]] = np.round(np.clip(values, 0, 255))
            shown[texels.place[block]] = np.round(255 * share[:, 0])
        del texels, total
        picture = colours.reshape(side, side, 3)
        pad(picture, known.reshape(side, side), max(2, side // _PADDING))
        progress(1.0)
        return Tile(picture, shown.reshape(side, side))


def _add_view(total: NDArray[np.float32], texels: Texels, baked: Baking, number: int, side: int) -> None:
    """Add a view's colours to those of the texels (P, 3), by its share."""
    view, fine = baked.views[number], baked.blend.fine[:, number]
    corners = baked.surface.faces
    used = (fine[corners] > 0).any(axis=1)
    index = np.flatnonzero(used[texels.face])
    if not len(index):
        return
    chosen = np.flatnonzero(fine > 0)
    distance = float(np.median(np.linalg.norm(view.camera.centre - baked.surface.points[chosen], axis=1)))
    picture = view.picture(_texel_size(baked.surface, used, side) / 2, distance)
    table = corrected_table(baked.blend.gains[number])
    image = np.stack([table[picture.colours[..., k], k] for k in range(3)], axis=-1)
    points = baked.surface.points
    for first in range(0, len(index), _AT_ONCE):
        block = index[first : first + _AT_ONCE]
        at, shares = corners[texels.face[block]], texels.shares[block]
        pixels, _ = picture.camera.project(_between(points, at, shares))
        total[block] += _between(fine[:, None], at, shares) * sample_image(image, pixels)


def _texel_size(surface: TexturedSurface, faces: NDArray[np.bool_], side: int) -> float:
    """Metres a texel of some of the triangles (m,), in the mean."""
    uvs, points = surface.corner_uvs[faces], surface.points[surface.faces[faces]]
    texture, space = (
        np.linalg.norm(np.cross(values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]), axis=-1).sum()
        for values in (np.pad(uvs, ((0, 0), (0, 0), (0, 1))), points)
    )
    return float(np.sqrt(space / max(texture, 1e-30)) / side)


def _between(values: NDArray, corners: NDArray[np.int64], shares: NDArray[np.float32]) -> NDArray:
    """(P, C) values of vertices (n, C) within triangles with corners (P, 3), by the second's and third's shares."""
    first = values[corners[:, 0]]
    result = first + shares[:, :1] * (values[corners[:, 1]] - first)
    result += shares[:, 1:] * (values[corners[:, 2]] - first)
    return result
