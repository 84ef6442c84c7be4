"""pycolmap, imported after Pillow (the other order can abort the process).

It says no more than errors: what its warnings mean is told by those who call it, in one line that names the cure.
"""

from __future__ import annotations

import PIL.Image  # noqa: F401
import pycolmap

pycolmap.logging.minloglevel = pycolmap.logging.ERROR.value

__all__ = ["pycolmap"]
