"""Settings of a report."""

from __future__ import annotations

from dataclasses import dataclass

from capture import InputError


@dataclass(frozen=True)
class ReportSettings:
    """The number of heads that a report shows.

    Attributes:
        heads: number of heads that are shown with all views, the scan and its labels, evenly spaced over the data set.
        faces: number of heads of which a small front view is shown, likewise.
    """

    heads: int = 24
    faces: int = 240

    def __post_init__(self) -> None:
        if self.heads < 0 or self.faces < 0:
            raise InputError(f"`heads` {self.heads}, `faces` {self.faces}: a report shows 0 or more heads")
