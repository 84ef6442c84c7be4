"""Traits of a scan and its views, to compare it with those that a labeller was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from capture import InputError, vertex_normals
from capture.geometry import unique_edges
from scans.head_sample import HeadSample
from scans.meshes.extent import core_vertices
from scans.ray_casting import ray_caster
from scans.visibility import project_views

_SAMPLES = 4000  # vertices, evenly spread over the file: shares to a percent


@dataclass(frozen=True)
class ScanTraits:
    """Traits of a scan in metres with its views.

    Attributes:
        views: number of images.
        pixels_per_mm: of the surface, in the image that shows it largest; the median over the vertices that are seen.
        unseen: share of the vertices that no image shows, 0 to 1.
        edge_mm: length of an edge of the scan, the median.
    """

    views: float
    pixels_per_mm: float
    unseen: float
    edge_mm: float

    @classmethod
    def of_head(cls, head: HeadSample) -> ScanTraits:
        """Measure a head; lengths as if `core_vertices` were all of the scan."""
        scan = head.scan
        used = np.flatnonzero(core_vertices(scan.vertices, scan.faces))
        chosen = used[np.unique(np.linspace(0, len(used) - 1, min(len(used), _SAMPLES)).astype(np.int64))]
        points = scan.vertices[chosen].astype(np.float64)
        normals = vertex_normals(scan.vertices, scan.faces)[chosen]
        weights = project_views(head.cameras, points, normals, ray_caster(scan)).weights
        distances = np.stack([np.linalg.norm(camera.centre - points, axis=1) for camera in head.cameras])
        focal = np.array([[np.mean(camera.focal)] for camera in head.cameras])
        scale = np.where(weights > 0, focal / (1000 * np.maximum(distances, 1e-9)), 0).max(axis=0)
        seen = scale > 0
        edges = unique_edges(scan.faces[:: max(1, len(scan.faces) // _SAMPLES)])
        lengths = np.linalg.norm(scan.vertices[edges[:, 0]] - scan.vertices[edges[:, 1]], axis=1)
        return cls(
            views=len(head.cameras),
            pixels_per_mm=float(np.median(scale[seen])) if seen.any() else 0.0,
            unseen=float(1 - seen.mean()),
            edge_mm=1000 * float(np.median(lengths)),
        )

    def to_json(self) -> dict[str, float]:
        """As a JSON object."""
        return {each.name: round(float(getattr(self, each.name)), 4) for each in fields(self)}


NAMES = tuple(each.name for each in fields(ScanTraits))
_WORDS = {  # name -> format of a number, and what is counted
    "views": ("{:.0f}", "views"),
    "pixels_per_mm": ("{:.2f}", "pixels a mm in the images"),
    "unseen": ("{:.0%}", "of the vertices are in no image"),
    "edge_mm": ("{:.2f}", "mm long edges"),
}
_MARGIN = 1.5  # beyond a range, from which on a scan is unlike those in it
_LEAST_UNSEEN = 0.1  # a share below this is nothing to tell


@dataclass(frozen=True)
class TrainingTraits:
    """Ranges of the traits over the heads that a labeller was trained on.

    Attributes:
        ranges: name of a trait -> lowest, median, highest; of ranges that were joined, the mean of the medians.
        heads: number of heads that they were measured on.
    """

    ranges: Mapping[str, tuple[float, float, float]]
    heads: int

    @classmethod
    def of_heads(cls, traits: Iterable[ScanTraits]) -> TrainingTraits:
        """Over the traits of heads, one at least."""
        table = np.array([[getattr(each, name) for name in NAMES] for each in traits], np.float64)
        low, middle, high = table.min(axis=0), np.median(table, axis=0), table.max(axis=0)
        ranges = {name: (float(low[i]), float(middle[i]), float(high[i])) for i, name in enumerate(NAMES)}
        return cls(ranges, len(table))

    def joined(self, other: TrainingTraits) -> TrainingTraits:
        """Over the heads of both; a median is the mean of theirs, by heads."""
        heads = self.heads + other.heads
        ranges = {}
        for name, (low, middle, high) in self.ranges.items():
            theirs = other.ranges[name]
            mean = (self.heads * middle + other.heads * theirs[1]) / heads
            ranges[name] = (min(low, theirs[0]), mean, max(high, theirs[2]))
        return TrainingTraits(ranges, heads)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"heads": self.heads} | {name: [round(x, 4) for x in values] for name, values in self.ranges.items()}

    @classmethod
    def from_json(cls, value: Any) -> TrainingTraits:
        """The inverse of `to_json`; raises `InputError` where it is none."""
        try:
            ranges = {name: tuple(float(x) for x in value[name]) for name in NAMES}
            if not all(len(each) == 3 for each in ranges.values()):
                raise ValueError("a range is not three numbers")
            return cls(ranges, int(value["heads"]))  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"traits of the training heads: {error}") from None

    def unlike(self, scan: ScanTraits) -> list[str]:
        """Sentences on the traits of a scan that lie well outside of the ranges."""
        told = []
        for name, (form, what) in _WORDS.items():
            value, (low, _, high) = getattr(scan, name), self.ranges[name]
            inside = low / _MARGIN <= value <= high * _MARGIN
            if inside or (name == "unseen" and value < _LEAST_UNSEEN):
                continue
            shown = list(dict.fromkeys(form.format(each) for each in (low, high)))
            told.append(f"{form.format(value)} {what}, it was trained with {' to '.join(shown)}")
        return told
