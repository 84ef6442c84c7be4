"""Options of a file to paint labels in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class AnnotateOptions:
    """Options of a file to paint in, made of a scan.

    Attributes:
        labels: labels.npz or prediction.npz to start from, or none; by default what somebody painted, else the
            capture's prediction, else its labels.
        unit: unit of the scan: m, cm, mm, dm, inch, ft, or metres per unit; by default guessed and printed.
        camera_unit: unit of the camera poses, likewise.
        out: the .blend file; by default annotation.blend in the capture, or <scan>.blend beside a mesh. With a painted
            file: the capture, or the .npz file, that gets its labels.
        blender: path of a Blender program, 3.4 or later; by default the bpy package is used.
    """

    labels: str | None = None
    unit: str | None = None
    camera_unit: str | None = None
    out: Path | None = None
    blender: Path | None = None
