"""Masks that people paint on scans: to a Blender file and back."""

from __future__ import annotations

import io
import logging
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, Capture, InputError, Labels, Scan, write_bytes, write_json
from capture.arrays import read_npz
from factory.failures import StageError
from factory.heads import GENERATE_SCRIPT
from factory.processes import run_stage
from factory.registration import is_prediction, known_labels
from training.features.lifting import bilinear_matrix
from training.images import decode_image
from training.predictions import Prediction
from training.scans import read_labels, read_scan, scan_key
from training.units import find_units, scaled, scaled_camera, scan_unit

log = logging.getLogger(__name__)

NOTHING = "none"
# Linear colours of the paint: what is skin, and everything else.
SKIN, OTHER = np.array([0.80, 0.22, 0.05]), np.array([0.05, 0.14, 0.40])
_TEXT = """How to paint the mask

The scan is in vertex paint. Orange is skin, blue is everything else: hair, beard, brows that stand off, eyes, clothes,
and what stereo made up.

1. Press F to size the brush, Shift F for its strength; paint with strength 1.
2. The brush paints skin. X swaps to the other colour, and back.
3. To look at the photograph: choose a camera in the outliner, Ctrl 0 on the number pad. Its picture lies half over the
   scan. A scan's own colours are the colour attribute "photo colours"; go back to "skin mask" to paint.
4. Don't move, smooth, delete or add vertices: labels belong to the scan as it is.
5. Save, then:  p2p annotate --import FILE.blend

Half-painted vertices count as the nearer colour.
"""


@dataclass(frozen=True)
class AnnotateOptions:
    """How a scan becomes a file to paint.

    Attributes:
        labels: `labels.npz` or `prediction.npz` to start from, or "none"; None for the capture's prediction, else its
            labels, else nothing.
        unit: of the scan; guessed where None.
        out: the `.blend`; by default `annotation.blend` in the capture, or `<scan>.blend` beside the scan.
        blender: a Blender binary, 3.4 or later; None for the `bpy` wheel.
    """

    labels: str | None = None
    unit: str | None = None
    out: Path | None = None
    blender: Path | None = None


def write_annotation(where: Path, options: AnnotateOptions) -> Path:
    """Write a Blender file with a capture's scan, or a mesh, and a mask to start from; returns its path.

    Raises `InputError` where the scan is missing, labels are of another scan, or Blender can't write the file.
    """
    where = Path(where)
    capture = Capture.read(where) if where.is_dir() else None
    source = where if capture is None else capture.scan_path
    given = read_scan(source)
    skin, words = _start(options.labels, where if capture is not None else None, given)
    out = options.out or (source.with_suffix(".blend") if capture is None else where / "annotation.blend")
    if out.suffix.lower() != ".blend":
        raise InputError(f"--out {out}: a Blender file ends with .blend")
    cameras = () if capture is None else capture.cameras
    if cameras:
        units = find_units(given, cameras, options.unit, None, f"scan of {where.name}")
        scan, cameras = scaled(given, units.scan), tuple(scaled_camera(each, units.cameras) for each in cameras)
        log.info("units of %s", units.text)
    else:
        metres, told = scan_unit(given, options.unit, f"scan of {where.name}")
        scan = scaled(given, metres)
        log.info("unit of %s", told)
    with tempfile.TemporaryDirectory(prefix="p2p-annotate-") as name:
        folder = Path(name)
        _write_scan(folder / "scan.npz", scan, skin)
        views = [] if capture is None else _views(cameras, capture.image_paths, folder)
        paint = {"skin": SKIN.tolist(), "other": OTHER.tolist()}
        job = {"out": str(folder / "painted.blend"), "scan": str(folder / "scan.npz"), "text": _TEXT,
               "key": scan_key(given), "cameras": views, "paint": paint}  # fmt: skip
        write_json(folder / "job.json", job)
        _blender(folder / "job.json", options.blender, f"annotation of {where.name}", out)
        write_bytes(out, (folder / "painted.blend").read_bytes())
    log.info("%s: %s; paint, save, and run `p2p annotate --import %s`", out, words, out)
    return out


def import_annotation(blend: Path, out: Path | None, blender: Path | None) -> Path:
    """Turn the painted mask of a file into `labels.npz`; returns its path.

    Args:
        blend: the file.
        out: a capture, whose scan it must be, or an `.npz` file; by default the capture that the file lies in, else
            `<file>.npz`.
        blender: as for `AnnotateOptions`.

    Raises `InputError` where the file is none of ours, was changed beyond paint, or is of another scan.
    """
    blend = Path(blend)
    if not blend.is_file():
        raise InputError(f"no such file: {blend}")
    target, capture = _target(blend, out)
    with tempfile.TemporaryDirectory(prefix="p2p-annotate-") as name:
        folder = Path(name)
        write_json(folder / "job.json", {"read": str(blend.resolve()), "out": str(folder / "painted.npz")})
        try:
            _blender(folder / "job.json", blender, f"annotation in {blend.name}", target)
        except StageError as error:  # an older Blender crashes over a newer one's file
            cure = "import with the Blender that saved it, or a newer one: --blender"
            raise InputError(f"{blend} can't be read by this Blender ({error}); {cure}") from None
        arrays = read_npz(folder / "painted.npz")
    skin = skin_of(arrays["mask"])
    if not skin.any():
        raise InputError(f"{blend}: nothing is painted as skin (orange); paint, save and import again")
    key = str(arrays["key"])
    if capture is not None and scan_key(read_scan(capture.scan_path)) != key:
        cure = "name the capture, or the .npz, that its labels are for: --out"
        raise InputError(f"{blend} was painted on another scan than {capture.scan_path}; {cure}")
    Labels(np.full(len(skin), np.nan, np.float32), skin, scan=key).write(target)
    log.info("%s: %d of %d vertices are skin", target, int(skin.sum()), len(skin))
    return target


def skin_of(mask: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(V,) whether linear colours (V, 3) are nearer to the paint of skin than to the other."""
    way = SKIN - OTHER
    return np.asarray((np.asarray(mask, float) - OTHER) @ way > 0.5 * (way @ way))


def _start(labels: str | None, folder: Path | None, scan: Scan) -> tuple[NDArray[np.bool_], str]:
    """(V,) the mask to start from, and in words where it comes from."""
    nothing = np.zeros(len(scan.vertices), bool)
    if labels == NOTHING:
        return nothing, "nothing is painted yet"
    path = None if labels is None else Path(labels)
    if path is None and folder is not None:
        path = known_labels(folder)
    if path is None:
        return nothing, "nothing is painted yet, as there is no prediction"
    if not path.is_file():
        raise InputError(f"no labels at {path}; make some with `p2p segment`, or start with --labels none")
    skin = Prediction.read(path, scan).skin if is_prediction(path) else read_labels(path, scan).skin
    return skin, f"painted as in {path}"


def _write_scan(path: Path, scan: Scan, skin: NDArray[np.bool_]) -> None:
    mask = np.where(skin[:, None], SKIN, OTHER)
    arrays: dict[str, Any] = {"vertices": scan.vertices, "faces": scan.faces, "mask": mask}
    if scan.colours is not None:
        arrays["colours"] = scan.colours
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_bytes(path, buffer.getvalue())


def _views(cameras: tuple[Camera, ...], paths: tuple[Path, ...], folder: Path) -> list[dict[str, Any]]:
    """The cameras as pinholes, with pictures that fit them."""
    found = []
    for number, (camera, path) in enumerate(zip(cameras, paths, strict=True)):
        image = decode_image(path.read_bytes(), str(path))
        pinhole = replace(camera, model="PINHOLE", params=(*camera.focal, *camera.principal))
        name = folder / f"{number:03d}_{Path(camera.name).stem}.jpg"
        Image.fromarray(undistort(image, camera) if camera.distorted else image).save(name, quality=92)
        found.append({**pinhole.to_json(), "image": str(name)})
    return found


def undistort(image: NDArray[np.uint8], camera: Camera) -> NDArray[np.uint8]:
    """The image (H, W, 3) as the same camera would take it without distortion; black where it saw nothing."""
    height, width = image.shape[:2]
    sized = camera.resized(width, height)
    pinhole = replace(sized, model="PINHOLE", params=(*sized.focal, *sized.principal))
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    pixels, _ = sized.project(pinhole.unproject(np.stack([x, y], axis=-1).reshape(-1, 2), 1.0))
    seen = sized.inside(pixels)
    shares = np.where(seen[:, None], pixels, 0) / (width, height)
    values = bilinear_matrix(shares, height, width) @ image.reshape(-1, 3).astype(np.float32)
    return np.where(seen[:, None], values, 0).round().astype(np.uint8).reshape(image.shape)


def _target(blend: Path, out: Path | None) -> tuple[Path, Capture | None]:
    """Where labels go, and the capture that they are of."""
    folder = out if out is not None and out.is_dir() else (blend.parent if out is None else None)
    if folder is not None and (folder / "sparse").is_dir() and (folder / Capture.SCAN).is_file():
        return folder / Capture.LABELS, Capture.read(folder)
    if out is not None and out.is_dir():
        raise InputError(f"--out {out} is no capture with a scan; name a capture or an .npz file")
    target = blend.with_suffix(".npz") if out is None else out
    if target.suffix != ".npz":
        raise InputError(f"--out {target}: labels are an .npz file")
    return target, None


def _blender(job: Path, blender: Path | None, what: str, out: Path) -> None:
    command: list[object] = [sys.executable, GENERATE_SCRIPT]
    if blender is not None:
        command = [blender, "--background", "--disable-autoexec", "--python", GENERATE_SCRIPT, "--"]
    log_path = out.with_name(f".{out.stem}.log")
    try:
        run_stage([str(word) for word in (*command, "--annotation", job)], what, log_path)
    except InputError:  # says it all; a crash keeps its output
        log_path.unlink(missing_ok=True)
        raise
    log_path.unlink(missing_ok=True)
