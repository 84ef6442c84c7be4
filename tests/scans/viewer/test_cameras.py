"""Cameras of a view: photographs that are stored on their side stand upright."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageOps

from capture import Camera
from capture.geometry import rotation_matrix
from scans.images.decoding import image_top
from scans.viewer.cameras import photograph_top, viewed_cameras
from scans.viewer.pose import find_pose
from tests.scans.viewer.made import head_sample, head_scan


def stored(pixels: np.ndarray, orientation: int, form: str = "PNG") -> bytes:
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[274] = orientation
    Image.fromarray(pixels).save(buffer, form, exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_top_of_a_photograph_is_where_pillow_turns_it_to(orientation: int) -> None:
    number = np.arange(5 * 7).reshape(5, 7)
    data = stored(np.stack([number, 0 * number, 0 * number], axis=-1).astype(np.uint8), orientation)
    turned = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    middle = turned.getpixel((turned.width // 2, 0))
    assert isinstance(middle, tuple)
    row, column = np.argwhere(number == middle[0])[0]
    camera = Camera.pinhole("a.png", (7, 5), (9, 9), (3.5, 2.5), rotation_matrix([0.3, -1.2, 0.7]), [0, 0, 1])
    there = camera.unproject(np.array([column + 0.5, row + 0.5]), 1.0) - camera.unproject(np.array([3.5, 2.5]), 1.0)
    np.testing.assert_allclose(
        photograph_top(camera, image_top(data, "a.png")), there / np.linalg.norm(there), atol=1e-9
    )


def test_a_scan_of_photographs_that_are_stored_on_their_side_stands_upright() -> None:
    """A phone held upright stores a landscape image, and says so in EXIF; cameras are of the stored pixels."""
    scan, prediction = head_scan()
    upright = head_sample(scan)
    quarter = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # stored x is the photograph's y
    cameras, images = [], []
    for camera, image in zip(upright.cameras, upright.images, strict=True):
        pixels = np.asarray(Image.open(io.BytesIO(image)))
        images.append(stored(np.rot90(pixels), 6, "JPEG"))
        focal, rotation = (camera.focal[1], camera.focal[0]), quarter @ camera.rotation
        size, middle = (camera.height, camera.width), (camera.height / 2, camera.width / 2)
        cameras.append(Camera.pinhole(camera.name, size, focal, middle, rotation, quarter @ camera.translation))
    seen = viewed_cameras(replace(upright, cameras=tuple(cameras), images=tuple(images)))
    for found, camera in zip(seen, upright.cameras, strict=True):
        np.testing.assert_allclose(found.up, camera.up, atol=1e-9)
    pose = find_pose(scan, prediction.probability, [each.up for each in seen], [each.centre for each in seen])
    np.testing.assert_allclose(pose.up, [0, 0, 1], atol=1e-9)
    # The image lies where its pixels look: the middle of the photograph's upper edge is above its lower one.
    points = seen[1].points
    left, right = points[:, 0].mean(axis=0), points[:, -1].mean(axis=0)
    assert left[2] > right[2] + 0.01
