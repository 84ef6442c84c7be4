"""Masks that people paint on scans in Blender: the jobs that write and read them, and the colours of the paint."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from capture import Camera, InputError


class Paint(IntEnum):
    """The class that a vertex is painted as."""

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
yet: what it is stays open.

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


@dataclass(frozen=True, eq=False)
class AnnotationJob:
    """A `.blend` with a scan to paint on.

    Attributes:
        out: the file.
        scan: NPZ file of vertices (V, 3) in metres, faces (F, 3), paint (V,) to start from
            (`Paint`) and perhaps colours (V, 3) uint8.
        key: name of the scan's content.
        metres_per_unit: of the scan.
        text: what the file says about painting.
        cameras: pinholes with square pixels and of one size.
        images: one picture a camera.
    """

    KIND: ClassVar[str] = "annotation"

    out: Path
    scan: Path
    key: str
    metres_per_unit: float
    text: str
    cameras: tuple[Camera, ...] = ()
    images: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if len(self.cameras) != len(self.images):
            raise InputError(f"{len(self.images)} images for {len(self.cameras)} cameras")


@dataclass(frozen=True)
class PaintJob:
    """The job of reading what a person painted in such a file.

    Attributes:
        blend: the file.
        out: NPZ file that gets `mask` (V, 3) uint8 sRGB, `start` (V,) `Paint`, and `key` of the scan.
    """

    KIND: ClassVar[str] = "paint"

    blend: Path
    out: Path


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
    """The text in a file: whose it is, what it is called, whether it has cameras, and photo colours."""
    return _HOW_TO.format(name=name, file=file, look=_VIEWS if views else _NO_VIEWS, photo=_PHOTO if photo else "")
