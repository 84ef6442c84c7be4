"""Features at the vertices of a scan: from its images, through a frozen backbone, and from its geometry.

To add one, write its function and a row of `registry.FEATURES`: name, function, number of channels, options. Options
of its own are fields of `config.FeatureConfig`, and stand in the row's `settings`, by which files of the cache are
named. Command line, cache, network and checkpoints go by the registry. A change of the code that computes a feature
raises `VERSION` in `training.preparation.cache_files`.
"""

from training.features.backbone_config import BackboneConfig
from training.features.config import FeatureConfig
from training.features.registry import FEATURES, compute_feature, input_channels

__all__ = ["FEATURES", "BackboneConfig", "FeatureConfig", "compute_feature", "input_channels"]
