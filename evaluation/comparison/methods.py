"""Ways to say of each vertex of a scan whether it is skin, with one face."""

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
from evaluation.comparison.samples import Subject
from training.checkpoints.labeller import load_labeller, read_checkpoint
from training.features.lifting import lift
from training.inference import segment_head
from training.model.module import SkinLabeller

LABELLING = 1  # version of how a checkpoint's answer comes about beside its weights: likewise
VOTES = 1  # version of how images' answers become a scan's: raise it when its numbers change


@dataclass(frozen=True, eq=False)
class Answer:
    """What a method says of the V vertices of a scan.

    Attributes:
        probability: (V,) of skin, 0 to 1.
        distance_mm: (V,) to the skin, where the method says so.
        whole: it doesn't tell: the whole scan counts.
    """

    probability: NDArray[np.float32]
    distance_mm: NDArray[np.float32] | None = None
    whole: bool = False

    @property
    def skin(self) -> NDArray[np.bool_]:
        """(V,) bool."""
        return np.asarray(self.probability > 0.5)


class Method(Protocol):
    """One way."""

    @property
    def graded(self) -> bool:
        """Whether its probabilities are more than yes and no."""

    def key(self, subject: Subject) -> str:
        """A name for everything that the answer depends on beside the subject's own key."""

    def answer(self, subject: Subject) -> Answer:
        """Raises `InputError` where it can't."""


class Everything:
    """No method at all: what a registration gets that is not told about hair."""

    graded = False

    def key(self, subject: Subject) -> str:
        return "everything"

    def answer(self, subject: Subject) -> Answer:
        return Answer(np.ones(len(subject.labels), np.float32), whole=True)


class TrueLabels:
    """The truth, which no method can do better than."""

    graded = False

    def key(self, subject: Subject) -> str:
        return "truth"

    def answer(self, subject: Subject) -> Answer:
        return Answer(subject.labels.skin.astype(np.float32))


class TrueMasks:
    """The rendered class masks, projected: what a perfect segmenter of images would say."""

    graded = False

    def key(self, subject: Subject) -> str:
        return _digest(["masks", VOTES, *(hashlib.sha256(mask).hexdigest() for mask in _masks(subject))])

    def answer(self, subject: Subject) -> Answer:
        wanted = [int(kind) for kind in SKIN_CLASSES]
        _masks(subject)
        classes = subject.head.classes() or []
        return Answer(vote([np.isin(each, wanted).astype(np.float32) for each in classes], subject))


@dataclass(frozen=True)
class Projected:
    """A segmenter of images, projected onto the scan."""

    segmenter: PixelSegmenter
    graded: bool = True

    def key(self, subject: Subject) -> str:
        return _digest(["projected", VOTES, self.segmenter.key])

    def answer(self, subject: Subject) -> Answer:
        images = subject.head.pixels()
        try:
            maps = [self.segmenter.skin(image) for image in images]
        except (RuntimeError, ValueError, TypeError) as error:  # of the library that runs it
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise InputError(f"the segmenter fails on images of {subject.head.id}: {reason}") from None
        return Answer(vote(maps, subject))


@dataclass(frozen=True)
class Labeller:
    """A checkpoint of ours.

    Attributes:
        checkpoint: file.
        vertices: the network works on at most so many.
        cache: folder for what is prepared, which checkpoints share.
    """

    checkpoint: Path
    vertices: int
    cache: Path
    graded: bool = True

    def key(self, subject: Subject) -> str:
        return _digest(["labeller", LABELLING, _weights_of(str(self.checkpoint)), self.vertices])

    def answer(self, subject: Subject) -> Answer:
        found = segment_head(subject.head, _load(str(self.checkpoint)), self.vertices, self.cache)
        return Answer(found.probability, found.distance_mm)


def vote(maps: Sequence[NDArray[np.float32]], subject: Subject) -> NDArray[np.float32]:
    """(V,) the mean of what N maps (h, w) say at each vertex, weighted by visibility and viewing angle.

    Vertices that no view sees take what hides them, those outside all images 0.
    """
    lifted = lift([each[..., None] for each in maps], subject.views, "weighted_mean")
    return np.asarray(np.clip(lifted[:, 0], 0, 1), np.float32)


def _masks(subject: Subject) -> tuple[bytes, ...]:
    masks = subject.head.masks
    if masks is None:
        raise InputError("there are no class masks: pack the data set again from its captures (`p2p pack`)")
    return masks


def _digest(parts: Sequence[Any]) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]


@lru_cache(maxsize=64)
def _weights_of(checkpoint: str) -> str:
    return sha256_of(Path(checkpoint))


@lru_cache(maxsize=32)
def _load(checkpoint: str) -> SkinLabeller:
    return load_labeller(Path(checkpoint))


def describe_checkpoint(path: Path) -> dict[str, Any]:
    """Network and preparation of a checkpoint as plain values. Raises `InputError` where it is none of ours."""
    value = read_checkpoint(path)
    options = {key: item for key, item in value.get("hyper_parameters", {}).items() if not key.startswith("_")}
    labeller = value["labeller"]
    trained = {"heads": labeller.get("training_heads"), "ids": labeller.get("training_ids", [])}
    return {"options": options, **trained, **labeller["preparation"]}
