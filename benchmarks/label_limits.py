"""Share of a labeller's errors at vertices that are neither clearly on the skin nor clearly off it.

A vertex is skin within 1.5 mm of the true surface. On stubble, short hair, clear glasses and where stereo is noisy,
vertices lie about there, and no picture tells on which side. Prints mIoU over all vertices of a split's heads together,
and over those that are nearer than half that distance or farther than twice; for the checkpoint and for the true masks
of the images.

    python -m benchmarks.label_limits DATASET [--checkpoint CKPT] [--split test] [--cache DIR]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from capture import SKIN_CLASSES
from evaluation.comparison.samples import read_samples
from scans.label_counts import Counts
from training.checkpoints.labeller import load_labeller
from training.checkpoints.pretrained import PRETRAINED
from training.inference import segment_head

LIMIT_MM = 1.5


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--checkpoint", type=Path, default=PRETRAINED)
    parser.add_argument("--split", default="test")
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args(arguments)
    labeller = load_labeller(options.checkpoint)
    counts: dict[str, list[Counts]] = {}
    unclear, vertices = 0, 0
    for sample in read_samples(options.dataset, options.split, None, ()):
        labels = sample.labels
        clear = (labels.distance_mm < LIMIT_MM / 2) | (labels.distance_mm > 2 * LIMIT_MM)
        assert labels.seen_class is not None
        answers = {
            "checkpoint": segment_head(sample.head, labeller, 250_000, options.cache).skin,
            "true masks": np.isin(labels.seen_class, [int(kind) for kind in SKIN_CLASSES]),
        }
        for name, skin in answers.items():
            counts.setdefault(f"{name}, all", []).append(Counts.of(skin, labels.skin))
            counts.setdefault(f"{name}, clear", []).append(Counts.of(skin[clear], labels.skin[clear]))
        unclear, vertices = unclear + int((~clear).sum()), vertices + len(labels)
        words = (f"{name} {each[-1].scores().miou:.3f}" for name, each in counts.items())
        print(f"{sample.head.id}: {', '.join(words)}", flush=True)
    result = {name: round(Counts.total(each).scores().miou, 4) for name, each in counts.items()}
    print(json.dumps({"heads": len(next(iter(counts.values()))), "unclear": round(unclear / vertices, 4), **result}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
