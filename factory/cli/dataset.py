"""Commands around data sets: pack, join, produce, status, verify, report, demo."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from factory.cli.parser import Command, argument, group
from factory.cli.shared import RenderOptions
from factory.dataset.packing import PackSettings
from factory.dataset.unit_options import UnitOptions
from factory.production.settings.options import ClusterOptions
from factory.production.settings.quality_gates import QualityGates
from factory.report.settings import ReportSettings
from factory.stages.settings import ScanSettings
from labeling.settings import LabelSettings
from reconstruction.settings import ReconstructionSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Demo:
    """Options of `demo`.

    Attributes:
        out: output folder.
    """

    out: Path = Path("out/demo")


def demo(options: Demo) -> None:
    """Try the whole program, small: make six heads, train a model on four, segment an unseen one, report it all."""
    from factory.demo import run_demo

    run_demo(options.out)


@dataclass(frozen=True, kw_only=True)
class Pack:
    """Options of `pack`.

    Attributes:
        captures: folder of captures, with scans and labels, computed or painted.
        out: output folder: the data set.
    """

    captures: Path = argument()
    out: Path = Path("dataset")
    settings: PackSettings = group(PackSettings())
    units: UnitOptions = group(UnitOptions())


def pack(options: Pack) -> None:
    """Write labelled captures as WebDataset shards with a dataset.json."""
    from factory.dataset import packing

    packing.pack(packing.list_captures(options.captures), options.out, options.settings, options.units)


@dataclass(frozen=True, kw_only=True)
class Join:
    """Options of `join`.

    Attributes:
        datasets: folders of two data sets or more.
        out: output folder: the data set that has the heads of all.
    """

    datasets: tuple[Path, ...] = argument()
    out: Path


def join(options: Join) -> None:
    """Make one data set of several: heads stay in their splits, and those that are there twice are left out."""
    from factory.dataset import joining

    joining.join(options.datasets, options.out)


@dataclass(frozen=True)
class Produce:
    """Options of `produce`.

    Attributes:
        heads: number of heads.
        out: folder of the data set, or its URL in an object store (s3://...).
        test_heads: number of these in the test split; by default `test_share` of them.
        first_seed: seed of the first head; the others count up.
        gates: quality gates: a head that misses one is replaced by another seed.
    """

    heads: int = 8
    out: str = "dataset"
    test_heads: int | None = None
    shards: PackSettings = group(PackSettings())
    first_seed: int = 0
    render: RenderOptions = group(RenderOptions(), "rendering")
    reconstruction: ReconstructionSettings = group(
        ReconstructionSettings(styles=2), "reconstruction", without=("threads", "seed", "depth_min", "depth_max")
    )
    labels: LabelSettings = group(LabelSettings(), "labels")
    gates: QualityGates = field(default_factory=QualityGates)
    cluster: ClusterOptions = group(ClusterOptions(), "machines and disks")


def produce(options: Produce) -> None:
    """Make a data set: render, reconstruct, label and pack heads, here or on a cluster. Run it again to resume."""
    from factory.dataset.store import Store
    from factory.production.settings.plan import Plan, current_versions
    from factory.production.state.plan_file import count_test_heads

    render = options.render.settings()
    rebuild = options.reconstruction
    if rebuild.backend == "auto":  # the data set depends on it: not on which node a head meets
        rebuild = replace(rebuild, backend="cuda" if options.cluster.resources["reconstruct"].gpus else "cpu")
    store, for_test = Store(options.out), options.test_heads
    if for_test is None:
        for_test = count_test_heads(store, options.heads, options.shards.test_share)
    plan = Plan(
        heads=options.heads,
        test_heads=for_test,
        heads_per_shard=options.shards.heads_per_shard,
        first_seed=options.first_seed,
        render=render,
        scan=ScanSettings(rebuild, options.labels),
        gates=options.gates,
        versions=current_versions(render),
    )
    from factory.production.produce import produce as make_dataset  # with Ray, which takes a second

    splits = make_dataset(plan, store, options.cluster)["splits"]
    log.info("data set %s: %s", options.out, ", ".join(f"{splits[name]['samples']} {name}" for name in splits))


@dataclass(frozen=True, kw_only=True)
class AtDataset:
    """A data set.

    Attributes:
        dataset: folder of the data set, or its URL in an object store.
    """

    dataset: str = argument()


def status(options: AtDataset) -> None:
    """Print the progress of a data set, from any machine, while it is made or after."""
    from factory.dataset.store import Store
    from factory.production.status import describe

    for line in describe(Store(options.dataset)):
        sys.stdout.write(f"{line}\n")


def verify(options: AtDataset) -> None:
    """Check a data set: every checksum, count, label and split."""
    from factory.dataset.store import Store
    from factory.production.verify import verify as check

    counts = check(Store(options.dataset))
    log.info(
        "%s has no errors: %s", options.dataset, ", ".join(f"{number:,} {name}" for name, number in counts.items())
    )


@dataclass(frozen=True, kw_only=True)
class Report(AtDataset):
    """Options of `report`.

    Attributes:
        out: the page; by default <dataset>/report.html.
    """

    out: Path | None = None
    settings: ReportSettings = group(ReportSettings())


def report(options: Report) -> None:
    """Write a page with the pictures and numbers of a data set, finished or in the making."""
    from factory.report.page import write_report

    log.info("report: %s", write_report(options.dataset, options.out, options.settings))


COMMANDS = {
    "demo": Command(demo),
    "pack": Command(pack, "label"),
    "join": Command(join),
    "produce": Command(produce, "produce"),
    "status": Command(status, "s3"),
    "verify": Command(verify, "s3"),
    "report": Command(report, "report"),
}
