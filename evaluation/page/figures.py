"""The comparison picture: a head's images, and below them what every method makes of its scan and its registration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from capture import Mesh
from evaluation.comparison.results import Result, read_probability, read_vertices
from evaluation.comparison.rows import Row
from evaluation.comparison.samples import Subject
from registration.template import Template
from scans.distance import surface_distance_mm
from scans.pictures import colours
from scans.pictures.colours import distance_colours, faded
from scans.pictures.encoding import thumbnail
from scans.pictures.mesh_renderer import Fragments, MeshRenderer, Picture

SHOWN_MM = 3.0  # the error from which on a picture shows no more
_SIDE = 250
_IMAGES = 5
_DOWN = (0.0, 0.0, -1.0)
_SIDES = {"front": (0.0, 1.0, 0.0), "side": (-0.8, 0.6, 0.0)}


@dataclass(frozen=True, eq=False)
class Panel:
    """A method's pictures of a head.

    Attributes:
        title: of the row.
        text: its numbers on this head.
        pictures: caption -> picture.
    """

    title: str
    text: str
    pictures: Mapping[str, Picture]


@dataclass(frozen=True, eq=False)
class Figure:
    """A head's comparison: its name, some of its images, the truth, and a panel a method."""

    name: str
    images: Sequence[Picture]
    panels: Sequence[Panel]


@dataclass(eq=False)
class Figures:
    """Figures of the heads that were added, in their order."""

    template: Template | None
    made: list[Figure] = field(default_factory=list)

    def add(self, subject: Subject, truth: Mesh | None, rows: Sequence[Row], results: Mapping[str, Result]) -> None:
        """Draw a head with the results of the rows that have any."""
        scan = subject.head.scan
        fragments = _fragments(scan)
        images = subject.head.pixels()
        chosen = np.unique(np.linspace(0, len(images) - 1, min(_IMAGES, len(images))).round().astype(int))
        panels = []
        for row in rows:
            result = results.get(row.name)
            if result is not None and (result.labels is not None or result.registered is not None):
                panels.append(Panel(row.title, _text(result), self._pictures(subject, truth, result, fragments)))
        self.made.append(Figure(subject.head.id, [thumbnail(images[i], _SIDE) for i in chosen], panels))

    def _pictures(
        self, subject: Subject, truth: Mesh | None, result: Result, fragments: Mapping[str, Fragments]
    ) -> dict[str, Picture]:
        found: dict[str, Picture] = {}
        if result.probability is not None:
            skin = read_probability(result.probability) > 0.5
            shades = colours.of_mistakes(skin, subject.labels.skin)
            found |= {f"labels, {side}": each.shade(shades) for side, each in fragments.items()}
        if result.registered is not None and self.template is not None and truth is not None:
            mesh = Mesh(read_vertices(result.registered.vertices), self.template.faces)
            errors = _error_colours(mesh, truth, self.template.face_mask)
            fragments = _fragments(self.template.around_face(mesh.vertices))
            found |= {f"registered, {side}": each.shade(errors) for side, each in fragments.items()}
        return found


def _fragments(mesh: Mesh) -> dict[str, Fragments]:
    renderer = MeshRenderer(mesh.vertices, mesh.faces)
    return {side: renderer.orthographic(forward, _DOWN, _SIDE) for side, forward in _SIDES.items()}


def _error_colours(mesh: Mesh, truth: Mesh, face: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(V, 3): distances to the truth, paler where they aren't measured."""
    return faded(distance_colours(surface_distance_mm(mesh.vertices, truth), SHOWN_MM), face)


def _text(result: Result) -> str:
    words = []
    if result.labels is not None:
        words.append(f"mIoU {result.labels.counts.scores().miou:.3f}")
    if result.registered is not None:
        error = result.registered.error
        words.append(f"{error.mean:.2f} ± {error.std:.2f} mm")
    elif result.why:
        words.append(result.why)
    return ", ".join(words)
