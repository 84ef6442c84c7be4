"""Options of the registration of a scan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assets.head_models.registry import DEFAULT

FOLDER = "registration"


@dataclass(frozen=True)
class RegisterOptions:
    """Options of a registration.

    Attributes:
        labels: labels.npz or prediction.npz of the scan, or none for the whole scan; by default what somebody painted,
            else the capture's prediction, else its labels. Of a mesh file: what `p2p segment` made of it.
        template: head model that is deformed: makehuman, an ICT-FaceKit folder, an .npz file, or an .obj file with its
            landmarks beside it.
        landmarks: JSON file, name -> [x, y, z] in the scan's unit, for a scan in a frame of its own. Without it, a
            capture's are looked for in its images, and a mesh file's are those that `p2p landmarks` found before.
        unit: unit of the scan: m, cm, mm, dm, inch, ft, or metres per unit; by default guessed and printed.
        out: output folder; by default registration/ in the capture, or <scan>.registration beside a mesh.
        no_view: write no view.html.
    """

    labels: str | None = None
    template: str = DEFAULT
    landmarks: Path | None = None
    unit: str | None = None
    out: Path | None = None
    no_view: bool = False

    def folder(self, scan: Path) -> Path:
        """The folder that the registration of a capture or a mesh file is written into."""
        return self.out or (scan / FOLDER if scan.is_dir() else scan.with_suffix(f".{FOLDER}"))
