"""Options of preparation: a checkpoint holds them, so that other heads are prepared alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from capture import InputError
from training.features.backbone import shared_backbone
from training.features.config import FeatureConfig, refuse_unknown_keys
from training.features.registry import FEATURES


@dataclass(frozen=True)
class Preparation:
    """The way that a head becomes the network's input.

    Attributes:
        features: at each vertex.
        vertices: scans are simplified to at most so many.
        eigenpairs: K of the operators.
    """

    features: FeatureConfig = field(default_factory=FeatureConfig)
    vertices: int = 20000
    eigenpairs: int = 128

    def __post_init__(self) -> None:
        if self.vertices < 16 or self.eigenpairs < 1:
            raise InputError("`vertices` must be at least 16, `eigenpairs` at least 1")

    def to_json(self) -> dict[str, Any]:
        """Plain types only, as a checkpoint holds them."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """The inverse of `to_json`; raises `InputError` where it is not such a configuration."""
        refuse_unknown_keys(cls, value, "the preparation")
        try:
            return cls(FeatureConfig.from_json(value["features"]), value["vertices"], value["eigenpairs"])
        except (TypeError, KeyError) as error:
            raise InputError(f"not a preparation: {error}") from None


def backbone_key(preparation: Preparation) -> str | None:
    """Hash of everything that the image features depend on, the backbone's weights above all; None without any."""
    features = preparation.features
    needed = any(FEATURES[name].of_backbone for name in features.names)
    return shared_backbone(features.backbone).key if needed else None
