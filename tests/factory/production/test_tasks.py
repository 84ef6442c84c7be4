"""Tasks of heads and shards: files that are assembled, saved and removed, and whatever may go wrong there."""

from __future__ import annotations

import errno
import io
import os
import socket
import sys
import tarfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from capture import InputError, Labels, RefusedError
from factory.dataset.archive import Index, index_of, read_index, write_archive
from factory.dataset.store import Store
from factory.production.display import RunDisplay
from factory.production.state.existing import list_existing, remove_partial_files
from factory.production.state.head_archives import HEAD_ARCHIVES, head_archive_name
from factory.production.state.heartbeat import HEARTBEAT
from factory.production.tasks import head_tasks, shard_tasks
from factory.production.tasks.context import RunContext
from factory.production.tasks.disk_space import working_folder
from factory.production.tasks.head_errors import AttemptError, RejectedError
from factory.production.tasks.shard_tasks import ShardJob, assemble_shard, check_shard
from factory.stages.failures import Failure, StageError, kind_of
from factory.stages.processes import run_stage
from factory.stages.stamps import run_stamped
from tests.factory.production import fakes

SLOTS = (0, 3)


class Events(list):
    """Collects the events of tasks."""

    def __call__(self, event: str, **values: Any) -> None:
        self.append((event, values))


@pytest.fixture
def shard(tmp_path: Path) -> ShardJob:
    """A shard of two heads whose archives are there."""
    job = ShardJob(Store(tmp_path / "data"), "key", "train-000000.tar", SLOTS, tmp_path, Events())
    for slot in SLOTS:
        _put_archive(job, slot, slot)
    return job


def _put_archive(job: ShardJob, slot: int, seed: int, key: str = "key") -> str:
    sample = fakes.sample_of(seed)
    facts = {"seed": seed, "vertices": 1, "skin_share": 0.5, "skin_distance_mm_median": 0.1, "versions": {}}
    path = Path(job.store.url) / HEAD_ARCHIVES / head_archive_name(slot, seed)
    write_archive(path, index_of([(slot, f"head_{seed:08d}", facts, sample)], key), (sample[k] for k in sorted(sample)))
    return path.name


def archives_of(job: ShardJob) -> list[str]:
    return list(job.store.sizes(HEAD_ARCHIVES))


def test_archives_become_a_shard_once(shard: ShardJob) -> None:
    archives = archives_of(shard)
    assert assemble_shard(shard, archives) == [] and archives_of(shard) == []
    path = Path(shard.store.url) / shard.name
    written, when = path.read_bytes(), path.stat().st_mtime_ns
    _put_archive(shard, 3, 3)  # as if the process had been killed before it removed the last one
    assert assemble_shard(shard, archives) == [] and archives_of(shard) == []
    assert path.read_bytes() == written and path.stat().st_mtime_ns == when


@pytest.mark.parametrize("step", ["_read_head_archive", "_contents"])
def test_a_task_of_a_killed_run_may_make_the_shard_meanwhile(
    shard: ShardJob, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """It is done, then, whatever the archives look like that the other task has removed."""
    archives = archives_of(shard)
    before = _just_before(step, monkeypatch, lambda: assemble_shard(shard, archives))
    assert assemble_shard(shard, archives) == [] and before == [[]] and archives_of(shard) == []
    assert check_shard(shard) is None


def test_an_archive_that_is_lost_while_it_is_copied_is_damaged(
    shard: ShardJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = archives = archives_of(shard)
    _just_before("_contents", monkeypatch, lambda: shard.store.remove(f"{HEAD_ARCHIVES}/{second}"))
    assert assemble_shard(shard, archives) == [second] and archives_of(shard) == [first]
    assert not (Path(shard.store.url) / shard.name).exists()


def _just_before(step: str, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> list[Any]:
    """Act once, before a function of shard tasks is called; the list gets what comes of it."""
    function, results = getattr(shard_tasks, step), list[Any]()

    def late(*arguments: Any) -> Any:
        monkeypatch.setattr(shard_tasks, step, function)
        results.append(act())
        return function(*arguments)

    monkeypatch.setattr(shard_tasks, step, late)
    return results


def test_heads_that_become_a_shard_while_files_are_listed_are_not_lost(tmp_path: Path) -> None:
    plan = fakes.make_plan()
    context = fakes.make_context(plan, tmp_path / "data")
    name, slots = next(iter(plan.shards.items()))
    job = ShardJob(context.store, plan.key, name, slots, tmp_path, Events())
    archives = [fakes.run_pack(context, slot, plan.seed(slot), Events(), b"", b"", b"") for slot in slots]

    class Busy(Store):
        """A store whose shard is made once a folder of it was listed."""

        def sizes(self, folder: str = "") -> dict[str, int]:
            found = super().sizes(folder)
            assert assemble_shard(job, archives) == []
            return found

    assert list_existing(Busy(tmp_path / "data"), plan).shards == {name}


def test_archives_of_another_plan_or_slot_are_refused(shard: ShardJob) -> None:
    stale = _put_archive(shard, 0, 0, key="another plan")
    misnamed = Path(shard.store.url) / HEAD_ARCHIVES / head_archive_name(3, 10_000_003)
    (Path(shard.store.url) / HEAD_ARCHIVES / head_archive_name(3, 3)).rename(misnamed)
    assert assemble_shard(shard, [stale, misnamed.name]) == [stale]
    wrong = _put_archive(shard, 5, 5)
    (Path(shard.store.url) / HEAD_ARCHIVES / wrong).rename(
        Path(shard.store.url) / HEAD_ARCHIVES / head_archive_name(0, 0)
    )
    assert assemble_shard(shard, [head_archive_name(0, 0), misnamed.name]) == [head_archive_name(0, 0)]
    assert not (Path(shard.store.url) / shard.name).exists()


def test_a_damaged_shard_that_was_taken_apart_before_gives_its_archives(shard: ShardJob) -> None:
    assert assemble_shard(shard, archives_of(shard)) == []
    path = Path(shard.store.url) / shard.name
    data = bytearray(path.read_bytes())
    data[-3000] ^= 1
    path.write_bytes(data)
    first = check_shard(shard)
    assert first is not None and first[1] and not path.exists()
    again = check_shard(shard)  # the attempt that took it apart was killed before it could tell
    assert again is not None and again[1] == first[1]


def test_a_sector_that_cannot_be_read_is_damage(shard: ShardJob, monkeypatch: pytest.MonkeyPatch) -> None:
    assert assemble_shard(shard, archives_of(shard)) == []

    def unreadable(file: Any) -> Index:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(shard_tasks, "check_archive", unreadable)
    damage = check_shard(shard)
    assert damage is not None and "it can't be read" in damage[0] and len(damage[1]) == 2


def test_a_full_disk_makes_assembly_wait(shard: ShardJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_tasks, "_RETRY_S", 0.01)
    full = _fails_times(3, OSError(errno.ENOSPC, "No space left on device"), shard_tasks.write_archive)
    monkeypatch.setattr(shard_tasks, "write_archive", full)
    assert assemble_shard(shard, archives_of(shard)) == []
    assert [event for event, _ in shard.send_event] == ["paused"] * 3  # type: ignore[attr-defined]
    with Store(shard.store.url).open(shard.name) as file:
        assert [entry.slot for entry in read_index(lambda a, b: (file.seek(a), file.read(b - a))[1]).entries] == [0, 3]


def _fails_times(times: int, error: Exception, then: Callable[..., Any]) -> Callable[..., Any]:
    left = [times]

    def run(*arguments: Any, **named: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise error
        return then(*arguments, **named)

    return run


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("NaN is no JSON"), Failure.CRASH),
        (MemoryError(), Failure.MEMORY),
        (InputError("no CUDA on this node; use cpu"), Failure.SETUP),
        (RefusedError("the scan is empty; look again"), Failure.DATA),
        (StageError("killed", Failure.TIMEOUT), Failure.TIMEOUT),
        (OSError(errno.EIO, "bad sector"), Failure.CRASH),
    ],
)
def test_whatever_goes_wrong_costs_one_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, kind: Failure
) -> None:
    context, events = fakes.make_context(fakes.make_plan(), tmp_path / "data"), Events()
    monkeypatch.setattr(head_tasks, "_run_stage", _fails_times(1, error, lambda *_: None))
    with pytest.raises(RejectedError if kind is Failure.DATA else AttemptError) as failed:
        head_tasks.run_stage_task(context, "generate", 0, events)
    assert failed.value.details["kind"] == kind == kind_of(error)
    assert [event for event, _ in events] == ["started", "attempt failed"]


@pytest.mark.parametrize("painted", [False, True])
def test_labels_that_a_person_painted_in_kept_captures_stay(
    painted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head goes on with the computed ones, which take the place of computed ones alone."""
    context = replace(fakes.make_context(fakes.make_plan(), tmp_path / "data"), keep_captures=True)
    kept = tmp_path / "data" / "captures" / "head_00000000" / "labels.npz"
    kept.parent.mkdir(parents=True)
    Labels(np.full(2, np.nan if painted else 1.0, np.float32), np.array([True, False]), painted=painted).write(kept)
    before = kept.read_bytes()

    def label(context: RunContext, stage: str, seed: int, root: Path) -> None:
        folder = root / "head_00000000"
        computed = Labels(np.zeros(2, np.float32), np.array([True, True]))
        run_stamped(folder, stage, {}, lambda: computed.write(folder / "labels.npz"))

    monkeypatch.setattr(head_tasks, "_run_stage", label)
    monkeypatch.setattr(head_tasks._Attempt, "check_quality", lambda *_: None)
    archive = head_tasks.run_stage_task(context, "label", 0, Events())
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert tar.getnames() == ["head_00000000/labels.npz", "head_00000000/stages/label.json"]
    assert (kept.read_bytes() == before) == painted
    assert (kept.parent / "stages" / "label.json").is_file() == (not painted)
    assert Labels.read(kept).painted == painted


def test_a_full_disk_makes_a_stage_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, events = fakes.make_context(fakes.make_plan(), tmp_path / "data"), Events()
    monkeypatch.setattr(head_tasks, "_RETRY_S", 0.01)
    monkeypatch.setattr(head_tasks, "_run_stage", lambda *_: None)
    full = _fails_times(2, OSError(errno.ENOSPC, "No space left"), lambda *_: b"done")
    monkeypatch.setattr(head_tasks, "pack_outputs", full)
    assert head_tasks.run_stage_task(context, "generate", 0, events) == b"done"
    assert [event for event, _ in events if event == "paused"] == ["paused"] * 2


def test_what_a_capture_refuses_has_its_own_exit_code(tmp_path: Path) -> None:
    program = "from factory.console import exit_code_of\nfrom capture import {0}\nimport sys\n"
    program += "def run(): raise {0}('no scan in it; look again')\nsys.exit(exit_code_of(run))"
    for name, kind in (("RefusedError", RefusedError), ("InputError", InputError)):
        with pytest.raises(InputError, match=r"^no scan in it; look again$") as failed:
            run_stage([sys.executable, "-c", program.format(name)], "label x", tmp_path / "x.log")
        assert type(failed.value) is kind


def test_temporary_files_of_a_stage_go_to_its_folder(tmp_path: Path) -> None:
    program = "import tempfile; print(tempfile.gettempdir())"
    run_stage([sys.executable, "-c", program], "label x", tmp_path / "x.log", scratch=tmp_path / "here")
    assert (tmp_path / "x.log").read_text().strip() != str(tmp_path / "here")  # it has to be there
    (tmp_path / "here").mkdir()
    run_stage([sys.executable, "-c", program], "label x", tmp_path / "x.log", scratch=tmp_path / "here")
    assert (tmp_path / "x.log").read_text().strip() == str(tmp_path / "here")


def test_folders_of_killed_processes_are_removed(tmp_path: Path) -> None:
    dead = 2**22 + 5  # beyond any process
    mine, others = tmp_path / f"p2p-{socket.gethostname()}-{dead}-x", tmp_path / f"p2p-elsewhere-{dead}-x"
    living = tmp_path / f"p2p-{socket.gethostname()}-{os.getpid()}-x"
    for folder in (mine, others, living):
        (folder / "deep").mkdir(parents=True)
    with working_folder(tmp_path) as folder:
        assert Path(folder).parent == tmp_path
        assert not mine.exists() and others.exists() and living.exists()
    assert not Path(folder).exists()


def test_half_written_shards_of_killed_runs_are_removed(tmp_path: Path) -> None:
    old, new = tmp_path / ".train-000000.ab12.tar", tmp_path / ".train-000001.ab12.tar"
    archive, shard = tmp_path / HEAD_ARCHIVES / ".00000001-00000001.ab.tar", tmp_path / "train-000000.tar"
    (tmp_path / HEAD_ARCHIVES).mkdir()
    for path in (old, new, archive, shard):
        path.write_bytes(b"x")
    for path in (old, archive, shard):
        os.utime(path, (time.time() - 7200,) * 2)
    remove_partial_files(tmp_path)
    assert not old.exists() and not archive.exists() and new.exists() and shard.exists()


def test_the_heartbeat_goes_on_while_the_run_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("factory.production.state.heartbeat.HEARTBEAT_S", 0.05)
    heartbeat = tmp_path / HEARTBEAT
    with RunDisplay(Store(tmp_path), heads=7):
        first = heartbeat.stat().st_mtime_ns
        assert '"heads": 7' in heartbeat.read_text()
        time.sleep(0.4)
        assert heartbeat.stat().st_mtime_ns > first
    assert not heartbeat.exists()
