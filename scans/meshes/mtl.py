"""Material libraries of OBJ files (MTL)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_OPTIONS = re.compile(
    r"(?:-(?:bm|boost|blendu|blendv|cc|clamp|imfchan|mm|o|s|t|texres|type)(?:\s+(?:on|off|sphere|[rgbmlz]|[-\d.e]+))*\s+)*"
)
_MAPS = ("bump", "disp", "decal", "refl", "norm")


@dataclass
class MtlMaterial:
    """A material as its library has it.

    Attributes:
        lines: its statements, in their order, without those that name images.
        maps: statements that name images: the words before the name, and the name.
        colour: (3,) shares, of its `Kd`.
    """

    lines: list[str] = field(default_factory=list)
    maps: list[tuple[str, str]] = field(default_factory=list)
    colour: NDArray | None = None

    @property
    def texture(self) -> str | None:
        """Name of the image of its colours."""
        named = [name for words, name in self.maps if words.split()[0].lower() == "map_kd"]
        return named[-1] if named else None


def library_paths(folder: Path, names: Sequence[str]) -> list[Path]:
    """The libraries that an OBJ file in `folder` names, those that are there."""
    found = []
    for line in names:
        whole = [line] if (folder / line.replace("\\", "/")).is_file() else line.split()  # a line may name several
        found += [path for name in whole if (path := folder / name.replace("\\", "/")).is_file()]
    return found


def read_materials(folder: Path, libraries: Sequence[str]) -> dict[str, MtlMaterial]:
    """The materials of an OBJ file in `folder` that names these libraries, by their names."""
    made: dict[str, MtlMaterial] = {}
    for path in library_paths(folder, libraries):
        current = MtlMaterial()
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            key, rest = [*line.split(maxsplit=1), "", ""][:2]
            rest = rest.strip()
            if key == "newmtl":
                current = made[rest] = MtlMaterial()
            elif key.lower().startswith("map_") or key.lower() in _MAPS:
                options = _OPTIONS.match(f"{rest} ")
                end = options.end() if options else 0
                if rest[end:]:
                    current.maps.append((f"{key} {rest[:end]}".strip(), rest[end:]))
            elif key and not key.startswith("#"):
                current.lines.append(f"{key} {rest}")
                if key == "Kd" and len(rest.split()) >= 3:
                    current.colour = np.clip(np.array(rest.split()[:3], np.float64), 0, 1)
    return made
