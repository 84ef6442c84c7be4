"""Images of a library for skin and eyes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from generator.blender.materials.proxy import encoded_pixels, load_image
from generator.components.skin import SkinSpec
from generator.head import HeadGeometry
from generator.lighting import LUMINANCE
from generator.skin.colour import tone


def toned(spec: SkinSpec, image: Path, head: HeadGeometry) -> SkinSpec:
    """The spec with the melanin that is as bright as the face of an image: exposure and gloss go by it."""
    pixels = encoded_pixels(load_image(image))
    height, width, _ = pixels.shape
    skin = head.skin
    face = skin.masks["face"][skin.triangles].min(axis=1) > 0.5 if "face" in skin.masks else slice(None)
    u, v = (skin.corner_uvs[face].mean(axis=1) % 1.0).T
    rows, columns = (v * height).astype(int), (u * width).astype(int)
    colours = pixels[rows, columns, :3].astype(float)
    linear = np.where(colours < 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
    steps = np.linspace(0, 1, 41)
    bright = [float(tone(replace(spec, melanin=step)) @ LUMINANCE) for step in steps]  # falls as melanin grows
    return replace(spec, melanin=round(float(np.interp(-linear.mean(axis=0) @ LUMINANCE, -np.array(bright), steps)), 6))


def opaque_image(path: Path) -> Any:
    """The image of a file without its alpha channel; raises `InputError` where it can't be read."""
    image = load_image(path)
    image.alpha_mode = "NONE"
    return image
