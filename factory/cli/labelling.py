"""Commands for people's own scans: segment, register, annotate."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from capture import Capture, InputError
from capture.derived import PREDICTION
from factory.annotation.options import AnnotateOptions
from factory.cli.checks import check_blender, check_capture
from factory.cli.parser import Command, argument, group
from factory.console import track_share
from factory.many import ManyOptions, Progress, apart, expand, output_capture, refuse, run_each
from registration.options import RegisterOptions
from registration.texture.options import TextureOptions
from scans.mask_options import MaskOptions
from scans.scale import CaptureScale, check_scale
from scans.skin_labels import NO_LABELS
from training.early_checks import check_checkpoint
from training.options import SegmentOptions

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Options of `segment`.

    Attributes:
        capture: folder of the capture: images, their cameras, and the scan; or a mesh file with colours alone,
            of which views are rendered into <mesh>.capture. Several, or a pattern such as 'captures/*', are done one
            after the other.
        checkpoint: labeller to use, a checkpoint of `p2p fit`; by default the one that comes with the program.
        scan: the scan, .ply, .obj, .stl, .off, .3mf or .glb; by default scan.ply in the capture.
        reuse: take the prediction that is there, and write view.html and what is asked for beside it.
        no_view: write no view.html.
        out: folder of the prediction's files, prediction/ in the capture by default; of several captures each gets a
            folder in it.
        formats: further files of the labelled scan, separated by commas: obj (polygon groups and materials for Wrap,
            Maya and others), blend (vertex groups, selected faces).
    """

    capture: tuple[Path, ...] = argument()
    checkpoint: Path | None = None
    scan: Path | None = None
    options: SegmentOptions = group(SegmentOptions())
    reuse: bool = False
    no_view: bool = False
    out: Path | None = None
    formats: tuple[str, ...] = ()
    masks: MaskOptions = group(MaskOptions(), "masks")
    many: ManyOptions = group(ManyOptions(), "several captures")

    def __post_init__(self) -> None:
        if foreign := [name for name in self.formats if name not in ("obj", "blend")]:
            raise InputError(
                f"`formats` {foreign[0]}: obj and blend are what there is; segmented.ply is always written"
            )
        if not self.reuse:
            return
        if self.no_view and not self.masks.masks and not self.formats:
            raise InputError("`reuse` computes no labels: say with `masks` or `formats` what to write")
        given = {
            "`checkpoint`": self.checkpoint,
            "`unit`": self.options.unit,
            "`camera_unit`": self.options.camera_unit,
        }
        if foreign := [name for name, value in given.items() if value is not None]:
            raise InputError(f"{', '.join(foreign)}: the prediction that `reuse` takes has its own; leave it out")


def segment(options: Segment) -> None:
    """Predict with a trained labeller which vertices of a scan are skin."""
    captures = expand(options.capture)
    refuse(len(captures), {"scan": options.scan})
    if len(captures) > 1 and not options.reuse:
        check_checkpoint(options.checkpoint)
    places = apart(captures, options.out) if options.out is not None and len(captures) > 1 else {}
    run_each(captures, partial(_segment, options, places), "segmenting", options.many, output_capture)


def _segment(options: Segment, places: Mapping[Path, Path], capture: Path, progress: Progress | None = None) -> str:
    """Segment a capture or a mesh; returns a few words on what came of it. `places` are folders other than `out`."""
    options = replace(options, out=places.get(capture, options.out))
    if capture.is_file():
        options, capture = _with_views(options, capture, progress)
    check_capture(capture, options.scan)
    _check_out(options.out)
    _check_overwritten(options.out or capture / "prediction", options.scan or capture / "scan.ply")
    if "blend" in options.formats:
        check_blender()
    words, scale = ("", None) if options.reuse else _predict(options, capture)
    if options.reuse or options.masks.masks or options.formats:
        _write_more(options, capture)
    if scale is not None:  # when all is written, to be looked at
        check_scale(str(capture), scale)
    return words


def _with_views(options: Segment, path: Path, share: Progress | None) -> tuple[Segment, Path]:
    """The options for the capture of views that are rendered of a mesh, or were, where `reuse`; and that capture."""
    from scans.mesh_views.rendered_capture import capture_folder, render_capture

    if options.scan is not None:
        raise InputError(f"`scan` {options.scan}: {path} is a mesh itself; name the capture that the scan belongs to")
    units = _same_unit(options.options, path)
    if not options.reuse:
        check_checkpoint(options.checkpoint)
        with nullcontext(share) if share else track_share(f"views of {path.name}") as progress:
            render_capture(path, progress=progress)
    return replace(options, scan=path, options=units), capture_folder(path)


def _same_unit(options: SegmentOptions, path: Path) -> SegmentOptions:
    """The options with the cameras' unit that of the mesh, as the views are in its frame."""
    if options.camera_unit is not None:
        raise InputError(f"`camera_unit`: the views of {path} are in its own unit; state `unit` alone")
    return options if options.unit is None else replace(options, camera_unit=options.unit)


def _write_more(options: Segment, capture: Path) -> None:
    from scans.labelled import Labelled
    from scans.labelled_obj import write_obj
    from scans.prediction_masks import write_masks

    labelled = Labelled.read(capture, options.scan, options.out)
    if options.reuse and not options.no_view:
        from scans.labelled_view import labelled_view
        from scans.viewer.page import PAGE, write_view

        write_view(labelled.folder / PAGE, labelled_view(labelled))
    if options.masks.masks:
        write_masks(labelled, options.masks)
    if "obj" in options.formats:
        write_obj(labelled)
    if "blend" in options.formats:
        from factory.labelled_blend import write_blend

        write_blend(labelled)


def _check_out(out: Path | None) -> None:
    """Raise `InputError` where a folder is no place for a prediction."""
    if out is not None and out.exists() and not out.is_dir():
        raise InputError(f"`out` {out} is a file; name a folder")
    if out is not None and (out / Capture.INFO).is_file():
        raise InputError(f"`out` {out} is a capture; name a folder of its own")


def _check_overwritten(place: Path, scan: Path) -> None:
    """Raise `InputError` where a file of the scan stands where one of the prediction's is written."""
    from scans.meshes.companions import files_of

    written = {place / name.removeprefix("prediction/") for name in PREDICTION}
    if not any(path.exists() for path in written):
        return
    for path in files_of(scan):
        if next((each for each in (path, *path.parents) if each in written), None) is not None:
            raise InputError(f"{path} belongs to the scan, and would be overwritten; give another folder with `out`")


def _predict(options: Segment, capture: Path) -> tuple[str, CaptureScale | None]:
    """Words on the prediction, and the scale that it was made with."""
    check_checkpoint(options.checkpoint)
    from factory.capture_scale.segmenting import segment_to_scale
    from training.checkpoints.pretrained import PRETRAINED
    from training.memory import keep_freed_memory

    keep_freed_memory()
    predicted, scale = segment_to_scale(
        capture,
        options.checkpoint or PRETRAINED,
        options.scan,
        options.options,
        need_parts=options.masks.need_parts,
        view=not options.no_view,
        out=options.out,
    )
    skin = predicted.skin
    log.info("%s: %d of %d vertices are skin", options.out or capture / "prediction", skin.sum(), len(skin))
    return f"{skin.mean():.0%} of {len(skin):,} vertices are skin", scale


@dataclass(frozen=True, kw_only=True)
class Register:
    """Options of `register`.

    Attributes:
        scan: folder of the capture, or a mesh (.ply, .obj, .stl, .off, .3mf, .glb); several, or a pattern such as
            'captures/*', are done one after the other, each into its own folder, in `out` where that is given.
    """

    scan: tuple[Path, ...] = argument()
    options: RegisterOptions = group(RegisterOptions())
    texture: TextureOptions = group(TextureOptions(), "texture")
    many: ManyOptions = group(ManyOptions(), "several captures")


def register(options: Register) -> None:
    """Deform a template head onto the skin of a scan."""
    scans, chosen = expand(options.scan), options.options
    labels = None if chosen.labels == NO_LABELS else chosen.labels
    refuse(len(scans), {"labels": labels, "landmarks": chosen.landmarks})
    places = apart(scans, chosen.out) if chosen.out is not None and len(scans) > 1 else {}
    run_each(
        scans, partial(_register, options, places), "registering", options.many,
        lambda scan: replace(chosen, out=places.get(scan)).folder(scan),
    )  # fmt: skip


def _register(options: Register, places: Mapping[Path, Path], scan: Path, share: Progress | None) -> str:
    """Register a scan; returns a few words on what came of it. `places` are folders other than `out` tells."""
    from registration.files.register import register_scan

    chosen = replace(options.options, out=places[scan]) if scan in places else options.options
    with nullcontext(share) if share else track_share(f"registering {scan.name}") as progress:
        fit = register_scan(scan, chosen, progress, options.texture)["fit"]
    return f"{fit['median']:.2f} mm from the scan's skin in the median, 90 % within {fit['p90']:.2f} mm"


@dataclass(frozen=True, kw_only=True)
class Annotate:
    """Options of `annotate`.

    Attributes:
        scan: folder of the capture, or a mesh (.ply, .obj, .stl, .off, .3mf, .glb), to paint on.
        painted: painted .blend file to make labels of.
    """

    scan: Path | None = argument(None)
    painted: Path | None = field(default=None, metadata={"option": "import"})
    options: AnnotateOptions = group(AnnotateOptions())


def annotate(options: Annotate) -> None:
    """Paint in Blender what of a scan is skin: write a .blend file to paint in, or read labels from a painted one."""
    from factory.annotation.painted import import_annotation
    from factory.annotation.to_paint import write_annotation

    chosen = options.options
    if (options.scan is None) == (options.painted is None):
        raise InputError("give either a scan to paint on or `painted` FILE.blend")
    if options.scan is not None:
        write_annotation(options.scan, chosen)
        return
    assert options.painted is not None
    given = {"`labels`": chosen.labels, "`unit`": chosen.unit, "`camera_unit`": chosen.camera_unit}
    if foreign := [name for name, value in given.items() if value is not None]:
        raise InputError(f"{', '.join(foreign)}: for a scan to paint on; `painted` needs none of it")
    import_annotation(options.painted, chosen.out, chosen.blender)


COMMANDS = {
    "segment": Command(segment, "train"),
    "register": Command(register, "register"),
    "annotate": Command(annotate, "annotate"),
}
