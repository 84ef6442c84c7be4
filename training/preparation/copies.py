"""Copies of a head as other cameras would have seen it: fewer views, other exposures, sizes and files, mirrored.

Image features are lifted once and kept. With the pictures of a renderer alone, from the same 13 places, a network
learns them by heart; copies of a head are prepared beside it, and epochs draw among them.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, InputError, Scan
from scans.head_sample import HeadSample
from training.image_changes import Augmentation, change

LEAST_VIEWS = 5
_SMALLEST = 0.5  # of the size of the images
_KEY = 0x636F7079  # of the stream that copies are drawn from
_MIRROR = np.diag([-1.0, 1.0, 1.0])
# Light and camera alone: where the head stands in the image is the cameras' matter.
_LIGHT = Augmentation(flip=0.0, scale=0.0, turn=0.0, shift=0.0, blur=1.0, noise=0.03, jpeg=0.5)


@dataclass(frozen=True)
class Variety:
    """The scans and copies that a head is prepared as, one of which an epoch draws.

    Attributes:
        scans: most scans of a head in other styles, the first one included; all where None.
        copies: further copies as other cameras would have seen it.
    """

    scans: int | None = 1
    copies: int = 0

    def __post_init__(self) -> None:
        if self.scans is not None and self.scans < 1:
            raise InputError(f"`scans` {self.scans}: use 1 or more, or leave it out for all")
        if not 0 <= self.copies < 100:
            raise InputError(f"`copies` {self.copies}: use 0 to 99")

    def of(self, head: HeadSample) -> list[HeadSample]:
        """The head with each of its scans, then the copies: the scans in turn."""
        scans = [head.with_variant(number) for number in range(1 + len(head.variants))][: self.scans]
        return scans + [seen_otherwise(scans[number % len(scans)], number) for number in range(self.copies)]


ONE = Variety()


def seen_otherwise(head: HeadSample, number: int) -> HeadSample:
    """Copy `number` of a head, drawn from its id: the same whatever else is prepared.

    It has at least `LEAST_VIEWS` of the views, where there are so many; all were taken by one camera in one light.
    """
    rng = np.random.default_rng([_KEY, zlib.crc32(head.id.encode()), number])
    views = _chosen(len(head.cameras), rng)
    light = _LIGHT.sample(rng)
    size = float(rng.uniform(_SMALLEST, 1.0))
    mirrored = bool(rng.random() < 0.5) and not any(camera.distorted for camera in head.cameras)
    cameras, images = [], []
    for view in views:
        pixels = _resized(head.view_pixels(view), size)
        nothing = np.zeros(pixels.shape[:2], np.uint8)
        pixels, _ = change(pixels, nothing, replace(light, noise_seed=light.noise_seed + view))
        camera = head.cameras[view].resized(pixels.shape[1], pixels.shape[0])
        cameras.append(mirrored_camera(camera) if mirrored else camera)
        images.append(_png(pixels[:, ::-1] if mirrored else pixels))
    scan = mirrored_scan(head.scan) if mirrored else head.scan
    names = tuple(f"{head.image_names[view]}, copy {number}" for view in views)
    return replace(head, cameras=tuple(cameras), images=tuple(images), image_names=names, scan=scan, masks=None)


def mirrored_camera(camera: Camera) -> Camera:
    """The camera that takes the mirror image of what this one (without distortion) takes, of the world in a mirror."""
    (width, height), (cx, cy) = (camera.width, camera.height), camera.principal
    rotation, translation = _MIRROR @ camera.rotation @ _MIRROR, _MIRROR @ camera.translation
    return Camera.pinhole(camera.name, (width, height), camera.focal, (width - cx, cy), rotation, translation)


def mirrored_scan(scan: Scan) -> Scan:
    """The scan in a mirror at x = 0; vertices keep their order, faces still look outwards."""
    flip = np.array([-1, 1, 1], scan.vertices.dtype)
    normals = None if scan.normals is None else scan.normals * np.array([-1, 1, 1], np.float32)
    return replace(scan, vertices=scan.vertices * flip, faces=scan.faces[:, ::-1], normals=normals)


def _chosen(count: int, rng: np.random.Generator) -> list[int]:
    """Numbers of the views that are kept, in order."""
    kept = int(rng.integers(min(LEAST_VIEWS, count), count + 1))
    return sorted(int(view) for view in rng.permutation(count)[:kept])


def _resized(image: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    size = (max(16, round(image.shape[1] * factor)), max(16, round(image.shape[0] * factor)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))


def _png(image: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
