"""The job of writing a labelled scan as a Blender file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class LabelledJob:
    """A `.blend` with a labelled scan: vertex groups, colours and attributes of its labels.

    Attributes:
        out: the file.
        scan: NPZ file of vertices (V, 3) in metres, faces (F, 3), group (V,) and face_group (F,), indices into
            `groups`, probability (V,) of the first group, distance_mm, distance_spread_mm and uncertain (V,) where they
            are known, and perhaps colours
            (V, 3) uint8.
        key: name of the scan's content.
        groups: names.
    """

    KIND: ClassVar[str] = "labelled"

    out: Path
    scan: Path
    key: str
    groups: tuple[str, ...]
