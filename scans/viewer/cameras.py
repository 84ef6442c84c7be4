"""Cameras as pyramids with their images."""

from __future__ import annotations

import numpy as np

from capture import Camera
from scans.head_sample import HeadSample
from scans.images.decoding import decode_file, image_top
from scans.pictures.encoding import jpeg, thumbnail
from scans.viewer.view import ViewedCamera

_SIDE = 384  # pixels of an image's longer side
_PICTURES = 24  # that many images have this size, more of them smaller ones
_LEAST = 96
_QUALITY = 80
_GRID = 9  # rows and columns that a distorted image is bent by
_WIDE, _HIGH = (
    0.22,
    0.45,
)  # of the cameras' distance to the scan: an image's longer side, and most of a pyramid's height


def viewed_cameras(head: HeadSample) -> list[ViewedCamera]:
    """The head's cameras and images. Raises `InputError` where an image is damaged."""
    middle = np.median(head.scan.vertices.astype(np.float64), axis=0)
    distance = float(np.median([np.linalg.norm(camera.centre - middle) for camera in head.cameras]))
    focal = float(np.median([camera.focal[0] / max(camera.width, camera.height) for camera in head.cameras]))
    height = distance * min(_HIGH, _WIDE * focal)
    side = max(_LEAST, round(_SIDE * min(1.0, (_PICTURES / len(head.cameras)) ** 0.5)))
    return [_viewed(head, i, height, side) for i in range(len(head.cameras))]


def _viewed(head: HeadSample, number: int, height: float, side: int) -> ViewedCamera:
    camera = head.cameras[number]
    image = decode_file(head.images[number], head.image_names[number], max_pixels=4 * side * side).colours
    picture = jpeg(thumbnail(image, side), _QUALITY)
    up = photograph_top(camera, image_top(head.images[number], head.image_names[number]))
    return ViewedCamera(camera.name, camera.centre, _points(camera, height), up, camera.direction, picture)


def photograph_top(camera: Camera, edge: str) -> np.ndarray:
    """(3,) direction of the edge of the stored image that is the photograph's top: cameras are of stored pixels."""
    right = camera.rotation[0]
    return {"top": camera.up, "bottom": -camera.up, "right": right, "left": -right}[edge]


def _points(camera: Camera, height: float) -> np.ndarray:
    """(R, C, 3) what rows and columns of the image show at this depth; of a panorama, at this distance."""
    count = _GRID if camera.distorted else 2
    x, y = np.meshgrid(np.linspace(0, camera.width, count), np.linspace(0, camera.height, count))
    pixels = np.stack([x, y], axis=-1)
    if camera.panoramic:
        return camera.centre + height * camera.rays(pixels)
    return camera.unproject(pixels, height)
