"""Statistics over all heads of a data set: their attributes, the quality of their scans, the assets they show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.nested import number_at
from factory.dataset.archive import Entry
from factory.dataset.samples import DISTANCE_EDGES_MM
from factory.dataset.statistics import Statistics
from factory.report.dataset_reader import HeadLocation

# Measures of a head: name -> keys in its facts.
_MEASURES: dict[str, tuple[str, ...]] = {
    "vertices": ("vertices",),
    "skin_share": ("skin_share",),
    "skin_distance_mm": ("skin_distance_mm_median",),
    "error_mm": ("quality", "accuracy", "skin_pixels", "median_mm"),
    "face_complete": ("quality", "completeness", "face_mask_clear", "within_1_5_mm"),
}


@dataclass
class HeadStatistics:
    """Columns of the heads' attributes and measures, filled head by head.

    Attributes:
        totals: as `dataset.json` has them for a complete data set.
        locations: of all heads, in order.
        numbers: attribute or measure -> its values, of the heads that have it.
        categories: attribute -> value -> number of heads.
        distance_counts: (B,) vertices in each bin of `DISTANCE_EDGES_MM`, the last one for those beyond; zeros where
            the heads don't say.
        assets: id -> number of heads that show it.
        asset_locations: id -> a head that shows it.
    """

    totals: Statistics = field(default_factory=Statistics)
    locations: list[HeadLocation] = field(default_factory=list)
    numbers: dict[str, list[float]] = field(default_factory=dict)
    categories: dict[str, Counter[str]] = field(default_factory=dict)
    distance_counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(DISTANCE_EDGES_MM), np.int64))
    assets: Counter[str] = field(default_factory=Counter)
    asset_locations: dict[str, HeadLocation] = field(default_factory=dict)

    def add(self, location: HeadLocation, entry: Entry) -> None:
        """Count a head."""
        facts = entry.facts
        self.totals.add(facts)
        self.locations.append(location)
        for name, keys in _MEASURES.items():
            value = number_at(facts, *keys)
            if value is not None:
                self.numbers.setdefault(name, []).append(value)
        self._add_attributes(facts.get("look") or {})
        counts = facts.get("distance_counts")
        if counts is not None and len(counts) == len(self.distance_counts):
            self.distance_counts += np.asarray(counts)
        for asset in facts.get("assets", ()):
            self.assets[asset] += 1
            self.asset_locations.setdefault(asset, location)

    def _add_attributes(self, attributes: Mapping[str, Any]) -> None:
        for name, value in attributes.items():
            if name in ("hair_mm", "beard_mm") and attributes.get(name.removesuffix("_mm")) == "none":
                continue  # sampled, and not worn
            if isinstance(value, str):
                self.categories.setdefault(name, Counter())[value] += 1
            else:
                self.numbers.setdefault(name, []).append(float(value))
