"""Limits of the numbers in records."""

from __future__ import annotations

from collections.abc import Mapping

from capture import InputError

Limits = Mapping[str, tuple[float, float]]

SEED = (0, 2**63 - 1)


def check_limits(what: str, record: object, limits: Limits) -> None:
    """Raise `InputError` for the first field that lies outside of its limits."""
    for name, (low, high) in limits.items():
        value = getattr(record, name)
        if not low <= value <= high:
            raise InputError(f"{what} {name} {value:g}: use {low:g} to {high:g}")


def check_colours(what: str, record: object, *names: str) -> None:
    """Raise `InputError` for the first field that is no linear RGB in 0 to 1; None is no colour and passes."""
    for name in names:
        colour = getattr(record, name)
        if colour is not None and not all(0 <= channel <= 1 for channel in colour):
            raise InputError(f"{what} {name} {colour}: use linear RGB of 0 to 1 each")
