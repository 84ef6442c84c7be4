"""Differences between the Blender versions that we run in (3.4 to 5.0)."""

from __future__ import annotations

from pathlib import Path
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


def write_exr(settings: Any, layers: bool) -> None:
    """Make a scene's image settings those of OpenEXR, of one part, with all passes or the image alone."""
    if hasattr(settings, "media_type"):  # from 5.0 on
        settings.media_type = "MULTI_LAYER_IMAGE" if layers else "IMAGE"
    settings.file_format = "OPEN_EXR_MULTILAYER" if layers else "OPEN_EXR"
    if hasattr(settings, "use_exr_interleave"):  # from 5.0 on; before, all channels are in one part
        settings.use_exr_interleave = True


def bundled_file(name: str) -> Path | None:
    """A file of Blender's essentials assets (from 3.5 on), wherever this version keeps it; None where it has none."""
    root = bpy.utils.system_resource("DATAFILES")
    places = [] if not root else sorted(Path(root, "assets").glob(f"*/{name}"))
    return places[0] if places else None


def version() -> str:
    """As `4.5.15 LTS`."""
    return str(bpy.app.version_string)
