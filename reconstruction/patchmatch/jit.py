"""Compilation of the kernels: once per machine, kept on disk, rebuilt when any source of this package changes."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

logger = logging.getLogger(__name__)

Function = Callable[..., Any]


@cache
def source_digest() -> str:
    """Digest of all sources of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def inlined(function: Function) -> Function:
    """Compile a function that kernels call, into each of them.

    Inlined by force: else the process that compiles a kernel calls the function as it was compiled by itself, those
    that load the kernel from the disk call the one within, and the two round differently.
    """
    return numba.njit(fastmath=True, nogil=True, error_model="numpy", forceinline=True)(function)


def kernel(function: Function) -> Function:
    """Compile a function that runs over all rows of an image on all threads, and keep the result on disk.

    numba keeps its cache beside the sources or, where those are read-only, in the user's cache folder; where
    neither may be written the kernel is compiled in every process. numba looks at a kernel's own file alone
    to tell whether the cache is stale, so the stamp is replaced by one over the whole package.
    """
    options: dict[str, Any] = {"parallel": True, "fastmath": True, "nogil": True, "error_model": "numpy"}
    try:
        compiled = numba.njit(cache=True, **options)(function)
    except RuntimeError as error:  # "no locator available"
        logger.warning("kernels can't be kept on disk and are compiled anew each time: %s", error)
        return numba.njit(**options)(function)
    file = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if file is not None and hasattr(file, "_source_stamp"):
        file._source_stamp = source_digest()
    return compiled
