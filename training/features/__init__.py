"""Features at the vertices of a scan: from its images, through a frozen backbone, and from its geometry.

To add one, write its function and a row of `registry.FEATURES`: name, function, number of channels, options. Options
of its own are fields of `config.FeatureConfig`, and stand in the row's `settings`, by which files of the cache are
named. Command line, cache, network and checkpoints go by the registry. A change of the code that computes a feature
raises `VERSION` in `training.preparation.cache_files`.

Names are imported when they are asked for: token maps are made where no ray caster is installed.
"""

from typing import TYPE_CHECKING

from capture.lazy_names import lazy_names

if TYPE_CHECKING:
    from training.features.backbone_config import BackboneConfig
    from training.features.config import FeatureConfig
    from training.features.registry import FEATURES, compute_feature, input_channels

_MODULES = {
    "FEATURES": "training.features.registry",
    "BackboneConfig": "training.features.backbone_config",
    "FeatureConfig": "training.features.config",
    "compute_feature": "training.features.registry",
    "input_channels": "training.features.registry",
}

__all__ = ["FEATURES", "BackboneConfig", "FeatureConfig", "compute_feature", "input_channels"]


__getattr__ = lazy_names(__name__, _MODULES)
