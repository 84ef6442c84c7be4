"""The whole recipe of a head, drawn from one integer seed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from assets.head_model import HeadModel, Pose
from capture import InputError
from generator.components.environment import EnvironmentSpec, sample_environment
from generator.components.eyes import EyeSpec, sample_eyes
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
from generator.components.skin import SkinSpec, sample_skin
from generator.records import from_json, to_json
from generator.rig import RigSpec, sample_rig

DIGITS = 6


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


@dataclass(frozen=True)
class Overrides:
    """What the user fixes instead of drawing it; None draws.

    Attributes:
        hair, beard: families.
        hdri: the panorama.
        neutral: no expression and no pose.
    """

    hair: str | None = None
    beard: str | None = None
    hdri: str | None = None
    neutral: bool = False


@dataclass(frozen=True)
class HeadSpec:
    """Everything that makes up one head, its surroundings and its cameras.

    `seed` alone gives the same head again only where `overrides` fixes nothing.
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
    environment: EnvironmentSpec
    rig: RigSpec
    overrides: Overrides = Overrides()

    SCHEMA_VERSION: ClassVar[int] = 2

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


def stream(seed: int, name: str) -> np.random.Generator:
    """The random stream of one component of one head: the same for the same seed and name, whatever else is drawn."""
    if seed < 0:
        raise InputError(f"seed {seed}: use an integer from 0 on")
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, number])))


def sample_spec(seed: int, model: HeadModel, overrides: Overrides | None = None) -> HeadSpec:
    """Draw a head.

    Args:
        seed: 0 or more; one head per seed.
        model: the head model, which brings its own prior for identity, expression and pose.
        overrides: what the user chose; the spec records it.
    """
    fixed = overrides or Overrides()
    shape = _sample_shape(seed, model)
    if fixed.neutral:
        shape = replace(shape, expression=(0.0,) * len(shape.expression), pose=Pose())
    skin = sample_skin(stream(seed, "skin"))
    colour = sample_hair_colour(stream(seed, "hair_colour"), skin.melanin)
    masculine = _masculine(model, shape)
    beard = sample_beard(stream(seed, "beard"), colour, masculine, fixed.beard)
    if beard.family == "none" and masculine >= 0.5:
        skin = replace(skin, shadow=round(0.5 * float(stream(seed, "shadow").random()), DIGITS))
    environment = sample_environment(stream(seed, "environment"))
    if fixed.hdri is not None:
        environment = replace(environment, hdri=fixed.hdri)
    return HeadSpec(
        seed,
        shape,
        skin,
        sample_eyes(stream(seed, "eyes"), skin.melanin),
        sample_hair(stream(seed, "hair"), colour, fixed.hair),
        sample_brows(stream(seed, "brows"), colour),
        sample_lashes(stream(seed, "lashes")),
        beard,
        sample_garment(stream(seed, "garment")),
        environment,
        sample_rig(stream(seed, "rig")),
        fixed,
    )


def _sample_shape(seed: int, model: HeadModel) -> ShapeSpec:
    identity = model.sample_identity(stream(seed, "identity"))
    expression = model.sample_expression(stream(seed, "expression"))
    pose = model.sample_pose(stream(seed, "pose"))
    rounded = Pose(*(_numbers(getattr(pose, name)) for name in ("neck", "jaw", "left_eye", "right_eye")))  # type: ignore[arg-type]
    return ShapeSpec(model.name, _numbers(identity), _numbers(expression), rounded)


def _numbers(values: Any) -> tuple[float, ...]:
    """Rounded, so that the last bits of another machine's exp and log don't show."""
    return tuple(round(float(value), DIGITS) + 0.0 for value in values)


def _masculine(model: HeadModel, shape: ShapeSpec) -> float:
    """0 to 1 where the model tells (a coefficient named gender, sex or male), else 0.5."""
    for index, name in enumerate(model.identity_names):
        if name in ("gender", "sex", "male", "masculine"):
            return shape.identity[index]
    return 0.5
