"""Masks that people paint on scans: to a Blender file and back."""

from __future__ import annotations

import io
import itertools
import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, Capture, InputError, Labels, Scan, write_bytes
from capture.arrays import read_npz
from capture.labels import is_painted
from factory.annotate_options import AnnotateOptions
from factory.stages.blender import run_blender
from factory.stages.failures import StageError
from factory.stages.stamps import stamp_path
from generator.jobs.annotation import Paint, how_to, read_colours
from generator.jobs.scans import AnnotationJob, PaintJob
from scans.head_sample import HeadSample
from scans.meshes import read_scan, scan_key
from scans.skin_labels import NO_LABELS, known_labels, read_skin
from scans.undistortion import flat_cameras, flatten
from scans.units import find_units, scaled, scaled_camera, scan_unit

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
        units = find_units(given, head.cameras, options.unit, options.camera_unit, f"scan of {where.name}")
        metres, cameras = units.scan, tuple(scaled_camera(each, units.cameras) for each in head.cameras)
        log.info("units of %s", units.text)
    elif options.camera_unit is not None:
        raise InputError(f"`camera_unit` {options.camera_unit}: {where} is a mesh alone, without cameras; leave it out")
    else:
        metres, told = scan_unit(given, options.unit, f"scan of {where.name}")
        log.info("unit of %s", told)
    with tempfile.TemporaryDirectory(prefix="p2p-annotate-") as name:
        folder = Path(name)
        _write_scan(folder / "scan.npz", scaled(given, metres), paint)
        flat, images = ((), ()) if head is None else _views(cameras, head, folder)
        text = how_to(where.resolve().stem, out.name, bool(images), given.colours is not None)
        made = folder / "painted.blend"
        job = AnnotationJob(made, folder / "scan.npz", scan_key(given), metres, text, flat, images)
        _blender(job, folder, options.blender, f"annotation of {where.name}", out)
        write_bytes(out, made.read_bytes())
    log.info("%s: %s; paint, save, and run `p2p annotate --import %s`", out, words, out)
    return out


def import_annotation(blend: Path, out: Path | None, blender: Path | None) -> Path:
    """Turn the painted mask of a file into `labels.npz`; returns its path.

    Args:
        blend: the file.
        out: a capture, whose scan it must be, or an `.npz` file; by default the capture that the file lies in, else
            `<file>.npz`.
        blender: as for `AnnotateOptions`.

    Labels that were painted before and differ are kept beside, as `labels_1.npz` and so on.

    Raises `InputError` where the file is none of ours, was changed beyond paint, or is of another scan, where nobody
    has painted in it, and where labels would take the place of computed ones.
    """
    blend = Path(blend)
    if not blend.is_file():
        raise InputError(f"no such file: {blend}")
    target, capture = _target(blend, out)
    with tempfile.TemporaryDirectory(prefix="p2p-annotate-") as name:
        folder = Path(name)
        job = PaintJob(blend.resolve(), folder / "painted.npz")
        try:
            _blender(job, folder, blender, f"annotation in {blend.name}", target)
        except StageError as error:  # an older Blender crashes over a newer one's file
            cure = "import with the Blender that saved it, or a newer one: `blender`"
            raise InputError(f"{blend} can't be read by this Blender ({error}); {cure}") from None
        arrays = read_npz(folder / "painted.npz")
    skin, changed = _skin_of_paint(blend, arrays["mask"], arrays["start"])
    key = str(arrays["key"])
    if capture is not None and scan_key(read_scan(capture.scan_path)) != key:
        cure = "name the capture, or the .npz, that its labels are for: `out`"
        raise InputError(f"{blend} was painted on another scan than {capture.scan_path}; {cure}")
    if target.is_file() and not is_painted(target):
        raise InputError(f"{target} was not painted: move it away, or name another file with `out`")
    labels = Labels(np.full(len(skin), np.nan, np.float32), skin, scan=key, painted=True)
    before = Labels.read(target) if target.is_file() else None
    same = before is not None and before.scan == key and np.array_equal(before.skin, skin)
    if not changed and not same:
        cure = "a mask that no one has mended is no truth: paint where it is wrong, save and import again"
        raise InputError(f"{blend}: nobody has painted in it; {cure}")
    if before is not None and not same:
        _keep(target, before)
    if capture is not None:
        stamp_path(capture.folder, "label").unlink(missing_ok=True)  # these labels are not of that stage
    labels.write(target)
    log.info("%s: %d of %d vertices are skin", target, int(skin.sum()), len(skin))
    return target


def _keep(path: Path, labels: Labels) -> None:
    """Write painted labels beside the file whose place others take."""
    names = (path.with_name(f"{path.stem}_{number}.npz") for number in itertools.count(1))
    kept = next(name for name in names if not name.exists())
    labels.write(kept)
    log.info("%s: the labels that were painted before", kept)


def _skin_of_paint(blend: Path, mask: NDArray[np.uint8], start: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], int]:
    """(V,) skin by painted colours (V, 3), and the count of vertices that differ from the `Paint` (V,) of the start.

    Raises `InputError` where nothing is painted, or none of it as skin.
    """
    paint = read_colours(mask)
    bare, changed = int((paint == Paint.NONE).sum()), int((paint != start).sum())
    if bare == len(paint) or not (paint == Paint.SKIN).any():
        what = "nothing is painted" if bare == len(paint) else "nothing is painted as skin (orange)"
        raise InputError(f"{blend}: {what} in the colours 'skin mask'; paint, save and import again")
    if bare:
        log.warning("%s: %d of %d vertices are not painted, and count as not skin", blend, bare, len(paint))
    if changed:
        log.info("%s: %d of %d vertices were painted otherwise than at the start", blend, changed, len(paint))
    return np.asarray(paint == Paint.SKIN), changed


def _start(labels: str | None, folder: Path | None, scan: Scan) -> tuple[NDArray[np.uint8], str]:
    """(V,) the `Paint` to start from, and in words where it comes from."""
    path = None if labels in (None, NO_LABELS) else Path(str(labels))
    if labels is None and folder is not None:
        path = known_labels(folder)
    if path is None:
        return np.full(len(scan.vertices), Paint.NONE, np.uint8), "nothing is painted yet"
    skin = read_skin(path, scan).skin
    return np.where(skin, Paint.SKIN, Paint.OTHER).astype(np.uint8), f"painted as in {path}"


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
    flat, images = flat_cameras(cameras), []
    for number, (camera, straight, image) in enumerate(zip(cameras, flat, sample.pixels(), strict=True)):
        images.append(folder / f"{number:03d}_{Path(camera.name).stem}.jpg")
        Image.fromarray(flatten(image, camera, straight)).save(images[-1], quality=_QUALITY, subsampling=0)
    return tuple(flat), tuple(images)


def _target(blend: Path, out: Path | None) -> tuple[Path, Capture | None]:
    """File of the labels, and the capture that they are of."""
    folder = out if out is not None and out.is_dir() else (blend.parent if out is None else None)
    if folder is not None and (folder / "sparse").is_dir() and (folder / Capture.SCAN).is_file():
        return folder / Capture.LABELS, Capture.read(folder)
    if out is not None and out.is_dir():
        raise InputError(f"`out` {out} is no capture with a scan; name a capture or an .npz file")
    target = blend.with_suffix(".npz") if out is None else out
    if target.suffix != ".npz":
        raise InputError(f"`out` {target}: labels are an .npz file")
    return target, None


def _blender(job: AnnotationJob | PaintJob, folder: Path, blender: Path | None, what: str, out: Path) -> None:
    """Have Blender do a job; its output is kept beside `out` where it fails. No code in what it opens is run."""
    log_path = out.with_name(f".{out.stem}.log")
    try:
        run_blender(job, folder / "job.json", blender, what, log_path, flags=("--disable-autoexec",))
    except InputError:  # says it all; a crash keeps its output
        log_path.unlink(missing_ok=True)
        raise
    if not job.out.is_file():  # what can't run the script ends with code 0
        raise InputError(f"{blender or 'bpy'} made no file: is it Blender 3.4 or later? Its output is in {log_path}")
    log_path.unlink(missing_ok=True)
