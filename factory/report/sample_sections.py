"""Sections of the page about single heads; pictures are data URLs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture import Labels, Mesh
from factory.report.dataset_reader import DatasetReader, HeadLocation
from scans.head_sample import HeadSample
from scans.images.decoding import decode_image
from scans.label_counts import BinaryScores, binary_scores
from scans.labelled import Labelled
from scans.labelled_view import labelled_view
from scans.pictures.colours import agreement_colours, distance_colours, label_colours
from scans.pictures.encoding import jpeg_url, thumbnail
from scans.pictures.pyvista_renderer import render_mesh
from scans.viewer.cameras import viewed_cameras
from scans.viewer.page import view_page
from scans.viewer.view import View, ViewedScan

THUMBNAIL = 264  # pixels; shown at half that size
FRONT = 160  # likewise
DEFAULT_THRESHOLD_MM = 1.5  # the paper's, where the samples don't say


def threshold_of(head: HeadSample) -> float:
    """The distance below which a head's vertices are skin, mm."""
    options = head.info.get("stages", {}).get("label", {}).get("options", {})
    return float(options.get("threshold_mm", DEFAULT_THRESHOLD_MM))


def face_thumbnail(reader: DatasetReader, location: HeadLocation) -> str:
    """A small picture of a head from the front."""
    name = f"{reader.store.url_of(location.archive)}, head {location.number}"
    image = decode_image(reader.read_front_image(location), name)
    return jpeg_url(thumbnail(image, FRONT))


def head_section(head: HeadSample, split: str, turning: bool = False) -> dict[str, Any]:
    """Values of the section about a head: name, split, summary, views, meshes, and where wanted a view to turn."""
    labels, scan = head.labels, head.scan
    assert labels is not None  # samples have them
    skin = labels.distance_mm[labels.skin & np.isfinite(labels.distance_mm)]
    colours = label_colours(labels.skin, labels.known)
    median = f", at a median distance of {np.median(skin):.2f} mm from the true surface" if skin.size else ""
    summary = f"{len(scan.vertices):,} vertices; {_share(labels)}{median}"
    shown = [_mesh_picture(scan, None, "three_quarter", "scan, shape only")]
    if scan.colours is not None:
        shown.append(_mesh_picture(scan, scan.colours, "front", "scan, colour"))
    shown.append(_mesh_picture(scan, colours, "front", "true labels"))
    shown.append(_mesh_picture(scan, colours, "profile", "true labels, profile"))
    if not labels.painted:  # nobody knows how far off the surface those are
        title = "distance to the surface, 0 (dark) to 5 mm (bright)"
        shown.append(_mesh_picture(scan, distance_colours(labels.distance_mm), "three_quarter", title))
    for variant in head.variants:
        painted = label_colours(variant.labels.skin, variant.labels.known)
        title = f"true labels of a scan in style {variant.style['name']}"
        shown.append(_mesh_picture(variant.scan, painted, "three_quarter", title))
    views = [jpeg_url(thumbnail(image, THUMBNAIL)) for image in head.pixels()]
    view = View(head.id, ViewedScan.of_labels(scan, labels), cameras=viewed_cameras(head)) if turning else None
    page = None if view is None else view_page(view)
    return {"name": head.id, "split": split, "summary": summary, "views": views, "meshes": shown, "view": page}


def _share(labels: Labels) -> str:
    """Share of skin among the vertices that are known, and share of those that were left open, in words."""
    known = labels.is_known
    if known.all():
        return f"{100 * labels.skin.mean():.0f} % of them are skin"
    left_open = f"{100 * (1 - known.mean()):.0f} % were left open"
    if not known.any():
        return left_open
    return f"{left_open}, {100 * labels.skin[known].mean():.0f} % of the others are skin"


def prediction_section(folder: Path, turning: bool = False) -> dict[str, Any]:
    """Values of the section about a segmented capture: name, scores, views, meshes, and where wanted a view to turn."""
    labelled = Labelled.read(folder)
    capture, scan, skin = labelled.capture, labelled.scan, labelled.prediction.skin
    shown = [_mesh_picture(scan, None, "three_quarter", "scan, shape only")]
    scores: BinaryScores | None = None
    predicted = label_colours(skin)
    if capture.labels_path.is_file():
        labels = Labels.read(capture.labels_path, len(scan.vertices))
        true, known = labels.skin, labels.is_known
        scores = binary_scores(skin[known], true[known])
        shown.append(_mesh_picture(scan, label_colours(true, known), "front", "true labels"))
        shown.append(_mesh_picture(scan, predicted, "front", "predicted labels"))
        shown.append(_mesh_picture(scan, predicted, "three_quarter", "predicted labels, from the side"))
        agreement = agreement_colours(skin, true, known)
        shown.append(_mesh_picture(scan, agreement, "three_quarter", "errors of the prediction"))
    else:
        shown.append(_mesh_picture(scan, predicted, "front", "predicted labels"))
        shown.append(_mesh_picture(scan, predicted, "three_quarter", "predicted labels, from the side"))
    views = [jpeg_url(thumbnail(decode_image(path.read_bytes(), str(path)), THUMBNAIL)) for path in capture.image_paths]
    page = view_page(labelled_view(labelled)) if turning else None
    return {"name": capture.info.id, "scores": scores, "views": views, "meshes": shown, "view": page}


def _mesh_picture(mesh: Mesh, colours: NDArray[np.uint8] | None, view: str, caption: str) -> dict[str, str]:
    return {"picture": jpeg_url(render_mesh(mesh, colours, view)), "caption": caption}
