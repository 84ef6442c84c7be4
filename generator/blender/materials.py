"""Which material paints which piece."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from generator.blender.garment_material import (
    garment_material,
    inner_material,
    metal_material,
    trim_material,
)
from generator.spec import HeadSpec

PAINTERS: Mapping[str, Callable[[HeadSpec], Any]] = {
    "garment": lambda spec: garment_material(spec.garment),
    "garment_inner": lambda spec: inner_material(spec.garment),
    "garment_trim": lambda spec: trim_material(spec.garment),
    "garment_metal": lambda spec: metal_material(spec.garment),
}
"""`Piece.material` -> what makes the material for a head."""
