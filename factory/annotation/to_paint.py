"""Blender files to paint in: a scan, a mask to start from, and a capture's photographs."""

from __future__ import annotations

import io
import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, InputError, Labels, Scan, write_bytes
from capture.frames import far_origin, shifted_camera
from factory.annotation.blender import run_job
from factory.annotation.options import AnnotateOptions
from generator.jobs.annotation import AnnotationJob, Paint, how_to
from scans.head_sample import HeadSample
from scans.images.undistortion import pinhole_cameras, undistort_to
from scans.meshes.reading import read_scan, scan_key
from scans.scaling import scaled, scaled_camera
from scans.skin_labels import NO_LABELS, default_labels_file, read_skin
from scans.units import find_units, scan_unit

log = logging.getLogger(__name__)

_QUALITY = 92  # of the JPEG pictures in the file


def write_annotation(where: Path, options: AnnotateOptions) -> Path:
    """Write a Blender file with a capture's scan, or a mesh, and a mask to start from; returns its path.

    Raises `InputError` where the scan is missing, labels are of another scan, Blender can't write the file, or it is
    there already: somebody may have painted in it.
    """
    where = Path(where)
    head = HeadSample.from_capture(where) if where.is_dir() else None
    given = read_scan(where) if head is None else head.scan
    out = options.out or (where.with_suffix(".blend") if head is None else where / "annotation.blend")
    if out.suffix.lower() != ".blend":
        raise InputError(f"`out` {out}: a Blender file ends with .blend")
    if out.exists():
        cure = "import it, then move it away, or name another with `out`"
        raise InputError(f"{out} is there already, and somebody may have painted in it; {cure}")
    paint, words = _start(options.labels, where if head is not None else None, given)
    cameras: tuple[Camera, ...] = ()
    if head is not None:
        known = head.metres_per_unit
        units = find_units(given, head.cameras, options.unit, options.camera_unit, f"scan of {where.name}", known)
        metres, cameras = units.scan, tuple(scaled_camera(each, units.cameras) for each in head.cameras)
        log.info("units of %s", units.text)
    elif options.camera_unit is not None:
        raise InputError(f"`camera_unit` {options.camera_unit}: {where} is a mesh alone, without cameras; leave it out")
    else:
        metres, told = scan_unit(given, options.unit, f"scan of {where.name}")
        log.info("unit of %s", told)
    with tempfile.TemporaryDirectory(prefix="p2p-annotate-") as name:
        folder = Path(name)
        scan = scaled(given, metres)
        origin = far_origin(scan.vertices)  # Blender's positions are in single precision
        cameras = tuple(shifted_camera(camera, origin) for camera in cameras)
        _write_scan(folder / "scan.npz", replace(scan, vertices=scan.vertices - origin), paint)
        flat, images = ((), ()) if head is None else _views(cameras, head, folder)
        text = how_to(where.resolve().stem, out.name, bool(images), given.colours is not None)
        made = folder / "painted.blend"
        job = AnnotationJob(made, folder / "scan.npz", scan_key(given), metres, text, flat, images)
        run_job(job, folder, options.blender, f"annotation of {where.name}", out)
        write_bytes(out, made.read_bytes())
    log.info("%s: %s; paint, save, and run `p2p annotate --import %s`", out, words, out)
    return out


def _start(labels: str | None, folder: Path | None, scan: Scan) -> tuple[NDArray[np.uint8], str]:
    """(V,) the `Paint` to start from, and in words where it comes from."""
    path = None if labels in (None, NO_LABELS) else Path(str(labels))
    if labels is None and folder is not None:
        path = default_labels_file(folder)
    if path is None:
        return np.full(len(scan.vertices), Paint.NONE, np.uint8), "nothing is painted yet"
    former = read_skin(path, scan)
    paint = np.where(former.skin, Paint.SKIN, Paint.OTHER).astype(np.uint8)
    if isinstance(former, Labels):
        paint[~former.is_known] = Paint.NONE
    return paint, f"painted as in {path}"


def _write_scan(path: Path, scan: Scan, paint: NDArray[np.uint8]) -> None:
    arrays: dict[str, Any] = {"vertices": scan.vertices, "faces": scan.faces, "paint": paint}
    if scan.colours is not None:
        arrays["colours"] = scan.colours
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_bytes(path, buffer.getvalue())


def _views(
    cameras: tuple[Camera, ...], sample: HeadSample, folder: Path
) -> tuple[tuple[Camera, ...], tuple[Path, ...]]:
    """The cameras as pinholes, and pictures that fit them."""
    flat, images = pinhole_cameras(cameras), []
    for number, (camera, straight) in enumerate(zip(cameras, flat, strict=True)):
        image = sample.view_pixels(number)
        images.append(folder / f"{number:03d}_{Path(camera.name).stem}.jpg")
        Image.fromarray(undistort_to(image, camera, straight)).save(images[-1], quality=_QUALITY, subsampling=0)
    return tuple(flat), tuple(images)
