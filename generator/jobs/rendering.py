"""Options of rendering, for users and for jobs: they stand here, with their defaults, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from assets.head_models.registry import DEFAULT
from capture import InputError
from generator.jobs.devices import DEVICES, Device
from generator.jobs.ground_truth import PASSES, parse_passes

SIDE = 512  # pixels of an image's side where neither the user nor the rig says them


@dataclass(frozen=True)
class Rendering:
    """Options of rendering, whatever is rendered.

    Attributes:
        resolution: width and height of the images, pixels; by default 512, or what the rig says.
        samples: Cycles samples per pixel.
        library: folder of an asset library; may be repeated, and later ones take precedence.
        head_model: head model that heads are drawn from: makehuman, an ICT-FaceKit folder or an .npz file.
        device: what Cycles renders on.
        passes: ground truth images beside the masks, with commas: some of depth,normals,albedo,uv.

    Raises:
        InputError: where a value is out of range.
    """

    resolution: int | None = None
    samples: int = 16
    library: tuple[Path, ...] = ()
    head_model: str = DEFAULT
    device: Device = "cpu"
    passes: tuple[str, ...] = field(default=(), metadata={"parse": parse_passes})

    def __post_init__(self) -> None:
        if self.resolution is not None and not 16 <= self.resolution <= 8192:
            raise InputError(f"`resolution` {self.resolution}: it must lie between 16 and 8192 pixels")
        if self.samples < 1:
            raise InputError(f"`samples` {self.samples}: at least one sample per pixel is needed")
        if self.device not in DEVICES:
            raise InputError(f"`device` {self.device}: use one of {', '.join(DEVICES)}")
        if unknown := [name for name in self.passes if name not in PASSES]:
            raise InputError(f"`passes` {', '.join(unknown)}: use some of {','.join(PASSES)}")

    @property
    def side(self) -> int:
        """Pixels of a side of the images whose camera doesn't say them."""
        return SIDE if self.resolution is None else self.resolution
