"""Evaluation samples: heads with true labels, of a data set's split or of captures."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from assets.head_models.head_model import HeadModel
from assets.head_models.registry import load_head_model
from capture import Capture, CaptureInfo, HeadSurface, InputError, Labels, vertex_normals
from capture.nested import at
from generator.attributes import attributes_of
from generator.components.shape import ShapeSpec
from generator.head import build_head
from generator.records import from_json
from scans.distance import surface_distance_mm
from scans.head_sample import HeadSample
from scans.meshes.boundary import boundary_distance_mm
from scans.meshes.reading import read_labels
from scans.meshes.repair import repair
from scans.ray_casting import RayCaster
from scans.units import in_metres
from scans.visibility import Views, project_views
from training.data.shards import read_heads, read_splits

log = logging.getLogger(__name__)

_CHECKED = 2000  # vertices whose stored distance a rebuilt surface has to reproduce
_NEAR_MM = 20.0  # among those that lie near it
_SAME_MM = 0.01


@dataclass(frozen=True, eq=False)
class EvaluationSample:
    """One head with true labels.

    Attributes:
        head: images, cameras, scan in metres, labels.
        attributes: name -> word or number, as `attributes_of` gives them; empty for captures.
        head_models: names or paths of head models that its surface may have been made with.
        annotated: labelled by a person: there is no true surface.
        folder: the capture, where it is one.
    """

    head: HeadSample
    attributes: Mapping[str, str | float] = field(default_factory=dict)
    head_models: Sequence[str] = ()
    annotated: bool = False
    folder: Path | None = None

    @property
    def labels(self) -> Labels:
        """The true ones."""
        assert self.head.labels is not None  # what has none is no sample
        return self.head.labels

    @cached_property
    def key(self) -> str:
        """Name of the content: images, cameras, scan and labels."""
        return self.head.key()

    @cached_property
    def true_surface(self) -> HeadSurface:
        """The true surface. Raises `InputError` where there is none, with the reason."""
        if self.folder is not None and (self.folder / Capture.HEAD).is_file():
            return HeadSurface.read(self.folder / Capture.HEAD)
        if self.annotated:
            raise InputError("a person's labels say nothing of the surface below hair")
        return _rebuilt(self)

    @cached_property
    def views(self) -> Views:
        """The scan's vertices in all views."""
        repaired = repair(self.head.scan)
        scan = repaired.scan
        points = scan.vertices.astype(float)
        normals = vertex_normals(points, scan.faces)
        views = project_views(self.head.cameras, points, normals, RayCaster(points, scan.faces))
        columns = [(views.where, np.nan), (views.inside, False), (views.weights, 0.0)]
        return Views(*(np.moveaxis(repaired.spread(np.moveaxis(each, 1, 0), none), 0, 1) for each, none in columns))

    @cached_property
    def boundary_mm(self) -> np.ndarray:
        """(V,) distance to the true boundary of the skin."""
        return boundary_distance_mm(self.head.scan.vertices, self.head.scan.faces, self.labels.skin, self.labels.known)


def read_samples(
    dataset: Path, split: str, count: int | None, head_models: Sequence[str]
) -> Iterator[EvaluationSample]:
    """The first `count` heads of a data set's split, all where None. Raises `InputError` where it has none."""
    splits = read_splits(dataset)
    if split not in splits or not splits[split].ids:
        some = ", ".join(name for name, each in splits.items() if each.ids) or "none"
        raise InputError(f"{dataset / 'dataset.json'} has no {split} heads; it has: {some}")
    left = len(splits[split].ids) if count is None else count
    for shard in splits[split].shards:
        for head in read_heads(shard) if left > 0 else ():
            if left > 0:
                left -= 1
                assert head.labels is not None  # `HeadSample.from_sample` reads them
                yield EvaluationSample(head, _attributes(head), head_models, head.labels.painted)


def count_samples(dataset: Path, split: str, count: int | None) -> int:
    """Number of the samples that `read_samples` gives."""
    splits = read_splits(dataset)
    heads = len(splits[split].ids) if split in splits else 0
    return heads if count is None else min(count, heads)


def read_captured_sample(folder: Path) -> EvaluationSample:
    """A capture with a scan and labels: painted by a person, or of the surface in its `head.ply`.

    Raises `InputError` where one is missing.
    """
    given = HeadSample.from_capture(folder)
    labels = read_labels(Path(folder) / Capture.LABELS, given.scan)
    head, _ = in_metres(given)
    return EvaluationSample(replace(head, labels=labels), {}, (), labels.painted, Path(folder))


def _attributes(head: HeadSample) -> Mapping[str, str | float]:
    return attributes_of(CaptureInfo.from_json({"schema_version": 1, **head.info}, f"sample {head.id}"))


def _rebuilt(sample: EvaluationSample) -> HeadSurface:
    """The surface that the spec describes, if the labels' distances are those to it."""
    head = sample.head
    spec = at(head.info, "spec", "shape")
    if spec is None:
        raise InputError(f"{head.id} has no spec that its surface could be rebuilt from")
    shape = from_json(ShapeSpec, spec, f"spec of {head.id}")
    for model in _of_name(shape.model, sample.head_models):
        surface = build_head(model, shape).surface()
        if _fits(surface, sample):
            return surface
    raise InputError(
        f"the surface of {head.id} can't be rebuilt: it was made with the head model {shape.model}, or a "
        "version of it, that isn't at hand; name it with `head_model`"
    )


def _of_name(name: str, head_models: Sequence[str]) -> Iterator[HeadModel]:
    for source in head_models:
        model = load_head_model(source)
        if model.name == name:
            yield model


def _fits(surface: HeadSurface, sample: EvaluationSample) -> bool:
    distance_mm = sample.labels.distance_mm
    near = np.flatnonzero(distance_mm < _NEAR_MM)
    chosen = near[:: max(1, len(near) // _CHECKED)]
    if not len(chosen):
        return False
    again = surface_distance_mm(sample.head.scan.vertices[chosen], surface)
    return bool(np.percentile(np.abs(again - distance_mm[chosen]), 99) < _SAME_MM)
