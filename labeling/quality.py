"""Quality of a scan, measured against the true surface that a synthetic capture has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture import Capture, HeadSurface, Labels, Mesh, PixelClass, Scan, write_json
from capture.geometry import face_areas, face_normals
from labeling.masks import without_specks
from labeling.visibility import MIN_COSINE, head_caster, seen_as, seen_on_skin
from scans.class_masks import read_class_masks
from scans.distance import surface_distance

SCHEMA_VERSION = 1
_TOLERANCES_MM = (1.0, 1.5)
_MIN_VIEWS = 3

Points = NDArray[np.float64]


def measure_quality(scan: Scan, labels: Labels, head: HeadSurface, capture: Capture) -> dict[str, Any]:
    """Counts, accuracy and completeness of a labelled scan, as a JSON object.

    - accuracy.skin_labels: distances of the vertices labelled skin. These are near by definition (below the
      threshold), so this is no more than a quick look.
    - accuracy.skin_pixels: distances of the vertices that fall on skin in the class masks of all views that see them.
    - completeness.face_mask_clear: the same of skin whose pixel is surrounded by skin in those views: single pixels of
      skin between the hairs of a beard show no surface that stereo could match.
    - completeness.visible_skin: the same of all skin; completeness.hair: of the pixels that show hair, the share
      behind which there is scan.
    - unseen_share: vertices that no camera sees, made up by the meshing.
    - completeness.face_mask: of the area of the face mask that three or more views see as skin, the share with
      scan within 1 and 1.5 mm. Visible is what the head itself does not hide and the class mask calls skin.
    """
    masks = read_class_masks(capture)
    return {
        "schema_version": SCHEMA_VERSION,
        "vertices": len(scan.vertices),
        "faces": len(scan.faces),
        "skin_share": _rounded(labels.skin.mean()),
        "unseen_share": None if labels.views is None else _rounded((labels.views == 0).mean()),
        "accuracy": {
            "skin_labels": _spread(labels.distance_mm[labels.skin]),
            "skin_pixels": _spread(labels.distance_mm[seen_on_skin(scan, capture.cameras, masks)[1]]),
        },
        "completeness": {
            "face_mask": _face_completeness(scan, head, capture, masks),
            "face_mask_clear": _face_completeness(scan, head, capture, [without_specks(mask) for mask in masks]),
            "visible_skin": _completeness(scan, head, head.part("skin"), capture, masks),
            "hair": _hair_share(scan, capture, masks),
        },
    }


def measure_capture(folder: Path) -> Path:
    """`measure_quality` of the labelled capture in `folder`; writes `quality.json`, atomically. Returns its path."""
    capture = Capture.read(folder)
    scan = Scan.read(capture.scan_path)
    labels = Labels.read(capture.labels_path, len(scan.vertices))
    path = capture.folder / Capture.QUALITY
    write_json(path, measure_quality(scan, labels, HeadSurface.read(capture.head_path), capture))
    return path


def _face_completeness(
    scan: Scan, head: HeadSurface, capture: Capture, masks: Sequence[NDArray[np.uint8] | None]
) -> dict[str, Any] | None:
    if head.face_mask is None or not head.face_mask.any():
        return None
    return _completeness(scan, head, head.face_mask[head.faces].all(axis=1) & head.part("skin"), capture, masks)


def _completeness(
    scan: Scan,
    head: HeadSurface,
    chosen: NDArray[np.bool_],
    capture: Capture,
    masks: Sequence[NDArray[np.uint8] | None],
) -> dict[str, Any]:
    """Of the chosen faces (F,): the area that enough views see as skin, and the share of it that the scan has."""
    points, normals, area = _centroids(head, chosen)
    _, agreed = seen_as(head, points, normals, capture.cameras, masks, [PixelClass.SKIN], MIN_COSINE)
    wanted = agreed >= _MIN_VIEWS
    total = float(area[wanted].sum())
    result: dict[str, Any] = {"area_cm2": _rounded(1e4 * total), "seen_share": _rounded(total / area.sum())}
    distance_mm = 1000 * surface_distance(points[wanted], scan)[0] if wanted.any() else np.zeros(0)
    for tolerance in _TOLERANCES_MM:
        share = area[wanted][distance_mm <= tolerance].sum() / total if total > 0 else None
        result[f"within_{tolerance:.1f}_mm".replace(".", "_")] = _rounded(share)
    return result


def _hair_share(scan: Scan, capture: Capture, masks: Sequence[NDArray[np.uint8] | None]) -> float | None:
    """Of all views' pixels that show hair of scalp or beard, the share behind which there is scan; None without any."""
    caster, hair, hit = head_caster(scan), 0, 0
    for camera, mask in zip(capture.cameras, masks, strict=True):
        if mask is None:
            continue
        rows, columns = np.nonzero(np.isin(mask, [PixelClass.SCALP_HAIR, PixelClass.FACIAL_HAIR]))
        directions = camera.unproject(np.stack([columns, rows], axis=1) + 0.5, 1.0) - camera.centre
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        origins = np.tile(caster.local(camera.centre), (len(rows), 1))
        hair += len(rows)
        hit += int((~caster.is_free(origins, directions.astype(np.float32))).sum())
    return _rounded(hit / hair) if hair else None


def _centroids(mesh: Mesh, chosen: NDArray[np.bool_]) -> tuple[Points, Points, NDArray[np.float64]]:
    """Centroids, unit normals and areas of the chosen faces."""
    faces = mesh.faces[chosen]
    centroids = mesh.vertices.astype(float)[faces].mean(axis=1)
    return centroids, face_normals(mesh.vertices, faces), face_areas(mesh.vertices, faces)


def _spread(distance_mm: NDArray) -> dict[str, Any]:
    """Count, median and 90th percentile."""
    if not len(distance_mm):
        return {"count": 0, "median_mm": None, "p90_mm": None}
    median, high = np.percentile(distance_mm, [50, 90])
    return {"count": len(distance_mm), "median_mm": _rounded(median), "p90_mm": _rounded(high)}


def _rounded(value: Any) -> float | None:
    return None if value is None else round(float(value), 5)
