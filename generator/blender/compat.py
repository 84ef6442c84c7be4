"""Differences between the Blender versions that we run in (3.4 to 4.5)."""

from __future__ import annotations

from typing import Any

import bpy

# Socket names of newer versions -> older ones.
_OLDER = {
    "Subsurface Weight": "Subsurface",
    "Specular IOR Level": "Specular",
    "Coat Weight": "Clearcoat",
    "Coat Roughness": "Clearcoat Roughness",
    "Coat Normal": "Clearcoat Normal",
    "Transmission Weight": "Transmission",
    "Sheen Weight": "Sheen",
    "Emission Color": "Emission",
}


def socket(node: Any, name: str) -> Any:
    """The input of a node by its newest name; None where this Blender has no such input."""
    newest = node.inputs.get(name)
    return newest if newest is not None else node.inputs.get(_OLDER.get(name, ""))


def has_denoiser() -> bool:
    """True where this build carries OpenImageDenoise."""
    import _cycles

    return bool(getattr(_cycles, "with_openimagedenoise", False))


def light_nothing(material: Any) -> None:
    """Keep an emissive material from being sampled as a lamp."""
    if hasattr(material.cycles, "emission_sampling"):
        material.cycles.emission_sampling = "NONE"
    else:  # before 3.5
        material.cycles.sample_as_light = False


def version() -> str:
    """As `4.5.15 LTS`."""
    return str(bpy.app.version_string)
