"""All features of a configuration at vertices of a scan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from capture import Camera, vertex_normals
from scans.ray_casting import RayCaster
from scans.visibility import Views, project_views
from training.features.backbone import Backbone, Tokens
from training.features.config import FeatureConfig, Fusion
from training.features.geometry import heat_kernel_signature, surface_variation
from training.features.lifting import lift
from training.operators import Operators
from training.operators.compute import LENGTH_UNIT

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Sources:
    """What features are made from; the expensive ones are asked for only when a feature needs them.

    Attributes:
        vertices: (V, 3) of the whole scan, metres.
        faces: (F, 3).
        at: (P,) vertices whose features are wanted.
        cameras: N views.
        tokens: gives the N token maps.
        pixels: gives the N images (H, W, 3).
        operators: gives the operators of the coarse mesh with the P vertices.
    """

    vertices: NDArray
    faces: NDArray
    at: NDArray
    cameras: Sequence[Camera]
    tokens: Callable[[], list[Tokens]]
    pixels: Callable[[], list[NDArray[np.uint8]]]
    operators: Callable[[], Operators]

    @cached_property
    def normals(self) -> NDArray[np.float64]:
        """(P, 3)."""
        return vertex_normals(self.vertices, self.faces)[self.at]

    @cached_property
    def views(self) -> Views:
        """The P vertices in the N views."""
        points = np.asarray(self.vertices, np.float64)[self.at]
        return project_views(self.cameras, points, self.normals, RayCaster(self.vertices, self.faces))


def extract(name: str, config: FeatureConfig, sources: Sources) -> Floats:
    """(P, C) the feature `name`, one of `FeatureName`."""
    return np.asarray(_EXTRACTORS[name](config, sources), np.float32)


def channel_names(config: FeatureConfig, image_channels: int) -> list[str]:
    """Name of the feature that each channel made once belongs to."""
    doubled = 2 if config.fusion.endswith("variance") else 1
    sizes = {"image": image_channels * doubled, "hks": config.hks_scales, "surface_variation": 1, "visibility": 2}
    return [name for name in config.lifted for _ in range(sizes.get(name, 3))]


def input_channels(config: FeatureConfig) -> list[str]:
    """`channel_names`, asking the backbone how wide it is."""
    return channel_names(config, Backbone(config.backbone).channels if "image" in config.lifted else 0)


def feature_settings(name: str, config: FeatureConfig) -> list[object]:
    """What the feature `name` depends on in the configuration: its cache is named by it."""
    plain: dict[str, list[object]] = {
        "image": [config.fusion, config.backbone.source, config.backbone.layers, config.backbone.resolution],
        "visibility": ["best"],
        "colour": [_colour_fusion(config)],
        "surface_variation": [config.neighbours],
        "hks": [config.hks_scales],
    }
    return [name, *plain.get(name, [])]


def _colour_fusion(config: FeatureConfig) -> Fusion:
    return "weighted_mean" if config.fusion.startswith("weighted") else "mean"


def _image(config: FeatureConfig, sources: Sources) -> NDArray:
    return lift(sources.tokens(), sources.views, config.fusion)


def _colour(config: FeatureConfig, sources: Sources) -> NDArray:
    """sRGB in [0, 1]."""
    return lift(sources.pixels(), sources.views, _colour_fusion(config)) / 255


def _visibility(config: FeatureConfig, sources: Sources) -> NDArray:
    """Whether any view sees the vertex, and the weight of the one that sees it best: their number is no matter."""
    best = sources.views.weights.max(axis=0, initial=0)
    return np.stack([best > 0, best], axis=1)


def _surface_variation(config: FeatureConfig, sources: Sources) -> NDArray:
    return surface_variation(sources.vertices, config.neighbours, sources.at)[:, None]


def _hks(config: FeatureConfig, sources: Sources) -> NDArray:
    return heat_kernel_signature(sources.operators(), config.hks_scales)


def _position(config: FeatureConfig, sources: Sources) -> NDArray:
    return np.asarray(sources.vertices, np.float64)[sources.at] / LENGTH_UNIT


def _normal(config: FeatureConfig, sources: Sources) -> NDArray:
    return sources.normals


_EXTRACTORS: dict[str, Callable[[FeatureConfig, Sources], NDArray]] = {
    "image": _image,
    "colour": _colour,
    "visibility": _visibility,
    "surface_variation": _surface_variation,
    "hks": _hks,
    "position": _position,
    "normal": _normal,
}
