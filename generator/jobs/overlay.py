"""The job that renders hair alone, and the files that it leaves; `generator.blender.jobs.overlay` does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from capture import Camera, InputError
from generator.jobs.heads import check_threads
from generator.jobs.rendering import Rendering
from generator.spec import HeadSpec

RECORD = "overlay.json"
CLASSES = "classes"


def colour_name(index: int) -> str:
    """The file of the light that a view's hair sends: `rgb` (H, W, 3) float32, linear."""
    return f"{index:03d}.colour.npz"


def cover_name(index: int) -> str:
    """The file of the share of a view's pixels that hair covers: `alpha` (H, W) float32; the light holds it already."""
    return f"{index:03d}.cover.npz"


def read_overlay(folder: Path, index: int) -> NDArray[np.float32]:
    """(H, W, 4) of a view, premultiplied linear light and alpha."""
    light, cover = (np.load(folder / name(index), allow_pickle=False) for name in (colour_name, cover_name))
    with light, cover:
        return np.concatenate([light["rgb"], cover["alpha"][..., None]], axis=-1)


def classes_name(index: int) -> str:
    """The file, in the folder `CLASSES`, of a view's class ids."""
    return f"{index:03d}.png"


@dataclass(frozen=True, eq=False)
class OverlayJob:
    """Hair alone, with alpha, as given cameras see it on a head.

    Attributes:
        folder: that gets the files of this module's names.
        spec: the head; of what it wears only the hair of scalp and face is shown.
        skin: (S, 3) metres, for `build_head`; None for the coefficients' own.
        cameras: pinholes of any size, in the head model's frame.
        classes: whether the class of the hair at each pixel is rendered, too.
        rendering: how; the cameras say the resolution.
        threads: that Blender may use; None for all cores.
    """

    KIND: ClassVar[str] = "overlay"

    folder: Path
    spec: HeadSpec
    skin: NDArray[np.float64] | None
    cameras: tuple[Camera, ...]
    classes: bool = False
    rendering: Rendering = field(default_factory=Rendering)
    threads: int | None = None

    def __post_init__(self) -> None:
        check_threads(self.threads)
        if self.skin is not None and (self.skin.ndim != 2 or self.skin.shape[1] != 3):
            raise InputError(f"`skin` {self.skin.shape}: it must be (S, 3)")
