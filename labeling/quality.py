"""How good a scan is, measured against the truth that a synthetic capture has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from capture import Capture, HeadSurface, InputError, Labels, Mesh, PixelClass, Scan, write_json
from labeling.distance import surface_distance
from labeling.visibility import seen_as

SCHEMA_VERSION = 1
_TOLERANCES_MM = (1.0, 1.5)
_MIN_VIEWS = 3
_MIN_COSINE = 0.17  # a surface seen under less than 10 degrees can't be expected

Points = NDArray[np.float64]


def measure_quality(scan: Scan, labels: Labels, head: HeadSurface, capture: Capture) -> dict[str, Any]:
    """Counts, accuracy and completeness of a labelled scan, as a JSON object.

    - accuracy.skin_labels: distances of the vertices labelled skin. These are near by definition (below the
      threshold), so this is no more than a quick look.
    - accuracy.skin_pixels: distances of the vertices that fall on skin in the class masks of all views that see them.
    - completeness.face_mask: of the area of the face mask that three or more views see as skin, the share with
      scan within 1 and 1.5 mm. Visible is what the head itself does not hide and the class mask calls skin.
    """
    masks = read_masks(capture)
    return {
        "schema_version": SCHEMA_VERSION,
        "vertices": len(scan.vertices),
        "faces": len(scan.faces),
        "skin_share": _rounded(labels.skin.mean()),
        "accuracy": {
            "skin_labels": _spread(labels.distance_mm[labels.skin]),
            "skin_pixels": _spread(labels.distance_mm[_on_skin_pixels(scan, capture, masks)]),
        },
        "completeness": {"face_mask": _face_completeness(scan, head, capture, masks)},
    }


def measure_capture(folder: Path) -> Path:
    """`measure_quality` of the labelled capture in `folder`; writes `quality.json`, atomically. Returns its path."""
    capture = Capture.read(folder)
    scan = Scan.read(capture.scan_path)
    labels = Labels.read(capture.labels_path, len(scan.vertices))
    path = capture.folder / Capture.QUALITY
    write_json(path, measure_quality(scan, labels, HeadSurface.read(capture.head_path), capture))
    return path


def read_masks(capture: Capture) -> list[NDArray[np.uint8] | None]:
    """Per view the class ids (H, W), None where there is no mask; raises `InputError` where one is damaged."""
    masks: list[NDArray[np.uint8] | None] = []
    for path, camera in zip(capture.mask_paths, capture.cameras, strict=True):
        if not path.is_file():
            masks.append(None)
            continue
        try:
            mask = np.asarray(Image.open(path))
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
            raise InputError(f"damaged mask: {path} ({error}); generate the capture again") from None
        if mask.shape != (camera.height, camera.width):
            raise InputError(f"mask {path} is not a grey image of its camera's size; generate the capture again")
        masks.append(mask)
    return masks


def _on_skin_pixels(scan: Scan, capture: Capture, masks: Sequence[NDArray[np.uint8] | None]) -> NDArray[np.bool_]:
    """(V,) seen by at least one view, and skin in the mask of every view that sees it."""
    normals = _vertex_normals(scan)
    seen, agreed = seen_as(
        scan, scan.vertices.astype(float), normals, capture.cameras, masks, [PixelClass.SKIN], _MIN_COSINE
    )
    return (seen > 0) & (agreed == seen)


def _face_completeness(
    scan: Scan, head: HeadSurface, capture: Capture, masks: Sequence[NDArray[np.uint8] | None]
) -> dict[str, Any] | None:
    if head.face_mask is None or not head.face_mask.any():
        return None
    chosen = head.face_mask[head.faces].all(axis=1) & head.part("skin")
    points, normals, area = _centroids(head, chosen)
    _, agreed = seen_as(head, points, normals, capture.cameras, masks, [PixelClass.SKIN], _MIN_COSINE)
    wanted = agreed >= _MIN_VIEWS
    total = float(area[wanted].sum())
    result: dict[str, Any] = {"area_cm2": _rounded(1e4 * total), "seen_share": _rounded(total / area.sum())}
    distance_mm = 1000 * surface_distance(points[wanted], scan)[0] if wanted.any() else np.zeros(0)
    for tolerance in _TOLERANCES_MM:
        share = area[wanted][distance_mm <= tolerance].sum() / total if total > 0 else None
        result[f"within_{tolerance:.1f}_mm".replace(".", "_")] = _rounded(share)
    return result


def _centroids(mesh: Mesh, chosen: NDArray[np.bool_]) -> tuple[Points, Points, NDArray[np.float64]]:
    """Centroids, unit normals and areas of the chosen faces."""
    corners = mesh.vertices.astype(float)[mesh.faces[chosen]]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(across, axis=1)
    return corners.mean(axis=1), across / np.maximum(length, 1e-20)[:, None], length / 2


def _vertex_normals(scan: Scan) -> Points:
    if scan.normals is not None:
        return scan.normals.astype(float)
    corners = scan.vertices.astype(float)[scan.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.stack(
        [np.bincount(scan.faces.ravel(), np.repeat(across[:, k], 3), len(scan.vertices)) for k in range(3)], axis=1
    )
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1), 1e-20)[:, None])


def _spread(distance_mm: NDArray) -> dict[str, Any]:
    """Count, median and 90th percentile."""
    if not len(distance_mm):
        return {"count": 0, "median_mm": None, "p90_mm": None}
    median, high = np.percentile(distance_mm, [50, 90])
    return {"count": len(distance_mm), "median_mm": _rounded(median), "p90_mm": _rounded(high)}


def _rounded(value: Any) -> float | None:
    return None if value is None else round(float(value), 5)
