"""The whole recipe of a head, drawn from one integer seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from assets.head_models.head_model import HeadModel, Pose
from assets.library import Library
from assets.parameter_sampler import DIGITS, ParameterSampler
from capture import InputError
from generator.asset_selection import choose_assets
from generator.cameras.rig import RigSpec, sample_rig
from generator.components.environment import EnvironmentSpec, sample_environment
from generator.components.eyes import EyeSpec, sample_eyes
from generator.components.eyewear import EyewearSpec, sample_eyewear
from generator.components.facial_hair import (
    BeardSpec,
    BrowSpec,
    LashSpec,
    sample_beard,
    sample_brows,
    sample_lashes,
)
from generator.components.garment import GarmentSpec, sample_garment
from generator.components.hair import HairSpec, sample_hair, sample_hair_colour
from generator.components.headwear import HeadwearSpec, sample_headwear
from generator.components.jewellery import JewellerySpec, sample_jewellery
from generator.components.limits import SEED, check_limits
from generator.components.person import Person
from generator.components.sensor import SensorSpec, sample_sensor
from generator.components.skin import MakeUp, SkinSpec, sample_skin
from generator.distributions import COMPONENTS, Distributions
from generator.records import from_json, to_json


@dataclass(frozen=True)
class ShapeSpec:
    """The head model and its coefficients.

    Attributes:
        model: name of the head model.
        identity: its identity coefficients.
        expression: its expression coefficients.
        pose: rotations of neck, jaw and eyes.
    """

    model: str
    identity: tuple[float, ...]
    expression: tuple[float, ...]
    pose: Pose

    def __post_init__(self) -> None:
        if max(map(abs, (*self.pose.neck, *self.pose.jaw, *self.pose.left_eye, *self.pose.right_eye))) > math.pi:
            raise InputError(f"{self.pose}: rotations are radians, -pi to pi")


@dataclass(frozen=True)
class HeadSpec:
    """Everything that makes up one head, its surroundings and its cameras.

    `seed` alone gives the same head again only where `overrides`, the user's distributions, is empty.
    """

    seed: int
    shape: ShapeSpec
    skin: SkinSpec
    eyes: EyeSpec
    hair: HairSpec
    brows: BrowSpec
    lashes: LashSpec
    beard: BeardSpec
    garment: GarmentSpec
    headwear: HeadwearSpec
    eyewear: EyewearSpec
    jewellery: JewellerySpec
    environment: EnvironmentSpec
    sensor: SensorSpec
    rig: RigSpec
    overrides: Mapping[str, Any] = field(default_factory=dict, metadata={"key": "wishes"})

    SCHEMA_VERSION: ClassVar[int] = 3

    def __post_init__(self) -> None:
        check_limits("head", self, {"seed": SEED})

    def to_json(self) -> dict[str, Any]:
        """A JSON object with the version of its layout."""
        return {"schema_version": self.SCHEMA_VERSION, **to_json(self)}

    @classmethod
    def from_json(cls, value: Any, where: str = "head spec") -> HeadSpec:
        """The spec in a parsed JSON object; raises `InputError` that names the place of what doesn't fit."""
        if not isinstance(value, dict):
            raise InputError(f"{where}: an object is needed, got {type(value).__name__}")
        version = value.get("schema_version")
        if version != cls.SCHEMA_VERSION:
            known = cls.SCHEMA_VERSION
            raise InputError(f"{where}: schema version {version}, this program reads {known}; make it again")
        return from_json(cls, {k: v for k, v in value.items() if k != "schema_version"}, where)


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
    samplers = {name: overrides.sampler(seed, name) for name in COMPONENTS}
    sampler = samplers.__getitem__

    shape = _sample_shape(model, sampler)
    person = Person.of(model.traits(np.array(shape.identity)))
    skin = sample_skin(sampler("skin"), person)
    colour = sample_hair_colour(sampler("hair_colour"), skin.melanin, person)
    spec = HeadSpec(
        seed,
        shape,
        skin,
        sample_eyes(sampler("eyes"), skin.melanin),
        sample_hair(sampler("hair"), colour, person),
        sample_brows(sampler("brows"), colour, person),
        sample_lashes(sampler("lashes")),
        sample_beard(sampler("beard"), colour, person),
        sample_garment(sampler("garment")),
        sample_headwear(sampler("headwear"), person),
        sample_eyewear(sampler("eyewear")),
        sample_jewellery(sampler("jewellery"), person),
        sample_environment(sampler("environment")),
        sample_sensor(sampler("sensor")),
        sample_rig(sampler("rig")),
        overrides.to_json(),
    )
    if spec.beard.family != "none":
        spec = replace(spec, skin=replace(skin, shadow=0.0))  # a beard hides what shaving leaves
    spec = choose_assets(spec, sampler, library, person, getattr(model, "base_mesh", ""))
    if spec.skin.texture:  # it is painted already
        spec = replace(spec, skin=replace(spec.skin, makeup=MakeUp()))
    for name, used in samplers.items():
        if unknown := used.unknown():
            known = ", ".join(sorted(used.asked))
            raise InputError(f"{overrides.where}: {name}: unknown {', '.join(unknown)}; it draws {known}")
    return spec


def _sample_shape(model: HeadModel, sampler: Callable[[str], ParameterSampler]) -> ShapeSpec:
    identity = model.sample_identity(sampler("identity"))
    expression = model.sample_expression(sampler("expression"))
    pose = model.sample_pose(sampler("pose"))
    rounded = Pose(*(_numbers(getattr(pose, name)) for name in ("neck", "jaw", "left_eye", "right_eye")))  # type: ignore[arg-type]
    return ShapeSpec(model.name, _numbers(identity), _numbers(expression), rounded)


def _numbers(values: Any) -> tuple[float, ...]:
    """Rounded, so that the last bits of another machine's exp and log don't show."""
    return tuple(round(float(value), DIGITS) + 0.0 for value in values)
