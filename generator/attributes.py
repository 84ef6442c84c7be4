"""Attributes of a head, in a few words and numbers: for statistics over many heads."""

from __future__ import annotations

from collections.abc import Iterator
from math import degrees, sqrt
from typing import Any

from capture import CaptureInfo
from capture.nested import at
from generator.spec import COMPONENTS


def attributes_of(info: CaptureInfo) -> dict[str, str | float]:
    """Name -> word or number; what a capture's record doesn't say is left out.

    These are the traits of the head model, such as `age` (years) and `masculine` (0 to 1); what the registry of
    components counts: their families and kinds, or the library's asset that is worn instead, and their attributes;
    `expression` (the largest coefficient, 0 is neutral) and `turn_deg` (how far the head is turned on its neck).
    """
    attributes: dict[str, Any] = {name: round(value, 4) for name, value in info.traits.items()}
    spec = info.spec or {}
    for name, *place in _places():
        value = at(spec, *place)
        if isinstance(value, str | int | float):
            attributes[name] = value
    for name, row in COMPONENTS.items():
        if row.kind_field and row.asset is not None and (asset := at(spec, name, row.asset.field)):
            attributes[name] = asset
    expression, neck = at(spec, "shape", "expression"), at(spec, "shape", "pose", "neck")
    if expression:
        attributes["expression"] = round(max(map(abs, expression)), 4)
    if neck:
        attributes["turn_deg"] = round(degrees(sqrt(sum(angle * angle for angle in neck))), 2)
    return attributes


def _places() -> Iterator[tuple[str, ...]]:
    """Name of an attribute, and the keys that lead to it in a spec."""
    for component, row in COMPONENTS.items():
        if row.kind_field:
            yield component, component, row.kind_field
        for name, place in row.attributes.items():
            yield name, component, *place.split(".")
