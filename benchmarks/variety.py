"""What does variety in training bring? The recommended labeller trained with one thing more each, on heads and people.

    python -m benchmarks.variety out/dataset --out out/variety [--variants plain,cropped,styles,...] [--jobs 2] \
        [--person ../shared/data/james benchmarks/james_outlines.json 0.001 ...]

The data set has scans in several styles (`p2p produce --styles 3`). Every variant is trained on the same heads, of
which some are kept aside for validation; what was trained is kept. Printed are, of the first scans of the test heads
and of those in further styles: mIoU of `skin` by its labels, IoU of `visible_skin` by what the masks show; expected
calibration error, share of the mistakes that the flags and the least sure tenth hold; and of people the mIoU of both
answers by outlines (`benchmarks/outlines.py`). Nothing is chosen by the test heads here.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.outlines import Agreement, Observations, observe
from benchmarks.real_people import copied
from capture import Labels, PixelClass
from evaluation.comparison.samples import EvaluationSample
from scans.head_sample import HeadSample
from scans.label_counts import Counts, FlagCounts
from scans.predictions import UNKNOWN, Prediction
from scans.reliability_curve import ReliabilityCurve
from scans.scale import CaptureScale
from scans.units import in_metres
from training.checkpoints.labeller import load_labeller
from training.checkpoints.pretrained import PRETRAINED
from training.data.shards import read_heads, read_splits
from training.inference import segment_head
from training.model.network import LabellerNetwork

REPO = Path(__file__).resolve().parents[1]
_ONE_SCAN = ("--data.scans", "1")
_CROP = ("--data.features.backbone.crop", "true")
_COLOUR = ("--data.features.names", "[image,colour,surface_variation]")
_SEEN = ("--data.style_distances", "false")
_COPIES = ("--data.copies", "1")
_JITTER = ("--model.variance_jitter", "6")
_MORE_JITTER = ("--model.variance_jitter", "30")
_SOFT = ("--model.label_noise", "0.15")
_EVEN = ("--model.skin_weight", "0.5")
VARIANTS: dict[str, tuple[str, ...]] = {
    "plain": _ONE_SCAN,
    "even": (*_ONE_SCAN, *_EVEN),
    "soft": (*_ONE_SCAN, *_SOFT),
    "cropped": (*_ONE_SCAN, *_CROP),
    "coloured": (*_ONE_SCAN, *_COLOUR),
    "styles": (),
    "jittered": (*_ONE_SCAN, *_JITTER),
    "styles_jittered": _JITTER,
    "styles_seen": _SEEN,
    "copies": (*_ONE_SCAN, *_COPIES),
    "styles_copies": _COPIES,
    "cropped_styles": _CROP,
    "cropped_styles_copies": (*_CROP, *_COPIES),
    "cropped_coloured_styles_copies": (*_CROP, *_COLOUR, *_COPIES),
}  # fmt: skip
SHIPPED = "comes along"  # the labeller as it is, trained on other heads
FINE_TUNED = {
    "tuned": _ONE_SCAN,
    "tuned_styles": (),
    "tuned_jittered": (*_ONE_SCAN, *_JITTER),
    "tuned_styles_jittered": _JITTER,
    "tuned_styles_jittered_copies": (*_JITTER, *_COPIES),
    "tuned_styles_more_jittered_copies": (*_MORE_JITTER, *_COPIES),
    "tuned_styles_seen": _SEEN,
    "tuned_styles_seen_copies": (*_SEEN, *_COPIES),
    "tuned_styles_copies": _COPIES,
}  # that labeller, trained on


def train(name: str, dataset: Path, out: Path, cache: Path, validation: int, more: Sequence[str]) -> Path:
    """Train a variant, unless it is there; its last checkpoint."""
    checkpoint = out / name / "checkpoints" / "last.ckpt"
    if checkpoint.exists() and not checkpoint.with_name("resume.ckpt").exists():
        return checkpoint
    tuned = name in FINE_TUNED
    words = [
        "fit",
        "--config",
        "finetune" if tuned else "recommended",
        *(FINE_TUNED if tuned else VARIANTS)[name],
        *more,
    ]
    words += [] if tuned else ["--model.distance_spread", "true"]
    words += ["--data.dataset", str(dataset), "--data.cache", str(cache), "--data.validation", str(validation)]
    words += ["--pictures.heads", "0", "--trainer.default_root_dir", str(out / name)]
    log = out / f"{name}.log"
    with log.open("w") as file:
        command = [sys.executable, "-m", "factory.cli", *words]
        if subprocess.run(command, cwd=REPO, stdout=file, stderr=file).returncode:
            raise SystemExit(f"{name} ended with an error; see {log}")
    return checkpoint


@dataclass
class Score:
    """Sums over heads: of skin by its labels, and of visible skin by what masks show."""

    skin: list[Counts] = field(default_factory=list)
    visible: list[Counts] = field(default_factory=list)
    calibration: list[ReliabilityCurve] = field(default_factory=list)
    flags: list[FlagCounts] = field(default_factory=list)
    sure: list[NDArray[np.float32]] = field(default_factory=list)
    wrong: list[NDArray[np.bool_]] = field(default_factory=list)

    def add(self, prediction: Prediction, labels: Labels) -> None:
        """Take in a scan."""
        self.skin.append(Counts.of(prediction.skin, labels.skin))
        self.calibration.append(ReliabilityCurve.of(prediction.probability, labels.skin))
        self.sure.append(np.abs(prediction.probability - 0.5))
        self.wrong.append(prediction.skin != labels.skin)
        if prediction.uncertain is not None:
            self.flags.append(FlagCounts.of(prediction.uncertain, self.wrong[-1]))
        if prediction.visible_skin is not None and labels.seen_class is not None:
            seen = labels.seen_class != UNKNOWN
            shown = labels.seen_class[seen] == PixelClass.SKIN
            self.visible.append(Counts.of(prediction.visible_skin[seen], shown))

    def cells(self) -> list[str]:
        """mIoU of skin, IoU of visible skin, calibration error, share flagged and of mistakes, mistakes in a tenth."""
        flags = FlagCounts.total(self.flags)
        numbers = [Counts.total(self.skin).scores().miou, Counts.total(self.visible).scores().iou_skin]
        numbers += [ReliabilityCurve.total(self.calibration).error, flags.share, flags.mistakes]
        numbers.append(self.mistakes_in_a_tenth())
        return [f"{number:.3f}" for number in numbers]

    def mistakes_in_a_tenth(self) -> float:
        """Share of the mistakes that the least sure tenth of all vertices holds."""
        sure, wrong = np.concatenate(self.sure), np.concatenate(self.wrong)
        return float(wrong[np.argsort(sure, kind="stable")[: len(sure) // 10]].sum() / max(wrong.sum(), 1))


def scans_of(head: HeadSample) -> Iterator[tuple[str, HeadSample]]:
    """The first scan of a head, and those in further styles, by the name of their style."""
    yield "first", head.with_variant(0)
    for number, variant in enumerate(head.variants, 1):
        yield str(variant.style["name"]), head.with_variant(number)


def score_heads(labeller: LabellerNetwork, dataset: Path, cache: Path) -> tuple[Score, Score]:
    """Of the first scans of the test heads, and of those in further styles."""
    first, others = Score(), Score()
    for shard in read_splits(dataset)["test"].shards:
        for head in read_heads(shard):
            for name, scan in scans_of(head):
                assert scan.labels is not None
                prediction = segment_head(scan, labeller, cache=cache)
                (first if name == "first" else others).add(prediction, scan.labels)
    return first, others


@dataclass(frozen=True, eq=False)
class Person:
    """A real person with outlined photographs."""

    name: str
    head: HeadSample
    seen: Observations

    @classmethod
    def of(cls, capture: str, outlines: str, metres: str, folder: Path) -> Person:
        """A capture, its outlines and metres per unit; rebuilt in `folder`, where it is kept."""
        place = folder / Path(capture).name
        if not place.is_dir():
            copied(Path(capture), place)
        CaptureScale(float(metres), 0.0, stated=True).write(place)
        sample = EvaluationSample(in_metres(HeadSample.from_capture(place))[0])
        return cls(place.name, sample.head, observe(Path(outlines), sample.head.cameras, sample.views))

    def cells(self, labeller: LabellerNetwork, cache: Path) -> list[str]:
        """mIoU of `skin` and of `visible_skin`, and the least recall of a region by the latter."""
        prediction = segment_head(self.head, labeller, cache=cache)
        assert prediction.visible_skin is not None
        skin, visible = (self._agreement(each) for each in (prediction.skin, prediction.visible_skin))
        return [f"{skin.mean_iou:.3f}", f"{visible.mean_iou:.3f}", f"{min(visible.regions.values()):.3f}"]

    def _agreement(self, skin: NDArray[np.bool_]) -> Agreement:
        return Agreement.of(skin, self.seen)


def main() -> None:
    """Train all variants and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--variants", default=",".join([SHIPPED, *VARIANTS, *FINE_TUNED]))
    parser.add_argument("--person", nargs=3, action="append", default=[], metavar=("CAPTURE", "OUTLINES", "METRES"))
    parser.add_argument("--validation", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--fit", default="", help="further options of `p2p fit`, as one word")
    options = parser.parse_args()
    out, cache = options.out.resolve(), options.out.resolve() / "cache"
    out.mkdir(parents=True, exist_ok=True)
    names = options.variants.split(",")
    dataset, more = options.dataset.resolve(), options.fit.split()

    def made(name: str) -> Path:
        return PRETRAINED if name == SHIPPED else train(name, dataset, out, cache, options.validation, more)

    people = [Person.of(*words, out / "people") for words in options.person]
    titles = ["skin mIoU", "visible IoU", "ECE", "flagged", "of mistakes", "in a tenth"]
    header = ["trained", *titles, *(f"{title}, styles" for title in titles[:2])]
    header += [f"{person.name}: {what}" for person in people for what in ("skin", "visible", "least region")]
    print(f"| {' | '.join(header)} |\n|{' --- |' * len(header)}", flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        for name, checkpoint in zip(names, pool.map(made, names), strict=True):
            labeller = load_labeller(checkpoint)
            first, others = score_heads(labeller, dataset, cache)
            cells = [name, *first.cells(), *others.cells()[:2]]
            cells += [cell for person in people for cell in person.cells(labeller, cache)]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
