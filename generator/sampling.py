"""Sampling: the whole recipe of a head, drawn from one integer seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from assets.head_models.head_model import HeadModel
from assets.library import Library
from capture import InputError
from generator.asset_selection import choose_assets
from generator.components.person import Person
from generator.components.shape import sample_shape
from generator.components.skin import MakeUp
from generator.distributions import Distributions
from generator.spec import COMPONENTS, STREAMS, HeadSpec


def sample_spec(
    seed: int, model: HeadModel, distributions: Distributions | None = None, library: Library | None = None
) -> HeadSpec:
    """Draw a head.

    Args:
        seed: 0 or more; one head per seed.
        model: the head model, which brings its own prior for identity, expression and pose.
        distributions: the user's overrides; the spec records them. Raises `InputError` where one doesn't fit.
        library: assets that may be drawn instead of what is procedural.
    """
    overrides = distributions or Distributions()
    try:
        return _sample(seed, model, overrides, library or Library())
    except InputError as error:
        if not overrides.overrides or str(error).startswith(overrides.where):
            raise
        raise InputError(f"{overrides.where}: {error}") from None


def _sample(seed: int, model: HeadModel, overrides: Distributions, library: Library) -> HeadSpec:
    samplers = {name: overrides.sampler(seed, name) for name in STREAMS}
    shape = sample_shape(model, samplers)
    person = Person.of(model.traits(np.array(shape.identity)))
    records: dict[str, Any] = {}
    for name, component in COMPONENTS.items():
        records[name] = component.draw(samplers, name, person)
        person = replace(person, **component.told(records[name]))
    spec = HeadSpec(seed=seed, shape=shape, overrides=overrides.to_json(), **records)
    if spec.beard.family != "none":
        spec = replace(spec, skin=replace(spec.skin, shadow=0.0))  # a beard hides what shaving leaves
    spec = choose_assets(spec, samplers, library, person, getattr(model, "base_mesh", ""))
    if spec.skin.texture:  # it is painted already
        spec = replace(spec, skin=replace(spec.skin, makeup=MakeUp()))
    for name, used in samplers.items():
        if unknown := used.unknown():
            known = ", ".join(sorted(used.asked))
            raise InputError(f"{overrides.where}: {name}: unknown {', '.join(unknown)}; it draws {known}")
    return spec
