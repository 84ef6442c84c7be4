"""Results of one method on one sample, kept in files by content: labels, a registered template, scores of both."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture import InputError, Mesh, read_json, write_bytes, write_json
from capture.arrays import read_npz
from evaluation.comparison.methods import LabellingMethod, LabelPrediction
from evaluation.comparison.samples import EvaluationSample
from evaluation.metrics.label_scores import LabelScores
from registration.errors import SurfaceError, face_error
from registration.pipeline import VERSION as REGISTRATION
from registration.pipeline import register
from registration.template import Template
from registration.weights import confidence_of

log = logging.getLogger(__name__)

MEASURES = 2  # version of the scores: raise it when their numbers change


@dataclass(frozen=True)
class RegistrationScores:
    """Distances between a registered template and the true surface.

    Attributes:
        error: from the template's face mask to the true surface.
        error_back: the other way round, from the true surface's face mask to the template; None where it has none.
        seconds: that the registration took.
        vertices: file with the registered template's vertices.
    """

    error: SurfaceError
    error_back: SurfaceError | None
    seconds: float
    vertices: Path

    def to_json(self) -> dict[str, Any]:
        """Plain values, without the file."""
        back = None if self.error_back is None else self.error_back.to_json()
        return {"error": self.error.to_json(), "back": back, "seconds": round(self.seconds, 2)}


@dataclass(frozen=True, eq=False)
class MethodResult:
    """Result of one method on one sample.

    Attributes:
        labels: scores of the labels; None where the method gave none.
        registration: None where there is none.
        reason: that one of them is missing for; empty otherwise.
        probability: file with the probabilities of the vertices, None without labels.
    """

    labels: LabelScores | None
    registration: RegistrationScores | None
    reason: str = ""
    probability: Path | None = None


class ResultStore:
    """Computes results, or reads them from its folder.

    Args:
        folder: of the results; their names tell all that they depend on, so none in it is ever out of date.
        template: to register; None for labels alone.
    """

    def __init__(self, folder: Path, template: Template | None) -> None:
        self._folder, self._template = Path(folder), template

    def result(
        self,
        method: LabellingMethod,
        sample: EvaluationSample,
        surface: Mesh | None,
        face: NDArray[np.bool_] | None,
        reason: str = "",
    ) -> MethodResult:
        """The result of a method on a sample.

        Args:
            method: that labels it.
            sample: the head.
            surface: the true one, V vertices, that registration is measured against; None: nothing is registered.
            face: (V,) vertices of that surface on the face, for `error_back`.
            reason: that there is no such surface for.
        """
        try:
            key = _digest(method.key(sample), sample.key)
            prediction, path = self._prediction(method, sample, key)
            scores = self._label_scores(method, sample, prediction, key)
        except InputError as error:
            return MethodResult(None, None, str(error))
        if self._template is None or surface is None:
            return MethodResult(scores, None, reason, path)
        try:
            return MethodResult(scores, self._registration_scores(sample, prediction, surface, face), "", path)
        except InputError as error:
            return MethodResult(scores, None, str(error), path)

    @property
    def registers(self) -> bool:
        """True where there is a template to register."""
        return self._template is not None

    @property
    def face_mask(self) -> NDArray[np.bool_]:
        """(V,) of the template."""
        assert self._template is not None
        return self._template.face_mask

    def registered_on_labels(self, sample: EvaluationSample) -> Mesh:
        """The template registered with a sample's own labels, in place of a true surface that is not known."""
        assert self._template is not None
        prediction = LabelPrediction(sample.labels.skin.astype(np.float32))
        path, _ = self._vertices(sample, prediction)
        return Mesh(_read(path)["vertices"], self._template.faces)

    def _prediction(self, method: LabellingMethod, sample: EvaluationSample, key: str) -> tuple[LabelPrediction, Path]:
        path = self._folder / "labels" / f"{sample.head.id}-{key}.npz"
        if path.is_file():
            arrays = _read(path)
            whole = bool(arrays["whole"])
            return LabelPrediction(
                arrays["probability"], arrays.get("distance_mm"), whole, arrays.get("uncertain")
            ), path
        prediction = method.predict(sample)
        arrays = {"probability": prediction.probability, "whole": np.array(prediction.whole)}
        if prediction.distance_mm is not None:
            arrays["distance_mm"] = prediction.distance_mm
        if prediction.uncertain is not None:
            arrays["uncertain"] = prediction.uncertain
        _write(path, arrays)
        return prediction, path

    def _label_scores(
        self, method: LabellingMethod, sample: EvaluationSample, prediction: LabelPrediction, key: str
    ) -> LabelScores:
        path = self._folder / "scores" / f"{sample.head.id}-{_digest(key, MEASURES)}.json"
        if path.is_file():
            return LabelScores.from_json(read_json(path, "scores"))
        boundary_mm, probabilistic = sample.boundary_mm, method.probabilistic
        scores = LabelScores.of(prediction.probability, sample.labels, boundary_mm, probabilistic, prediction.uncertain)
        write_json(path, scores.to_json())
        return scores

    def _registration_scores(
        self, sample: EvaluationSample, prediction: LabelPrediction, surface: Mesh, face: NDArray[np.bool_] | None
    ) -> RegistrationScores:
        assert self._template is not None
        path, seconds = self._vertices(sample, prediction)
        measured = [self._template.face_mask, surface.vertices, surface.faces, *([] if face is None else [face])]
        content = _digest(path.stem, _content(*measured), face is None, MEASURES)
        file = self._folder / "registration" / f"{sample.head.id}-{content}.json"
        if file.is_file():
            value = read_json(file, "registration")
            back = None if value["back"] is None else SurfaceError(**value["back"])
            return RegistrationScores(SurfaceError(**value["error"]), back, seconds, path)
        mesh = Mesh(_read(path)["vertices"], self._template.faces)
        error = face_error(mesh, self._template.face_mask, surface)
        back = face_error(surface, face, mesh) if face is not None and face.any() else None
        scores = RegistrationScores(error, back, seconds, path)
        write_json(file, scores.to_json())
        return scores

    def _vertices(self, sample: EvaluationSample, prediction: LabelPrediction) -> tuple[Path, float]:
        """File of the registered vertices, and the seconds that the registration took."""
        assert self._template is not None
        weights = None if prediction.whole else prediction.probability.astype(float)
        confidence = None if prediction.distance_mm is None else confidence_of(prediction.distance_mm)
        given = _content(*(each for each in (weights, confidence) if each is not None))
        model, shape = self._template.model, _content(self._template.faces, self._template.shown)
        key = _digest(sample.key, given, model.name, model.version, shape, REGISTRATION)
        path = self._folder / "registered" / f"{sample.head.id}-{key}.npz"
        if not path.is_file():
            registration = register(self._template, sample.head.scan, weights, confidence=confidence)
            seconds = sum(registration.seconds.values())
            _write(path, {"vertices": registration.vertices.astype(np.float32), "seconds": np.array(seconds)})
        return path, float(_read(path)["seconds"])


def read_vertices(path: Path) -> NDArray[np.float32]:
    """(V, 3) metres, of a registered template."""
    return np.asarray(_read(path)["vertices"])


def read_probability(path: Path) -> NDArray[np.float32]:
    """(V,) of skin, that a method predicted."""
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
