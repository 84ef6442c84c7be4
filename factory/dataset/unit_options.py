"""Options about the units of people's own captures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class UnitOptions:
    """Units of people's own captures.

    Attributes:
        unit: unit of painted scans: m, cm, mm, dm, inch, ft, or metres per unit; by default guessed.
        camera_unit: unit of their camera poses, likewise.
    """

    unit: str | None = None
    camera_unit: str | None = None
