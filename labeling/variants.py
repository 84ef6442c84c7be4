"""Labels of a capture's further scans: the same surface rebuilt in other styles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from capture import Capture, HeadSurface, InputError, Scan
from capture.variants import find_variants
from labeling.labels import label_scan, seen_in
from labeling.settings import LabelSettings
from labeling.visibility import ScanViews
from scans.distance import SurfaceSearch


def label_variants(
    folder: Path,
    threshold_mm: float = LabelSettings.threshold_mm,
    skin_parts: Sequence[str] = LabelSettings.skin_parts,
    head: HeadSurface | None = None,
) -> tuple[Path, ...]:
    """Label each variant of the capture in `folder` by the rule of its scan; returns the paths of the labels.

    They are of the same cameras as the scan, whose alignment is checked: theirs, smoothed or full of hair as they may
    be, is not. `head` is the true surface, where it was read.

    Raises `InputError` (naming the file) where a scan or the head surface is unusable.
    """
    variants = find_variants(folder)
    if not variants:
        return ()
    capture, head = Capture.read(folder), head or HeadSurface.read(Path(folder) / Capture.HEAD)
    search = SurfaceSearch(head)
    for variant in variants:
        scan = Scan.read(variant.scan_path)
        try:
            seen = seen_in(ScanViews.of_capture(capture, scan))
            labels = label_scan(scan, head, threshold_mm, skin_parts, **seen, search=search, aligned=True)
        except InputError as error:
            raise type(error)(f"{variant.scan_path}: {error}") from None
        labels.write(variant.labels_path)
    return tuple(variant.labels_path for variant in variants)
