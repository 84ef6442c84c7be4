"""Options of the features that a labeller works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self, TypeAlias, get_args

from capture import InputError
from training.features.backbone_config import BackboneConfig
from training.features.lifting import Fusion
from training.features.registry import FEATURES

FeatureName: TypeAlias = Literal[tuple(FEATURES)]  # type: ignore[valid-type]  # the choices on the command line


@dataclass(frozen=True)
class FeatureConfig:
    """The features of a vertex, in this order.

    Attributes:
        names: any of `image` (backbone features lifted from the views), `colour` (the views' colour, lifted),
            `visibility` (visibility in the views), `surface_variation`, `hks` (heat kernel signature),
            `position`, `normal`.
        fusion: combination of `image` over the views.
        backbone: image network of `image`.
        neighbours: number of nearest vertices of `surface_variation`, k.
        hks_scales: number of times of `hks`.
        image_head: leave `image` as token maps, from which the labeller's trainable image head makes features.
    """

    names: list[FeatureName] = field(default_factory=lambda: ["image", "surface_variation"])
    fusion: Fusion = "weighted_mean_variance"
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    neighbours: int = 30
    hks_scales: int = 16
    image_head: bool = False

    def __post_init__(self) -> None:
        unknown = [name for name in self.names if name not in FEATURES]
        if unknown:
            raise InputError(f"unknown feature {unknown[0]!r}; use any of {', '.join(FEATURES)}")
        if not self.names or len(set(self.names)) != len(self.names):
            raise InputError("`names` must name one or more features, each once")
        if self.fusion not in get_args(Fusion):
            raise InputError(f"unknown fusion {self.fusion!r}; use one of {', '.join(get_args(Fusion))}")
        if self.neighbours < 3 or self.hks_scales < 1:
            raise InputError("`neighbours` must be at least 3, `hks_scales` at least 1")

        if self.image_head and "image" not in self.names:
            raise InputError("`image_head` needs image among `names`")

    @property
    def lifted(self) -> list[FeatureName]:
        """The features that are made once: all, or all but those that the image head makes in every step."""
        return [name for name in self.names if not (self.image_head and name == "image")]

    def to_json(self) -> dict[str, Any]:
        """Plain types only: as a checkpoint holds them."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """The inverse of `to_json`; raises `InputError` where it is not such a configuration."""
        refuse_unknown_keys(cls, value, "features")
        try:
            refuse_unknown_keys(BackboneConfig, value["backbone"], "features.backbone")
            return cls(**{**value, "backbone": BackboneConfig(**value["backbone"])})
        except (TypeError, KeyError, AttributeError) as error:
            raise InputError(f"not a feature configuration: {error}") from None


def refuse_unknown_keys(kind: type, value: Any, what: str) -> None:
    """Raise `InputError` unless `value` is a mapping whose keys are all fields of the dataclass `kind`."""
    if not isinstance(value, Mapping):
        raise InputError(f"{what}: an object is needed, got {type(value).__name__}")
    unknown = sorted(str(key) for key in set(value) - {each.name for each in fields(kind)})
    if unknown:
        raise InputError(f"{what} has an option {unknown[0]!r} that this version does not know; update the program")
