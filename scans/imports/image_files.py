"""Images of a folder, found by what a file calls them: a path of another computer, a file name or a label."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from functools import cached_property
from pathlib import Path, PurePosixPath

from capture import InputError
from capture.listing import list_files
from scans.images.decoding import image_size
from scans.imports.records import ImageFile

READ = (
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".jp2", ".bmp", ".ppm", ".pgm", ".pnm", ".tga",
)  # fmt: skip
SUFFIXES = (*READ, ".heic", ".heif", ".dng", ".cr2", ".cr3", ".nef", ".arw")
"""Of images; those that `READ` lacks can't be read, and opening them says so."""


REPORT = "import.json"
"""Name of the file in a capture that says where its cameras are from."""


class ImageFiles:
    """The images below a folder.

    Args:
        root: the folder; names of images in the capture are paths below it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        if not root.is_dir():
            raise InputError(f"no such folder of images: {root}")

    @cached_property
    def paths(self) -> list[Path]:
        """All images, sorted, without those of captures that were imported earlier."""
        every = list_files(self.root)
        captures = {path.parent for path in every if path.name == REPORT}
        images = (path for path in every if path.suffix.lower() in SUFFIXES)
        return [path for path in images if not captures.intersection(path.parents)]

    def find(self, name: str) -> Path | None:
        """The image that a file calls `name`; None where there is none.

        `name` may have folders, of Windows, too, of which only the last ones need agree, and may lack its suffix. Of
        several images of that name the one is taken whose folders agree farthest. Raises `InputError` where two do.
        """
        parts = [_plain(part) for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        if not parts:
            return None
        found = self._by_name.get(parts[-1]) or self._by_stem.get(parts[-1])
        if not found:
            stem, _, suffix = parts[-1].rpartition(".")
            found = self._by_stem.get(stem) if f".{suffix}" in SUFFIXES else None
        if not found:
            return None
        agreeing = defaultdict(list)
        for path in found:
            agreeing[self._agreement(path, parts[:-1])].append(path)
        best = agreeing[max(agreeing)]
        best = [path for path in best if path.suffix.lower() in READ] or best
        if len(best) > 1:
            names = ", ".join(path.relative_to(self.root).as_posix() for path in best[:3])
            raise InputError(
                f"{name} may be any of {len(best)} images below {self.root} ({names}); name the folder of the right "
                "ones with `images`"
            )
        return best[0]

    def _agreement(self, path: Path, folders: list[str]) -> int:
        """Number of folders next to the image that are called as in the file."""
        own = [_plain(part) for part in path.relative_to(self.root).parts[:-1]]
        same = 0
        while same < min(len(own), len(folders)) and own[-1 - same] == folders[-1 - same]:
            same += 1
        return same

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        found = defaultdict(list)
        for path in self.paths:
            found[_plain(path.name)].append(path)
        return dict(found)

    @cached_property
    def _by_stem(self) -> dict[str, list[Path]]:
        found = defaultdict(list)
        for path in self.paths:
            found[_plain(path.stem)].append(path)
        return dict(found)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def size_of(image: ImageFile) -> tuple[int, int]:
    """Width and height of an image, of which no more than the beginning is read where it is a file."""
    return image_size(image if isinstance(image, Path) else image.read_bytes(), str(image))


def name_in_capture(image: ImageFile, root: Path) -> str:
    """The image's path below `root`; its file name where it lies elsewhere."""
    if isinstance(image, Path) and image.is_relative_to(root):
        return PurePosixPath(*image.relative_to(root).parts).as_posix()
    return image.name
