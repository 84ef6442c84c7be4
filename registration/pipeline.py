"""Registration of arrays: rigid alignment, coefficients, non-rigid deformation."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from capture import InputError, Mesh
from capture.frames import far_origin
from registration.apertures import Apertures
from registration.coefficients import fit
from registration.nonrigid import Stiffness, deform
from registration.openings import Openings, lips_of
from registration.plausibility import Plausibility
from registration.regions import bare_nose
from registration.rigid import align, from_landmarks
from registration.target import Target
from registration.template import Coefficients, Template
from scans.landmarks.names import STEADY
from scans.meshes.repair import Repair, repair

log = logging.getLogger(__name__)

VERSION = 6  # raise it when the result of the same input changes: what was registered before is then done again

Floats = NDArray[np.float64]

_REACH_M = 0.5  # of the middle of the skin: head and shoulders


@dataclass(frozen=True)
class RegistrationSettings:
    """Settings of a registration.

    Attributes:
        stiffness: of the last step.
        coefficients: whether the head model's coefficients are fitted, or the mean head is deformed alone.
        least_weight: below which a vertex of the scan doesn't count as skin.
    """

    stiffness: Stiffness = field(default_factory=Stiffness)
    coefficients: bool = True
    least_weight: float = 0.5


@dataclass(frozen=True, eq=False)
class Registration:
    """A template on a scan.

    Attributes:
        vertices: (V, 3) metres, in the scan's frame and the template's topology.
        fitted: (V, 3), before the last step.
        head: the head model's coefficients.
        seconds: step -> seconds.
    """

    vertices: Floats
    fitted: Floats
    head: Coefficients
    seconds: Mapping[str, float]

    def mesh(self, template: Template) -> Mesh:
        """As a triangle mesh."""
        return Mesh(self.vertices, template.faces)


def register(
    template: Template,
    scan: Mesh,
    weights: NDArray | None = None,
    settings: RegistrationSettings | None = None,
    landmarks: Mapping[str, Floats] | None = None,
    confidence: NDArray | None = None,
    progress: Callable[[str, float], None] = lambda step, share: None,
    detected: Mapping[str, Floats] | None = None,
) -> Registration:
    """Deform the template onto the skin of a scan. The same input gives the same result.

    Args:
        template: the head model.
        scan: V vertices, metres; near the frame of our captures, or with landmarks, or it is searched for.
        weights: (V,) 0 to 1: a skin mask or the probability of skin, NaN where nobody knows; None where the whole scan
            counts.
        settings: see `RegistrationSettings`.
        landmarks: name -> (3,) metres, as the head model names them.
        confidence: (V,) 0 to 1, how much vertices that count as skin say about it (`confidence_of`).
        progress: called with the step and the share that is done, 0 to 1.
        detected: landmarks as a detector finds them: good enough for a start where the frame isn't that of our
            captures, and for how wide mouth and eyes are open.

    Raises:
        InputError: no skin, labels of another scan, a size that is no head's, or a head that isn't found.
    """
    settings = settings or RegistrationSettings()
    clock, seconds = time.perf_counter(), dict[str, float]()

    def done(step: str, share: float) -> None:
        nonlocal clock
        now = time.perf_counter()
        seconds[step], clock = now - clock, now
        progress(step, share)

    repaired = repair(scan)
    weights, confidence = (gathered(repaired, values) for values in (weights, confidence))
    origin = far_origin(repaired.scan.vertices)
    near = replace(repaired.scan, vertices=repaired.scan.vertices - origin) if origin.any() else repaired.scan
    target = Target(near, weights, settings.least_weight, confidence=confidence)
    nose = bare_nose(template)  # its tip is easily missed
    lips = lips_of(template)
    head, marks = template.mean, {name: point - origin for name, point in (landmarks or {}).items()}
    if marks:
        head = from_landmarks(template, head, marks)
    done("reading", 0.05)
    there = {name: point - origin for name, point in (detected or {}).items() if name in STEADY}
    apertures = Apertures.of(detected or {})
    around = near if weights is None else _around_skin(near, target)

    def openings(surface: Floats) -> Openings:
        return Openings(template, lips, target.mesh, surface, apertures)

    places = align(template, head, target, around, weights, settings.least_weight, not marks, there)
    done("rigid", 0.2)
    heads = places
    if settings.coefficients:
        heads = [
            fit(template, place, target, drawn=nose, landmarks=marks, openings=openings(template.surface(place)))
            for place in places
        ]
    head = _likeliest(template, heads, around, weights, settings.least_weight)
    done("coefficients", 0.6)
    fitted = template.surface(head)
    vertices = deform(fitted, template.faces, template.shown, target, settings.stiffness, nose, openings(fitted))
    done("deformation", 1.0)
    log.info("registered: %s", ", ".join(f"{step} {took:.1f} s" for step, took in seconds.items()))
    return Registration(vertices + origin, fitted + origin, replace(head, shift=head.shift + origin), seconds)


def _around_skin(scan: Mesh, target: Target) -> Mesh:
    """The scan without faces that lie far from the skin: walls, chairs, other people."""
    near = np.linalg.norm(scan.vertices - np.median(target.vertices, axis=0), axis=1) < _REACH_M
    faces = scan.faces[near[scan.faces].all(axis=1)]
    return replace(scan, faces=faces) if len(faces) else scan


def _likeliest(
    template: Template, heads: Sequence[Coefficients], scan: Mesh, weights: NDArray | None, least: float
) -> Coefficients:
    """Of heads that were fitted from different places the one that the whole scan speaks for; the first of equals."""
    if len(heads) == 1:
        return heads[0]
    worth = [Plausibility(template, head, scan, weights, least).worth(np.eye(3), np.zeros(3)) for head in heads]
    log.info("the head may be in %d places; they come to %s", len(heads), ", ".join(f"{value:.2f}" for value in worth))
    return heads[int(np.argmax(worth))]


def gathered(repaired: Repair, values: NDArray | None) -> NDArray | None:
    """Values (W,) of the repaired scan; raises `InputError` where they are of another number of vertices."""
    if values is None or repaired.index is None:
        return values
    if len(values) != len(repaired.index):
        raise InputError(
            f"scan: {len(values)} labels for {len(repaired.index)} vertices; these labels are of another scan"
        )
    values = np.asarray(values, float)
    gathered, known = (repaired.gather(each) for each in (np.nan_to_num(values), np.isfinite(values) * 1.0))
    return np.where(known > 0, gathered, np.nan)
