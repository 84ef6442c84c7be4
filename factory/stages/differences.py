"""Differences between options, as errors list them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def differences(there: Mapping[str, Any], wanted: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """One line for each value that differs between two sets of options."""
    for key in dict.fromkeys([*there, *wanted]):
        name = f"{path}{key}"
        old, new = there.get(key), wanted.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from differences(old, new, f"{name}.")
        elif old != new:
            yield f"{name} is {_short(old)} there, {_short(new)} here"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
