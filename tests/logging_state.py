"""The state of the log, which commands that run in this process set up."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from factory.console import PACKAGES


@contextmanager
def logging_kept() -> Iterator[None]:
    """Handlers of the root logger, and levels of it and of our packages, are afterwards as before."""
    root = logging.getLogger()
    handlers = list(root.handlers)
    levels = {logger: logger.level for logger in (root, *map(logging.getLogger, PACKAGES))}
    try:
        yield
    finally:
        root.handlers[:] = handlers
        for logger, level in levels.items():
            logger.setLevel(level)
