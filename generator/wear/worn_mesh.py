"""The record of a mesh that a head wears: a garment, a hat, spectacles, an earring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import PixelClass
from capture.geometry import Floats


@dataclass(frozen=True, eq=False)
class WornMesh:
    """A mesh that is worn.

    Attributes:
        name: of the object.
        vertices: (V, 3) metres.
        triangles: (F, 3).
        pixel_class: of its pixels in the masks.
        material: key of `generator.blender.materials.registry.MATERIALS`.
        attributes: name -> (V,) or (V, 3) values that the material reads.
        touches: it may touch the skin (nose pads, hems); everything else keeps 2.5 mm or more from it.
        corner_uvs: (F, 3, 2) texture coordinates of the triangles' corners, where it has images.
        images: role ("diffuse", "normal") -> file, of a mesh out of a library; it is painted with them.
        tint: linear RGB that the mean of its image takes, the lighter and darker parts in proportion.
    """

    name: str
    vertices: Floats
    triangles: NDArray[np.integer]
    pixel_class: PixelClass
    material: str
    attributes: Mapping[str, Floats] = field(default_factory=dict)
    touches: bool = False
    corner_uvs: Floats | None = None
    images: Mapping[str, Path] = field(default_factory=dict)
    tint: tuple[float, float, float] | None = None
