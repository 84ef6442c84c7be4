"""Values deep in parsed JSON that may or may not be there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def at(value: Any, *path: str) -> Any:
    """The value at `value[path[0]][path[1]]...`; None where there is nothing."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def number_at(value: Any, *path: str) -> float | None:
    """The same where it is a number, else None."""
    number = at(value, *path)
    return float(number) if isinstance(number, int | float) else None
