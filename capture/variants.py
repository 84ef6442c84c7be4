"""Further scans of a capture: the same depth maps meshed in other styles, each with labels of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from capture.derived import remove_files


@dataclass(frozen=True)
class ScanVariant:
    """The files of a capture's scan in another style.

    Attributes:
        folder: of the capture.
        number: from 1.
    """

    folder: Path
    number: int

    FOLDER: ClassVar[str] = "styles"
    SCANS: ClassVar[str] = f"{FOLDER}/scan_*.ply"
    STYLES: ClassVar[str] = f"{FOLDER}/style_*.json"
    LABELS: ClassVar[str] = f"{FOLDER}/labels_*.npz"

    @property
    def scan_path(self) -> Path:
        """The scan."""
        return self.folder / self.SCANS.replace("*", f"{self.number:02d}")

    @property
    def style_path(self) -> Path:
        """The record of its style."""
        return self.folder / self.STYLES.replace("*", f"{self.number:02d}")

    @property
    def labels_path(self) -> Path:
        """Its labels; they may be missing."""
        return self.folder / self.LABELS.replace("*", f"{self.number:02d}")


def find_variants(folder: Path) -> tuple[ScanVariant, ...]:
    """The variants of the capture in `folder` whose scans are there, by number."""
    numbers = (re.fullmatch(r"scan_(\d\d)\.ply", path.name) for path in Path(folder).glob(ScanVariant.SCANS))
    return tuple(ScanVariant(Path(folder), number) for number in sorted(int(found[1]) for found in numbers if found))


def remove_variants(folder: Path) -> None:
    """Remove all variants of the capture in `folder`, with their labels and records."""
    patterns = (ScanVariant.LABELS, ScanVariant.STYLES, ScanVariant.SCANS)
    found = sorted(path for pattern in patterns for path in Path(folder).glob(pattern))
    remove_files(folder, tuple(path.relative_to(folder).as_posix() for path in found))
