"""Jobs about scans that people paint on: to a Blender file, and back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from capture import Camera, InputError


@dataclass(frozen=True, eq=False)
class AnnotationJob:
    """A `.blend` with a scan to paint on.

    Attributes:
        out: the file.
        scan: NPZ file of vertices (V, 3) in metres, faces (F, 3), paint (V,) to start from
            (`generator.jobs.annotation.Paint`) and perhaps colours (V, 3) uint8.
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
    """What somebody painted in such a file.

    Attributes:
        blend: the file.
        out: NPZ file that gets `mask` (V, 3) uint8 sRGB, `start` (V,) `Paint`, and `key` of the scan.
    """

    KIND: ClassVar[str] = "paint"

    blend: Path
    out: Path
