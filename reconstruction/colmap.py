"""pycolmap, imported after Pillow (the other order can abort the process) and told to say no more than warnings."""

from __future__ import annotations

import PIL.Image  # noqa: F401
import pycolmap

pycolmap.logging.minloglevel = pycolmap.logging.WARNING.value

__all__ = ["pycolmap"]
