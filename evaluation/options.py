"""Options of an evaluation. Imports no heavy library."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from assets.head_models.registry import DEFAULT
from capture import InputError
from training.options import SegmentOptions


@dataclass(frozen=True)
class Baselines:
    """Files of the segmenters of single images that are compared with; without its file a method is left out.

    Attributes:
        bisenet: weights of a face-parsing network (BiSeNet, 19 classes).
        selfie: MediaPipe's multiclass selfie segmenter, .tflite.
        unet: checkpoint of `python -m training.pixels fit`.
    """

    bisenet: Path | None = None
    selfie: Path | None = None
    unet: Path | None = None


@dataclass(frozen=True)
class EvaluateOptions:
    """Options of an evaluation.

    Attributes:
        checkpoints: folder of training runs; without it only methods are measured that need none.
        which: checkpoint of each run: last, of the last epoch, or best. The best was chosen by the data set's own test
            heads where it has no validation split, which flatters it.
        split: split of the data set: test or train.
        heads: number of heads of it, the first ones; by default all.
        annotated: capture with labels that a person painted; may be repeated.
        blended: capture that `p2p blend` made and labelled; may be repeated.
        template: head model that is registered to the scans, or none to measure labels alone.
        head_model: head model that the data set was made with: makehuman, an ICT-FaceKit folder or an .npz file.
        vertices: most vertices that the networks work on; the others get the labels of those around them.
        pictures: number of heads of which the results of all methods are shown.
        rows: names, with commas, of the rows of the tables that are wanted; by default all.
        baselines: segmenters of images.
    """

    checkpoints: Path | None = None
    which: Literal["last", "best"] = "last"
    split: str = "test"
    heads: int | None = None
    annotated: tuple[Path, ...] = ()
    blended: tuple[Path, ...] = ()
    template: str | None = DEFAULT
    head_model: str | None = DEFAULT
    vertices: int = SegmentOptions.vertices
    pictures: int = 3
    rows: tuple[str, ...] = ()
    baselines: Baselines = field(default_factory=Baselines)

    def __post_init__(self) -> None:
        if self.template == "none":
            object.__setattr__(self, "template", None)  # one word for it
        if self.heads is not None and self.heads < 1:
            raise InputError(f"`heads` {self.heads}: at least one")
        if self.pictures < 0 or self.vertices < 16:
            raise InputError("`pictures` must not be negative, `vertices` at least 16")
