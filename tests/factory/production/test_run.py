"""Runs on a real local Ray, with stages that take no time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from capture import InputError
from factory.dataset.events import EventLog, read_events
from factory.dataset.store import Store
from factory.production.cluster import connected
from factory.production.display import RunDisplay
from factory.production.event_queue import poll_events, start_event_queue
from factory.production.run import ProductionRun
from factory.production.settings.options import ClusterOptions
from factory.production.settings.plan import Plan
from factory.production.state.heartbeat import HEARTBEAT
from factory.production.state.plan_file import claim_plan, plan_to_follow
from factory.production.status import describe
from factory.production.task_submitter import TaskSubmitter
from factory.report.dataset_reader import DatasetReader
from factory.report.usage import sum_usage
from factory.stages.failures import StageError
from tests.factory.production import fakes
from training.data.shards import check_shard, read_samples, read_splits

Produce = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def nodes() -> Iterator[None]:
    with connected(ClusterOptions(cpus=4)):
        yield


@pytest.fixture(scope="module")
def produce_in(nodes: None) -> Produce:
    queue = start_event_queue()

    def run(folder: Path, plan: Plan | None = None) -> dict[str, Any]:
        store = Store(folder)
        followed = plan_to_follow(store, plan or fakes.make_plan())
        claim_plan(store, followed)
        context = fakes.make_context(followed, folder)
        poll_events(queue)  # what a run that failed left
        with EventLog(store) as event_log, RunDisplay(store) as display:
            submitter = TaskSubmitter(context, queue, (fakes.run_stage, fakes.run_pack))
            return ProductionRun(context, submitter, lambda: poll_events(queue), lambda: 4, event_log, display).run()

    return run


@pytest.fixture
def produce(produce_in: Produce, tmp_path: Path) -> Produce:
    return lambda *plan: produce_in(tmp_path / "dataset", *plan)


def shards_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.tar")}


def seeds_of(folder: Path) -> set[int]:
    """Of all samples, each read as training reads it."""
    seeds = []
    for split in read_splits(folder).values():
        for shard in split.shards:
            check_shard(shard)
            for sample in read_samples(shard):
                seed = json.loads(sample["capture.json"])["seed"]
                assert {key: data for key, data in sample.items() if key[:2] != "__"} == fakes.sample_of(seed)
                seeds.append(seed)
    assert len(seeds) == len(set(seeds))
    return set(seeds)


@pytest.fixture(scope="module")
def whole(produce_in: Produce, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole data set, for all tests: to be copied."""
    folder = tmp_path_factory.mktemp("whole") / "dataset"
    produce_in(folder)
    return folder


@pytest.fixture
def undisturbed(whole: Path) -> dict[str, bytes]:
    return shards_of(whole)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy of the whole data set, where `produce` works."""
    return shutil.copytree(whole, tmp_path / "dataset")


def test_every_head_is_in_one_shard(produce: Produce, tmp_path: Path) -> None:
    description = produce()
    assert seeds_of(tmp_path / "dataset") == {0, 1, 2, 3, 4}
    assert {name: split["samples"] for name, split in description["splits"].items()} == {"train": 3, "test": 2}
    assert description["statistics"]["heads"] == 5 and description["replaced"] == 0
    left = {path.name for path in (tmp_path / "dataset").iterdir()}
    assert HEARTBEAT not in left and not list((tmp_path / "dataset" / "parts").iterdir())
    seconds = sum_usage(read_events(Store(tmp_path / "dataset"))).seconds
    assert {stage: times["head_00000003"] for stage, times in seconds.items()} == {
        "generate": 0.5,
        "reconstruct": 0.5,
        "label": 0.5,
    }


def test_a_whole_data_set_is_left_as_it_is(produce: Produce, folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*.tar")}
    produce()
    assert before == {path: path.stat().st_mtime_ns for path in folder.glob("*.tar")}


def test_what_is_lost_is_made_again(produce: Produce, folder: Path, undisturbed: dict[str, bytes]) -> None:
    (folder / "train-000000.tar").unlink()
    produce()
    assert shards_of(folder) == undisturbed


@pytest.mark.parametrize("damage", ["cut", "flip", "index", "padding", "checksum"])
def test_a_damaged_shard_is_mended(produce: Produce, folder: Path, undisturbed: dict[str, bytes], damage: str) -> None:
    path = folder / "train-000000.tar"
    data = bytearray(path.read_bytes())
    if damage == "cut":
        del data[-4000:]
    elif damage == "checksum":
        (folder / f"{path.name}.sha256").unlink()
    else:
        data[{"flip": data.index(b"\1" * 700) + 3, "index": 700, "padding": len(data) - 9}[damage]] ^= 4
    path.write_bytes(data)
    produce()
    assert shards_of(folder) == undisturbed
    assert seeds_of(folder) == {0, 1, 2, 3, 4}
    made = sum(event["event"] == "head" for event in read_events(Store(folder)))
    assert made == 5 + {"cut": 1, "flip": 1, "index": 2, "padding": 0, "checksum": 0}[damage]


def test_a_damaged_head_archive_is_made_again(produce: Produce, tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    folder = tmp_path / "dataset"
    fakes.fault(folder, "label", 0, "reject", 1000)
    for seed in range(1, 10):
        fakes.fault(folder, "label", seed * 10_000_000, "reject", 1000)
    with pytest.raises(StageError, match=r"slot 0 of .*: 10 seeds failed or were rejected, head_00000000 first"):
        produce()
    archives = list((folder / "parts").glob("*.tar"))
    assert archives  # of the shard that slot 0 is in
    archives[0].write_bytes(archives[0].read_bytes()[:-12_000])
    shutil.rmtree(folder / "quarantine")
    shutil.rmtree(folder / fakes.FAULTS)
    produce()
    assert shards_of(folder) == undisturbed


def test_a_rejected_head_is_replaced(produce: Produce, tmp_path: Path) -> None:
    folder = tmp_path / "dataset"
    fakes.fault(folder, "label", 1, "reject", 1000)
    fakes.fault(folder, "generate", 10_000_001, "crash", 1000)
    description = produce()
    assert seeds_of(folder) == {0, 20_000_001, 2, 3, 4} and description["replaced"] == 1
    rejected = json.loads((folder / "quarantine" / "head_00000001.json").read_text())
    assert rejected["verdict"] == "label head_00000001: crash: reject" and len(rejected["attempts"]) == 1
    crashed = json.loads((folder / "quarantine" / "head_10000001.json").read_text())
    assert len(crashed["attempts"]) == 3 and crashed["attempts"][0]["log"] == "said"
    produce()
    assert seeds_of(folder) == {0, 20_000_001, 2, 3, 4}


@pytest.mark.parametrize("kind", ["crash", "kill"])
def test_a_stage_that_fails_twice_leaves_no_trace_in_the_data(
    produce: Produce, tmp_path: Path, undisturbed: dict[str, bytes], kind: str
) -> None:
    folder = tmp_path / "dataset"
    for stage, seed in (("generate", 0), ("reconstruct", 1), ("label", 2), ("pack", 3)):
        fakes.fault(folder, stage, seed, kind, 2)
    produce()
    assert shards_of(folder) == undisturbed and not (folder / "quarantine").exists()


def test_when_all_fail_the_run_stops(produce: Produce, tmp_path: Path) -> None:
    folder = tmp_path / "dataset"
    for seed in range(5):
        for replacement in range(10):
            fakes.fault(folder, "generate", seed + 10_000_000 * replacement, "reject", 1000)
    with pytest.raises(StageError, match=r"stopped: 4 heads failed .* and 0 were finished; the last: generate head_"):
        produce()
    assert not (folder / "dataset.json").exists()


def test_a_mistake_in_the_set_up_stops_the_run_and_blames_no_head(produce: Produce, tmp_path: Path) -> None:
    fakes.fault(tmp_path / "dataset", "generate", 1, "wrong set-up", 1000)
    with pytest.raises(InputError, match=r"^generate head_00000001 on there: wrong set-up$"):
        produce()
    assert not (tmp_path / "dataset" / "quarantine").exists()


def test_other_options_are_refused_and_shown(produce: Produce, folder: Path) -> None:
    before = shards_of(folder)
    with pytest.raises(InputError, match=r"begun with other options: versions\.fake is \"1\" there, \"2\" here"):
        produce(fakes.make_plan(6, versions={"fake": "2"}))
    assert shards_of(folder) == before


def test_a_shard_of_another_data_set_is_refused(produce_in: Produce, folder: Path, tmp_path: Path) -> None:
    produce_in(tmp_path / "other", fakes.make_plan(first_seed=7))
    shutil.copy(tmp_path / "other" / "train-000000.tar", folder / "train-000000.tar")
    with pytest.raises(InputError, match=r"train-000000\.tar is a shard of another data set; move it away"):
        produce_in(folder)


GROWN = fakes.make_plan(9, test_heads=3)


@pytest.fixture(scope="module")
def grown(produce_in: Produce, whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole data set, grown from 5 heads to 9."""
    folder = shutil.copytree(whole, tmp_path_factory.mktemp("grown") / "dataset")
    produce_in(folder, GROWN)
    return folder


def splits_of(folder: Path) -> dict[str, list[str]]:
    return {name: list(split.ids) for name, split in read_splits(folder).items()}


def test_a_data_set_grows(whole: Path, grown: Path) -> None:
    before, after = splits_of(whole), splits_of(grown)
    assert {name: len(ids) for name, ids in after.items()} == {"train": 6, "test": 3}
    assert all(after[name][: len(ids)] == ids for name, ids in before.items())
    assert shards_of(whole).items() < shards_of(grown).items()
    assert seeds_of(grown) == set(range(9))
    made = [event["id"] for event in read_events(Store(grown)) if event["event"] == "head"]
    assert len(made) == len(set(made)) == 9
    assert "complete, 9 heads (6 train, 3 test) in 6 shards" in next(iter(describe(Store(grown))))
    keys = [json.loads((folder / "dataset.json").read_text())["key"] for folder in (whole, grown)]
    assert keys[0] != keys[1]


class KilledError(Exception):
    pass


@pytest.mark.parametrize("point", ["production.json", "generate-5", "label-7", "pack-8", "shard", "dataset.json"])
def test_growth_that_is_killed_resumes(
    produce: Produce, folder: Path, grown: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Until it is complete, what was there before can be read; in the end it is as if nothing had happened."""
    before = splits_of(folder)
    with monkeypatch.context() as patch:
        stop_at(point, folder, patch)
        with pytest.raises((KilledError, InputError), match=r"killed|wrong set-up"):
            produce(GROWN)
    assert splits_of(folder) == before
    reader = DatasetReader(str(folder))
    heads = [entry.id for _, entry in reader.entries()]
    assert len(heads) == len(set(heads)) >= 5
    if point == "production.json":
        assert reader.description is not None and next(describe(Store(folder))).count("complete, 5 heads")
    else:
        lines = list(describe(Store(folder)))
        assert " of 9 heads finished" in lines[0] and reader.description is None
        assert lines[1] == "it grows: until it is complete, dataset.json has the 5 heads (3 train, 2 test) from before"
    shutil.rmtree(folder / fakes.FAULTS, ignore_errors=True)
    produce(GROWN)
    assert shards_of(folder) == shards_of(grown)
    for name in ("dataset.json", "production.json"):
        assert (folder / name).read_bytes() == (grown / name).read_bytes()


def stop_at(point: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Have a run end at a stage of a head, before a file is written, or when the first shard is."""
    if "-" in point:
        stage, seed = point.split("-")
        fakes.fault(folder, stage, int(seed), "wrong set-up", 1000)
        return

    def write(store: Store, name: str, data: bytes) -> None:
        if name == point:
            raise KilledError("killed")
        unpatched_write(store, name, data)

    def log(events: EventLog, event: str, **values: Any) -> None:
        if event == point:
            raise KilledError("killed")
        unpatched_log(events, event, **values)

    unpatched_write, unpatched_log = Store.write, EventLog.write
    patch.setattr(Store, "write", write)
    patch.setattr(EventLog, "write", log)


def test_a_damaged_shard_of_a_growing_data_set_is_mended(produce: Produce, folder: Path, grown: Path) -> None:
    path = folder / "train-000000.tar"
    path.write_bytes(path.read_bytes()[:-4000])
    produce(GROWN)
    assert shards_of(folder) == shards_of(grown)
    (folder / "test-000001.tar").unlink()
    (folder / "dataset.json").write_bytes((folder / "dataset.json").read_bytes()[:-40])
    produce(GROWN)
    assert shards_of(folder) == shards_of(grown)
    assert (folder / "dataset.json").read_bytes() == (grown / "dataset.json").read_bytes()
    produce(fakes.make_plan(12, test_heads=3))
    assert seeds_of(folder) == set(range(12)) and shards_of(grown).items() < shards_of(folder).items()
