"""Stages that take no time, and fail on demand: what a run does is the same whatever its stages make."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from factory.dataset.archive import index_of, write_archive
from factory.dataset.store import Store
from factory.production.head_tasks import PARTS, AttemptError, Job, RejectedError, Tell, part_name
from factory.production.plan import Plan
from factory.production.resources import STAGES, Need
from factory.stages.heads import head_name

FAULTS = "faults"


def make_plan(heads: int = 5, **options: object) -> Plan:
    return Plan(heads, **{"test_heads": 2, "heads_per_shard": 2, "versions": {"fake": "1"}, **options})  # type: ignore[arg-type]


def make_job(plan: Plan, folder: Path | str) -> Job:
    return Job(plan, Store(folder), {stage: Need(1, gib=0.1, minutes=1) for stage in STAGES}, 100)


def fault(folder: Path, stage: str, seed: int, kind: str, times: int) -> None:
    """Let a stage of a head fail so many times: reject, crash, kill (its process), slow (takes a second)."""
    (folder / FAULTS).mkdir(exist_ok=True, parents=True)
    (folder / FAULTS / f"{stage}-{seed}").write_text(json.dumps([kind, times]))


def make(job: Job, stage: str, seed: int, tell: Tell, *inputs: bytes) -> bytes:
    _stumble(job, stage, seed, tell)
    tell("started", id=head_name(seed), stage=stage)
    tell("stage", id=head_name(seed), stage=stage, seconds=0.5)
    assert len(inputs) == STAGES.index(stage) and all(str(seed).encode() in data for data in inputs)
    return f"{stage} of {seed}".encode() * 10


def pack(job: Job, slot: int, seed: int, tell: Tell, *inputs: bytes) -> str:
    _stumble(job, "pack", seed, tell)
    assert len(inputs) == 3
    with TemporaryDirectory() as folder:
        path = Path(folder) / "part.tar"
        sample = sample_of(seed)
        facts = {"seed": seed, "vertices": 3, "skin_share": 0.5, "skin_distance_mm_median": 0.1, "versions": {"a": "1"}}
        index = index_of([(slot, head_name(seed), facts, sample)], job.plan.key)
        write_archive(path, index, (sample[key] for key in sorted(sample)))
        name = part_name(slot, seed)
        job.store.put(path, f"{PARTS}/{name}")
    return name


def sample_of(seed: int) -> dict[str, bytes]:
    return {"capture.json": json.dumps({"seed": seed}).encode(), "scan.npz": bytes([seed % 251]) * 700}


def _stumble(job: Job, stage: str, seed: int, tell: Tell) -> None:
    path = Path(job.store.url) / FAULTS / f"{stage}-{seed}"
    if not path.is_file():
        return
    kind, times = json.loads(path.read_text())
    if times <= 0:
        return
    path.write_text(json.dumps([kind, times - 1]))
    evidence = {"id": head_name(seed), "stage": stage, "kind": "crash", "reason": kind, "log": "said", "times": times}
    if kind == "slow":
        time.sleep(1)
    elif kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        if kind == "wrong set-up":
            evidence |= {"kind": kind, "node": "there"}
        tell("attempt failed", **evidence)
        raise (RejectedError if kind == "reject" else AttemptError)(evidence)
