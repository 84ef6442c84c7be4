"""Which scan vertices are skin, by their distance to the true surface; and how good a scan is."""

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
