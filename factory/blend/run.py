"""`p2p blend`: a clean capture in, the same capture with hair out, and the head below the hair as its truth."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from assets.library import open_library
from capture import Camera, Capture, CaptureInfo, HeadSurface, InputError, read_json, write_bytes, write_json
from capture.derived import shorten
from capture.files import sha256_of
from factory.blend.composite import blend, blend_classes, cleaned
from factory.blend.light import estimate_light, skin_samples
from factory.blend.options import BlendOptions
from factory.blend.pictures import Picture, write_picture
from factory.blend.recipe import overlay_spec, shape_of
from factory.blend.views import moved_camera, pinhole, warp
from factory.console import track, track_share
from factory.stages.blender import rendering_of, run_blender
from factory.stages.commands import log_path
from factory.stages.label import label_head
from factory.stages.reconstruct import reconstruct_head
from factory.stages.render_values import content_of
from factory.stages.reuse import refuse_former
from factory.stages.settings import Execution, RenderSettings, ScanSettings
from factory.stages.stamps import forget, is_made, run_stamped
from generator.components.photo import PhotoSpec
from generator.components.sensor import SensorSpec
from generator.head import build_head
from generator.image_files.png import encode_png
from generator.jobs.overlay import CLASSES, OverlayJob, classes_name, read_overlay
from generator.jobs.overlay import RECORD as OVERLAY_RECORD
from generator.spec import HeadSpec
from registration.errors import SurfaceError, face_error
from registration.files.outputs import ScanRegistration
from registration.files.register import fit_template
from registration.pipeline import VERSION as REGISTRATION_VERSION
from scans.images.class_masks import read_class_masks
from scans.images.decoding import decode_classes
from scans.scale import CaptureScale
from scans.scaling import scaled_camera
from scans.skin_labels import NO_LABELS, default_labels_file

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
VERSION = 1  # raise it when the same input gives another result
_WORST_MM = 2.0  # median distance of a registered face to the scan: beyond it the registration failed
_SOURCE = ("images", "masks", "sparse")
"""Folders of a clean capture that a blended one is made of."""


def blend_capture(clean: Path, out: Path, options: BlendOptions, *, force: bool = False) -> Path:
    """Blend hair over the images of the capture `clean` into the capture `out`, unless it is complete there.

    A blended capture of other options, or of another clean capture, gives way only with `force`.

    Raises `InputError` where the clean capture lacks its scan, something in it doesn't fit or can't be read, the head
    isn't found in the scan, or `out` holds anything else, or labels that a person painted.
    """
    capture = Capture.read(clean)
    if not capture.scan_path.is_file():
        raise InputError(f"scan is missing: {capture.scan_path}; run `p2p reconstruct {clean}` first")
    info = CaptureInfo(out.resolve().name)  # refuses names before minutes are spent
    if out.exists() and (out.samefile(clean) or not out.is_dir()):
        raise InputError(f"`out` {out}: it is the clean capture itself, or a file; choose another folder")
    if out.is_dir() and any(out.iterdir()) and not (out / Capture.BLEND).is_file():
        raise InputError(f"`out` {out}: the folder holds something else than a blended capture; choose another")
    spec = capture.info.spec
    known = None if spec is None else HeadSpec.from_json(dict(spec), f"spec of {capture.info.id}")
    pictures = [Picture.read(camera, path) for camera, path in zip(capture.cameras, capture.image_paths, strict=True)]
    _has_masks(capture)  # refuses damaged ones before minutes are spent
    plain = _plain(capture, options)
    if not force and is_made(out, "generate", plain):
        log.info("%s is complete: not blended again", out)
        return out
    refuse_former(out, plain, force=force)
    run_stamped(out, "generate", plain, lambda: _blend(capture, known, pictures, out, info, options, plain))
    return out


def rebuild(folder: Path) -> None:
    """Rebuild and label the scan of a blended capture, as any capture's."""
    with track(folder.name, 0) as bar:
        reconstruct_head(folder, ScanSettings(), Execution(bar=bar))
        label_head(folder, ScanSettings(), Execution(bar=bar))


def _plain(capture: Capture, options: BlendOptions) -> dict[str, Any]:
    """All that the images depend on, as plain values."""
    render = content_of(options.render)
    hair = {field.name: getattr(options.hair, field.name) for field in fields(options.hair)}
    labels = _labels(capture.folder, options.registration.labels)
    paths = [path for name in _SOURCE for path in sorted((capture.folder / name).rglob("*")) if path.is_file()]
    paths += [path for path in (capture.scan_path, capture.folder / Capture.INFO) if path.is_file()]
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(capture.folder)} {sha256_of(path)}\n".encode())
    for extra in (None if labels == NO_LABELS else Path(labels), options.registration.landmarks):
        digest.update(sha256_of(extra).encode() if extra is not None and extra.is_file() else b"none")
    return {
        "blend": VERSION,
        "registration": REGISTRATION_VERSION,
        "source": digest.hexdigest()[:16],
        **hair,
        "unit": options.registration.unit,
        "samples": render["samples"],
        "library": render["library"],
        "head_model": render["head_model"],
        "device": render["device"],
        "blender": options.render.blender_version(),
    }


def _labels(folder: Path, given: str | None) -> str:
    """Labels for `RegisterOptions`: the file that is given, else the capture's, else "none"."""
    return given or str(default_labels_file(folder) or NO_LABELS)


def _blend(
    capture: Capture,
    known: HeadSpec | None,
    pictures: Sequence[Picture],
    out: Path,
    info: CaptureInfo,
    options: BlendOptions,
    plain: dict[str, Any],
) -> None:
    if removed := forget(out, "generate"):
        log.info("%s: %s removed, which came of the former images", out, shorten(removed))
    record: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "source": {"id": capture.info.id}, "options": plain}
    write_json(out / Capture.BLEND, record)  # from here on the folder is known for what it is
    chosen = replace(options.registration, labels=_labels(capture.folder, options.registration.labels))
    with track_share(f"registering {capture.info.id}") as progress:
        done = fit_template(capture.folder, chosen, progress)
    to_scan = _checked(done)
    metres = done.capture_metres(capture)
    cameras = [scaled_camera(camera, metres) for camera in capture.cameras]
    library, model = open_library(options.render.library), done.template.model

    def seen() -> Any:
        views = ((camera, picture.pixels()) for camera, picture in zip(cameras, pictures, strict=True))
        mesh = done.mesh()
        return estimate_light(skin_samples(views, mesh, done.template.face_mask), str(capture.folder))

    spec = overlay_spec(options.hair, known, done.registration.head, model, library, seen)
    taken_by = (None, None) if known is None else (known.sensor, known.photo)
    written = Capture(out, capture.model, info).mask_paths
    with tempfile.TemporaryDirectory(prefix="p2p-blend-") as place:
        made = _render(spec, done, cameras, Path(place), out, options.render, _has_masks(capture))
        cover = [
            _compose(*job, taken_by, Path(place), out)
            for job in zip(range(len(cameras)), cameras, pictures, capture.mask_paths, written, strict=True)
        ]
    if not any(cover):
        raise InputError(f"{capture.folder}: no view shows any of the hair; are its scan and its cameras in one frame?")
    _true_surface(done).write(out / Capture.HEAD)
    versions = {**made["versions"], "registration": str(REGISTRATION_VERSION), "blend": str(VERSION)}
    assets = {asset["id"]: asset for asset in (*capture.info.assets, *made["assets"])}
    write_json(
        out / Capture.BLEND,
        record
        | {
            "hair": spec.hair.asset or spec.hair.family,
            "beard": spec.beard.family,
            "seed": spec.seed,
            "light": "the capture's own spec" if known is not None else "an even dome, as bright as the skin says",
            "noise": known is not None,
            "hair_share": [round(share, 5) for share in cover],
            "registration": {
                "labels": _words(done),
                "error_to_scan": to_scan.to_json(),
                "error_to_truth": _known_error(capture, done),
                **done.coefficients_json(),
            },
            "source": {"id": capture.info.id, "seed": capture.info.seed, "versions": dict(capture.info.versions)},
            "versions": versions,
            "spec": spec.to_json(),
        },
    )
    info = replace(info, versions=versions, assets=tuple(assets.values()), traits=dict(capture.info.traits))
    points = capture.model.points
    Capture.create(out, cameras, info, replace(points, positions=points.positions * metres))
    CaptureScale(1.0, 0.0, stated=True).write(out)


def _checked(done: ScanRegistration) -> SurfaceError:
    """Distance of the registered face to the scan; raises `InputError` where it is no face's."""
    error = face_error(done.mesh(), done.template.face_mask, done.skin_mesh())
    if error.median > _WORST_MM:
        raise InputError(
            f"{done.name}: the head wasn't found in the scan, the face lies {error.median:.1f} mm off it; "
            "look at `p2p register`, give `landmarks` or `unit`"
        )
    return error


def _words(done: ScanRegistration) -> str:
    """Source of the labels in words, without the path to the capture."""
    path = done.skin_weights.path
    return done.skin_weights.source if path is None else f"skin by {path.name}"


def _known_error(capture: Capture, done: ScanRegistration) -> dict[str, float] | None:
    """Error of the registration, where the clean capture has its true surface."""
    if not capture.head_path.is_file():
        return None
    surface = HeadSurface.read(capture.head_path)
    return face_error(done.mesh(), done.template.face_mask, surface).to_json()


def _has_masks(capture: Capture) -> bool:
    """Whether each view has its class ids; raises `InputError` where one of them is damaged."""
    return all(mask is not None for mask in read_class_masks(capture))


def _render(
    spec: HeadSpec,
    done: ScanRegistration,
    cameras: Sequence[Camera],
    place: Path,
    out: Path,
    settings: RenderSettings,
    classes: bool,
) -> dict[str, Any]:
    """Let Blender render the hair into `place`; returns what it says of itself."""
    head = done.registration.head
    skin = (done.registration.vertices - head.shift) @ head.rotation
    straight = tuple(pinhole(moved_camera(camera, head.rotation, head.shift)) for camera in cameras)
    job = OverlayJob(place, spec, skin, straight, classes, rendering_of(settings))
    with track(f"hair for {out.name}", len(cameras)) as bar:
        log_file, execution = log_path(out, "blend"), Execution(bar=bar)
        run_blender(job, place / "job.json", settings.blender, f"blend {out.name}", log_file, execution)
    made: dict[str, Any] = read_json(place / OVERLAY_RECORD, "what Blender made")
    return made


def _compose(
    index: int,
    camera: Camera,
    picture: Picture,
    mask: Path,
    written: Path,
    taken_by: tuple[SensorSpec | None, PhotoSpec | None],
    place: Path,
    out: Path,
) -> float:
    """Write a view's image, and its mask as `written` if there is one; returns the share of pixels that hair covers."""
    straight = pinhole(camera)
    overlay = cleaned(warp(read_overlay(place, index), straight, camera))
    alpha = overlay[..., 3]
    made = blend(picture.pixels(), overlay, taken_by[0], index, taken_by[1])
    write_picture(made, picture, out / "images" / camera.name, bool((alpha > 0).any()))
    classes = place / CLASSES / classes_name(index)
    if classes.is_file():
        hair = warp(decode_classes(classes.read_bytes(), str(classes)), straight, camera, nearest=True)
        below = decode_classes(mask.read_bytes(), str(mask))
        if below.shape != alpha.shape:
            raise InputError(
                f"{mask} is {below.shape[1]} x {below.shape[0]}, its camera {camera.width} x "
                f"{camera.height}; remove the masks, or make the capture again"
            )
        write_bytes(written, encode_png(blend_classes(below, alpha, hair)))
    return float((alpha > 0.5).mean())


def _true_surface(done: ScanRegistration) -> HeadSurface:
    """The registered template, and the eyes and teeth that its coefficients give it, as the surface to label by."""
    template, head = done.template, done.registration.head
    built = build_head(template.model, shape_of(head, template.model)).parts
    vertices, faces = [np.asarray(done.registration.vertices)], [template.faces]
    parts, mask = [np.zeros(len(template.faces), np.uint8)], [template.face_mask]
    for index, name in enumerate(HeadSurface.PARTS):
        if name != "skin" and name in built:
            faces.append(built[name].triangles + np.int32(sum(map(len, vertices))))
            vertices.append(built[name].vertices @ head.rotation.T + head.shift)
            parts.append(np.full(len(faces[-1]), index, np.uint8))
            mask.append(np.zeros(len(vertices[-1]), bool))
    return HeadSurface(np.concatenate(vertices), np.concatenate(faces), np.concatenate(parts), np.concatenate(mask))
