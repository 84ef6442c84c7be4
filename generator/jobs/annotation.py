"""The paint of masks that people paint on scans in Blender: its colours, and what they mean."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Paint(IntEnum):
    """What a vertex is painted as."""

    NONE = 0
    OTHER = 1
    SKIN = 2


# sRGB of each `Paint`; skin and other as in `segmented.ply`. The middle between two of them is far from the third, so a
# brush's soft edge never looks like that.
COLOURS = np.array([(225, 225, 225), (72, 110, 160), (226, 122, 83)], np.uint8)

_HOW_TO = """\
How to paint the mask of {name}

Orange is skin. Blue is everything
else: hair, beard, brows that stand
off, eyes, clothes, and what stereo
made up. Light grey is not painted
yet, and counts as not skin.

PAINT  left mouse button
X swaps orange and blue
F sizes the brush
{look}{photo}
SAVE  Ctrl S, then in a terminal
p2p annotate --import {file}

Soft edges are cut in the middle.
Don't move, smooth, delete or add
vertices: no Edit Mode, no sculpting.
"""
_VIEWS = """
LOOK  the arrow keys Left and Right go
from camera to camera; its photograph
lies half over the scan, Shift Alt Z
hides it. Middle mouse button: turn
freely. Numpad 0: into the camera.
"""
_NO_VIEWS = """
LOOK  middle mouse button: turn
"""
_PHOTO = """
The scan's own colours: Properties,
Data, Color Attributes: choose photo
colours to look, skin mask to paint.
"""


def colours_of(paint: NDArray[np.integer]) -> NDArray[np.uint8]:
    """(V, 3) sRGB of `Paint` (V,)."""
    return np.asarray(COLOURS[paint])


def read_colours(colours: NDArray[np.integer]) -> NDArray[np.uint8]:
    """The `Paint` (V,) whose colour is nearest to each of the sRGB colours (V, 3) in [0, 255].

    So between two of them it changes in the middle; the middle itself is not skin.
    """
    apart = np.asarray(colours, np.int64)[:, None] - COLOURS.astype(np.int64)
    return np.argmin((apart**2).sum(axis=2), axis=1).astype(np.uint8)


def how_to(name: str, file: str, views: bool, photo: bool) -> str:
    """What the text in a file says: whose it is, what it is called, whether it has cameras, and photo colours."""
    return _HOW_TO.format(name=name, file=file, look=_VIEWS if views else _NO_VIEWS, photo=_PHOTO if photo else "")
