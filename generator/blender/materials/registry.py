"""The materials of what is worn: a row each.

A new material is a function in a file here and a row in `MATERIALS`; meshes name it (`WornMesh.material`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from generator.blender.materials.accessory import (
    gem_material,
    jewellery_metal_material,
    lens_material,
    spectacles_material,
)
from generator.blender.materials.garment import (
    garment_material,
    inner_material,
    metal_material,
    trim_material,
)
from generator.blender.materials.headwear import headwear_material
from generator.spec import HeadSpec

MATERIALS: Mapping[str, Callable[[HeadSpec], Any]] = {
    "garment": lambda spec: garment_material(spec.garment),
    "garment_inner": lambda spec: inner_material(spec.garment),
    "garment_trim": lambda spec: trim_material(spec.garment),
    "garment_metal": lambda spec: metal_material(spec.garment),
    "headwear": lambda spec: headwear_material(spec.headwear),
    "headwear trim": lambda spec: headwear_material(spec.headwear, trim=True),
    "spectacles": lambda spec: spectacles_material(spec.eyewear),
    "lens": lambda spec: lens_material(spec.eyewear),
    "jewellery metal": lambda spec: jewellery_metal_material(spec.jewellery),
    "jewellery gem": lambda spec: gem_material(spec.jewellery),
}
"""`WornMesh.material` -> what makes the material for a head."""
