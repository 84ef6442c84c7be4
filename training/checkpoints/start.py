"""The labeller that training starts from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from capture import InputError
from training.checkpoints.pretrained import PRETRAINED
from training.model.network import LabellerNetwork

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

    def of_start(self, former: LabellerNetwork) -> NetworkShape:
        """That of a labeller. Raises `InputError` where this one was chosen, and is another."""
        outputs = former.output_weights
        shape = NetworkShape(
            former.architecture,
            former.width,
            former.blocks,
            former.image_width,
            outputs.distance,
            outputs.part,
        )
        for field in fields(self):
            chosen, given = getattr(self, field.name), getattr(shape, field.name)
            if chosen not in (given, field.default):
                raise InputError(
                    f"`{field.name}` {chosen}: the labeller that `start` names has {given}, and training goes on with "
                    "that; leave it out"
                )
        return shape
