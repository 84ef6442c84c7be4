"""Statistics of a data set for `dataset.json`: sums over its heads, none of which is kept in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class Statistics:
    """Sums over heads, given by their facts (`factory.dataset.samples.facts`)."""

    def __init__(self, heads: Iterable[Mapping[str, Any]] = ()) -> None:
        self.heads = self.vertices = self._with_skin = 0
        self._share = self._median = 0.0
        self._versions: dict[str, set[str]] = {}
        for facts in heads:
            self.add(facts)

    def add(self, facts: Mapping[str, Any]) -> None:
        """Count a head."""
        self.heads += 1
        self.vertices += facts["vertices"]
        self._share += facts["skin_share"]
        if facts["skin_distance_mm_median"] is not None:
            self._with_skin += 1
            self._median += facts["skin_distance_mm_median"]
        for tool, version in facts["versions"].items():
            self._versions.setdefault(tool, set()).add(version)

    def to_json(self) -> dict[str, Any]:
        """Counts, and means over the heads: share of skin, median distance of skin."""
        return {
            "heads": self.heads,
            "vertices": self.vertices,
            "skin_share": round(self._share / self.heads, 4) if self.heads else 0.0,
            "skin_distance_mm_median": round(self._median / self._with_skin, 4) if self._with_skin else None,
        }

    @property
    def versions(self) -> dict[str, Any]:
        """Tool -> version; a list where the heads were made with several."""
        every = sorted(self._versions.items())
        return {tool: sorted(each) if len(each) > 1 else next(iter(each)) for tool, each in every}
