"""Quality of a scan, measured against the true surface that a synthetic capture has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from capture import Capture, HeadSurface, Labels, Mesh, PixelClass, Scan, write_json
from capture.geometry import face_areas, face_normals
from labeling.labels import label_folder
from labeling.masks import without_specks
from labeling.settings import LabelSettings
from labeling.variants import label_variants
from labeling.visibility import PointViews, ScanViews, head_caster
from scans.distance import surface_distance

SCHEMA_VERSION = 1
_TOLERANCES_MM = (1.0, 1.5)
_MIN_VIEWS = 3

Points = NDArray[np.float64]


def measure_quality(
    scan: Scan, labels: Labels, head: HeadSurface, capture: Capture, views: ScanViews | None = None
) -> dict[str, Any]:
    """Counts, accuracy and completeness of a labelled scan, as a JSON object.

    `views` are the scan's in the capture, where they are known.

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
    views = ScanViews.of_capture(capture, scan) if views is None else views
    return {
        "schema_version": SCHEMA_VERSION,
        "vertices": len(scan.vertices),
        "faces": len(scan.faces),
        "skin_share": _rounded(labels.skin.mean()),
        "unseen_share": None if labels.views is None else _rounded((labels.views == 0).mean()),
        "accuracy": {
            "skin_labels": _spread(labels.distance_mm[labels.skin]),
            "skin_pixels": _spread(labels.distance_mm[views.on_skin]),
        },
        "completeness": {**_completeness(scan, head, views), "hair": _hair_share(views)},
    }


def measure_regions(
    scan: Scan,
    head: HeadSurface,
    capture: Capture,
    regions: Mapping[str, NDArray[np.bool_]],
    views: ScanViews | None = None,
) -> dict[str, dict[str, Any]]:
    """Completeness of the visible skin of each region, as `measure_quality` has it of the face: "<region>" and of skin
    whose pixel is surrounded by skin, "<region>_clear".

    Args:
        scan: of the head.
        head: V vertices.
        capture: cameras and class masks.
        regions: name -> (V,); a face belongs to a region where its three corners do.
        views: the scan's in the capture, where they are known.
    """
    views = ScanViews.of_capture(capture, scan) if views is None else views
    skin = _HeadSkin.of(scan, head, views)
    found: dict[str, dict[str, Any]] = {}
    for name, mask in regions.items():
        found |= skin.completeness(name, mask[head.faces].all(axis=1)[skin.chosen], views)
    return found


def measure_capture(folder: Path) -> Path:
    """`measure_quality` of the labelled capture in `folder`; writes `quality.json`, atomically. Returns its path."""
    capture = Capture.read(folder)
    scan = Scan.read(capture.scan_path)
    labels = Labels.read(capture.labels_path, len(scan.vertices))
    return _write(folder, measure_quality(scan, labels, HeadSurface.read(capture.head_path), capture))


def label_and_measure(
    folder: Path, threshold_mm: float = LabelSettings.threshold_mm, skin_parts: Sequence[str] = LabelSettings.skin_parts
) -> tuple[Path, Path]:
    """`label_capture` and `measure_capture`, and labels of all variants of the scan; returns the paths of the former.

    What they are all made of is read and computed once.
    """
    made = label_folder(Path(folder), None, threshold_mm, skin_parts)
    path = Path(folder) / Capture.LABELS
    made.labels.write(path)
    label_variants(Path(folder), threshold_mm, skin_parts, made.head)
    return path, _write(folder, measure_quality(made.scan, made.labels, made.head, Capture.read(folder), made.views))


def _write(folder: Path, quality: dict[str, Any]) -> Path:
    path = Path(folder) / Capture.QUALITY
    write_json(path, quality)
    return path


@dataclass(frozen=True, eq=False)
class _HeadSkin:
    """The P faces of the head's skin, by their centroids.

    Attributes:
        chosen: (F,) which of the head's faces they are.
        seen: in the views.
        area: (P,) square metres.
        wanted: (P,) whether enough views see them as skin.
        distance_mm: (P,) to the scan, infinite where a face isn't wanted.
    """

    chosen: NDArray[np.bool_]
    seen: PointViews
    area: NDArray[np.float64]
    wanted: NDArray[np.bool_]
    distance_mm: NDArray[np.float64]

    @classmethod
    def of(cls, scan: Scan, head: HeadSurface, views: ScanViews) -> Self:
        """Look for the faces in the views, and for those that are seen in the scan."""
        skin = head.part("skin")
        points, normals, area = _centroids(head, skin)
        seen = PointViews.of(points, normals, views.cameras, head_caster(head))
        wanted = seen.agreed(views.masks, [PixelClass.SKIN]) >= _MIN_VIEWS
        distance_mm = np.full(len(points), np.inf)
        if wanted.any():
            distance_mm[wanted] = 1000 * surface_distance(points[wanted], scan)[0]
        return cls(skin, seen, area, wanted, distance_mm)

    def completeness(self, name: str, inside: NDArray[np.bool_], views: ScanViews) -> dict[str, dict[str, Any]]:
        """Completeness of the faces `inside` (P,), under `name`, and of the clear ones among them."""
        masks = [without_specks(mask) for mask in views.masks]
        clear = self.seen.of_some(inside).agreed(masks, [PixelClass.SKIN]) >= _MIN_VIEWS
        area, distance_mm = self.area[inside], self.distance_mm[inside]
        return {
            name: _share_with_scan(area, self.wanted[inside], distance_mm),
            f"{name}_clear": _share_with_scan(area, clear, distance_mm),
        }


def _completeness(scan: Scan, head: HeadSurface, views: ScanViews) -> dict[str, Any]:
    """Completeness of the face mask, of its clear pixels, and of all skin."""
    skin = _HeadSkin.of(scan, head, views)
    found: dict[str, Any] = {"face_mask": None, "face_mask_clear": None}
    if head.face_mask is not None and head.face_mask.any():
        found = skin.completeness("face_mask", head.face_mask[head.faces].all(axis=1)[skin.chosen], views)
    return found | {"visible_skin": _share_with_scan(skin.area, skin.wanted, skin.distance_mm)}


def _share_with_scan(
    area: NDArray[np.float64], wanted: NDArray[np.bool_], distance_mm: NDArray[np.float64]
) -> dict[str, Any]:
    """Of P faces: the area of those that are wanted, because enough views see them as skin, and what of it has scan.

    Args:
        area: (P,) square metres.
        wanted: (P,).
        distance_mm: (P,) to the scan, right where a face is wanted.
    """
    total = float(area[wanted].sum())
    result: dict[str, Any] = {"area_cm2": _rounded(1e4 * total), "seen_share": None}
    if area.any():
        result["seen_share"] = _rounded(total / area.sum())
    for tolerance in _TOLERANCES_MM:
        share = area[wanted][distance_mm[wanted] <= tolerance].sum() / total if total > 0 else None
        result[f"within_{tolerance:.1f}_mm".replace(".", "_")] = _rounded(share)
    return result


def _hair_share(views: ScanViews) -> float | None:
    """Of all views' pixels that show hair of scalp or beard, the share behind which there is scan; None without any."""
    caster, hair, hit = views.caster, 0, 0
    for camera, mask in zip(views.cameras, views.masks, strict=True):
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
