"""The features of a vertex by name. A new feature is a row of `FEATURES` and the function that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from training.features.backbone import Backbone
from training.features.geometry import heat_kernel_signature, surface_variation
from training.features.lifting import Fusion, lift, lift_parts
from training.features.sources import Sources
from training.operators.compute import LENGTH_UNIT

if TYPE_CHECKING:
    from training.features.config import FeatureConfig

Parts: TypeAlias = Iterator[tuple[slice, NDArray[np.float32]]]


@dataclass(frozen=True)
class Feature:
    """One feature.

    Attributes:
        compute: its values (P, C) at the P vertices that `Sources` asks for, or parts of them, where they are so many
            channels that no copy should be made.
        channels: C.
        settings: the options that its values depend on; files in the cache are named by them.
        of_backbone: whether it depends on the weights of the image network, too.
        of_operators: whether it depends on the number of eigenpairs, too.
    """

    compute: Callable[[FeatureConfig, Sources], NDArray | Parts]
    channels: Callable[[FeatureConfig], int]
    settings: Callable[[FeatureConfig], list[object]] = lambda config: []
    of_backbone: bool = False
    of_operators: bool = False


def _image(config: FeatureConfig, sources: Sources) -> Parts:
    return lift_parts(sources.tokens(), sources.token_views, config.fusion)


def _image_channels(config: FeatureConfig) -> int:
    return Backbone(config.backbone).channels * (2 if config.fusion.endswith("variance") else 1)


def _image_settings(config: FeatureConfig) -> list[object]:
    backbone = config.backbone
    settings = [config.fusion, backbone.source, backbone.layers, backbone.resolution]
    return [*settings, "crop"] if backbone.crop else settings  # names of files from before stay


def _colour(config: FeatureConfig, sources: Sources) -> NDArray:
    """sRGB in [0, 1]."""
    return lift(sources.pixels(), sources.views, _colour_fusion(config)) / 255


def _colour_fusion(config: FeatureConfig) -> Fusion:
    return "weighted_mean" if config.fusion.startswith("weighted") else "mean"


def _visibility(config: FeatureConfig, sources: Sources) -> NDArray:
    """1 where any view sees the vertex, and the weight of the view that sees it best: their number does not matter."""
    best = sources.views.weights.max(axis=0, initial=0)
    return np.stack([best > 0, best], axis=1)


def _surface_variation(config: FeatureConfig, sources: Sources) -> NDArray:
    return surface_variation(sources.vertices, config.neighbours, sources.at)[:, None]


def _heat_kernel_signature(config: FeatureConfig, sources: Sources) -> NDArray:
    return heat_kernel_signature(sources.operators(), config.hks_scales)


def _position(config: FeatureConfig, sources: Sources) -> NDArray:
    return np.asarray(sources.vertices, np.float64)[sources.at] / LENGTH_UNIT


def _normal(config: FeatureConfig, sources: Sources) -> NDArray:
    return sources.normals


FEATURES: dict[str, Feature] = {
    "image": Feature(_image, _image_channels, _image_settings, of_backbone=True),
    "colour": Feature(_colour, lambda config: 3, lambda config: [_colour_fusion(config)]),
    "visibility": Feature(_visibility, lambda config: 2, lambda config: ["best"]),
    "surface_variation": Feature(_surface_variation, lambda config: 1, lambda config: [config.neighbours]),
    "hks": Feature(
        _heat_kernel_signature,
        lambda config: config.hks_scales,
        lambda config: [config.hks_scales],
        of_operators=True,
    ),
    "position": Feature(_position, lambda config: 3),
    "normal": Feature(_normal, lambda config: 3),
}


def compute_feature(name: str, config: FeatureConfig, sources: Sources) -> NDArray[np.float16]:
    """(P, C) the feature `name`."""
    values = np.empty((len(sources.at), FEATURES[name].channels(config)), np.float16)
    fill_feature(name, config, sources, values)
    return values


def fill_feature(name: str, config: FeatureConfig, sources: Sources, out: NDArray[np.float16]) -> None:
    """Write the feature `name` to (P, C), which may be columns of a wider array."""
    values = FEATURES[name].compute(config, sources)
    if isinstance(values, np.ndarray):
        out[:] = np.asarray(values, np.float32)
        return
    target = torch.from_numpy(out)  # numpy takes ten times as long to round to half precision
    for part, rows in values:
        target[part] = torch.from_numpy(rows)


def input_channels(config: FeatureConfig) -> list[str]:
    """The name of the feature that each channel belongs to, of the features that are computed once."""
    return [name for name in config.lifted for _ in range(FEATURES[name].channels(config))]
