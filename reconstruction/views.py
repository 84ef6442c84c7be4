"""The images of a capture as the depth backends take them: checked, shrunk and undistorted."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from capture import Camera, Capture, InputError, RefusedError
from scans.images.decoding import MAX_PIXELS, DecodedImage, decode_file, read_foreground
from scans.images.mask_files import find_masks as find_files

logger = logging.getLogger(__name__)

MIN_VIEWS = 3


@dataclass(frozen=True, eq=False)
class View:
    """An undistorted image.

    Attributes:
        camera: without distortion.
        colours: (H, W, 3) uint8 sRGB.
        inside: (H, W) bool, False where the undistorted image has no pixel or a mask says background; None for all.
    """

    camera: Camera
    colours: NDArray[np.uint8]
    inside: NDArray[np.bool_] | None = None

    @property
    def intensity(self) -> NDArray[np.float32]:
        """(H, W) luma in [0, 1]."""
        weights = np.array([0.299, 0.587, 0.114], np.float32) / 255
        return np.asarray(self.colours.astype(np.float32) @ weights)


def load_views(capture: Capture, masks: Sequence[Path] | None = None, max_size: int | None = None) -> tuple[View, ...]:
    """Read, check, shrink and undistort the images of a capture.

    Args:
        capture: at least three images.
        masks: an image per view, in the order of the cameras; 0 is background. An alpha channel counts as well.
        max_size: pixels; images whose longer side is longer are shrunk to it.

    Raises:
        InputError: too few images; one that is missing, damaged, black, or of another size than its camera says.
    """
    if len(capture.cameras) < MIN_VIEWS:
        raise InputError(
            f"{capture.folder} has {len(capture.cameras)} calibrated images; at least {MIN_VIEWS} are needed for stereo"
        )
    if masks is not None and len(masks) != len(capture.cameras):
        raise InputError(f"{capture.folder}: {len(masks)} masks for {len(capture.cameras)} images; give one each")
    views = []
    for i, (camera, path) in enumerate(zip(capture.cameras, capture.image_paths, strict=True)):
        image = decode_file(path, max_pixels=None if max_size is None else MAX_PIXELS)
        _check_size(path, image.width, image.height, camera)
        if int(image.colours.max()) < 8:
            raise RefusedError(f"image is black: {path}; take its camera out of the capture or render it again")
        mask = None if masks is None else read_foreground(masks[i])
        if masks is not None and mask is not None:
            _check_size(masks[i], mask.shape[1], mask.shape[0], camera)
        views.append(undistort(shrink(_view(camera, image, mask), max_size)))
    smaller = sum(view.camera.width < camera.width for view, camera in zip(views, capture.cameras, strict=True))
    if smaller:
        logger.info("%d of %d images are shrunk to %d pixels", smaller, len(views), max_size)
    return tuple(views)


def find_masks(capture: Capture, folder: Path) -> tuple[Path, ...]:
    """The mask of every image of the capture in `folder`, by `scans.images.mask_files.find_masks`."""
    return find_files([camera.name for camera in capture.cameras], folder)


def _check_size(path: Path, width: int, height: int, camera: Camera) -> None:
    if (width, height) != (camera.width, camera.height):
        raise InputError(
            f"size of {path} is {width} x {height}, its camera says {camera.width} x {camera.height}; "
            "calibrate with the images as they are"
        )


def _view(camera: Camera, image: DecodedImage, mask: NDArray[np.bool_] | None) -> View:
    """The image with its own and another mask, and the camera of its size: a very large one was shrunk."""
    height, width = image.colours.shape[:2]
    if (width, height) != (image.width, image.height):
        camera = camera.resized(width, height)
        mask = None if mask is None else _resized_mask(mask, width, height)
    inside = image.opaque if mask is None else mask if image.opaque is None else image.opaque & mask
    return View(camera, image.colours, inside)


def _resized_mask(mask: NDArray[np.bool_], width: int, height: int) -> NDArray[np.bool_]:
    resized = Image.fromarray(mask.astype(np.uint8)).resize((width, height), Image.Resampling.NEAREST)
    return np.asarray(resized) > 0


def shrink(view: View, longest: int | None) -> View:
    """The same view with a longer side of at most `longest` pixels; None leaves it."""
    old = view.camera
    if longest is None or max(old.width, old.height) <= longest:
        return view
    scale = longest / max(old.width, old.height)
    camera = old.resized(max(1, round(old.width * scale)), max(1, round(old.height * scale)))
    size = (camera.width, camera.height)
    colours = np.asarray(Image.fromarray(view.colours).resize(size, Image.Resampling.BOX))
    if view.inside is None:
        return View(camera, colours)
    return View(camera, colours, _resized_mask(view.inside, *size))


def undistort(view: View) -> View:
    """The same view through a camera without distortion, of the same size and focal length.

    Raises `InputError` for a panorama.
    """
    old = view.camera
    if not old.distorted:
        return view
    if old.panoramic:
        raise InputError(f"camera of {old.name}: stereo can't use {old.model}; cut the panorama into views first")
    new = Camera.pinhole(old.name, (old.width, old.height), old.focal, old.principal, old.rotation, old.translation)
    grid = np.stack(np.meshgrid(np.arange(new.width) + 0.5, np.arange(new.height) + 0.5), axis=-1)
    pixels, _ = old.project(new.unproject(grid, 1.0))
    inside = old.inside(pixels)
    pixels[np.isnan(pixels)] = 0  # so far aside that the lens shows nothing
    rows, columns = pixels[..., 1] - 0.5, pixels[..., 0] - 0.5
    channels = [
        ndimage.map_coordinates(view.colours[..., c].astype(np.float32), (rows, columns), order=1, mode="nearest")
        for c in range(3)
    ]
    if view.inside is not None:
        opaque = ndimage.map_coordinates(view.inside.astype(np.float32), (rows, columns), order=1)
        inside &= opaque > 0.5
    colours = np.clip(np.stack(channels, axis=-1) + 0.5, 0, 255).astype(np.uint8)
    return View(new, colours, None if inside.all() else inside)
