"""Options of the masks of a labelled scan: their classes and names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from capture import InputError
from scans.predictions import PARTS

MaskNames = Literal["colmap", "metashape"]

SKIN, LABELS, SCAN = "skin", "labels", "scan"  # classes that need no parts: skin that is seen, labels, all of the scan
_GROUPS = {
    "hair": ("brows", "lashes", "scalp_hair", "facial_hair"),
    "clothes": ("garment", "headwear"),
}
_KNOWN = (SKIN, LABELS, SCAN, *_GROUPS, *(part for part in PARTS if part not in (SKIN, "background")))


@dataclass(frozen=True)
class MaskOptions:
    """Options of masks.

    Attributes:
        masks: write a mask an image, white where it shows the class, into a folder a class of prediction/masks.
        classes: of the masks, separated by commas: skin, hair, clothes, a part of prediction.npz, labels (where the
            scan lies on the skin), or scan (all of it); those joined by a + share a mask.
        mask_names: of the masks of a.jpg: a.jpg.png as COLMAP wants it, or a_mask.png as Metashape does.

    Raises:
        InputError: where a class is not known.
    """

    masks: bool = False
    classes: tuple[str, ...] = (SKIN,)
    mask_names: MaskNames = "colmap"

    def __post_init__(self) -> None:
        if not self.masks and (self.classes, self.mask_names) != ((SKIN,), "colmap"):
            raise InputError("`classes` and `mask_names` are of masks; give `masks`, too")
        for name in self.classes:
            parts_of(name)
        if not self.classes:
            raise InputError("`classes` names none; skin is one")

    @property
    def need_parts(self) -> bool:
        """Whether a class is one that only a labeller of parts tells."""
        return any(set(name.split("+")) - {SKIN, LABELS, SCAN} for name in self.classes)


def parts_of(name: str) -> tuple[str, ...]:
    """The components of a class: parts, `skin`, `scan`. Raises `InputError` where one is not known."""
    found: list[str] = []
    for word in name.split("+"):
        if word not in _KNOWN:
            raise InputError(f"`classes` {name}: {word or 'nothing'} is no class; known are {', '.join(_KNOWN)}")
        found += _GROUPS.get(word, (word,))
    return tuple(dict.fromkeys(found))


def mask_paths(images: Iterable[str], names: MaskNames) -> tuple[PurePosixPath, ...]:
    """The masks' paths below their folder, for images by their paths below `images/`.

    Raises `InputError` where two images would have the same mask.
    """
    paths = [PurePosixPath(image) for image in images]
    if names == "colmap":
        return tuple(path.with_name(f"{path.name}.png") for path in paths)
    made = [path.with_name(f"{path.stem}_mask.png") for path in paths]
    path, count = Counter(made).most_common(1)[0]
    if count > 1:
        raise InputError(f"{count} images would have the mask {path}; rename them, or take `mask_names` colmap")
    return tuple(made)
