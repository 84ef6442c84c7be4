"""Are cheaper heads worth as much? Labellers trained on data sets of two builds, each tested on the heads of both.

    python -m benchmarks.training_worth out/worth --make [--heads 24] [--test-heads 6] [--first-seed 9100]
    python -m benchmarks.training_worth out/worth [--seeds 0,1]

The first has both builds (`benchmarks/cost.py`) make data sets of the same seeds; it may be stopped and goes on. The
other trains on each with the program as it is now, once for each seed of the training, and prints the mIoU on the
test heads.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.builds import REPO, Build, worktree
from benchmarks.cost import BEFORE, BUILDS


def make(folder: Path, options: argparse.Namespace) -> None:
    """Make `folder`/old and `folder`/new, by builds that are head for head the same but for their version."""
    words = ["--heads", options.heads + options.test_heads, "--test-heads", options.test_heads]
    words += ["--first-seed", options.first_seed, "--resolution", options.resolution, "--samples", options.samples]
    words += ["--heads-per-shard", 6, "--cpus", options.cpus]
    with tempfile.TemporaryDirectory() as temporary, worktree(BEFORE, Path(temporary) / BEFORE) as old:
        for name, build in zip(BUILDS, (old, Build(REPO)), strict=True):
            build.p2p("produce", *words, "--out", (folder / name).resolve())


def train(dataset: Path, out: Path, seed: int) -> None:
    """Train the recommended labeller on a data set; one that is trained is kept."""
    if (out / "checkpoints" / "last.ckpt").exists() and not (out / "checkpoints" / "resume.ckpt").exists():
        return
    p2p("fit", "--config", "recommended", "--data.dataset", dataset, "--seed_everything", seed, "--data.seed", seed,
        "--trainer.default_root_dir", out)  # fmt: skip


def test(dataset: Path, out: Path) -> float:
    """The mIoU of what was trained in `out` on the test heads of a data set."""
    p2p("test", "--data.dataset", dataset, "--trainer.default_root_dir", out,
        "--ckpt_path", out / "checkpoints" / "last.ckpt")  # fmt: skip
    newest = max((out / "logs").rglob("test*/**/metrics.csv"), key=lambda path: path.stat().st_mtime)
    with newest.open() as file:
        values = [row["test/miou"] for row in csv.DictReader(file) if row.get("test/miou")]
    return float(values[-1])


def p2p(*words: object) -> None:
    """Run `p2p` of this build, its progress on the terminal."""
    command = [sys.executable, "-m", "factory.cli", *map(str, words)]
    if status := subprocess.run(command, cwd=REPO, stdout=sys.stderr).returncode:
        raise SystemExit(f"{' '.join(command)} ended with {status}")


def print_table(folder: Path, seeds: list[int]) -> None:
    """Markdown: trained on a build's heads, tested on a build's heads, mean and each seed."""
    print("| trained on | tested on | mIoU | of the seeds |\n| --- | --- | --- | --- |")
    means = {}
    for trained in BUILDS:
        outs = [folder / "training" / f"{trained}_{seed}" for seed in seeds]
        for seed, out in zip(seeds, outs, strict=True):
            train(folder / trained, out, seed)
        for tested in BUILDS:
            values = [test(folder / tested, out) for out in outs]
            means[trained, tested] = np.mean(values)
            each = ", ".join(f"{value:.4f}" for value in values)
            print(f"| {trained} | {tested} | {np.mean(values):.4f} | {each} |", flush=True)
    for tested in BUILDS:
        difference = means["new", tested] - means["old", tested]
        print(f"\nOn the {tested} test heads, what new heads taught is {difference:+.4f} beside what old ones did.")


def main() -> None:
    """Make the data sets, or train and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--make", action="store_true", help="make the data sets")
    parser.add_argument("--heads", type=int, default=24)
    parser.add_argument("--test-heads", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=9100)
    parser.add_argument("--resolution", type=int, default=384)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--seeds", type=lambda text: [int(word) for word in text.split(",")], default=[0])
    options = parser.parse_args()
    folder = options.folder.resolve()
    make(folder, options) if options.make else print_table(folder, options.seeds)


if __name__ == "__main__":
    main()
