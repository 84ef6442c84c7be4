"""Registration of the scan in a capture or a mesh file (`p2p register`)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from capture import InputError, RefusedError, Scan, atomic_path, write_json
from capture.derived import TEXTURE, remove_files
from registration.files.detected import landmarks_of, steady_landmarks
from registration.files.inputs import SkinWeights, read_input_scan, read_landmarks, read_true_surface, read_weights
from registration.files.landmark_check import LandmarkCheck
from registration.files.outputs import ScanRegistration, write_registered_meshes
from registration.files.picture import draw_registration, shown_distance
from registration.files.scan_scale import check_size, keep_scale, scan_metres
from registration.files.texture import check_texture, write_texture
from registration.files.view import registration_view
from registration.options import RegisterOptions
from registration.pipeline import RegistrationSettings, register
from registration.template import Template, load_template
from registration.texture.options import TextureOptions
from scans.scale import check_scale
from scans.scaling import scaled
from scans.viewer.page import PAGE, write_view

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]

_MISSED_MM = 2.0  # 90th percentile of the distances from the scan to a region, from which on it is missed
_DOUBTFUL_MM, _ASTRAY_MM = 1.0, 10.0  # median and 90th percentile of the fit from which on it is doubted
_WRONG_MM, _LOST_MM = 3.0, 20.0  # and from which on the head was not found


def _no_progress(step: str, share: float) -> None:
    pass


def fit_template(where: Path, options: RegisterOptions, progress: Progress = _no_progress) -> ScanRegistration:
    """Register the template to the scan of a capture or to a mesh file; nothing is written.

    `progress` is called with the step and the share of the whole that is done.

    Raises `InputError` where something is missing or doesn't belong together.
    """
    folder = where if where.is_dir() else None
    name, given = read_input_scan(where)
    skin_weights = read_weights(options.labels, where, given)
    log.info("%s: %s", name, skin_weights.source)
    template, found = load_template(options.template), landmarks_of(where)
    metres, scale = scan_metres(f"scan of {name}", folder, given, skin_weights, options.unit, template, found)
    landmarks = None if options.landmarks is None else read_landmarks(options.landmarks, metres)
    detected = steady_landmarks(found, name, given, metres)
    done = fit_to_scan(name, given, metres, skin_weights, template, landmarks, progress, detected)
    check = LandmarkCheck.of(done.template, done.registration.vertices, detected) if detected else None
    return replace(done, check=check, scale=scale)


def fit_to_scan(
    name: str,
    given: Scan,
    metres: float,
    skin_weights: SkinWeights,
    head: Template,
    landmarks: Mapping[str, NDArray] | None = None,
    progress: Progress = _no_progress,
    detected: Mapping[str, NDArray] | None = None,
) -> ScanRegistration:
    """Register the template to a scan in its own unit.

    Args:
        name: of the scan.
        given: V vertices.
        metres: per unit of the scan.
        skin_weights: of the V vertices.
        head: the template.
        landmarks: name -> (3,) metres.
        progress: called with the step and the share of the whole that is done.
        detected: landmarks as a detector finds them, to start from, and for how wide mouth and eyes are open.

    Raises:
        InputError: as `register` does.
    """
    scan = scaled(given, metres)
    weights, confidence = skin_weights.weights, skin_weights.confidence
    registration = register(head, scan, weights, RegistrationSettings(), landmarks, confidence, progress, detected)
    return ScanRegistration(name, scan, metres, skin_weights, head, registration)


def register_scan(
    where: Path,
    options: RegisterOptions,
    progress: Progress = _no_progress,
    texture: TextureOptions | None = None,
) -> dict[str, Any]:
    """Register the template to a capture's scan or a mesh file, write the results, and return their summary.

    The folder gets `registered.ply`, `registered.obj` (the template's own polygons with texture coordinates),
    `registered.json` (coefficients, times, and the error where the true surface is known), a picture and `view.html`;
    lengths in the scan's own unit; and where one is asked for, a texture (`write_texture`).

    Raises:
        InputError: where something is missing or doesn't belong together.
        RefusedError: where the head was not found; all but the texture is written then, to be looked at.
    """
    folder = where if where.is_dir() else None
    out = options.folder(where)
    if out.exists() and not out.is_dir():
        raise InputError(f"`out` {out} is a file; name a folder")
    images = check_texture(where, options.template, texture) if texture and texture.texture else None
    fitting = 0.4 if images else 1.0  # of the whole
    done = fit_template(where, options, lambda step, share: progress(step, fitting * share))
    true_surface = read_true_surface(folder)
    summary = done.summary(true_surface)
    remove_files(out, TEXTURE)
    write_registered_meshes(out, done.template, done.registration.vertices / done.metres)
    write_json(out / "registered.json", summary)
    distance = shown_distance(done, true_surface)
    with atomic_path(out / "registered.png") as path:
        Image.fromarray(draw_registration(done, distance)).save(path)
    (out / PAGE).unlink(missing_ok=True)  # of the registration that was there
    if not options.no_view:
        write_view(out / PAGE, registration_view(done, distance, summary, folder))
    _log_errors(done.name, summary, out)
    log.info("%s", out)
    if folder is not None:
        keep_scale(folder, done)
    _check_landmarks(done, out)
    _check_found(done.name, summary, out)
    check_size(done.name, done.template, done.registration.vertices, out / "registered.png")
    if done.scale is not None:
        check_scale(done.name, done.scale)
    if images and texture:
        baking = write_texture(
            out, done, images, texture, lambda step, share: progress(step, fitting + (1 - fitting) * share)
        )
        summary["texture"] = baking
        write_json(out / "registered.json", summary)
    return summary


def _check_landmarks(done: ScanRegistration, out: Path) -> None:
    """Warn where the template's landmarks lie far from the detected ones; raise `RefusedError` where very far."""
    if done.check is None or not done.check.doubtful:
        return
    told = f"{done.name}: {done.check.text}: look at {out / 'registered.png'}"
    if done.check.wrong:
        raise RefusedError(f"{told}; the template lies elsewhere, or upside down: give `landmarks`, or better `labels`")
    log.warning("%s; hair that counts as skin or a wrong `unit` does that", told)


def _check_found(name: str, summary: dict[str, Any], out: Path) -> None:
    """Raise `RefusedError` where the face lies so far from the scan's skin that the head was not found."""
    fit = summary["fit"]
    if _lost(fit):
        raise RefusedError(
            f"{name}: the head was not found: its face lies {fit['median']:.1f} mm from the scan's skin in the median, "
            f"90 % of it within {fit['p90']:.1f} mm: look at {out / 'registered.png'}; a wrong `unit`, normals inward "
            "or labels that are not the face's do that; `landmarks` help"
        )


def _lost(fit: dict[str, float]) -> bool:
    return fit["median"] > _WRONG_MM or fit["p90"] > _LOST_MM


def _log_errors(name: str, summary: dict[str, Any], out: Path) -> None:
    fit = summary["fit"]
    log.info(
        "%s: the registered face lies %.2f mm from the scan's skin in the median, 90 %% of it within %.2f mm",
        name,
        fit["median"],
        fit["p90"],
    )
    if not _lost(fit) and (fit["median"] > _DOUBTFUL_MM or fit["p90"] > _ASTRAY_MM):
        log.warning(
            "%s: that is far: look at %s; a wrong `unit`, normals inward, labels that are not the face's, or a "
            "head that was not found (`landmarks`) do that",
            name,
            out / "registered.png",
        )
    missed = [
        f"{region} ({errors['from_scan']['p90']:.1f} mm)"
        for region, errors in summary["fit_regions"].items()
        if errors["from_scan"]["p90"] > _MISSED_MM
    ]
    if missed:
        log.warning(
            "%s: the scan lies off the registered head at the %s: look at %s; hair and clothes that count as skin do "
            "that, or a feature that was missed (`landmarks`)",
            name,
            ", ".join(missed),
            out / "registered.png",
        )
    if "error" in summary:
        error = summary["error"]
        log.info("%s: the registered face lies %.3f ± %.3f mm from the true surface", name, error["mean"], error["std"])
