"""A capture's cameras as pinholes that Blender can render, and their renders warped to the capture's views."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from capture import Camera, InputError
from scans.images.sampling import sample_image

Floats = NDArray[np.float64]

_MARGIN = 2.0  # pixels around what is needed, for interpolation
_LARGEST = 4.0  # times the pixels of the image: beyond that a lens is no pinhole's matter
_ROWS = 256  # warped at a time
_SAME_PX = 0.01  # what distorting an undistorted pixel may miss it by


def moved_camera(camera: Camera, rotation: Floats, shift: Floats) -> Camera:
    """A camera of the world as a camera of the head's frame.

    Args:
        camera: sees a point X of the world at R X + t.
        rotation: (3, 3) Q of the head: a point Y of its frame lies at X = Q Y + s in the world.
        shift: (3,) s, metres.

    Returns:
        the camera with R Q and R s + t: it sees Y where the other one sees X.
    """
    turned = camera.rotation @ rotation
    return replace(camera, rotation=turned, translation=camera.rotation @ shift + camera.translation)


def pinhole(camera: Camera) -> Camera:
    """An undistorted camera at the same place with the same focal lengths that sees all that a camera sees.

    Raises `InputError` where the distortion has no inverse in the whole image, or the image would become too large.
    """
    size = camera.width, camera.height
    if not camera.distorted:
        return Camera.pinhole(camera.name, size, camera.focal, camera.principal, camera.rotation, camera.translation)
    straight = Camera.pinhole(camera.name, size, camera.focal, camera.principal, camera.rotation, camera.translation)
    edge = _edge(camera)
    with np.errstate(all="ignore"):
        seen = camera.unproject(edge, 1.0)
        missed = np.abs(camera.project(seen)[0] - edge)
        pixels = straight.project(seen)[0]
    cure = "undistort the images first (`colmap image_undistorter`)"
    if not (missed < _SAME_PX).all():
        raise InputError(
            f"camera of {camera.name}: its {camera.model} distortion can't be undone at the edge of the image; {cure}"
        )
    low, high = pixels.min(axis=0) - _MARGIN, pixels.max(axis=0) + _MARGIN
    wide, high_px = (math.ceil(extent) for extent in (high - low))
    if wide * high_px > _LARGEST * camera.width * camera.height:
        raise InputError(
            f"camera of {camera.name}: without its distortion its image is {wide} x {high_px} pixels; {cure}"
        )
    principal = (camera.principal[0] - low[0], camera.principal[1] - low[1])
    return Camera.pinhole(camera.name, (wide, high_px), camera.focal, principal, camera.rotation, camera.translation)


def _edge(camera: Camera) -> Floats:
    """(N, 2) pixels on the four sides of an image."""
    x, y = np.linspace(0, camera.width, 65), np.linspace(0, camera.height, 65)
    sides = [np.stack([x, 0 * x + level], axis=1) for level in (0, camera.height)]
    sides += [np.stack([0 * y + level, y], axis=1) for level in (0, camera.width)]
    return np.concatenate(sides)


def warp(picture: NDArray, straight: Camera, camera: Camera, nearest: bool = False) -> NDArray:
    """Warp an image of the pinhole to the camera's own view, lens distortion included.

    Args:
        picture: (H', W', C) or (H', W') of the pinhole `straight`; premultiplied where it has alpha.
        straight: the pinhole, at the same place.
        camera: whose pixels are wanted.
        nearest: takes the nearest pixel, as class ids need, instead of interpolating between four.

    Returns:
        (H, W, C) or (H, W) of the camera.
    """
    if not camera.distorted:
        return picture
    made = np.zeros((camera.height, camera.width, *picture.shape[2:]), picture.dtype)
    for rows, pixels in _pixel_rows(camera):
        at = straight.project(camera.unproject(pixels, 1.0))[0]
        made[rows] = picture[_index(at, picture.shape)] if nearest else sample_image(picture, at)
    return made


def _pixel_rows(camera: Camera) -> Iterator[tuple[slice, Floats]]:
    """Bands of rows, with the centres (R, W, 2) of their pixels."""
    for first in range(0, camera.height, _ROWS):
        rows = slice(first, min(first + _ROWS, camera.height))
        y, x = np.mgrid[rows, 0 : camera.width] + 0.5
        yield rows, np.stack([x, y], axis=-1)


def _index(at: Floats, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of the pixels that points (..., 2) lie in."""
    column, row = np.floor(at[..., 0]).astype(np.int64), np.floor(at[..., 1]).astype(np.int64)
    return np.clip(row, 0, shape[0] - 1), np.clip(column, 0, shape[1] - 1)
