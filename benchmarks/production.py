"""The cost of orchestration: production runs of 100 to 10,000 heads whose stages only write a small head archive.

With such stages a head's time is all overhead: Ray's tasks, the event queue, head archives and shards. It is compared
with the work of real heads: the seconds of their stages, from the events of a data set that `p2p produce` made on this
machine. Then, with 10,000 heads on the disk: how long `p2p status` takes, and how long it takes from the start of a run
that has one shard to make again until a head of it is in work. Ray's own start is part of that.

    python -m benchmarks.production [--heads 100 1000 10000] [--real DATASET]
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
import ray

from factory.dataset.archive import index_of, write_archive
from factory.dataset.events import EventLog, read_events
from factory.dataset.store import Store
from factory.production.cluster import connected
from factory.production.display import RunDisplay
from factory.production.event_queue import SendEvent, poll_events, start_event_queue
from factory.production.run import ProductionRun
from factory.production.settings.options import ClusterOptions
from factory.production.settings.plan import Plan
from factory.production.settings.resources import HEAD_TASKS, StageResources
from factory.production.state.head_archives import HEAD_ARCHIVES, head_archive_name
from factory.production.state.plan_file import claim_plan
from factory.production.status import describe
from factory.production.task_submitter import TaskSubmitter
from factory.production.tasks.context import RunContext
from factory.stages.seeds import head_name

SHARE = 0.01  # promised: of a real head's work
FLAT = 1.5  # promised: overhead of 10,000 heads over that of 100, each
GROWTH_GIB = 0.2  # promised: of the driver's memory from 1,000 to 10,000 heads
LOOK_S = 10.0  # promised: status and resume of 10,000 heads


def run_stage(context: RunContext, stage: str, seed: int, send_event: SendEvent, *inputs: bytes) -> bytes:
    """A stage that does nothing."""
    send_event("started", id=head_name(seed), stage=stage, node="here")
    send_event("stage", id=head_name(seed), stage=stage, node="here", seconds=0.0, peak_gib=0.0)
    return bytes(1000)


def run_pack(context: RunContext, slot: int, seed: int, send_event: SendEvent, *inputs: bytes) -> str:
    """A head archive with as many files as a real head's, all small."""
    sample = {f"view_{i:02d}.{kind}": bytes(200) for i in range(13) for kind in ("jpg", "mask.png")}
    sample |= {"capture.json": b"{}", "scan.npz": bytes(500)}
    facts = {"seed": seed, "vertices": 1, "skin_share": 0.5, "skin_distance_mm_median": 0.1, "versions": {}}
    index = index_of([(slot, head_name(seed), facts, sample)], context.plan.key)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "head.tar"
        write_archive(path, index, (sample[key] for key in sorted(sample)))
        context.store.put(path, f"{HEAD_ARCHIVES}/{head_archive_name(slot, seed)}")
    return head_archive_name(slot, seed)


class TimedSubmitter(TaskSubmitter):
    """Notes when the first head is submitted."""

    first = 0.0

    def submit_head(self, slot: int, seed: int) -> ray.ObjectRef:
        self.first = self.first or time.monotonic()
        return super().submit_head(slot, seed)


def produce(folder: Path, heads: int) -> tuple[float, float, float]:
    """Seconds of the run, the driver's memory at its end in GiB, and when the first head was in work."""
    plan = Plan(heads, heads // 6)
    store = Store(folder)
    claim_plan(store, plan)
    resources = {task: StageResources(1, gib=0.1, minutes=1) for task in HEAD_TASKS}
    context = RunContext(plan, store, resources, 100)
    queue = start_event_queue()
    with EventLog(store) as event_log, RunDisplay(store) as display:
        submitter = TimedSubmitter(context, queue, (run_stage, run_pack))
        started = time.monotonic()
        ProductionRun(context, submitter, lambda: poll_events(queue), lambda: 8, event_log, display).run()
    return time.monotonic() - started, psutil.Process().memory_info().rss / 2**30, submitter.first


def real_seconds(dataset: Path) -> float:
    """Mean over the heads of a data set: seconds of all their stages, on one core each."""
    heads: dict[str, dict[str, float]] = {}
    for event in read_events(Store(dataset)):
        if event["event"] == "stage" and event.get("seconds") and not event.get("reused"):
            heads.setdefault(event["id"], {})[event["stage"]] = event["seconds"]
    whole = [sum(times.values()) for times in heads.values() if {"generate", "reconstruct", "label"} <= set(times)]
    return float(np.mean(whole)) if whole else float("nan")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--real", type=Path, help="a data set that was made on this machine, one core a stage")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING)
    rows = {}
    with tempfile.TemporaryDirectory() as root:
        with connected(ClusterOptions()):
            produce(Path(root) / "warm", 20)
            for heads in options.heads:
                seconds, gib, _ = produce(Path(root) / str(heads), heads)
                rows[heads] = (1000 * seconds / heads, gib)
                print(f"{heads:6d} heads: {seconds:7.1f} s, {rows[heads][0]:6.1f} ms a head, driver {gib:.2f} GiB")
        folder = Path(root) / str(max(options.heads))
        started = time.monotonic()
        lines = list(describe(Store(folder)))
        status = time.monotonic() - started
        print(f"status of {max(options.heads)} heads: {status:.2f} s ({lines[0]})")
        next(folder.glob("train-*.tar")).unlink()
        started = time.monotonic()
        with connected(ClusterOptions()):
            *_, first = produce(folder, max(options.heads))
        resume = first - started
        print(f"resume of {max(options.heads)} heads: {resume:.2f} s to the first one in work, Ray's start included")
    overheads = [ms for ms, _ in rows.values()]
    flat = overheads[-1] / overheads[0]
    grown = list(rows.values())[-1][1] - list(rows.values())[-2 if len(rows) > 1 else -1][1]
    print(f"flat: a head of the largest run costs {flat:.2f} of one of the smallest; driver grew by {grown:.2f} GiB")
    missed = [flat > FLAT, grown > GROWTH_GIB, status > LOOK_S, resume > LOOK_S]
    if options.real:
        work = real_seconds(options.real)
        share = overheads[-1] / 1000 / work
        print(f"share: {overheads[-1]:.1f} ms of {work:.0f} s of work, {100 * share:.3f} % (limit {100 * SHARE:g} %)")
        missed.append(not share < SHARE)
    print(json.dumps({"missed": int(sum(missed))}))
    return int(any(missed))


if __name__ == "__main__":
    sys.exit(main())
