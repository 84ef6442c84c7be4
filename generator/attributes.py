"""What a head looks like, in a few words and numbers: for statistics over many heads."""

from __future__ import annotations

from math import degrees, sqrt
from typing import Any

from capture import CaptureInfo
from capture.nested import at

# name -> where it stands in a spec
_IN_SPEC: dict[str, tuple[str, ...]] = {
    "skin_melanin": ("skin", "melanin"),
    "hair": ("hair", "family"),
    "hair_mm": ("hair", "length_mm"),
    "hair_melanin": ("hair", "colour", "melanin"),
    "hair_grey": ("hair", "colour", "grey"),
    "hair_dyed": ("hair", "colour", "dyed"),
    "beard": ("beard", "family"),
    "beard_mm": ("beard", "length_mm"),
    "headwear": ("headwear", "kind"),
    "eyewear": ("eyewear", "kind"),
    "jewellery": ("jewellery", "kind"),
    "garment": ("garment", "kind"),
    "lighting": ("environment", "lighting"),
}


def look_of(info: CaptureInfo) -> dict[str, str | float]:
    """Name -> word or number; what a capture's record doesn't say is left out.

    The names are those of the spec's components, with `age` (years) and `masculine` (0 to 1) of the head model,
    `expression` (the largest coefficient, 0 is neutral) and `turn_deg` (how far the head is turned on its neck).
    """
    found: dict[str, Any] = {name: round(value, 4) for name, value in info.traits.items()}
    spec = info.spec or {}
    for name, path in _IN_SPEC.items():
        value = at(spec, *path)
        if isinstance(value, str | int | float):
            found[name] = value
    for name in ("hair", "garment", "headwear"):  # what is worn instead, whatever the family was
        if asset := at(spec, name, "asset"):
            found[name] = asset
    expression, neck = at(spec, "shape", "expression"), at(spec, "shape", "pose", "neck")
    if expression:
        found["expression"] = round(max(map(abs, expression)), 4)
    if neck:
        found["turn_deg"] = round(degrees(sqrt(sum(angle * angle for angle in neck))), 2)
    return found
