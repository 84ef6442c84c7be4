"""Features at the vertices of a scan: from its images, through a frozen backbone, and from its geometry."""

from training.features.config import BackboneConfig, FeatureConfig
from training.features.extract import channel_names, extract

__all__ = ["BackboneConfig", "FeatureConfig", "channel_names", "extract"]
