"""Outputs of the network at each vertex, and their losses: skin, and on request distance and part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from capture import PixelClass
from scans.predictions import PARTS, Prediction
from training.data.batch import BatchTargets

THRESHOLD = 0.5  # of the probability, above which a vertex is skin
_SMOOTH = 0.1  # of the distance's error, in log(1 + mm): quadratic below, linear above


@dataclass(frozen=True)
class OutputWeights:
    """The weights in the loss of the outputs beside skin; an output of weight 0 is left out.

    Attributes:
        distance: regression of the distance to the skin surface.
        part: the classes of the generator (`PARTS`).
    """

    distance: float = 0.0
    part: float = 0.0

    @property
    def channels(self) -> list[int]:
        """Output channels of skin, distance and part."""
        return [2, int(self.distance > 0), len(PARTS) if self.part > 0 else 0]

    def split(self, values: torch.Tensor) -> Outputs:
        """The outputs in the network's last layer (P, sum of channels)."""
        skin, distance, part = values.split(self.channels, dim=-1)
        return Outputs(
            skin,
            functional.softplus(distance[:, 0]) if self.distance > 0 else None,
            part if self.part > 0 else None,
        )


@dataclass(frozen=True, eq=False)
class Outputs:
    """Outputs at P vertices.

    Attributes:
        skin: (P, 2) scores of other and skin.
        log_distance: (P,) log(1 + distance in mm), not negative; None without that output.
        part: (P, parts) scores; None without that output.
    """

    skin: torch.Tensor
    log_distance: torch.Tensor | None = None
    part: torch.Tensor | None = None

    @property
    def probability(self) -> torch.Tensor:
        """(P,) of skin."""
        return self.skin.float().softmax(-1)[:, 1]

    @property
    def distance_mm(self) -> torch.Tensor | None:
        """(P,) to the skin surface."""
        return None if self.log_distance is None else self.log_distance.float().expm1()

    @property
    def part_probability(self) -> torch.Tensor | None:
        """(P, parts)."""
        return None if self.part is None else self.part.float().softmax(-1)

    def to(self, device: torch.device | str) -> Outputs:
        """The same on another device."""
        distance = None if self.log_distance is None else self.log_distance.to(device)
        return Outputs(self.skin.to(device), distance, None if self.part is None else self.part.to(device))

    def to_prediction(self, scan: str = "") -> Prediction:
        """The prediction for a scan whose vertices these are; `scan` is the hash of its content."""
        probability, distance, parts = self.probability, self.distance_mm, self.part_probability
        visible = None if parts is None else _numpy(parts[..., PixelClass.SKIN])
        return Prediction(
            _numpy(probability),
            _numpy(probability) > THRESHOLD,
            scan,
            None if distance is None else _numpy(distance),
            None if parts is None else parts.argmax(-1).cpu().numpy().astype(np.uint8),
            None if parts is None else _numpy(parts.amax(-1)),
            None if visible is None else visible > THRESHOLD,
            visible,
        )

    def interpolate(self, corners: torch.Tensor, weights: torch.Tensor) -> Outputs:
        """At other points, by weights (Q, 3) of corners (Q, 3): probabilities and distances are interpolated."""

        def mix(values: torch.Tensor) -> torch.Tensor:
            parts = (values[corners[:, k]] * weights[:, k].reshape(-1, *(1,) * (values.ndim - 1)) for k in range(3))
            return sum(parts, torch.zeros((), device=values.device))

        skin = mix(self.skin.float().softmax(-1)).clamp_min(1e-12).log()
        distance = None if self.distance_mm is None else mix(self.distance_mm).log1p()
        part = None if self.part_probability is None else mix(self.part_probability).clamp_min(1e-12).log()
        return Outputs(skin, distance, part)


def _numpy(values: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(values.float().cpu().numpy())


def loss_terms(outputs: Outputs, targets: BatchTargets, class_weights: torch.Tensor) -> dict[str, torch.Tensor]:
    """The loss of each output, unweighted.

    skin: cross-entropy, its classes weighted. distance: smooth L1 of log(1 + mm), so that a millimetre counts near the
    skin and a share of the distance far from it, and a wild value pulls no harder than a wrong one. part: cross-
    entropy. Vertices count where the target is known: scans that a person painted have no distance and no part.
    """
    error = functional.cross_entropy(outputs.skin, targets.skin, class_weights, ignore_index=-1, reduction="sum")
    weight = class_weights[targets.skin[targets.skin >= 0]].sum()  # 0 where nothing is known
    terms = {"skin": error / weight.clamp_min(torch.finfo(weight.dtype).tiny)}
    if outputs.log_distance is not None:
        known = targets.distance_mm.isfinite()
        wanted = targets.distance_mm[known].log1p()
        error = functional.smooth_l1_loss(outputs.log_distance[known], wanted, beta=_SMOOTH, reduction="sum")
        terms["distance"] = error / known.sum().clamp_min(1)
    if outputs.part is not None:
        error = functional.cross_entropy(outputs.part, targets.part, ignore_index=-1, reduction="sum")
        terms["part"] = error / (targets.part >= 0).sum().clamp_min(1)
    return terms


def total_loss(terms: dict[str, torch.Tensor], weights: OutputWeights) -> torch.Tensor:
    """The weighted sum."""
    factors = {"skin": 1.0, "distance": weights.distance, "part": weights.part}
    return sum((factors[name] * value for name, value in terms.items()), torch.zeros((), device=terms["skin"].device))
