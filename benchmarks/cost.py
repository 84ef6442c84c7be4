"""Cost of a head beside the build of commit e35a573: core seconds of every stage, and what must not suffer.

Both builds work head by head in turn, each command in a process of its own; CPU time counts, its children's too, not
wall time. Rendering makes each build's own captures. All later stages get the same input in both, stereo too where
rendering isn't asked for: copies of the old build's captures, or of those that `--captures` names; so their results
can be compared one to one. Kernels are compiled before. `prepare` is what training does before its first epoch, without
operators and tokens kept from before.

    python -m benchmarks.cost [--seeds 1,3,...] [--resolution 384] [--samples 4] [--runs 3]
                              [--stages generate,reconstruct,label,pack,prepare,segment] [--captures FOLDER]
                              [--reference 256] [--records FOLDER]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import cost_worth as worth
from benchmarks.builds import REPO, Build, Run, worktree
from benchmarks.cost_records import HeadRecord

BEFORE = "e35a573"
STAGES = ("generate", "reconstruct", "label", "pack", "prepare", "segment")
BUILDS = ("old", "new")
# Hair families (all but buzz cuts, bobs and long straight hair, which are like others here), beards, hats, glasses:
SEEDS = {
    1: "afro, rectangular glasses",
    3: "braids, beanie, rectangular glasses",
    4: "long wavy hair, stubble",
    6: "cropped hair, stubble, headscarf, round glasses",
    9: "slicked hair, stubble, cap",
    10: "balding, chops",
    11: "side parting, short beard",
    12: "curly hair, full beard",
    19: "ponytail, goatee",
    29: "bun, browline glasses",
    42: "fringe, moustache, bucket hat, browline glasses",
    43: "bald, headband, rectangular glasses",
}
# Run in either build: the features of a head of the first shard, as the recommended configuration has them.
PREPARE = """
import sys
from pathlib import Path
import numpy as np
try:  # the old names first: where they are missing, ours may be found in what is installed
    from training.checkpoint import load_labeller
    from training.heads import Head as HeadSample
    from training.prepare import prepare_head
    from training.pretrained import PRETRAINED
except ModuleNotFoundError:
    from scans.head_sample import HeadSample
    from training.checkpoints.labeller import load_labeller
    from training.checkpoints.pretrained import PRETRAINED
    from training.preparation.prepare import prepare_head
head = HeadSample.from_capture(Path(sys.argv[1]))
with_vertices = load_labeller(PRETRAINED).preparation
assert with_vertices is not None and with_vertices.vertices == 12000
np.save(sys.argv[2], prepare_head(head, with_vertices, Path(sys.argv[3])).features)
"""

# Files of a capture that stereo and labelling make.
SCANNED = ("scan.ply", "stages/reconstruct.json")
LABELLED = ("labels.npz", "quality.json", "stages/label.json")


class Comparison:
    """One run of one head: `record.runs[stage][build]`, and `record.kept[stage]`, what must not suffer."""

    def __init__(self, builds: dict[str, Build], options: argparse.Namespace, work: Path) -> None:
        self.builds, self.options, self.work = builds, options, work
        self.record = HeadRecord()

    def head(self, seed: int) -> None:
        """All stages of a head, in turn by both builds."""
        stages, name = self.options.stages, f"head_{seed:08d}"
        later = set(stages) & set(STAGES[2:])
        own = {build: self.work / build / name for build in BUILDS}
        given = self.options.captures and Path(self.options.captures) / name
        if "generate" in stages:
            self._measure("generate", lambda build: self._generate(build, seed, self.options.samples, build))
            if self.options.reference:
                for build in BUILDS:
                    self._generate(build, seed, self.options.reference, f"reference_{build}")
                references = self.work / "reference_old" / name, self.work / "reference_new" / name
                self.record.kept["generate"] = worth.views((own["old"], own["new"]), references)
        elif "reconstruct" in stages or (later and not given):
            if given:
                shutil.copytree(given, own["old"])
                forget(own["old"], *SCANNED, *LABELLED)
            else:
                self._generate("old", seed, self.options.samples, "old")
            shutil.copytree(own["old"], own["new"])
        if "reconstruct" in stages:
            self._compile(own["old"])
            self._measure("reconstruct", lambda build: self.builds[build].p2p("reconstruct", own[build]))
            for build in BUILDS:  # what it is worth, with the same measures
                shutil.copytree(own[build], self.work / "worth" / build / name)
                self.builds["new"].p2p("label", self.work / "worth" / build / name)
            self.record.kept["reconstruct"] = worth.scans(self._pair("worth", name))
        elif later and not given:
            self.builds["old"].p2p("reconstruct", own["old"])
        if later:
            self._later(given or own["old"], name)

    def _later(self, given: Path, name: str) -> None:
        """The stages that both builds do on copies of one capture."""
        stages = self.options.stages
        same = {build: self.work / "same" / build / name for build in BUILDS}
        for build in BUILDS:
            shutil.copytree(given, same[build])
            forget(same[build], *LABELLED)
        pair = self._pair("same", name)
        if {"label", "pack"} & set(stages):
            runs = self._both(lambda build: self.builds[build].p2p("label", same[build]))
            if "label" in stages:
                self._add("label", runs, worth.labels(pair))
        if "pack" in stages:
            out = {build: self.work / "pack" / build / name for build in BUILDS}
            runs = self._both(lambda build: self.builds[build].p2p("pack", same[build], "--out", out[build]))
            self._add("pack", runs, worth.packs((out["old"], out["new"])))
        if "prepare" in stages:
            files = {build: self.work / f"{name}_{build}.npy" for build in BUILDS}
            runs = self._both(
                lambda build: self.builds[build].run(
                    "-c", PREPARE, same[build], files[build], self.work / "cache" / build / name
                )
            )
            self._add("prepare", runs, worth.features((files["old"], files["new"])))
        if "segment" in stages:
            runs = self._both(lambda build: self.builds[build].p2p("segment", same[build]))
            self._add("segment", runs, worth.predictions(pair))

    def _compile(self, capture: Path) -> None:
        """Have each build compile its kernels, which it does once a machine, on small images."""
        for build in BUILDS:
            small = self.work.parent / "small" / build
            if not small.exists():
                shutil.copytree(capture, small)
                self.builds[build].p2p("reconstruct", small, "--max-image-size", 192)

    def _generate(self, build: str, seed: int, samples: int, into: str) -> Run:
        words = ["--seeds", f"{seed}:{seed + 1}", "--resolution", self.options.resolution, "--samples", samples]
        return self.builds[build].p2p("generate", *words, "--out", self.work / into)

    def _both(self, work: Callable[[str], Run]) -> dict[str, Run]:
        return {build: work(build) for build in BUILDS}

    def _measure(self, stage: str, work: Callable[[str], Run]) -> None:
        self.record.runs[stage] = self._both(work)

    def _add(self, stage: str, runs: dict[str, Run], text: str) -> None:
        self.record.runs[stage], self.record.kept[stage] = runs, text

    def _pair(self, kind: str, name: str) -> worth.Pair:
        return self.work / kind / "old" / name, self.work / kind / "new" / name


def forget(capture: Path, *files: str) -> None:
    """Remove files of a capture."""
    for name in files:
        (capture / name).unlink(missing_ok=True)


def print_table(runs: list[dict[int, HeadRecord]], options: argparse.Namespace) -> None:
    """Markdown: means over heads and runs, the ratio of sums with the smallest and largest of the runs."""
    heads = ", ".join(f"{seed} ({SEEDS[seed]})" if seed in SEEDS else str(seed) for seed in options.seeds)
    print(f"{options.resolution}², {options.samples} samples; {len(runs)} runs; seeds {heads}\n")
    print("| stage | old, core s | new, core s | ratio | of the runs | peak old → new, GiB | what must not suffer |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    totals = np.zeros((len(runs), 2))
    for stage in options.stages:
        records = [record for heads in runs for record in heads.values()]
        seconds = np.array(
            [[[record.runs[stage][build].seconds for record in heads.values()] for build in BUILDS] for heads in runs]
        )
        peaks = [max(record.runs[stage][build].peak for record in records) / 2**30 for build in BUILDS]
        if stage in STAGES[:4]:
            totals += seconds.sum(axis=2)
        text = worth.together([record.kept[stage] for record in records if stage in record.kept])
        print_row(stage, seconds.sum(axis=2), len(options.seeds), f"{peaks[0]:.2f} → {peaks[1]:.2f}", text)
    if set(STAGES[:4]) <= set(options.stages):
        print_row("a head in all, packed", totals, len(options.seeds), "", "")


def print_row(name: str, sums: np.ndarray, heads: int, peaks: str, text: str) -> None:
    """A row of sums (runs, 2) over heads."""
    old, new = sums.mean(axis=0) / heads
    ratios = sums[:, 1] / sums[:, 0]
    spread = f"{ratios.min():.2f} to {ratios.max():.2f}"
    print(f"| {name} | {old:.2f} | {new:.2f} | {new / old:.2f} | {spread} | {peaks} | {text} |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=lambda text: [int(word) for word in text.split(",")], default=list(SEEDS))
    parser.add_argument("--resolution", type=int, default=384)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--stages", type=lambda text: text.split(","), default=list(STAGES))
    parser.add_argument("--runs", type=int, default=1, help="of everything, for the spread")
    parser.add_argument("--captures", type=Path, help="folder of captures, head_00000001 and so on")
    parser.add_argument("--reference", type=int, help="samples of a render that each build's views are compared with")
    parser.add_argument("--records", type=Path, help="folder of what is measured, a file a head; what is there is kept")
    options = parser.parse_args()
    if unknown := set(options.stages) - set(STAGES):
        parser.error(f"no such stage: {', '.join(unknown)}; there are {', '.join(STAGES)}")
    with tempfile.TemporaryDirectory() as folder, worktree(BEFORE, Path(folder) / BEFORE) as old:
        builds = {"old": old, "new": Build(REPO)}
        for build in builds.values():
            build.compile_modules()
        runs = [
            {seed: measured(builds, options, Path(folder), number, seed) for seed in options.seeds}
            for number in range(options.runs)
        ]
    print_table(runs, options)


def measured(builds: dict[str, Build], options: argparse.Namespace, folder: Path, run: int, seed: int) -> HeadRecord:
    """Measure a head, or read what was measured of it with the same options."""
    same = f"{options.resolution}_{options.samples}_{options.reference}_{'-'.join(options.stages)}"
    file = options.records and options.records / f"{same}_run_{run}_head_{seed:08d}.json"
    if file and file.exists():
        return HeadRecord.read(file)
    comparison = Comparison(builds, options, folder / f"run_{run}_{seed}")
    comparison.head(seed)
    shutil.rmtree(comparison.work)
    if file:
        comparison.record.write(file)
    ratios = {
        stage: f"{both['new'].seconds / both['old'].seconds:.2f}" for stage, both in comparison.record.runs.items()
    }
    print(f"run {run}, seed {seed}: {ratios}", file=sys.stderr, flush=True)
    return comparison.record


if __name__ == "__main__":
    main()
