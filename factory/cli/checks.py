"""Checks of files and folders that take no time: a mistake is told before a library is loaded that takes seconds."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from capture import Capture, InputError
from scans.meshes.reading import read_scan


def check_capture(folder: Path, scan: Path | None = None) -> None:
    """Raise `InputError` where a folder is no capture, or its scan is not there."""
    path = scan or Capture.read(folder).scan_path
    if not path.is_file():
        read_scan(path)  # says what is there instead


def check_images(folder: Path) -> None:
    """Raise `InputError` where a folder has no photographs to find cameras of."""
    images = folder / "images"
    if not images.is_dir():
        raise InputError(f"no images: {images} is not there; put the photographs into that folder")


def check_blender() -> None:
    """Raise `InputError` where Blender's package is not there."""
    if importlib.util.find_spec("bpy") is None:
        raise InputError("`formats` blend needs bpy, which is not installed; pip install 'pixels2points[annotate]'")
