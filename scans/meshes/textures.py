"""Colours of vertices from textures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import InputError
from capture.listing import find_file
from capture.runtime.warnings_once import warn_once
from scans.images.decoding import decode_file


def find_texture(folder: Path, name: str) -> NDArray[np.uint8] | None:
    """(H, W, 3) pixels of the texture that a mesh file in `folder` names; None, with a warning, where there's none."""
    path = texture_path(folder, name)
    if path is None:
        return None
    try:
        return decode_file(path).colours
    except InputError as error:
        warn_once(f"{error}: what it covers has no colours")
        return None


def texture_path(folder: Path, name: str) -> Path | None:
    """The texture that a mesh file in `folder` names; None, with a warning, where it is not there.

    A path of another computer stands for the file of its name beside the mesh.
    """
    plain = name.replace("\\", "/").strip().strip('"')
    for each in (plain.removeprefix("./"), plain.split("/")[-1]):
        path = find_file(folder, each) if each and not each.startswith("/") else None
        if path is not None:
            return path
    warn_once(f"texture is missing: {folder / plain.split('/')[-1]}: what it covers has no colours")
    return None


def sample_texture(texture: NDArray[np.uint8], uv: NDArray, *, up: bool = True) -> NDArray[np.float64]:
    """(N, 3) bilinear samples, 0 to 255, at texture coordinates (N, 2), which repeat; v grows upwards, or else down."""
    height, width = texture.shape[:2]
    u, v = np.moveaxis(np.mod(np.nan_to_num(np.asarray(uv, np.float64), posinf=0, neginf=0), 1), -1, 0)
    x, y = u * width - 0.5, (1 - v if up else v) * height - 0.5
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    right_share, bottom_share = (x - left)[:, None], (y - top)[:, None]
    found = np.zeros((len(u), 3))
    for dy, down in ((0, 1 - bottom_share), (1, bottom_share)):
        for dx, along in ((0, 1 - right_share), (1, right_share)):
            found += down * along * texture[(top + dy) % height, (left + dx) % width]
    return found


class CornerColours:
    """Means of the colours that a vertex has in the corners of its faces: on seams there are several."""

    def __init__(self, count: int) -> None:
        self._sums, self._counts = np.zeros((count, 3)), np.zeros(count)

    def add(self, corners: NDArray[np.int64], colours: NDArray) -> None:
        """Colours (N, 3), 0 to 255, of the vertices `corners` (N,)."""
        for channel in range(3):
            self._sums[:, channel] += np.bincount(corners, colours[:, channel], len(self._counts))
        self._counts += np.bincount(corners, minlength=len(self._counts))

    @property
    def bytes(self) -> NDArray[np.uint8] | None:
        """(V, 3), white where a vertex has none; None where no vertex has one."""
        if not self._counts.any():
            return None
        means = self._sums / np.maximum(self._counts, 1)[:, None]
        return np.where(self._counts[:, None] > 0, means.round(), 255).astype(np.uint8)
