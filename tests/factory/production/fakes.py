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
from factory.production.event_queue import SendEvent
from factory.production.settings.plan import Plan
from factory.production.settings.resources import HEAD_TASKS, StageResources
from factory.production.state.head_archives import HEAD_ARCHIVES, head_archive_name
from factory.production.tasks.context import RunContext
from factory.production.tasks.head_errors import AttemptError, RejectedError
from factory.stages.seeds import head_name

FAULTS = "faults"


def make_plan(heads: int = 5, **options: object) -> Plan:
    return Plan(heads, **{"test_heads": 2, "heads_per_shard": 2, "versions": {"fake": "1"}, **options})  # type: ignore[arg-type]


def make_context(plan: Plan, folder: Path | str) -> RunContext:
    return RunContext(plan, Store(folder), {task: StageResources(1, gib=0.1, minutes=1) for task in HEAD_TASKS}, 100)


def fault(folder: Path, stage: str, seed: int, kind: str, times: int) -> None:
    """Let a stage of a head fail so many times: reject, crash, kill (its process), slow (takes a second)."""
    (folder / FAULTS).mkdir(exist_ok=True, parents=True)
    (folder / FAULTS / f"{stage}-{seed}").write_text(json.dumps([kind, times]))


def run_stage(context: RunContext, stage: str, seed: int, send_event: SendEvent, *inputs: bytes) -> bytes:
    _fail_on_demand(context, stage, seed, send_event)
    send_event("started", id=head_name(seed), stage=stage)
    send_event("stage", id=head_name(seed), stage=stage, seconds=0.5)
    assert len(inputs) == HEAD_TASKS.index(stage) and all(str(seed).encode() in data for data in inputs)
    return f"{stage} of {seed}".encode() * 10


def run_pack(context: RunContext, slot: int, seed: int, send_event: SendEvent, *inputs: bytes) -> str:
    _fail_on_demand(context, "pack", seed, send_event)
    assert len(inputs) == 3
    with TemporaryDirectory() as folder:
        path = Path(folder) / "head.tar"
        sample = sample_of(seed)
        facts = {"seed": seed, "vertices": 3, "skin_share": 0.5, "skin_distance_mm_median": 0.1, "versions": {"a": "1"}}
        index = index_of([(slot, head_name(seed), facts, sample)], context.plan.key)
        write_archive(path, index, (sample[key] for key in sorted(sample)))
        name = head_archive_name(slot, seed)
        context.store.put(path, f"{HEAD_ARCHIVES}/{name}")
    return name


def sample_of(seed: int) -> dict[str, bytes]:
    return {"capture.json": json.dumps({"seed": seed}).encode(), "scan.npz": bytes([seed % 251]) * 700}


def _fail_on_demand(context: RunContext, stage: str, seed: int, send_event: SendEvent) -> None:
    path = Path(context.store.url) / FAULTS / f"{stage}-{seed}"
    if not path.is_file():
        return
    kind, times = json.loads(path.read_text())
    if times <= 0:
        return
    path.write_text(json.dumps([kind, times - 1]))
    details = {"id": head_name(seed), "stage": stage, "kind": "crash", "reason": kind, "log": "said", "times": times}
    if kind == "slow":
        time.sleep(1)
    elif kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        if kind == "wrong set-up":
            details |= {"kind": kind, "node": "there"}
        send_event("attempt failed", **details)
        raise (RejectedError if kind == "reject" else AttemptError)(details)
