"""Polygons with texture coordinates and materials, as a file has them and an OBJ file can say them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NO_PLACE = -1
NO_MATERIAL = -1


@dataclass(frozen=True)
class TextureMap:
    """An image of a material.

    Attributes:
        words: of the MTL statement before the name of the file, such as `map_Kd`.
        name: of the file, without folders.
        source: where it is, or what it holds.
    """

    words: str
    name: str
    source: Path | bytes


@dataclass(frozen=True)
class Material:
    """A material: its name, the other statements of its library, and its images."""

    name: str
    lines: tuple[str, ...] = ()
    maps: tuple[TextureMap, ...] = ()


@dataclass(frozen=True, eq=False)
class Polygons:
    """P polygons with C corners in all.

    Attributes:
        sizes: (P,) corners of each.
        corners: (C,) vertices, those of one polygon after those of the other.
        places: (C,) index into `uvs`, `NO_PLACE` of corners without texture coordinates.
        uvs: (T, 2) texture coordinates; v grows upwards.
        material: (P,) index into `materials`, or `NO_MATERIAL`.
        materials: of the file.
    """

    sizes: NDArray[np.int64]
    corners: NDArray[np.int64]
    places: NDArray[np.int64]
    uvs: NDArray[np.float64]
    material: NDArray[np.int64]
    materials: tuple[Material, ...] = ()

    @classmethod
    def of_triangles(cls, faces: NDArray) -> Polygons:
        """Triangles (F, 3) without texture coordinates."""
        return cls(
            np.full(len(faces), 3),
            faces.reshape(-1).astype(np.int64),
            np.full(3 * len(faces), NO_PLACE),
            np.zeros((0, 2)),
            np.full(len(faces), NO_MATERIAL),
        )

    @classmethod
    def joined(cls, parts: list[Polygons], uvs: NDArray, materials: tuple[Material, ...]) -> Polygons:
        """The polygons of parts one after the other, whose places are in `uvs` and whose materials in `materials`."""
        names = ("sizes", "corners", "places")
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        material = np.concatenate([part.material for part in parts])
        return cls(**columns, uvs=uvs, material=material, materials=materials)

    @property
    def starts(self) -> NDArray[np.int64]:
        """(P,) the first corner of each."""
        return np.asarray(np.cumsum(self.sizes) - self.sizes)

    @property
    def textured(self) -> bool:
        """Whether any material has an image of its colours."""
        return any(each.words.split()[0].lower() == "map_kd" for made in self.materials for each in made.maps)
