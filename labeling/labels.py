"""Skin or not: scan vertices close to the head's own surface, on a part that counts as skin.

The paper calls a vertex skin within 1.5 mm of the model's surface, whatever part of the model is nearest there. Here
eyes, teeth and tongue don't count by default: a registration that pulls the template's skin onto an eyeball is as
wrong as one that pulls it onto hair. `skin_parts=HeadSurface.PARTS` gives the paper's rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture import Capture, HeadSurface, InputError, Labels, Mesh, RefusedError, Scan
from capture.folders import check_folder
from labeling.alignment import check_alignment
from labeling.classes import seen_classes
from labeling.settings import LabelSettings
from labeling.visibility import ScanViews
from scans.distance import SurfaceSearch, inside_or_outside

_ENOUGH = 300  # vertices on skin that are enough to check the alignment with
# Sizes that differ by more than this factor are a matter of units.
_MAX_SIZE_RATIO = 8.0


def label_scan(
    scan: Scan,
    head: HeadSurface,
    threshold_mm: float = LabelSettings.threshold_mm,
    skin_parts: Sequence[str] = LabelSettings.skin_parts,
    *,
    on_skin: NDArray[np.bool_] | None = None,
    views: NDArray[np.uint8] | None = None,
    seen_class: NDArray[np.uint8] | None = None,
    search: SurfaceSearch | None = None,
    aligned: bool = False,
) -> Labels:
    """Label every vertex of a scan.

    Args:
        scan: V vertices.
        head: the true surface, in the frame of the scan.
        threshold_mm: a vertex is skin nearer than this.
        skin_parts: the parts of the head (see `HeadSurface.PARTS`) that count as skin.
        on_skin: (V,) vertices that the images say are skin; where given, these must lie on the head.
        views: (V,) number of cameras that see each vertex, to be written with the labels.
        seen_class: (V,) what the class masks show there, likewise.
        search: of the head, where there is one.
        aligned: the frame is known to be the head's: don't check it.

    Returns:
        unsigned distances (V,) in millimetres to the whole head surface, skin (V,), nearest face, its part and side.

    Raises:
        InputError: a threshold that is not positive, an unknown part or none at all, or a scan in another unit or
            frame.
    """
    LabelSettings(threshold_mm, tuple(skin_parts))  # says what is wrong with them
    check_same_size(scan, head)
    points = scan.vertices.astype(float)
    search = search or SurfaceSearch(head)
    if not aligned:
        check_alignment(points if on_skin is None or on_skin.sum() < _ENOUGH else points[on_skin], head, search=search)
    distance, face, where = search.closest_points(points)
    distance_mm = 1000 * distance
    skin = (distance_mm < threshold_mm) & _counts(head, skin_parts)[face]
    assert head.parts is not None  # made up where there was none
    side = inside_or_outside(points, head, face, where)
    part, nearest = head.parts[face], face.astype(np.int32)
    return Labels(distance_mm.astype(np.float32), skin, part, side, views, seen_class, nearest)


def label_capture(
    folder: Path, threshold_mm: float = LabelSettings.threshold_mm, skin_parts: Sequence[str] = LabelSettings.skin_parts
) -> Path:
    """Label the scan of the capture in `folder` and write its `labels.npz`, atomically. Returns the path.

    Raises `InputError` (naming the file) where scan or head surface is missing or unusable, or they don't match.
    """
    path = Path(folder) / Capture.LABELS
    compute_labels(Path(folder), None, threshold_mm, skin_parts).write(path)
    return path


def compute_labels(
    folder: Path,
    scan: Scan | None = None,
    threshold_mm: float = LabelSettings.threshold_mm,
    skin_parts: Sequence[str] = LabelSettings.skin_parts,
) -> Labels:
    """Labels of the scan in the capture `folder`, or of another scan of it; nothing is written.

    Raises `InputError` (naming the file) where scan or head surface is missing or unusable, or they don't match.
    """
    return label_folder(folder, scan, threshold_mm, skin_parts).labels


@dataclass(frozen=True, eq=False)
class Labelled:
    """A capture's scan with its labels, and what they were made of.

    Attributes:
        scan, head: V vertices; the true surface.
        labels: of the V vertices.
        views: the scan in the capture's views; None without cameras.
    """

    scan: Scan
    head: HeadSurface
    labels: Labels
    views: ScanViews | None


def label_folder(folder: Path, scan: Scan | None, threshold_mm: float, skin_parts: Sequence[str]) -> Labelled:
    """`compute_labels`, with what they were made of."""
    check_folder(folder)
    scan_path, head_path = folder / Capture.SCAN, folder / Capture.HEAD
    if scan is None and not scan_path.is_file():
        raise InputError(f"scan is missing: {scan_path}; run `p2p reconstruct` on the capture")
    if not head_path.is_file():
        raise InputError(f"head surface is missing: {head_path}; only synthetic captures can be labelled")
    scan, head = scan or Scan.read(scan_path), HeadSurface.read(head_path)
    try:
        views = ScanViews.of_capture(Capture.read(folder), scan) if (folder / "sparse").is_dir() else None
        labels = label_scan(scan, head, threshold_mm, skin_parts, **seen_in(views))
    except InputError as error:
        raise type(error)(f"{folder}: {error}") from None
    return Labelled(scan, head, labels, views)


def seen_in(views: ScanViews | None) -> dict[str, Any]:
    """Arguments of `label_scan` that the cameras give: `views`, and where there are masks `on_skin` and `seen_class`.

    Empty without cameras.
    """
    if views is None:
        return {}
    columns: dict[str, NDArray] = {"views": np.minimum(views.at_vertices.seen, 255).astype(np.uint8)}
    classes = seen_classes(views)
    if classes is not None:
        columns |= {"on_skin": views.on_skin, "seen_class": classes}
    return columns


def check_same_size(scan: Mesh, head: Mesh) -> None:
    """Raise `RefusedError` where scan and head can't be of the same thing: other unit, or far apart."""
    low, high = (np.array([bound(mesh.vertices, axis=0) for mesh in (scan, head)]) for bound in (np.min, np.max))
    sizes = np.linalg.norm(high - low, axis=1)
    ratio = float(sizes[0] / max(sizes[1], 1e-12))
    if not 1 / _MAX_SIZE_RATIO < ratio < _MAX_SIZE_RATIO:
        raise RefusedError(
            f"the scan is {ratio:.3g} times as large as the head: is it in another unit? metres are expected"
        )
    if (low[0] > high[1]).any() or (low[1] > high[0]).any():
        raise RefusedError("scan and head lie apart: they are not in the same frame; reconstruct the capture again")


def _counts(head: HeadSurface, skin_parts: Sequence[str]) -> NDArray[np.bool_]:
    """(F,) whether a face of the head counts as skin."""
    counts = np.zeros(len(head.faces), bool)
    for part in skin_parts:
        counts |= head.part(part)
    return counts
