"""The heads that methods are compared on: a data set's test split, and annotated scans."""

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
from scans.boundary import boundary_distance_mm
from scans.distance import surface_distance_mm
from scans.head_sample import HeadSample
from scans.meshes import read_labels
from scans.ray_casting import RayCaster
from scans.units import in_metres
from scans.visibility import Views, project_views
from training.data.shards import read_heads, read_splits

log = logging.getLogger(__name__)

_CHECKED = 2000  # vertices whose stored distance a rebuilt surface has to reproduce
_NEAR_MM = 20.0  # among those that lie near it
_SAME_MM = 0.01


@dataclass(frozen=True, eq=False)
class Subject:
    """One head with true labels.

    Attributes:
        head: images, cameras, scan in metres, labels.
        look: what it looks like, in a few words and numbers.
        models: names or paths of head models that its surface may have been made with.
        annotated: labelled by a person: there is no true surface.
        folder: the capture, where it is one.
    """

    head: HeadSample
    look: Mapping[str, str | float] = field(default_factory=dict)
    models: Sequence[str] = ()
    annotated: bool = False
    folder: Path | None = None

    @property
    def labels(self) -> Labels:
        """The true ones."""
        assert self.head.labels is not None  # what has none is no subject
        return self.head.labels

    @cached_property
    def key(self) -> str:
        """A name for the content: images, cameras, scan and labels."""
        return self.head.key()

    @cached_property
    def truth(self) -> HeadSurface:
        """The true surface. Raises `InputError` where there is none, with the reason."""
        if self.folder is not None and (self.folder / Capture.HEAD).is_file():
            return HeadSurface.read(self.folder / Capture.HEAD)
        if self.annotated:
            raise InputError("a person's labels say nothing of the surface below hair")
        return _rebuilt(self)

    @cached_property
    def views(self) -> Views:
        """All vertices of the scan in all views."""
        scan = self.head.scan
        points = scan.vertices.astype(float)
        normals = vertex_normals(points, scan.faces)
        return project_views(self.head.cameras, points, normals, RayCaster(points, scan.faces))

    @cached_property
    def boundary_mm(self) -> np.ndarray:
        """(V,) distance to the true boundary of the skin."""
        return boundary_distance_mm(self.head.scan.vertices, self.head.scan.faces, self.labels.skin)


def read_subjects(dataset: Path, split: str, count: int | None, models: Sequence[str]) -> Iterator[Subject]:
    """The first `count` heads of a data set's split, all where None. Raises `InputError` where it has none."""
    splits = read_splits(dataset)
    if split not in splits or not splits[split].ids:
        some = ", ".join(name for name, found in splits.items() if found.ids) or "none"
        raise InputError(f"{dataset / 'dataset.json'} has no {split} heads; it has: {some}")
    left = len(splits[split].ids) if count is None else count
    for shard in splits[split].shards:
        for head in read_heads(shard) if left > 0 else ():
            if left > 0:
                left -= 1
                yield Subject(head, _look(head), models)


def count_subjects(dataset: Path, split: str, count: int | None) -> int:
    """How many `read_subjects` gives."""
    splits = read_splits(dataset)
    found = len(splits[split].ids) if split in splits else 0
    return found if count is None else min(count, found)


def read_captured(folder: Path) -> Subject:
    """A capture with a scan and labels: painted by a person, or of the surface in its `head.ply`.

    Raises `InputError` where one is missing.
    """
    given = HeadSample.from_capture(folder)
    labels = read_labels(Path(folder) / Capture.LABELS, given.scan)
    head, _ = in_metres(given)
    return Subject(replace(head, labels=labels), {}, (), labels.painted, Path(folder))


def _look(head: HeadSample) -> Mapping[str, str | float]:
    return attributes_of(CaptureInfo.from_json({"schema_version": 1, **head.info}, f"sample {head.id}"))


def _rebuilt(subject: Subject) -> HeadSurface:
    """The surface that the spec describes, if the labels' distances are those to it."""
    head = subject.head
    spec = at(head.info, "spec", "shape")
    if spec is None:
        raise InputError(f"{head.id} has no spec that its surface could be rebuilt from")
    shape = from_json(ShapeSpec, spec, f"spec of {head.id}")
    for model in _of_name(shape.model, subject.models):
        surface = build_head(model, shape).surface()
        if _fits(surface, subject):
            return surface
    raise InputError(
        f"the surface of {head.id} can't be rebuilt: it was made with the head model {shape.model}, or a "
        "version of it, that isn't at hand; name it with `head_model`"
    )


def _of_name(name: str, models: Sequence[str]) -> Iterator[HeadModel]:
    for which in models:
        model = load_head_model(which)
        if model.name == name:
            yield model


def _fits(surface: HeadSurface, subject: Subject) -> bool:
    distance_mm = subject.labels.distance_mm
    near = np.flatnonzero(distance_mm < _NEAR_MM)
    chosen = near[:: max(1, len(near) // _CHECKED)]
    if not len(chosen):
        return False
    again = surface_distance_mm(subject.head.scan.vertices[chosen], surface)
    return bool(np.percentile(np.abs(again - distance_mm[chosen]), 99) < _SAME_MM)
