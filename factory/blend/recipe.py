"""Spec of what is blended over a capture: the hair, the registered head, the light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from assets.head_models.head_model import HeadModel, Pose
from assets.library import Library
from assets.parameter_sampler import DIGITS, ParameterSampler
from factory.blend.light import SkinLight
from factory.blend.options import HairOverrides
from generator.asset_selection import choose_assets
from generator.cameras.rig import RigSpec
from generator.components.beard import sample_beard
from generator.components.brows import BrowSpec
from generator.components.environment import EnvironmentSpec
from generator.components.garment import GarmentSpec
from generator.components.hair import family_weights, sample_hair
from generator.components.headwear import HeadwearSpec
from generator.components.lashes import LashSpec
from generator.components.person import Person
from generator.components.photo import PhotoSpec
from generator.components.sensor import SensorSpec
from generator.components.shape import ShapeSpec
from generator.distributions import Distributions
from generator.sampling import sample_spec
from generator.skin.colour import exposure_gain
from generator.spec import STREAMS, HeadSpec
from registration.template import Coefficients


def overlay_spec(
    overrides: HairOverrides,
    known: HeadSpec | None,
    head: Coefficients,
    model: HeadModel,
    library: Library,
    light: Callable[[], SkinLight],
) -> HeadSpec:
    """The head in the shape that was registered, with hair drawn for it, in the light of the capture.

    A synthetic capture's spec, `known`, tells light, skin, camera and the colour of the person's hair. For any other,
    `light` is asked: the light is then an even dome, the colour drawn as that skin's is.
    """
    base = sample_spec(overrides.seed, model) if known is None else known
    person = Person.of(model.traits(np.asarray(head.identity)))
    given = _distributions(overrides, person)
    if known is None:
        measured = light()
        skin = replace(base.skin, melanin=measured.melanin, texture="")
        level = min(max(measured.level / exposure_gain(skin), 0.05), 20.0)
        environment = EnvironmentSpec("dome", exposure=round(level, DIGITS), backdrop=(0.0, 0.0, 0.0))
        # The garment below the hair is unknown: the plainest bends it least.
        base = replace(
            base, skin=skin, environment=environment, sensor=SensorSpec(), photo=PhotoSpec(), garment=GarmentSpec()
        )
    person = replace(person, melanin=base.skin.melanin)
    samplers = _samplers(given, overrides.seed)
    hair = sample_hair(samplers["hair"], person, samplers["hair_colour"])
    if known is not None:
        hair = replace(hair, colour=known.hair.colour)
    person = replace(person, hair_colour=hair.colour)
    spec = replace(
        base, seed=overrides.seed, shape=shape_of(head, model), hair=hair,
        beard=sample_beard(samplers["beard"], person), brows=BrowSpec(strands=0), lashes=LashSpec(strands=0),
        eyes=replace(base.eyes, texture=""), garment=replace(base.garment, asset=""),
        headwear=HeadwearSpec(kind="none"), eyewear=replace(base.eyewear, kind="none"),
        jewellery=replace(base.jewellery, kind="none"), rig=RigSpec(), overrides={},
    )  # fmt: skip
    if overrides.hair is None:  # a family by name is ours
        fresh = _samplers(given, overrides.seed)
        spec = replace(spec, hair=choose_assets(spec, fresh, library, person, getattr(model, "base_mesh", "")).hair)
    return spec


def _distributions(overrides: HairOverrides, person: Person) -> Distributions:
    grown = {name: weight for name, weight in family_weights(person).items() if name != "none"}
    given: dict[str, dict[str, Any]] = {
        "hair": {"family": overrides.hair or grown},
        "beard": {"family": overrides.beard},
    }
    return Distributions(given, "`hair`, `beard`")


def _samplers(distributions: Distributions, seed: int) -> dict[str, ParameterSampler]:
    """Stream -> its sampler, from its first number on."""
    return {name: distributions.sampler(seed, name) for name in STREAMS}


def shape_of(head: Coefficients, model: HeadModel) -> ShapeSpec:
    """The coefficients as a spec has them, without the head's motion in the world."""
    pose = Pose(_numbers(head.neck), _numbers(head.jaw))  # type: ignore[arg-type]
    return ShapeSpec(model.name, _numbers(head.identity), _numbers(head.expression), pose)


def _numbers(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
