"""Loops that numba compiles."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numba

log = logging.getLogger(__name__)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile for one thread, and keep the result on disk where numba finds a place."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError as error:  # "no locator available"
        log.warning("kernels can't be kept on disk and are compiled anew each time: %s", error)
        return numba.njit(**options)(function)
