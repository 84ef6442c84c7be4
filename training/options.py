"""Options of the use of a labeller. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SegmentOptions:
    """Options of labelling a scan.

    Attributes:
        unit: unit of the scan: m, cm, mm, dm, inch, ft, or metres per unit; by default guessed and printed.
        camera_unit: unit of the camera poses, likewise.
        vertices: most vertices that the network works on, all of them below that; the others get the labels of those
            around them.
    """

    unit: str | None = None
    camera_unit: str | None = None
    vertices: int = 250_000
