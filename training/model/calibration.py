"""Calibration: a labeller's scores as probabilities that are right as often as they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import torch

from capture import InputError, PixelClass
from training.model.outputs import Outputs


@dataclass(frozen=True)
class LogOddsMap:
    """A line from a network's log odds to those of what it says being true (Platt 1999)."""

    scale: float = 1.0
    offset: float = 0.0

    def __call__(self, log_odds: torch.Tensor) -> torch.Tensor:
        return self.scale * log_odds + self.offset


@dataclass(frozen=True)
class Calibration:
    """The changes that make a labeller's outputs calibrated ones.

    Attributes:
        skin, visible: of the log odds of skin, and of the part skin among all parts.
        spread: factor of the predicted scale of the distance's error.
        sure: the probability of its label that a vertex needs not to be flagged as uncertain; None where it was never
            measured.
    """

    skin: LogOddsMap = LogOddsMap()
    visible: LogOddsMap = LogOddsMap()
    spread: float = 1.0
    sure: float | None = None

    def apply(self, outputs: Outputs) -> Outputs:
        """The calibrated outputs."""
        scores = outputs.skin.float()
        odds = self.skin(scores[:, 1] - scores[:, 0])
        part = None if outputs.part is None else self._calibrated_parts(outputs.part.float())
        scale = None if outputs.log_scale is None else outputs.log_scale * self.spread
        return replace(
            outputs, skin=torch.stack([torch.zeros_like(odds), odds], 1), part=part, log_scale=scale, sure=self.sure
        )

    def _calibrated_parts(self, part: torch.Tensor) -> torch.Tensor:
        """Scores of the parts: skin's probability is calibrated, the others share the rest as before."""
        odds = part_log_odds(part)
        moved = part.clone()
        moved[:, PixelClass.SKIN] += self.visible(odds) - odds
        return moved

    def to_json(self) -> dict[str, Any]:
        """As plain values, for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Self:
        """The inverse of `to_json`; leaves outputs as they are where None. Raises `InputError` where it is none."""
        if value is None:
            return cls()
        try:
            maps = {name: LogOddsMap(**value[name]) for name in ("skin", "visible")}
            found = cls(**maps, spread=float(value["spread"]), sure=value["sure"])
            numbers = [*asdict(found.skin).values(), *asdict(found.visible).values(), found.spread, found.sure or 1.0]
            if not np.isfinite(np.array(numbers, float)).all():
                raise ValueError("not finite")
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise InputError(f"damaged calibration ({error})") from None
        return found


def part_log_odds(part: torch.Tensor) -> torch.Tensor:
    """(P,) log odds of skin beside all other parts, of scores (P, parts)."""
    others = torch.cat([part[:, : PixelClass.SKIN], part[:, PixelClass.SKIN + 1 :]], dim=1)
    return part[:, PixelClass.SKIN] - others.logsumexp(1)
