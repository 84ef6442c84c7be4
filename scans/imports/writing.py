"""The folder of the capture: images, masks and the COLMAP model, whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from secrets import token_hex

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, InputError
from capture.files import explain_os_error, make_folder
from scans.images.decoding import decode_file, read_foreground
from scans.images.sampling import sample_image
from scans.imports.flat_lenses import flat_lens, resample, to_flat
from scans.imports.image_files import size_of
from scans.imports.records import Array, BrownLens, ImageFile, Lens, Pose

Progress = Callable[[str, int, int], None]

_JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")
_AT_ONCE = 8  # images: half a gigabyte each where they are of 18 megapixels and resampled
_QUALITY = 97  # of resampled JPEGs, with all of their colours


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give a temporary folder beside `out`, which gets its name when the block ends without an error.

    Raises `InputError` where something stands at `out` that is not an empty folder, or it can't be written.
    """
    check_free(out)
    made = out.parent / f".{out.name}.{token_hex(4)}"
    try:
        make_folder(made)
        yield made
        check_free(out)
        if out.is_dir():
            out.rmdir()
        made.rename(out)
    except OSError as error:
        raise explain_os_error(error, out) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def check_free(out: Path) -> None:
    """Raise `InputError` where something stands at `out` that is not an empty folder."""
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() or out.is_symlink():
        raise InputError(f"{out} is there already; move it away, or choose another `out`")


def camera_of(name: str, lens: Lens, pose: Pose) -> Camera:
    """The camera of a capture whose lens is the file's, or the flat one where no COLMAP model has it."""
    if isinstance(lens, BrownLens):
        exact = flat_lens(lens).colmap if lens.inexact else lens.colmap
    else:
        exact = lens
    return Camera(name, exact.width, exact.height, exact.model, exact.params, pose.rotation, pose.translation)


@dataclass(frozen=True, eq=False)
class Picture:
    """An image on its way into the capture.

    Attributes:
        image: the file.
        name: of it, the path below the folder of images.
        lens: that it was taken with, as the file says.
        camera: in the capture; a pinhole where the image has to be resampled.
    """

    image: ImageFile
    name: str
    lens: Lens
    camera: Camera

    @classmethod
    def of(cls, image: ImageFile, name: str, lens: Lens, pose: Pose) -> Picture:
        """The picture of a view. Raises `InputError` where image and lens are of different sizes."""
        if size_of(image) != (lens.width, lens.height):
            size = "{} x {}".format(*size_of(image))
            raise InputError(
                f"{image} has {size} pixels, its camera {lens.width} x {lens.height}; name those that were aligned"
            )
        resampled = isinstance(lens, BrownLens) and lens.inexact
        return cls(image, name, lens, camera_of(_resampled_name(name) if resampled else name, lens, pose))

    @property
    def resampled(self) -> tuple[str, ...]:
        """Names of the parameters that it is resampled for."""
        return self.lens.inexact if isinstance(self.lens, BrownLens) else ()

    def to_capture(self, pixels: Array) -> Array:
        """The pixels (n, 2) in the capture's image of those of the file's."""
        if isinstance(self.lens, BrownLens) and self.resampled:
            return to_flat(self.lens, pixels)
        return pixels

    def write_image(self, images: Path) -> None:
        """Copy the image to its place below `images`, or write it resampled there."""
        target = _place(images, self.camera.name)
        if not self.resampled:
            with self.image.open("rb") as read, target.open("wb") as written:
                shutil.copyfileobj(read, written, 1 << 20)
            return
        source = self.image if isinstance(self.image, Path) else self.image.read_bytes()
        decoded = decode_file(source, str(self.image), max_pixels=None)
        made = self._resampled(_bilinear(decoded.colours))
        if decoded.opaque is not None:
            opaque = 255 * self._resampled(_nearest(decoded.opaque)).astype(np.uint8)
            Image.fromarray(np.dstack([made, opaque])).save(target)
        elif target.suffix.lower() in _JPEG:
            Image.fromarray(made).save(target, quality=_QUALITY, subsampling=0)
        else:
            Image.fromarray(made).save(target)

    def write_mask(self, mask: Path, masks: Path) -> None:
        """Write a foreground mask as 0 and 255 below `masks`, by COLMAP's name, resampled as the image is."""
        inside = read_foreground(mask)
        if inside.shape != (self.lens.height, self.lens.width):
            size = f"{inside.shape[1]} x {inside.shape[0]}"
            raise InputError(f"mask {mask} has {size} pixels, its image {self.lens.width} x {self.lens.height}")
        if self.resampled:
            inside = self._resampled(_nearest(inside))
        Image.fromarray(255 * inside.astype(np.uint8)).save(_place(masks, f"{self.camera.name}.png"))

    def _resampled(self, sample: Callable[[Array], NDArray]) -> NDArray:
        assert isinstance(self.lens, BrownLens)
        return resample(self.lens, sample)


def write_pictures(
    pictures: Sequence[Picture], masks: Sequence[Path], folder: Path, progress: Progress | None = None
) -> None:
    """Write all images into `images/` of a capture's folder, and their masks, where there are any, into `masks/`.

    Several at once, as most of the time is spent in numpy and in codecs, which leave other threads alone.

    Args:
        masks: one of each picture, or none.
        progress: called with ("images", how many are done, how many there are).
    """

    def write(number: int) -> None:
        pictures[number].write_image(folder / "images")
        if masks:
            pictures[number].write_mask(masks[number], folder / "masks")

    with ThreadPoolExecutor(min(_AT_ONCE, os.cpu_count() or 1)) as pool:
        try:
            for done, _ in enumerate(pool.map(write, range(len(pictures)))):
                if progress is not None:
                    progress("images", done + 1, len(pictures))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _resampled_name(name: str) -> str:
    """A JPEG stays one; others become PNG files."""
    suffix = PurePosixPath(name).suffix.lower()
    return name if suffix in (*_JPEG, ".png") else f"{name}.png"


def _place(folder: Path, name: str) -> Path:
    target = folder / name
    make_folder(target.parent)
    return target


def _bilinear(image: NDArray[np.uint8]) -> Callable[[Array], NDArray]:
    return lambda pixels: sample_image(image, pixels)


def _nearest(image: NDArray) -> Callable[[Array], NDArray]:
    height, width = image.shape

    def sample(pixels: Array) -> NDArray:
        column, row = (np.clip(pixels[..., i].astype(np.int64), 0, size - 1) for i, size in enumerate((width, height)))
        return np.asarray(image[row, column])

    return sample


def check_names(pictures: Sequence[Picture]) -> None:
    """Raise `InputError` where two cameras have one image, or images one name."""
    seen: dict[str, ImageFile] = {}
    for picture in pictures:
        name = picture.camera.name.casefold()
        if name in seen:
            raise InputError(f"two cameras of the file are of the image {picture.camera.name} ({picture.image})")
        seen[name] = picture.image
