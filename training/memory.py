"""Memory of the process: what is freed is kept for the next array."""

from __future__ import annotations

import ctypes
import logging
import platform

log = logging.getLogger(__name__)

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # parameters of mallopt(3)


def keep_freed_memory() -> bool:
    """Let the C library keep what is freed, for the whole process, so that large arrays are not mapped anew each time.

    A training step on a CPU makes and frees dozens of arrays of a hundred megabytes. By default each is a mapping of
    its own, whose pages the system clears when they are first touched; that takes longer than the arithmetic. Call it
    once, before the first large array. Memory is not given back to the system until the process ends.

    Returns:
        Whether it was done; only glibc (Linux) has the setting.
    """
    if platform.libc_ver()[0] != "glibc":
        log.debug("no glibc: the memory allocator keeps its settings")
        return False
    library = ctypes.CDLL(None)
    settings = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**26))
    return all(library.mallopt(name, value) == 1 for name, value in settings)
