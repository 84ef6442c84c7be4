"""Skin labels of scan vertices by their distance to the true surface, and the quality of scans."""

from labeling.labels import DEFAULT_SKIN_PARTS, DEFAULT_THRESHOLD_MM, label_capture, label_scan
from labeling.quality import measure_capture, measure_quality
from scans.distance import surface_distance

__all__ = [
    "DEFAULT_SKIN_PARTS",
    "DEFAULT_THRESHOLD_MM",
    "label_capture",
    "label_scan",
    "measure_capture",
    "measure_quality",
    "surface_distance",
]
