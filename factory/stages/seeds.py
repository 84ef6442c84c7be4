"""Seeds of synthetic heads, and the names that they give."""

from __future__ import annotations

from collections.abc import Sequence

from capture import InputError

HIGHEST_SEED = 99_999_999  # what eight digits in a capture's name hold


def parse_seeds(text: str) -> list[int]:
    """The seeds in "5", "0:8" (the end left out) or "1,4,9"; raises `InputError` where it is something else."""
    try:
        if ":" in text:
            first, end = map(int, text.split(":"))
            seeds: Sequence[int] = range(first, end)
        else:
            seeds = [int(word) for word in text.split(",")]
    except ValueError:
        raise InputError(f"seeds {text!r}: give one number, a range like 0:8 or a list like 1,4,9") from None
    if not seeds:
        raise InputError(f"seeds {text!r}: the range is empty")
    ends = (seeds[0], seeds[-1]) if isinstance(seeds, range) else seeds
    if min(ends) < 0 or max(ends) > HIGHEST_SEED:
        raise InputError(f"seeds {text!r}: seeds lie between 0 and {HIGHEST_SEED}")
    return list(dict.fromkeys(seeds))


def seeds_of(heads: int, first_seed: int) -> range:
    """That many seeds; raises `InputError` where there are none or they are out of range."""
    if heads < 1:
        raise InputError(f"at least one head is needed, got {heads}")
    if not 0 <= first_seed <= HIGHEST_SEED - heads + 1:
        raise InputError(f"seeds lie between 0 and {HIGHEST_SEED}, got {first_seed} and {heads} heads")
    return range(first_seed, first_seed + heads)


def head_name(seed: int) -> str:
    """The id and folder name of a synthetic head."""
    return f"head_{seed:08d}"
