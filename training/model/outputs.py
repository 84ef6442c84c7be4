"""Outputs of the network at each vertex, and their losses: skin, and on request distance and part."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from capture import PixelClass
from scans.predictions import PARTS, Prediction
from training.data.batch import BatchTargets

THRESHOLD = 0.5  # of the probability, above which a vertex is skin
_SMOOTH = 0.1  # of the distance's error, in log(1 + mm): quadratic below, linear above
_SPREAD = 0.2  # weight of the error's scale beside the distance
_WILD = 8.0  # scales: an error beyond pulls at its scale no harder than this
_LEAST_SCALE = 0.02  # of the error in log(1 + mm): about 0.03 mm on the skin


_NEVER_SKIN = [int(PixelClass.EYES), int(PixelClass.MOUTH)]


class _Deviation(NamedTuple):
    """The share of a Laplace distribution within so many of its scales."""

    share: float
    scales: float


ONE_DEVIATION = _Deviation(0.6827, -math.log(1 - 0.6827))  # as much as one standard deviation of a normal one holds


@dataclass(frozen=True)
class OutputWeights:
    """The weights in the loss of the outputs beside skin; an output of weight 0 is left out.

    Attributes:
        distance: regression of the distance to the skin surface.
        part: the classes of the generator (`PARTS`).
        spread: whether the distance comes with the scale of its error.
    """

    distance: float = 0.0
    part: float = 0.0
    spread: bool = False

    @property
    def channels(self) -> list[int]:
        """Output channels of skin, distance and its error, and part."""
        return [2, (1 + self.spread) * (self.distance > 0), len(PARTS) if self.part > 0 else 0]

    def split(self, values: torch.Tensor) -> Outputs:
        """The outputs in the network's last layer (P, sum of channels)."""
        skin, distance, part = values.split(self.channels, dim=-1)
        return Outputs(
            skin,
            functional.softplus(distance[:, 0]) if self.distance > 0 else None,
            part if self.part > 0 else None,
            functional.softplus(distance[:, 1].float()) + _LEAST_SCALE if self.distance > 0 and self.spread else None,
        )


@dataclass(frozen=True, eq=False)
class Outputs:
    """Outputs at P vertices.

    Attributes:
        skin: (P, 2) scores of other and skin.
        log_distance: (P,) log(1 + distance in mm), not negative; None without that output.
        part: (P, parts) scores; None without that output.
        log_scale: (P,) scale of the error of `log_distance`, as of a Laplace distribution; None without that output.
        sure: the probability of its label that a vertex needs not to be uncertain; None where that was not measured.
    """

    skin: torch.Tensor
    log_distance: torch.Tensor | None = None
    part: torch.Tensor | None = None
    log_scale: torch.Tensor | None = None
    sure: float | None = None

    @property
    def probability(self) -> torch.Tensor:
        """(P,) of skin."""
        return self.skin.float().softmax(-1)[:, 1]

    @property
    def distance_mm(self) -> torch.Tensor | None:
        """(P,) to the skin surface."""
        return None if self.log_distance is None else self.log_distance.float().expm1()

    @property
    def distance_spread_mm(self) -> torch.Tensor | None:
        """(P,) the distance lies within so much of what is predicted in 68 % of all cases, or a few more.

        On a logarithmic scale the interval is symmetric; this is its longer side, the upper one.
        """
        if self.log_distance is None or self.log_scale is None:
            return None
        middle, reach = self.log_distance.float(), ONE_DEVIATION.scales * self.log_scale.float()
        return (middle + reach).expm1() - middle.expm1()

    @property
    def part_probability(self) -> torch.Tensor | None:
        """(P, parts)."""
        return None if self.part is None else self.part.float().softmax(-1)

    def to(self, device: torch.device | str) -> Outputs:
        """The same on another device."""

        def move(values: torch.Tensor | None) -> torch.Tensor | None:
            return None if values is None else values.to(device)

        more = {name: move(getattr(self, name)) for name in ("log_distance", "part", "log_scale")}
        return replace(self, skin=self.skin.to(device), **more)  # type: ignore[arg-type]

    def to_prediction(self, scan: str = "") -> Prediction:
        """The prediction for a scan whose vertices these are; `scan` is the hash of its content."""
        probability, parts = _numpy(self.probability), self.part_probability
        visible = None if parts is None else _numpy(parts[..., PixelClass.SKIN])
        return Prediction(
            probability,
            probability > THRESHOLD,
            scan,
            distance_mm=_numpy_or_none(self.distance_mm),
            distance_spread_mm=_numpy_or_none(self.distance_spread_mm),
            part=None if parts is None else parts.argmax(-1).cpu().numpy().astype(np.uint8),
            part_probability=None if parts is None else _numpy(parts.amax(-1)),
            visible_skin=None if visible is None else visible > THRESHOLD,
            visible_probability=visible,
            uncertain=None if self.sure is None else np.maximum(probability, 1 - probability) < self.sure,
        )

    def interpolate(self, corners: torch.Tensor, weights: torch.Tensor) -> Outputs:
        """At other points, by weights (Q, 3) of corners (Q, 3): probabilities and distances are interpolated."""

        def mix(values: torch.Tensor) -> torch.Tensor:
            parts = (values[corners[:, k]] * weights[:, k].reshape(-1, *(1,) * (values.ndim - 1)) for k in range(3))
            return sum(parts, torch.zeros((), device=values.device))

        skin = mix(self.skin.float().softmax(-1)).clamp_min(1e-12).log()
        distance = None if self.distance_mm is None else mix(self.distance_mm).log1p()
        part = None if self.part_probability is None else mix(self.part_probability).clamp_min(1e-12).log()
        scale = None if self.log_scale is None else mix(self.log_scale)
        return Outputs(skin, distance, part, scale, self.sure)


def _numpy_or_none(values: torch.Tensor | None) -> NDArray[np.float32] | None:
    return None if values is None else _numpy(values)


def _numpy(values: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(values.float().cpu().numpy())


def loss_terms(
    outputs: Outputs, targets: BatchTargets, class_weights: torch.Tensor, label_noise: float = 0.0
) -> dict[str, torch.Tensor]:
    """The loss of each output, unweighted.

    skin: cross-entropy, its classes weighted; of soft labels where there is `label_noise`. distance: smooth L1 of
    log(1 + mm), so that a millimetre counts near the skin and a share of the distance far from it, and a wild value
    pulls no harder than a wrong one. spread: surprise at the distance's error as of a Laplace distribution, without a
    gradient in the distance itself. part: cross-entropy. Vertices count where the target is known: scans that a person
    painted have no distance and no part.
    """
    terms = {"skin": _skin_loss(outputs.skin, targets, class_weights, label_noise)}
    if outputs.log_distance is not None:
        known = targets.distance_mm.isfinite()
        said, wanted = outputs.log_distance[known], targets.distance_mm[known].log1p()
        error = functional.smooth_l1_loss(said, wanted, beta=_SMOOTH, reduction="sum")
        terms["distance"] = error / known.sum().clamp_min(1)
        if outputs.log_scale is not None:
            scale = outputs.log_scale[known]
            off = torch.minimum((said.detach().float() - wanted).abs(), _WILD * scale.detach())
            surprise = off / scale + scale.log()
            terms["spread"] = surprise.sum() / known.sum().clamp_min(1)
    if outputs.part is not None:
        error = functional.cross_entropy(outputs.part, targets.part, ignore_index=-1, reduction="sum")
        terms["part"] = error / (targets.part >= 0).sum().clamp_min(1)
    return terms


def _skin_loss(
    scores: torch.Tensor, targets: BatchTargets, class_weights: torch.Tensor, label_noise: float
) -> torch.Tensor:
    """Weighted mean of the cross-entropy over vertices whose label is known."""
    known = targets.skin >= 0
    share = torch.where(targets.skin == 1, 1.0, 0.0)[known]
    if label_noise > 0:
        can_be_skin = ~torch.isin(targets.part[known], targets.part.new_tensor(_NEVER_SKIN))
        share = soft_labels(share, targets.distance_mm[known], can_be_skin, label_noise)
    weights = torch.stack([1 - share, share], 1) * class_weights
    error = -(weights * scores[known].float().log_softmax(1)).sum()
    return error / weights.sum().clamp_min(torch.finfo(weights.dtype).tiny)  # 0 where nothing is known


def soft_labels(
    share: torch.Tensor, distance_mm: torch.Tensor, can_be_skin: torch.Tensor, noise: float
) -> torch.Tensor:
    """Labels (P,) of 0 and 1 of a head as probabilities, where the distance (P,) lies near their limit.

    A label is what the distance says of the limit, and no image tells on which side of it a vertex lies that is within
    the scan's own noise: it becomes a logistic function of log(1 + mm) of that scale. The limit is that of the head's
    own labels. Labels that don't follow from the distance (eyes, which aren't skin however near; painted scans, whose
    distances aren't known) stay.
    """
    known = distance_mm.isfinite()
    skin = known & (share > 0.5)
    if not skin.any():
        return share
    limit = distance_mm[skin].max()
    soft = torch.sigmoid((limit.log1p() - distance_mm.log1p()) / noise)
    follows = known & can_be_skin & ((distance_mm <= limit) == skin)
    return torch.where(follows, soft, share)


def total_loss(terms: dict[str, torch.Tensor], weights: OutputWeights) -> torch.Tensor:
    """The weighted sum."""
    factors = {"skin": 1.0, "distance": weights.distance, "spread": _SPREAD * weights.distance, "part": weights.part}
    return sum((factors[name] * value for name, value in terms.items()), torch.zeros((), device=terms["skin"].device))
