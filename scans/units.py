"""Units of a user's scan and cameras: stated, or guessed from the size of a head."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from capture import Camera, InputError, Scan, vertex_normals
from scans.head_sample import HeadSample
from scans.meshes.extent import core_vertices
from scans.meshes.repair import repair
from scans.ray_casting import RayCaster, ray_caster
from scans.scaling import scaled, scaled_camera
from scans.unit_guess import COMMON, METRES, guess_unit, parse_unit, unit_name

MIN_COVERED = 0.05  # share of the scan that has to lie in some image; less means another frame
_LEAST_SHARE = 0.03  # of an image's longer side that a scan in it takes at least
_POSSIBLE_M = (0.02, 5.0)  # what is believed when it is stated
_BETTER = 1.2  # cameras have another unit than the scan only where that covers so much more
_SAMPLES = 20000
_COARSE = 1e-4  # steps of a scan's coordinates, of its width, from which on they blur its surface

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Units:
    """Metres per unit of a scan and of its cameras, and in words where they come from."""

    scan: float
    cameras: float
    text: str


def find_units(
    scan: Scan,
    cameras: Sequence[Camera],
    stated: str | None = None,
    camera_unit: str | None = None,
    what: str = "scan",
    known: float | None = None,
) -> Units:
    """The units of a scan and its cameras.

    Where the scale of the capture is known, that is the cameras' unit, and the scan's, where they see it so. Else a
    scan's unit follows from its width, as heads have about one size; the cameras have the same unit, or the one in
    which they see more of the scan.

    Args:
        scan, cameras: each in its own unit.
        stated: unit of the scan, as `parse_unit` takes it; None where nobody stated it.
        camera_unit: that of the cameras, likewise.
        what: names the scan in messages.
        known: metres per unit of the capture that the cameras are of; None where nobody knows it.

    Raises:
        InputError: where the width fits no unit, or no cameras see the scan in any.
    """
    repaired = repair(scan)
    if repaired.text:
        log.info("%s: computed with a repaired mesh: %s", what, repaired.text)
    own = known if known and has_unit_of(repaired.scan, cameras, known) else None
    metres, told = scan_unit(scan, stated, what, own)
    scan = repaired.scan
    likely = [metres] if known is None else [metres, known] if own else [known, metres]
    usual = [*likely, *(METRES[key] for key in COMMON)]
    candidates = [parse_unit(camera_unit)] if camera_unit is not None else _distinct(usual)
    covered = [
        coverage(scan, cameras, metres, value) if i == 0 or _outside(scan, cameras, metres, value) else 0.0
        for i, value in enumerate(candidates)
    ]
    most = max(covered)
    best = next(i for i, share in enumerate(covered) if _BETTER * share >= most) if most >= MIN_COVERED else 0
    seen = covered[best]
    if seen >= MIN_COVERED:  # inside out, its far side faces the cameras, but they don't see it
        seen = coverage(scan, cameras, metres, candidates[best], ray_caster(scan))
    if seen < MIN_COVERED:
        raise InputError(
            f"{what}: {seen:.0%} of it lies in the images, facing them (it is {scan_width(scan) * metres:.3g} m wide, "
            f"taken to be in {unit_name(metres)}); bring it into the cameras' frame, its normals outward, or state the "
            "units with `unit` and `camera_unit`"
        )
    guessed = "by its scale" if candidates[best] == known else f"guessed: they see {seen:.0%} of the scan"
    other = "stated" if camera_unit is not None else guessed
    text = f"{told}, cameras: {unit_name(candidates[best])} ({other})"
    return Units(metres, candidates[best], text)


def scan_unit(
    scan: Scan, stated: str | None = None, what: str = "scan", known: float | None = None
) -> tuple[float, str]:
    """Metres per unit of a scan, stated, `known`, or guessed, and in words where that comes from.

    Raises `InputError` where it is no size of a head, or nothing can be guessed.
    """
    width = scan_width(scan)
    step = float(np.median(np.spacing(np.abs(scan.vertices).max(axis=1))))
    if step > _COARSE * width:
        log.warning(
            "%s: its coordinates are stored in steps of %.2g of its width, too coarse for its surface; export it in "
            "double precision, or about an origin near it", what, step / width,
        )  # fmt: skip
    metres = parse_unit(stated) if stated is not None else known or guess_unit(width, what)
    if not _POSSIBLE_M[0] < width * metres < _POSSIBLE_M[1]:
        raise InputError(f"{what}, {unit_name(metres)}, is {width * metres:.3g} m wide: no head; state another `unit`")
    guessed = "by its scale" if known else f"guessed: it is {width:.3g} wide"
    how = "stated" if stated is not None else guessed
    return metres, f"{what}: {unit_name(metres)} ({how})"


def scan_width(scan: Scan) -> float:
    """Largest extent along an axis of all but the outermost hundredth of the vertices that faces use, strays aside."""
    points = scan.vertices[core_vertices(scan.vertices, scan.faces)]
    low, high = np.percentile(points[_sample(len(points))], [0.5, 99.5], axis=0)
    return float((high - low).max())


def in_metres(head: HeadSample, unit: str | None = None, camera_unit: str | None = None) -> tuple[HeadSample, Units]:
    """A head with scan and cameras in metres, and its units, as `find_units` finds them. Raises `InputError`."""
    units = find_units(head.scan, head.cameras, unit, camera_unit, f"scan of {head.id}", head.metres_per_unit)
    cameras = tuple(scaled_camera(camera, units.cameras) for camera in head.cameras)
    return replace(head, scan=scaled(head.scan, units.scan), cameras=cameras), units


def coverage(
    scan: Scan, cameras: Sequence[Camera], scan_unit: float, camera_unit: float, caster: RayCaster | None = None
) -> float:
    """Share of the scan's vertices that lie in an image and face its camera; with a caster, and nothing in between.

    Images in which the scan is but a dot don't count.
    """
    chosen = _sample(len(scan.vertices))
    normals = vertex_normals(scan.vertices, scan.faces)[chosen]
    points = scan.vertices[chosen].astype(np.float64) * scan_unit
    covered = np.zeros(len(points), bool)
    for camera in cameras:
        view = scaled_camera(camera, camera_unit)
        pixels = view.project(points)[0]
        inside = view.inside(pixels)
        if not inside.any() or np.ptp(pixels[inside], axis=0).max() < _LEAST_SHARE * max(view.width, view.height):
            continue  # from so far away a head of any frame is a dot in the image
        facing = inside & (np.einsum("vc,vc->v", view.centre - points, normals) > 0)
        if caster is not None:  # in the scan's own unit
            index = np.flatnonzero(facing)
            origins = caster.origins(scan.vertices[chosen][index], normals[index])
            facing[index] = caster.sees(origins, view.centre / scan_unit)
        covered |= facing
    return float(covered.mean())


def has_unit_of(scan: Scan, cameras: Sequence[Camera], metres: float) -> bool:
    """Whether a scan has the unit of cameras, of `metres`: it is of a possible size, and they see it."""
    possible = _POSSIBLE_M[0] < scan_width(scan) * metres < _POSSIBLE_M[1]
    return possible and coverage(scan, cameras, metres, metres) >= MIN_COVERED


def _outside(scan: Scan, cameras: Sequence[Camera], scan_unit: float, camera_unit: float) -> bool:
    """Whether all cameras are outside of the scan's box: in a wrong unit they end up within the head."""
    low, high = np.percentile(scan.vertices[_sample(len(scan.vertices))] * scan_unit, [0.5, 99.5], axis=0)
    centres = np.stack([scaled_camera(camera, camera_unit).centre for camera in cameras])
    return bool(((centres < low) | (centres > high)).any(axis=1).all())


def _sample(count: int) -> np.ndarray:
    """Indices of at most `_SAMPLES` vertices, evenly spread over the file."""
    return np.unique(np.linspace(0, count - 1, min(count, _SAMPLES)).astype(np.int64))


def _distinct(values: Sequence[float]) -> list[float]:
    return list(dict.fromkeys(values))
