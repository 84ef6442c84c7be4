"""The shape of a head: its model and the coefficients, which the model draws from its own prior."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assets.head_models.head_model import HeadModel, Pose
from assets.parameter_sampler import DIGITS, ParameterSampler
from capture import InputError

SHAPE_STREAMS = ("identity", "expression", "pose")
"""Random streams of a shape, and components that can be overridden."""


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


def sample_shape(model: HeadModel, samplers: Mapping[str, ParameterSampler]) -> ShapeSpec:
    """A draw from the model's priors; `samplers` has those of `SHAPE_STREAMS`."""
    identity = model.sample_identity(samplers["identity"])
    expression = model.sample_expression(samplers["expression"])
    pose = model.sample_pose(samplers["pose"])
    rounded = Pose(*(_numbers(getattr(pose, name)) for name in ("neck", "jaw", "left_eye", "right_eye")))  # type: ignore[arg-type]
    return ShapeSpec(model.name, _numbers(identity), _numbers(expression), rounded)


def _numbers(values: Any) -> tuple[float, ...]:
    """Rounded, so that the last bits of another machine's exp and log don't show."""
    return tuple(round(float(value), DIGITS) + 0.0 for value in values)
