"""Labels in a Blender file that somebody painted in."""

from __future__ import annotations

import itertools
import logging
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import Capture, InputError, Labels
from capture.arrays import read_npz
from capture.labels import is_painted
from factory.annotation.blender import run_job
from factory.stages.failures import StageError
from factory.stages.stamps import stamp_path
from generator.jobs.annotation import Paint, PaintJob, read_colours
from scans.meshes.reading import read_scan, scan_key

log = logging.getLogger(__name__)


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
            run_job(job, folder, blender, f"annotation in {blend.name}", target)
        except StageError as error:  # an older Blender crashes over a newer one's file
            cure = "import with the Blender that saved it, or a newer one: `blender`"
            raise InputError(f"{blend} can't be read by this Blender ({error}); {cure}") from None
        arrays = read_npz(folder / "painted.npz")
    paint, changed = _paint_of_mask(blend, arrays["mask"], arrays["start"])
    key = str(arrays["key"])
    if capture is not None and scan_key(read_scan(capture.scan_path)) != key:
        cure = "name the capture, or the .npz, that its labels are for: `out`"
        raise InputError(f"{blend} was painted on another scan than {capture.scan_path}; {cure}")
    if target.is_file() and not is_painted(target):
        raise InputError(f"{target} was not painted: move it away, or name another file with `out`")
    skin, known = paint == Paint.SKIN, paint != Paint.NONE
    distance_mm = np.full(len(skin), np.nan, np.float32)
    labels = Labels(distance_mm, skin, known=None if known.all() else known, scan=key, painted=True)
    before = Labels.read(target) if target.is_file() else None
    same = before is not None and before.scan == key and _are_equal(before, labels)
    if not changed and not same:
        cure = "a mask that no one has mended is no ground truth: paint where it is wrong, save and import again"
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


def _are_equal(one: Labels, other: Labels) -> bool:
    """Whether two labels of a scan say the same of each vertex."""
    return np.array_equal(one.skin, other.skin) and np.array_equal(one.is_known, other.is_known)


def _paint_of_mask(blend: Path, mask: NDArray[np.uint8], start: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """(V,) `Paint` of painted colours (V, 3), and the count of vertices that differ from the `Paint` (V,) of the start.

    Raises `InputError` where nothing is painted, or none of it as skin.
    """
    paint = read_colours(mask)
    bare, changed = int((paint == Paint.NONE).sum()), int((paint != start).sum())
    if bare == len(paint) or not (paint == Paint.SKIN).any():
        what = "nothing is painted" if bare == len(paint) else "nothing is painted as skin (orange)"
        raise InputError(f"{blend}: {what} in the colours 'skin mask'; paint, save and import again")
    if bare:
        log.warning("%s: %d of %d vertices are not painted: it stays open what they are", blend, bare, len(paint))
    if changed:
        log.info("%s: %d of %d vertices were painted otherwise than at the start", blend, changed, len(paint))
    return np.asarray(paint), changed


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
