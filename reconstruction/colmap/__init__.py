"""COLMAP: its Python binding, its depth and normal maps, its dense workspace.

Import pycolmap from here: it has to be imported after Pillow (the other order can abort the process).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import PIL.Image  # noqa: F401
import pycolmap

from reconstruction.colmap.quiet import without_poisson_warnings

__all__ = ["errors_only", "pycolmap", "without_poisson_warnings"]


@contextmanager
def errors_only() -> Iterator[None]:
    """Let COLMAP log nothing below errors: callers say what its warnings mean, in one line that names the cure."""
    before = pycolmap.logging.minloglevel
    pycolmap.logging.minloglevel = pycolmap.logging.ERROR.value
    try:
        yield
    finally:
        pycolmap.logging.minloglevel = before
