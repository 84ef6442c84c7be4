"""The labeller that training starts from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from capture import InputError
from training.checkpoints.pretrained import PRETRAINED
from training.model.network import LabellerNetwork

log = logging.getLogger(__name__)

NAME = "pretrained"  # of the checkpoint that comes with the program


def start_path(name: str) -> Path:
    """The checkpoint that is named: `pretrained`, or a path."""
    return PRETRAINED if name == NAME else Path(name)


@dataclass(frozen=True)
class NetworkShape:
    """Options of a labeller that its weights depend on; defaults and meaning as of `SkinLabeller`."""

    network: Literal["diffusion_net", "mlp"] = "diffusion_net"
    width: int = 128
    blocks: int = 4
    image_width: int = 0
    distance_weight: float = 0.0
    part_weight: float = 0.0
    distance_spread: bool = False

    def of_start(self, former: LabellerNetwork) -> NetworkShape:
        """That of a labeller; logs what it overrides. Raises `InputError` where this one was chosen, and is another."""
        outputs = former.output_weights
        shape = NetworkShape(
            former.architecture,
            former.width,
            former.blocks,
            former.image_width,
            outputs.distance,
            outputs.part,
            outputs.spread,
        )
        for field in fields(self):
            chosen, given = getattr(self, field.name), getattr(shape, field.name)
            if chosen not in (given, field.default):
                raise InputError(
                    f"`{field.name}` {chosen}: the labeller that `start` names has {given}, and training goes on with "
                    "that; leave it out"
                )
        log_overridden("model", asdict(self), asdict(shape))
        return shape


def log_overridden(group: str, chosen: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Log options of a group that are not as they were chosen, but as those of the labeller to start from."""
    told = [f"{group}.{name} {value} (not {chosen[name]})" for name, value in given.items() if value != chosen[name]]
    if told:
        log.info("as the labeller that model.start names: %s", ", ".join(told))
