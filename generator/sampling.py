"""Sampling: the whole recipe of a head, drawn from one integer seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from assets.head_models.head_model import HeadModel
from assets.library import Library
from assets.parameter_sampler import ParameterSampler
from capture import InputError
from generator.asset_selection import choose_assets
from generator.components.person import Person
from generator.components.shape import sample_shape
from generator.components.skin import MakeUp
from generator.distributions import Distributions
from generator.spec import COMPONENTS, STREAMS, HeadSpec

_Drawn = TypeVar("_Drawn")


def sample_spec(
    seed: int, model: HeadModel, distributions: Distributions | None = None, library: Library | None = None
) -> HeadSpec:
    """Draw a head.

    Args:
        seed: 0 or more; one head per seed.
        model: the head model, which brings its own prior for identity, expression and pose.
        distributions: the user's overrides; the spec records them. Raises `InputError` that tells all that don't fit.
        library: assets that may be drawn instead of what is procedural.
    """
    spec, mistakes, _ = _sample(seed, model, distributions or Distributions(), library or Library())
    if mistakes:
        raise mistakes_in((distributions or Distributions()).where, mistakes)
    return spec


def check_overrides(
    seed: int, model: HeadModel, distributions: Distributions, library: Library | None = None
) -> list[str]:
    """All that is wrong with overrides: those that don't fit, and those that change nothing whatever is drawn."""
    _, mistakes, useless = _sample(seed, model, distributions, library or Library())
    return [*mistakes, *(f"{each.removeprefix(distributions.where + ': ')} (it has no effect)" for each in useless)]


def mistakes_in(where: str, mistakes: Sequence[str]) -> InputError:
    """The error that tells all mistakes of one file."""
    if len(mistakes) == 1:
        return InputError(f"{where}: {mistakes[0]}")
    return InputError(
        f"{where}: {len(mistakes)} mistakes: {'; '.join(f'({i}) {m}' for i, m in enumerate(mistakes, 1))}"
    )


def _sample(
    seed: int, model: HeadModel, overrides: Distributions, library: Library
) -> tuple[HeadSpec, list[str], list[str]]:
    """A head; the overrides that don't fit, which it is drawn without; those that change nothing."""
    samplers = {name: overrides.sampler(seed, name) for name in STREAMS}
    mistakes: list[str] = []
    plain = {name: Distributions().sampler(seed, name) for name in STREAMS} if overrides.overrides else samplers
    for sampler in samplers.values():
        sampler.mistakes = mistakes

    def draw(component: Callable[[Mapping[str, ParameterSampler]], _Drawn]) -> _Drawn:
        try:
            return component(samplers)
        except InputError as error:
            if not overrides.overrides:
                raise
            mistakes.append(str(error))
            return component(plain)

    shape = draw(lambda streams: sample_shape(model, streams))
    person = Person.of(model.traits(np.array(shape.identity)))
    records: dict[str, Any] = {}
    for name, component in COMPONENTS.items():
        records[name] = draw(partial(component.draw, name=name, person=person))
        person = replace(person, **component.told(records[name]))
    spec = HeadSpec(seed=seed, shape=shape, overrides=overrides.to_json(), **records)
    if spec.beard.family != "none":
        spec = replace(spec, skin=replace(spec.skin, shadow=0.0))  # a beard hides what shaving leaves
    base_mesh = getattr(model, "base_mesh", "")
    spec = draw(lambda streams: choose_assets(spec, streams, library, person, base_mesh))
    if spec.skin.texture:  # it is painted already
        spec = replace(spec, skin=replace(spec.skin, makeup=MakeUp()))
    for name, used in samplers.items():
        if unknown := used.unknown():
            mistakes.append(f"{name}: unknown {', '.join(unknown)}; it draws {', '.join(sorted(used.asked))}")
    told = [mistake.removeprefix(f"{overrides.where}: ") for mistake in mistakes]
    return spec, told, [each for sampler in samplers.values() for each in sampler.useless]
