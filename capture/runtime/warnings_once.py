"""Warnings about files, told once however often a file is opened."""

from __future__ import annotations

import logging
from functools import lru_cache

logger = logging.getLogger("capture")


@lru_cache(maxsize=4096)
def warn_once(text: str) -> None:
    """Log a warning unless this process has logged it before."""
    logger.warning("%s", text)
