"""Blender files for people: a file with nothing in it, colours of vertices, saving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from capture import InputError


def empty_file() -> None:
    """A file with Blender's own windows and nothing in its scene."""
    bpy.ops.wm.read_factory_settings(use_empty=False)
    data = bpy.data
    for group in (data.objects, data.collections, data.meshes, data.cameras, data.lights, data.materials):
        for item in list(group):
            group.remove(item)
    bpy.context.scene.view_settings.view_transform = "Standard"  # photographs look as they are


def add_colours(mesh: Any, name: str, srgb: NDArray[np.uint8]) -> None:
    """Colours (V, 3) of the vertices, which vertex paint works on; they are kept to the byte."""
    colours = mesh.color_attributes.new(name, "BYTE_COLOR", "POINT")
    rgba = np.concatenate([srgb / 255, np.ones((len(srgb), 1))], axis=1)
    colours.data.foreach_set("color_srgb", flat(rgba))


def save(path: Path) -> None:
    """Write the file, compressed. Raises `InputError` where that can't be."""
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True, check_existing=False)
    except RuntimeError as error:
        raise InputError(f"can't write {path}: {str(error).splitlines()[0]}; choose another folder") from None


def flat(values: NDArray) -> NDArray[np.float32]:
    """Values in a row, as Blender takes them."""
    return np.ascontiguousarray(values, np.float32).ravel()
