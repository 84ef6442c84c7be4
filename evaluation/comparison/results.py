"""What one method makes of one head: labels, a registered template, and how wrong both are. Kept by content."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from capture import InputError, Mesh, read_json, write_bytes, write_json
from capture.arrays import read_npz
from evaluation.comparison.methods import Answer, Method
from evaluation.comparison.samples import Subject
from evaluation.metrics.boundary import BoundaryErrors
from evaluation.metrics.calibration import Calibration
from evaluation.metrics.labels import Counts
from registration.errors import SurfaceError, face_error
from registration.pipeline import VERSION as REGISTRATION
from registration.pipeline import register
from registration.template import Template
from registration.weights import confidence_of

log = logging.getLogger(__name__)

MEASURES = 1  # version of what is measured of labels: raise it when numbers change


@dataclass(frozen=True, eq=False)
class LabelScores:
    """How wrong a head's labels are.

    Attributes:
        counts: all vertices.
        boundary: mistakes around the true boundary.
        calibration: of the probabilities; None where there is only yes and no.
        seen: `PixelClass` id -> vertices that show it, those of them called skin, and those that are.
    """

    counts: Counts
    boundary: BoundaryErrors
    calibration: Calibration | None
    seen: Mapping[int, tuple[int, int, int]]

    @classmethod
    def of(cls, answer: Answer, subject: Subject, graded: bool) -> Self:
        """Of a method's answer."""
        true, skin = subject.labels.skin, answer.skin
        seen = subject.labels.seen_class
        shown = (
            {}
            if seen is None
            else {
                int(kind): (int((seen == kind).sum()), int(skin[seen == kind].sum()), int(true[seen == kind].sum()))
                for kind in np.unique(seen)
            }
        )
        calibration = Calibration.of(answer.probability, true) if graded else None
        return cls(Counts.of(skin, true), BoundaryErrors.of(skin, true, subject.boundary_mm), calibration, shown)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "counts": asdict(self.counts),
            "boundary": self.boundary.to_json(),
            "calibration": None if self.calibration is None else self.calibration.to_json(),
            "seen": {str(kind): list(counts) for kind, counts in self.seen.items()},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        calibration = value["calibration"]
        return cls(
            Counts(**value["counts"]),
            BoundaryErrors.from_json(value["boundary"]),
            None if calibration is None else Calibration.from_json(calibration),
            {int(kind): (int(a), int(b), int(c)) for kind, (a, b, c) in value["seen"].items()},
        )


@dataclass(frozen=True)
class Registered:
    """How far a registered template lies from the truth.

    Attributes:
        error: from the template's face mask to the true surface.
        back: from the true surface's face mask to the template; None where it has none.
        seconds: that the registration took.
        vertices: file with the registered template's vertices.
    """

    error: SurfaceError
    back: SurfaceError | None
    seconds: float
    vertices: Path

    def to_json(self) -> dict[str, Any]:
        """Plain values, without the file."""
        back = None if self.back is None else self.back.to_json()
        return {"error": self.error.to_json(), "back": back, "seconds": round(self.seconds, 2)}


@dataclass(frozen=True, eq=False)
class Result:
    """One method on one head.

    Attributes:
        labels: None where the method gave none.
        registered: None where there is no registration.
        why: why one is missing; empty otherwise.
        probability: file with the probabilities of the vertices, None without labels.
    """

    labels: LabelScores | None
    registered: Registered | None
    why: str = ""
    probability: Path | None = None


class Workshop:
    """Makes results, or finds them in its folder.

    Args:
        folder: that results are kept in; nothing in it is ever wrong, only no longer asked for.
        template: to register; None for labels alone.
    """

    def __init__(self, folder: Path, template: Template | None) -> None:
        self._folder, self._template = Path(folder), template

    def result(
        self, method: Method, subject: Subject, truth: Mesh | None, face: NDArray[np.bool_] | None, why: str = ""
    ) -> Result:
        """The result of a method on a head.

        Args:
            method: which.
            subject: the head.
            truth: the surface that registration is measured against; None: it isn't registered.
            face: (V,) vertices of that surface on the face, for the way back.
            why: there is no such surface.
        """
        try:
            key = _digest(method.key(subject), subject.key)
            answer, path = self._answer(method, subject, key)
            scores = self._scores(method, subject, answer, key)
        except InputError as error:
            return Result(None, None, str(error))
        if self._template is None or truth is None:
            return Result(scores, None, why, path)
        try:
            return Result(scores, self._registered(subject, answer, truth, face), "", path)
        except InputError as error:
            return Result(scores, None, str(error), path)

    @property
    def registers(self) -> bool:
        """Whether there is a template."""
        return self._template is not None

    @property
    def face_mask(self) -> NDArray[np.bool_]:
        """(V,) of the template."""
        assert self._template is not None
        return self._template.face_mask

    def registered_on_labels(self, subject: Subject) -> Mesh:
        """The template registered with a subject's own labels: the truth where there is no true surface."""
        assert self._template is not None
        answer = Answer(subject.labels.skin.astype(np.float32))
        path, _ = self._vertices(subject, answer)
        return Mesh(_read(path)["vertices"], self._template.faces)

    def _answer(self, method: Method, subject: Subject, key: str) -> tuple[Answer, Path]:
        path = self._folder / "labels" / f"{subject.head.id}-{key}.npz"
        if path.is_file():
            arrays = _read(path)
            return Answer(arrays["probability"], arrays.get("distance_mm"), bool(arrays["whole"])), path
        answer = method.answer(subject)
        arrays = {"probability": answer.probability, "whole": np.array(answer.whole)}
        if answer.distance_mm is not None:
            arrays["distance_mm"] = answer.distance_mm
        _write(path, arrays)
        return answer, path

    def _scores(self, method: Method, subject: Subject, answer: Answer, key: str) -> LabelScores:
        path = self._folder / "scores" / f"{subject.head.id}-{_digest(key, MEASURES)}.json"
        if path.is_file():
            return LabelScores.from_json(read_json(path, "scores"))
        scores = LabelScores.of(answer, subject, method.graded)
        write_json(path, scores.to_json())
        return scores

    def _registered(self, subject: Subject, answer: Answer, truth: Mesh, face: NDArray[np.bool_] | None) -> Registered:
        assert self._template is not None
        path, seconds = self._vertices(subject, answer)
        measured = [self._template.face_mask, truth.vertices, truth.faces, *([] if face is None else [face])]
        content = _digest(path.stem, _content(*measured), face is None, MEASURES)
        scores = self._folder / "registration" / f"{subject.head.id}-{content}.json"
        if scores.is_file():
            value = read_json(scores, "registration")
            back = None if value["back"] is None else SurfaceError(**value["back"])
            return Registered(SurfaceError(**value["error"]), back, seconds, path)
        mesh = Mesh(_read(path)["vertices"], self._template.faces)
        error = face_error(mesh, self._template.face_mask, truth)
        back = face_error(truth, face, mesh) if face is not None and face.any() else None
        found = Registered(error, back, seconds, path)
        write_json(scores, found.to_json())
        return found

    def _vertices(self, subject: Subject, answer: Answer) -> tuple[Path, float]:
        """Where the registered vertices are, and the seconds that they took."""
        assert self._template is not None
        weights = None if answer.whole else answer.probability.astype(float)
        confidence = None if answer.distance_mm is None else confidence_of(answer.distance_mm)
        given = _content(*(each for each in (weights, confidence) if each is not None))
        model, shape = self._template.model, _content(self._template.faces, self._template.shown)
        key = _digest(subject.key, given, model.name, model.version, shape, REGISTRATION)
        path = self._folder / "registered" / f"{subject.head.id}-{key}.npz"
        if not path.is_file():
            found = register(self._template, subject.head.scan, weights, confidence=confidence)
            seconds = sum(found.seconds.values())
            _write(path, {"vertices": found.vertices.astype(np.float32), "seconds": np.array(seconds)})
        return path, float(_read(path)["seconds"])


def read_vertices(path: Path) -> NDArray[np.float32]:
    """(V, 3) of a registered template."""
    return np.asarray(_read(path)["vertices"])


def read_probability(path: Path) -> NDArray[np.float32]:
    """(V,) that a method gave."""
    return np.asarray(_read(path)["probability"])


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(read_npz(path))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"damaged file: {path} ({error}); remove it and run again") from None


def _write(path: Path, arrays: Mapping[str, NDArray]) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_bytes(path, buffer.getvalue())


def _content(*arrays: NDArray) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:16]
