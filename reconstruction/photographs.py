"""A user's own photographs: what a folder of them holds, and which of them one camera took."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from capture import InputError
from capture.listing import list_files
from reconstruction.views import MIN_VIEWS
from scans.images.decoding import decode_file
from scans.images.opening import opened_image

logger = logging.getLogger(__name__)

# Suffixes of photographs, of which those are read that Pillow can read here.
_STILLS = frozenset(
    (
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".tif", ".tiff", ".bmp", ".webp", ".ppm", ".pgm", ".pnm"),
        *(".tga", ".jp2", ".avif", ".gif"),
    )
)
# What cameras and telephones write besides.
_FOREIGN = frozenset(
    (
        *(".heic", ".heif", ".hif", ".jxl", ".dng", ".raw", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".orf", ".rw2"),
        *(".raf", ".pef", ".srw", ".x3f", ".iiq", ".exr", ".psd", ".mov", ".mp4", ".m4v", ".avi"),
    )
)
_MAKE, _MODEL, _EXIF = 271, 272, 0x8769
_LENS = (37386, 41989, 41988, 42036)  # focal length, the same at 35 mm, digital zoom, lens
_DIRECT = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "BMP": ".bmp"}  # formats that COLMAP reads as we do ...
_DIRECT_MODES = ("RGB", "L")  # ... at 8 bits


@dataclass(frozen=True)
class Photograph:
    """An image to calibrate.

    Attributes:
        name: its path below the folder of images, with slashes.
        path: of the file.
        size: width and height, pixels.
        kind: what EXIF says of the camera, the lens and the zoom; empty where it says nothing.
        suffix: of its format, where COLMAP reads the file as we do; else empty.
    """

    name: str
    path: Path
    size: tuple[int, int]
    kind: tuple[str, ...]
    suffix: str


def find_photographs(images: Path) -> list[Photograph]:
    """The photographs in a folder and in the folders below it, by name, each read to its end; hidden files are no part.

    Files of formats that aren't read are told in a warning.

    Raises:
        InputError: no folder, fewer than three images, or a damaged one.
    """
    if not images.is_dir():
        raise InputError(f"no images: {images} is not there; put the photographs into that folder")
    readable = {suffix for suffix in _STILLS if suffix in Image.registered_extensions()}
    files = list_files(images)
    found = [path for path in files if path.suffix.lower() in readable]
    foreign = [path for path in files if path.suffix.lower() in (_FOREIGN | _STILLS) - readable]
    passed = _count_formats(foreign)
    if len(found) < MIN_VIEWS:
        also = f" ({passed}, which can't be read; save them as JPEG or PNG)" if foreign else ""
        if not foreign and not found and files:
            also = f" (but {_count_formats(files)}); save photographs as JPEG or PNG"
        raise InputError(f"{images} has {len(found)} images{also}; at least {MIN_VIEWS} are needed")
    if foreign:
        logger.warning(
            "%s: %s can't be read and are left out; save them as JPEG or PNG to have them calibrated, too",
            images,
            passed,
        )
    return sorted((_open(path, images) for path in found), key=lambda photograph: photograph.name)


def group_by_camera(photographs: Sequence[Photograph], shared: bool, per: str) -> list[list[Photograph]]:
    """The photographs that were taken with the same intrinsics, by what is known before.

    Args:
        photographs: in the order of their names.
        shared: all of them.
        per: what has a camera of its own otherwise, of `settings.CAMERA_PER`. Photographs of different sizes never
            share one.

    Raises:
        InputError: `shared`, and their sizes differ.
    """
    first = photographs[0]
    if shared:
        for other in photographs:
            if other.size != first.size:
                a, b = (f"{each.name} ({each.size[0]} x {each.size[1]})" for each in (first, other))
                raise InputError(f"`shared_camera`: {a} and {b} differ in size; leave it away, or crop no photograph")
        return [list(photographs)]
    groups: dict[object, list[Photograph]] = {}
    for photograph in photographs:
        key: tuple[object, ...] = (photograph.size,)
        if per == "kind":
            key = (photograph.size, photograph.kind)
        elif per == "folder":
            key = (photograph.size, photograph.name.rpartition("/")[0])
        elif per == "image":
            key = (photograph.name,)
        groups.setdefault(key, []).append(photograph)
    return list(groups.values())


def _count_formats(paths: Sequence[Path]) -> str:
    counts = Counter(path.suffix.lower().lstrip(".").upper() or "without a suffix" for path in paths)
    return ", ".join(f"{count} {name} file{'s' if count > 1 else ''}" for name, count in sorted(counts.items()))


def _open(path: Path, images: Path) -> Photograph:
    decoded = decode_file(path)
    with opened_image(path, str(path)) as image:
        suffix = _DIRECT.get(image.format or "", "") if image.mode in _DIRECT_MODES else ""
        kind = _kind(image)
    name = path.relative_to(images).as_posix()
    return Photograph(name, path, (decoded.width, decoded.height), kind, suffix)


def _kind(image: Image.Image) -> tuple[str, ...]:
    try:
        exif = image.getexif()
        more = exif.get_ifd(_EXIF)
    except (ValueError, OSError, SyntaxError, TypeError, KeyError, AttributeError):  # damaged EXIF tells nothing
        return ()
    values = [exif.get(tag) for tag in (_MAKE, _MODEL)] + [more.get(tag) for tag in _LENS]
    return tuple("" if value is None else str(value).strip("\0 ") for value in values) if any(values) else ()
