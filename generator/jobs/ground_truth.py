"""The ground truth that is rendered on request."""

from __future__ import annotations

from capture import InputError

PASSES = ("depth", "normals", "albedo", "uv")


def parse_passes(text: str | None) -> tuple[str, ...]:
    """The passes in "depth,uv", in the order of `PASSES`; raises `InputError` for a name that is none."""
    names = [word.strip() for word in (text or "").split(",") if word.strip()]
    if unknown := [name for name in names if name not in PASSES]:
        raise InputError(f"`passes` {', '.join(unknown)}: use some of {','.join(PASSES)}")
    return tuple(name for name in PASSES if name in names)
