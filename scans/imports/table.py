"""The formats that are read, known by what is in a file and never by its name alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from capture import InputError
from capture.listing import list_files
from scans.imports import (
    blender,
    bundler,
    colmap,
    meshroom,
    metashape,
    openmvg,
    opensfm,
    phones,
    reality_capture,
    transforms,
)
from scans.imports.image_files import ImageFiles
from scans.imports.records import Scene
from scans.imports.source import Source


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        name: as messages call it.
        recognise: whether a file, or a folder, is of this format.
        read: its cameras.
        images: folders that its images may be in, relative to that of the file; the first that is there counts.
    """

    name: str
    recognise: Callable[[Source], bool]
    read: Callable[[Source, ImageFiles], Scene]
    images: tuple[str, ...] = ("images", ".")


_POLYCAM = (
    "keyframes/corrected_images", "../corrected_images", "corrected_images", "keyframes/images", "../images", "images",
    ".",
)  # fmt: skip
FORMATS = (
    Format("Metashape or PhotoScan XML", metashape.recognise, metashape.read),
    Format("RealityCapture or RealityScan CSV", reality_capture.recognise_csv, reality_capture.read_csv),
    Format("RealityCapture XMP sidecars", reality_capture.recognise_xmp, reality_capture.read_xmp),
    Format("transforms.json (nerfstudio, instant-ngp, Blender)", transforms.recognise, transforms.read),
    Format("Meshroom", meshroom.recognise, meshroom.read),
    Format("openMVG", openmvg.recognise, openmvg.read),
    Format("OpenSfM", opensfm.recognise, opensfm.read),
    Format("Bundler", bundler.recognise, bundler.read),
    Format("Polycam", phones.recognise_polycam, phones.read_polycam, _POLYCAM),
    Format("Record3D", phones.recognise_record3d, phones.read_record3d, ("rgbd", "rgb", ".")),
    Format("Blender's cameras", blender.recognise, blender.read),
    Format("COLMAP", colmap.recognise, colmap.read, ("images", "../images", "../../images", ".")),
)
_IN_FOLDERS = (
    ".xml",
    ".csv",
    ".json",
    ".sfm",
    ".out",
    ".psz",
    ".r3d",
    "",
)  # suffixes of files that a folder is known by
_UNREAD = {
    "NVM_V3": "VisualSFM's NVM",
    "cereal": "openMVG's binary or XML: save sfm_data.json",
    "solid ": "a mesh",
    "ply": "a mesh or point cloud",
}


def recognise(path: Path) -> tuple[Source, Format]:
    """The file that holds the cameras, and its format.

    Args:
        path: of the file, or of a folder that is of a format as a whole or has one such file in it.

    Raises:
        InputError: where it is of no known format, or of several.
    """
    source = Source(path)
    known = [(source, each) for each in FORMATS if each.recognise(source)]
    if source.folder is not None:
        inside = [each for each in list_files(path, below=False) if each.suffix.lower() in _IN_FOLDERS]
        files = [(one, found) for one in map(Source, inside) if (found := _format_or_none(one)) is not None]
        whole = [found for _, found in known]
        known += [(one, found) for one, found in files if found not in whole]
    if len(known) > 1 and source.folder is not None:
        names = ", ".join(one.path.name if one is not source else found.name for one, found in known)
        raise InputError(f"{path} holds cameras of several kinds ({names}); name one file")
    if known:
        return known[0]
    names = ", ".join(each.name for each in FORMATS)
    for start, kind in _UNREAD.items():
        if source.start.lstrip("<?").startswith(start):
            raise InputError(f"{path} is {kind}, which is not read; export cameras as one of {names}")
    raise InputError(f"{path}: no cameras of a known kind in it; known are {names}")


def _format_or_none(source: Source) -> Format | None:
    """Of a file that is in a folder by chance, and may be damaged."""
    try:
        return next((each for each in FORMATS if each.recognise(source)), None)
    except InputError:
        return None


def images_of(source: Source, found: Format) -> Path:
    """The folder where the file's images are looked for."""
    return next(place / name for place in [source.place] for name in found.images if (place / name).is_dir())
