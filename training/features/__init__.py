"""Features at the vertices of a scan: from its images, through a frozen backbone, and from its geometry.

To add one, write its function and a row of `registry.FEATURES`: name, function, number of channels, options. Options
of its own are fields of `config.FeatureConfig`. Nothing else needs to know it: command line, cache, network and
checkpoints go by the registry.
"""

from training.features.backbone_config import BackboneConfig
from training.features.config import FeatureConfig
from training.features.registry import FEATURES, compute_feature, input_channels

__all__ = ["FEATURES", "BackboneConfig", "FeatureConfig", "compute_feature", "input_channels"]
