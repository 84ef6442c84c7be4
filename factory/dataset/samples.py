"""One capture as a WebDataset sample; `scans.head_sample` reads it back."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, Capture, InputError, Labels, Scan, read_json
from capture.variants import find_variants
from factory.stages.stamps import history
from generator.attributes import attributes_of
from scans.images.class_masks import read_class_masks
from scans.images.decoding import decode_image

# Raise it when what is in a sample or its facts changes: data sets are packed again.
# 2: part, side, views, seen_class; 3: no times; 4: facts say looks, assets and counts of distances;
# 5: the masks of captures that have them; 6: scans in other styles.
FORMAT = 6
JPEG_QUALITY = 95
# Edges of the bins in which facts count distances; one more bin holds those beyond the last edge.
DISTANCE_EDGES_MM = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
_LABELS = ("distance_mm", "skin", "part", "side", "views", "seen_class", "known")


def encode(capture: Capture) -> dict[str, bytes]:
    """The sample of a labelled capture: file extension -> bytes; the same capture gives the same bytes.

    Raises `InputError` where a file is missing or damaged.
    """
    scan = Scan.read(capture.scan_path)
    labels = Labels.read(capture.labels_path, len(scan.vertices))
    if labels.seen_class is None:
        from labeling.classes import seen_classes  # here: `p2p` starts without the libraries of the stages
        from labeling.visibility import ScanViews

        labels = replace(labels, seen_class=seen_classes(ScanViews.of_capture(capture, scan)))
    return encode_sample(capture, capture.cameras, scan, labels) | _variants(capture)


def encode_sample(capture: Capture, cameras: Sequence[Camera], scan: Scan, labels: Labels) -> dict[str, bytes]:
    """The sample of a capture with these cameras, scan and labels in the place of its own. Raises as `encode` does."""
    info = capture.info.to_json() | {
        "cameras": [camera.to_json() for camera in cameras],
        "stages": {stage: {"options": _portable(run["options"])} for stage, run in history(capture.folder).items()},
    }
    if labels.painted:
        info["painted"] = True
    files = {"capture.json": json.dumps(info, allow_nan=False).encode()}
    for i, path in enumerate(capture.image_paths):
        files[f"view_{i:02d}.jpg"] = _jpeg(decode_image(path.read_bytes(), str(path)))
    files |= _masks(capture)
    files["scan.npz"] = _scan(scan, labels)
    return files


def _scan(scan: Scan, labels: Labels) -> bytes:
    """A labelled scan as NPZ."""
    arrays: dict[str, NDArray] = {"vertices": scan.vertices, "faces": scan.faces}
    arrays |= {name: getattr(labels, name) for name in _LABELS if getattr(labels, name) is not None}
    if scan.colours is not None:
        arrays["colours"] = scan.colours
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _variants(capture: Capture) -> dict[str, bytes]:
    """The capture's scans in other styles, each with its labels and the record of its style."""
    files = {}
    for variant in find_variants(capture.folder):
        scan = Scan.read(variant.scan_path)
        files[f"scan_{variant.number:02d}.npz"] = _scan(scan, Labels.read(variant.labels_path, len(scan.vertices)))
        style = read_json(variant.style_path, "the style of a scan")
        files[f"style_{variant.number:02d}.json"] = json.dumps(style, allow_nan=False, sort_keys=True).encode()
    return files


def facts(capture: Capture) -> dict[str, Any]:
    """Facts of a head for its archive's index: seed, counts, distances, attributes, quality, versions."""
    scan = Scan.read(capture.scan_path)
    known = facts_of(capture, scan, Labels.read(capture.labels_path, len(scan.vertices)))
    variants = find_variants(capture.folder)
    return known | ({"scans": 1 + len(variants)} if variants else {})


def facts_of(capture: Capture, scan: Scan, labels: Labels) -> dict[str, Any]:
    """Facts of a capture with this scan and these labels in the place of its own."""
    known = labels.is_known
    measured = np.isfinite(labels.distance_mm)
    values: dict[str, Any] = {
        "seed": capture.info.seed,
        "vertices": len(labels),
        "faces": len(scan.faces),
        "skin_share": round(float(labels.skin[known].mean()), 6) if known.any() else 0.0,
        "skin_distance_mm_median": _median(labels.distance_mm[labels.skin & measured]),
        "distance_counts": _count(labels.distance_mm[measured]),
        "look": attributes_of(capture.info),
        "assets": sorted({asset["id"] for asset in capture.info.assets if "id" in asset}),
        "versions": dict(capture.info.versions),
    }
    if labels.painted:
        values["painted"] = True
    quality_path = capture.folder / Capture.QUALITY
    if quality_path.is_file():
        quality = read_json(quality_path, "quality")
        values["quality"] = {key: quality[key] for key in ("accuracy", "completeness") if key in quality}
    return values


def _masks(capture: Capture) -> dict[str, bytes]:
    """The class ids of each view as a PNG; nothing where the capture has none."""
    masks = read_class_masks(capture)
    missing = [path for path, mask in zip(capture.mask_paths, masks, strict=True) if mask is None]
    if len(missing) == len(masks):
        return {}
    if missing:
        raise InputError(f"mask is missing: {missing[0]}, of other views there are some; generate the capture again")
    files = {}
    for i, classes in enumerate(masks):
        buffer = io.BytesIO()
        assert classes is not None
        # runs of equal ids: as small as with the search for repeats of all kinds, in a tenth of the time
        Image.fromarray(classes).save(buffer, "PNG", compress_type=zlib.Z_RLE)
        files[f"view_{i:02d}.mask.png"] = buffer.getvalue()
    return files


def _count(distance_mm: NDArray) -> list[int]:
    """Vertices in each bin of `DISTANCE_EDGES_MM`, and last those beyond."""
    return [int(n) for n in np.histogram(distance_mm, [*DISTANCE_EDGES_MM, np.inf])[0]]


def _median(values: NDArray) -> float | None:
    return round(float(np.median(values)), 4) if values.size else None


def _portable(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options without those that differ between machines that make the same: paths of Blender and the head model."""
    kept = {key: value for key, value in options.items() if key != "blender"}
    if isinstance(kept.get("head_model"), list):
        kept["head_model"] = kept["head_model"][-1]  # its content
    return kept


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()
