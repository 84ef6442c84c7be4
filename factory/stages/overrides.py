"""Overrides of what is drawn, read and tried before Blender starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assets.head_models.registry import DEFAULT, is_default, load_head_model
from assets.library import open_library
from capture import InputError
from generator.cameras.rig import fixes_resolution, read_rig
from generator.distributions import Distributions, misplaced, read_entries
from generator.jobs.rendering import SIDE
from generator.sampling import check_overrides, mistakes_in, sample_spec


def read_overrides(
    path: Path | None,
    more: Mapping[str, Mapping[str, Any]] | None = None,
    rig: Path | None = None,
    library: Sequence[Path] = (),
    head_model: str = DEFAULT,
) -> Distributions:
    """The distributions of a file, if any, with further overrides and the rig of a file; those that are None are left
    out.

    A head is drawn and thrown away, so that mistakes are told before Blender starts. Raises `InputError` that tells all
    of a file, also the overrides that change nothing.
    """
    found = {} if path is None else read_entries(path)
    mistakes = [mistake for entry in found.items() if (mistake := misplaced(*entry))]
    where = Distributions.where if path is None else str(path)
    given = Distributions({key: value for key, value in found.items() if not misplaced(key, value)}, where)
    drawn = bool(library) or not is_default(head_model)
    if given.overrides or mistakes:
        mistakes += check_overrides(0, load_head_model(head_model), given, open_library(library))
        if mistakes:
            raise mistakes_in(where, mistakes)
    overrides = {name: override for name, override in (more or {}).items() if None not in override.values()}
    joined = given.joined(overrides if rig is None else {**overrides, "rig": read_rig(rig)})
    if joined.overrides != given.overrides or drawn:
        sample_spec(0, load_head_model(head_model), joined, open_library(library))
    return joined


def choose_resolution(resolution: int | None, overrides: Distributions) -> int:
    """Pixels of a side: what the user says, or the default. Raises `InputError` where the rig says it, too."""
    if resolution is not None and fixes_resolution(overrides.overrides.get("rig")):
        raise InputError("`resolution`: the rig says how many pixels its images have; leave one of them out")
    return SIDE if resolution is None else resolution
