"""What is asked of Blender when hair alone is wanted, and what it leaves; `generator.blender.jobs.overlay` renders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import Camera, InputError, atomic_path, read_json, write_json
from generator.spec import HeadSpec

RECORD = "overlay.json"
CLASSES = "classes"
_SKIN = "skin.npy"


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
class OverlayPlan:
    """Attributes:
    spec: the head; of what it wears only the hair of scalp and face is shown.
    skin: (S, 3) metres, for `build_head`; None for the coefficients' own.
    cameras: pinholes of any size, in the head model's frame.
    classes: whether the class of the hair at each pixel is rendered, too.
    """

    spec: HeadSpec
    skin: NDArray[np.float64] | None
    cameras: Sequence[Camera]
    classes: bool = False

    @classmethod
    def read(cls, path: Path) -> OverlayPlan:
        """From what `write` wrote; raises `InputError` where it is something else."""
        value = read_json(path, "overlay")
        try:
            spec = HeadSpec.from_json(value["spec"], str(path))
            cameras = [Camera.from_json(camera) for camera in value["cameras"]]
            skin = np.load(path.parent / _SKIN, allow_pickle=False) if value["skin"] else None
            return cls(spec, skin, cameras, bool(value["classes"]))
        except (KeyError, TypeError, ValueError, OSError) as error:
            raise InputError(f"{path}: no plan of an overlay ({error!r}); let `p2p blend` write it") from None

    def write(self, path: Path) -> None:
        """As JSON, the skin in a file beside it."""
        if self.skin is not None:
            with atomic_path(path.parent / _SKIN) as temporary:
                np.save(temporary, self.skin)
        cameras = [camera.to_json() for camera in self.cameras]
        write_json(
            path,
            {"spec": self.spec.to_json(), "skin": self.skin is not None, "cameras": cameras, "classes": self.classes},
        )
