"""Skin labels of scan vertices by their distance to the true surface, and the quality of scans.

Names are imported when they are asked for: settings are needed where the libraries that measure are not.
"""

from typing import TYPE_CHECKING

from capture.lazy_names import lazy_names

if TYPE_CHECKING:
    from labeling.labels import label_capture, label_scan
    from labeling.quality import label_and_measure, measure_capture, measure_quality
    from labeling.settings import LabelSettings
    from scans.distance import surface_distance

_MODULES = {
    "LabelSettings": "labeling.settings",
    "label_and_measure": "labeling.quality",
    "label_capture": "labeling.labels",
    "label_scan": "labeling.labels",
    "measure_capture": "labeling.quality",
    "measure_quality": "labeling.quality",
    "surface_distance": "scans.distance",
}

__all__ = [
    "LabelSettings",
    "label_and_measure",
    "label_capture",
    "label_scan",
    "measure_capture",
    "measure_quality",
    "surface_distance",
]


__getattr__ = lazy_names(__name__, _MODULES)
