"""Masks of images, found by the images' names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from capture import InputError
from capture.listing import list_files


def find_masks(images: Sequence[str], folder: Path) -> tuple[Path, ...]:
    """The mask of every image in `folder`.

    For the image `left/a.jpg` it is `left/a.jpg.png`, COLMAP's name, else `left/a` with any suffix, else `left/a_mask`,
    Metashape's name, likewise; else one of the latter two without the folder, as long as no other image would take the
    same. Hidden files are passed over.

    Args:
        images: their names, paths below a folder of images.
        folder: of the masks.

    Raises `InputError` where one is missing, or two would do.
    """
    if not folder.is_dir():
        raise InputError(f"no such folder of masks: {folder}")
    by_name: dict[PurePosixPath, list[Path]] = {}
    for path in list_files(folder):
        by_name.setdefault(PurePosixPath(path.relative_to(folder).with_suffix("").as_posix()), []).append(path)
    names = [PurePosixPath(name) for name in images]
    own, flat = Counter(name.with_suffix("") for name in names), Counter(name.stem for name in names)
    masks = []
    for name in names:
        same = [path for path in by_name.get(name, []) if path.suffix.lower() == ".png"]
        if not same:
            same = _called(by_name, name.with_suffix(""))
            if own[name.with_suffix("")] > 1:  # a.jpg and a.png: each needs its own
                same = [path for path in same if path.suffix == name.suffix]
        if not same and flat[name.stem] == 1:
            same = _called(by_name, PurePosixPath(name.stem))
        if len(same) != 1:
            what = "no mask" if not same else f"{len(same)} masks"
            needed = f"{name.with_suffix('.png')} or {name}.png"
            raise InputError(f"{folder}: {what} for {name}; one file named {needed} is needed")
        masks.append(same[0])
    return tuple(masks)


def _called(by_name: dict[PurePosixPath, list[Path]], name: PurePosixPath) -> list[Path]:
    return by_name.get(name) or by_name.get(name.with_name(f"{name.name}_mask"), [])
