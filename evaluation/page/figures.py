"""Side-by-side pictures: a head's images, and below them the labels and the registration of every method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from capture import Mesh
from evaluation.comparison.results import MethodResult, read_probability, read_vertices
from evaluation.comparison.rows import BEST, OWN, TableRow
from evaluation.comparison.samples import EvaluationSample
from registration.template import Template
from scans.distance import surface_distance_mm
from scans.pictures import colours
from scans.pictures.colours import distance_colours, faded
from scans.pictures.encoding import thumbnail
from scans.pictures.mesh_renderer import Fragments, MeshRenderer, Picture
from scans.predictions import Prediction
from scans.viewer.cameras import viewed_cameras
from scans.viewer.page import view_page
from scans.viewer.view import View, ViewedScan, ViewedTemplate

SHOWN_MM = 3.0  # error of the brightest colour
_SIDE = 250
_TURNING = 2  # heads with a page: some megabytes each
_IMAGES = 5
_DOWN = (0.0, 0.0, -1.0)
_SIDES = {"front": (0.0, 1.0, 0.0), "side": (-0.8, 0.6, 0.0)}


@dataclass(frozen=True, eq=False)
class MethodPanel:
    """Pictures of a method's result on a head.

    Attributes:
        title: of the row.
        text: its numbers on this head.
        pictures: caption -> picture.
    """

    title: str
    text: str
    pictures: Mapping[str, Picture]


@dataclass(frozen=True, eq=False)
class HeadFigure:
    """A head: its name, some of its images, a panel for each method, and of some heads a page to turn it around."""

    name: str
    images: Sequence[Picture]
    panels: Sequence[MethodPanel]
    view: str | None = None


@dataclass(eq=False)
class ComparisonFigures:
    """Figures of the heads that were added, in their order."""

    template: Template | None
    made: list[HeadFigure] = field(default_factory=list)

    def add(
        self,
        sample: EvaluationSample,
        surface: Mesh | None,
        rows: Sequence[TableRow],
        results: Mapping[str, MethodResult],
    ) -> None:
        """Draw a sample with the results of the rows that have any; `surface` is the true one."""
        fragments = _fragments(sample.head.scan)
        images = sample.head.pixels()
        chosen = np.unique(np.linspace(0, len(images) - 1, min(_IMAGES, len(images))).round().astype(int))
        panels = []
        for row in rows:
            result = results.get(row.name)
            if result is not None and (result.labels is not None or result.registration is not None):
                pictures = self._pictures(sample, surface, result, fragments)
                panels.append(MethodPanel(row.title, _text(result), pictures))
        page = self._view(sample, surface, rows, results) if len(self.made) < _TURNING else None
        self.made.append(HeadFigure(sample.head.id, [thumbnail(images[i], _SIDE) for i in chosen], panels, page))

    def _view(
        self,
        sample: EvaluationSample,
        surface: Mesh | None,
        rows: Sequence[TableRow],
        results: Mapping[str, MethodResult],
    ) -> str | None:
        """A page with the labels of ours, or else of the first row that has some, and the template registered by them.

        None without labels.
        """
        titles = {row.name: row.title for row in rows if row.name in results}
        labelled = [name for name in (OWN, BEST, *titles) if name in titles and results[name].probability is not None]
        if not labelled:
            return None
        result, head = results[labelled[0]], sample.head
        assert result.probability is not None
        probability = read_probability(result.probability)
        template = None
        if result.registration is not None and self.template is not None and surface is not None:
            mesh = Mesh(read_vertices(result.registration.vertices), self.template.faces)
            distance = surface_distance_mm(mesh.vertices, surface)
            template = ViewedTemplate(mesh, distance, self.template.face_mask, "true surface")
        scan = ViewedScan(head.scan, Prediction(probability, probability > 0.5))
        facts = (f"labels: {titles[labelled[0]]}", _text(result))
        return view_page(View(head.id, scan, template, viewed_cameras(head), facts))

    def _pictures(
        self,
        sample: EvaluationSample,
        surface: Mesh | None,
        result: MethodResult,
        fragments: Mapping[str, Fragments],
    ) -> dict[str, Picture]:
        pictures: dict[str, Picture] = {}
        if result.probability is not None:
            skin = read_probability(result.probability) > 0.5
            labels = sample.labels
            true = np.where(labels.is_known, labels.skin, skin)
            shades = colours.mistake_colours(skin, true)
            pictures |= {f"labels, {side}": each.shade(shades) for side, each in fragments.items()}
        if result.registration is not None and self.template is not None and surface is not None:
            mesh = Mesh(read_vertices(result.registration.vertices), self.template.faces)
            errors = _error_colours(mesh, surface, self.template.face_mask)
            fragments = _fragments(self.template.around_face(mesh.vertices))
            pictures |= {f"registered, {side}": each.shade(errors) for side, each in fragments.items()}
        return pictures


def _fragments(mesh: Mesh) -> dict[str, Fragments]:
    renderer = MeshRenderer(mesh.vertices, mesh.faces)
    return {side: renderer.orthographic(forward, _DOWN, _SIDE) for side, forward in _SIDES.items()}


def _error_colours(mesh: Mesh, surface: Mesh, face: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(V, 3): distances to a surface, paler where they aren't measured."""
    return faded(distance_colours(surface_distance_mm(mesh.vertices, surface), SHOWN_MM), face)


def _text(result: MethodResult) -> str:
    words = []
    if result.labels is not None:
        words.append(f"mIoU {result.labels.counts.scores().miou:.3f}")
    if result.registration is not None:
        error = result.registration.error
        words.append(f"{error.mean:.2f} ± {error.std:.2f} mm")
    elif result.reason:
        words.append(result.reason)
    return ", ".join(words)
