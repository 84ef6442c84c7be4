"""Labelling methods behind one interface: references, projected segmenters of images, trained labellers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from capture import InputError
from capture.files import sha256_of
from evaluation.baselines.segmenter import SKIN_CLASSES, PixelSegmenter
from evaluation.comparison.samples import EvaluationSample
from training.checkpoints.labeller import load_labeller, read_checkpoint
from training.features.lifting import lift
from training.inference import segment_head
from training.model.network import LabellerNetwork

LABELLING = 2  # version of how a checkpoint's prediction comes about beside its weights
VOTES = 1  # version of how predictions of images become a scan's; raise either when its numbers change


@dataclass(frozen=True, eq=False)
class LabelPrediction:
    """Prediction of a method for the V vertices of a scan.

    Attributes:
        probability: (V,) of skin, 0 to 1.
        distance_mm: (V,) to the skin; None where the method predicts none.
        whole: the method labels nothing: the whole scan is registered to.
        uncertain: (V,) labels that the method flags as uncertain; None where it doesn't.
    """

    probability: NDArray[np.float32]
    distance_mm: NDArray[np.float32] | None = None
    whole: bool = False
    uncertain: NDArray[np.bool_] | None = None

    @property
    def skin(self) -> NDArray[np.bool_]:
        """(V,) bool."""
        return np.asarray(self.probability > 0.5)


class LabellingMethod(Protocol):
    """A method that labels the vertices of a scan as skin or not."""

    @property
    def probabilistic(self) -> bool:
        """Whether its probabilities take values between 0 and 1."""

    def key(self, sample: EvaluationSample) -> str:
        """Name of everything that the prediction depends on beside the sample's own key."""

    def predict(self, sample: EvaluationSample) -> LabelPrediction:
        """The labels of a sample's scan; raises `InputError` where it can't make them."""


class NoMask:
    """No labelling: the reference of a registration that knows nothing of hair."""

    probabilistic = False

    def key(self, sample: EvaluationSample) -> str:
        return "everything"

    def predict(self, sample: EvaluationSample) -> LabelPrediction:
        return LabelPrediction(np.ones(len(sample.labels), np.float32), whole=True)


class TrueLabels:
    """The true labels: the reference that no method can do better than."""

    probabilistic = False

    def key(self, sample: EvaluationSample) -> str:
        return "truth"

    def predict(self, sample: EvaluationSample) -> LabelPrediction:
        return LabelPrediction(sample.labels.skin.astype(np.float32))


class TrueMasks:
    """The rendered class masks, projected: the prediction of a perfect segmenter of images."""

    probabilistic = False

    def key(self, sample: EvaluationSample) -> str:
        return _digest(["masks", VOTES, *(hashlib.sha256(mask).hexdigest() for mask in _masks(sample))])

    def predict(self, sample: EvaluationSample) -> LabelPrediction:
        wanted = [int(kind) for kind in SKIN_CLASSES]
        _masks(sample)
        classes = sample.head.classes() or []
        return LabelPrediction(vote([np.isin(each, wanted).astype(np.float32) for each in classes], sample))


@dataclass(frozen=True)
class ProjectedSegmenter:
    """A segmenter of images whose probabilities are projected onto the scan."""

    segmenter: PixelSegmenter
    probabilistic: bool = True

    def key(self, sample: EvaluationSample) -> str:
        return _digest(["projected", VOTES, self.segmenter.key])

    def predict(self, sample: EvaluationSample) -> LabelPrediction:
        images = sample.head.pixels()
        try:
            maps = [self.segmenter.skin(image) for image in images]
        except (RuntimeError, ValueError, TypeError) as error:  # of the library that runs it
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise InputError(f"the segmenter fails on images of {sample.head.id}: {reason}") from None
        return LabelPrediction(vote(maps, sample))


@dataclass(frozen=True)
class TrainedLabeller:
    """A labeller that `fit` trained.

    Attributes:
        checkpoint: file.
        vertices: the network works on at most so many.
        cache: folder for prepared features, which checkpoints share.
    """

    checkpoint: Path
    vertices: int
    cache: Path
    probabilistic: bool = True

    def key(self, sample: EvaluationSample) -> str:
        return _digest(["labeller", LABELLING, _weights_of(str(self.checkpoint)), self.vertices])

    def predict(self, sample: EvaluationSample) -> LabelPrediction:
        prediction = segment_head(sample.head, _load(str(self.checkpoint)), self.vertices, self.cache)
        return LabelPrediction(prediction.probability, prediction.distance_mm, uncertain=prediction.uncertain)


def vote(maps: Sequence[NDArray[np.float32]], sample: EvaluationSample) -> NDArray[np.float32]:
    """(V,) mean of N maps (h, w) at each vertex, weighted by visibility and viewing angle.

    Vertices that no view sees take the values of what hides them, those outside all images 0.
    """
    lifted = lift([each[..., None] for each in maps], sample.views, "weighted_mean")
    return np.asarray(np.clip(lifted[:, 0], 0, 1), np.float32)


def _masks(sample: EvaluationSample) -> tuple[bytes, ...]:
    masks = sample.head.masks
    if masks is None:
        raise InputError("there are no class masks: pack the data set again from its captures (`p2p pack`)")
    return masks


def _digest(parts: Sequence[Any]) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]


@lru_cache(maxsize=64)
def _weights_of(checkpoint: str) -> str:
    return sha256_of(Path(checkpoint))


@lru_cache(maxsize=32)
def _load(checkpoint: str) -> LabellerNetwork:
    return load_labeller(Path(checkpoint))


def describe_checkpoint(path: Path) -> dict[str, Any]:
    """Network and preparation of a checkpoint as plain values. Raises `InputError` where it is none of ours."""
    value = read_checkpoint(path)
    options = {key: item for key, item in value.get("hyper_parameters", {}).items() if not key.startswith("_")}
    labeller = value["labeller"]
    ids = [*labeller.get("training_ids", []), *labeller.get("validation_ids", [])]
    trained = {"heads": labeller.get("training_heads"), "ids": ids}
    return {"options": options, **trained, **labeller["preparation"]}
