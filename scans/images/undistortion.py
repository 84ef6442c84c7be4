"""Photographs as Blender's cameras would have taken them: no distortion, square pixels, all of one size.

Blender knows pinholes only, and one frame for all cameras of a scene.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capture import Camera, InputError
from scans.images.decoding import resize_image
from scans.images.sampling import sample_image

Picture = NDArray[np.uint8]

MAX_SIDE = 2048  # pixels
_ROWS = 256  # at once


def pinhole_cameras(cameras: Sequence[Camera], max_side: int = MAX_SIDE) -> list[Camera]:
    """For each camera a pinhole at its place that sees all that it sees, but for what its lens bends out of the frame.

    All get the width of the widest and the height of the relatively tallest, `max_side` pixels at most. Raises
    `InputError` for a panorama.
    """
    for camera in cameras:
        if camera.panoramic:
            raise InputError(
                f"camera of {camera.name}: no view without distortion shows what {camera.model} does; cut the panorama "
                "into views first"
            )
    heights = [camera.height * camera.focal[0] / camera.focal[1] / camera.width for camera in cameras]  # of the width
    tallest = max(heights)
    width = min(max(camera.width for camera in cameras), round(max_side / max(1.0, tallest)))
    height = round(width * tallest)
    return [_flat(camera, width, height) for camera in cameras]


def _flat(camera: Camera, width: int, height: int) -> Camera:
    (fx, fy), (cx, cy) = camera.focal, camera.principal
    wider, taller = width / camera.width, width / camera.width * fx / fy
    above = (height - camera.height * taller) / 2
    focal, principal = (fx * wider, fx * wider), (cx * wider, cy * taller + above)
    return Camera.pinhole(camera.name, (width, height), focal, principal, camera.rotation, camera.translation)


def undistort_to(picture: Picture, camera: Camera, flat: Camera) -> Picture:
    """The picture (H, W, 3) that `camera` took, as `flat` would have taken it; black where `camera` saw nothing.

    The picture may be of another size than the camera's, as long as it has its shape.
    """
    scale = min(1.0, flat.width / camera.width)  # shrunk first, with all pixels counted, and then sampled
    source = camera.resized(max(1, round(camera.width * scale)), max(1, round(camera.height * scale)))
    picture = resize_image(picture, source.width, source.height)
    if not camera.distorted and (source.width, source.height) == (flat.width, flat.height):
        return picture
    result = np.empty((flat.height, flat.width, 3), np.uint8)
    for first in range(0, flat.height, _ROWS):
        rows = np.arange(first, min(first + _ROWS, flat.height))
        x, y = np.meshgrid(np.arange(flat.width) + 0.5, rows + 0.5)
        pixels, _ = source.project(flat.unproject(np.stack([x, y], axis=-1), 1.0))
        inside = source.inside(pixels)[..., None]
        result[rows] = np.where(inside, sample_image(picture, np.where(inside, pixels, 0.0)), 0)
    return result
