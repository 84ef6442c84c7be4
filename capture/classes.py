"""Class ids of the masks that the generator renders (8-bit, one id per pixel, not anti-aliased)."""

from __future__ import annotations

from enum import IntEnum


class PixelClass(IntEnum):
    """The class of a pixel, by what it shows. The numbers are part of the file format: add, never renumber."""

    BACKGROUND = 0
    SKIN = 1
    EYES = 2
    BROWS = 3
    LASHES = 4
    SCALP_HAIR = 5
    FACIAL_HAIR = 6
    GARMENT = 7
    HEADWEAR = 8
    EYEWEAR = 9
    JEWELLERY = 10
    MOUTH = 11  # teeth, tongue and gums


# What counts as skin where a pixel's class has to say it, as a scan lies on the skin there: of the vertices that are
# seen as skin, brows and lashes .89, .92 and .84 are within 1.5 mm of it (our renders), of any other class below .3.
SKIN_CLASSES = (PixelClass.SKIN, PixelClass.BROWS, PixelClass.LASHES)
