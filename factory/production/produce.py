"""Starting a production run: the cluster, the checks before it, and what is left when it ends."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from ray.job_config import JobConfig
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from capture import InputError
from capture.import_path import import_folders
from factory.dataset.events import EventLog
from factory.dataset.store import Store
from factory.production.disk_space import capture_bytes, check_space, sample_bytes, scratch_bytes
from factory.production.display import HEARTBEAT, HEARTBEAT_S, View
from factory.production.existing import find_done
from factory.production.head_tasks import Job
from factory.production.plan import Plan, settle
from factory.production.resources import STAGES, Need, check_nodes
from factory.production.run import Run, stop_on_signals
from factory.production.tasks import Crew, start_journal
from factory.stages.heads import head_name
from generator.cameras.rig import sample_rig

log = logging.getLogger(__name__)

_LOCK = ".producing"
NODES_S = 600.0  # longest wait for the nodes of a cluster to come
_NODES_LOOK_S = 15.0


@dataclass(frozen=True)
class Workplace:
    """Where and how a run works; nothing of it changes the data set.

    Attributes:
        address: of a Ray cluster, "auto" for the one this machine belongs to; None for this machine alone.
        needs: stage -> what it takes; those that are left out are estimated.
        keep_captures: whether captures stay beside the shards.
        scratch: folder for working files on every node.
        cpus: cores of this machine to use, without an address; None for all.
    """

    address: str | None = None
    needs: Mapping[str, Need] = field(default_factory=dict)
    keep_captures: bool = False
    scratch: Path | None = None
    cpus: int | None = None


def produce(plan: Plan, store: Store, workplace: Workplace) -> dict[str, Any]:
    """Make the data set of `plan` in `store`, or what it lacks; returns its `dataset.json`.

    Raises:
        InputError: options that contradict the data set there, too little disk, nodes that are too small, ...
        StageError: too many heads fail.
    """
    pixels = pixels_of(plan)
    needs = {s: workplace.needs.get(s, Need()).filled(s, pixels, plan.render.samples) for s in STAGES}
    job = Job(plan, store, needs, pixels, workplace.keep_captures, workplace.scratch)
    with alone(store), View(store, plan.heads) as view:
        settle(store, plan)
        _check_disks(job)
        with cluster(workplace), EventLog(store) as events, stop_on_signals():
            _await_nodes(needs, NODES_S if workplace.address is not None else 0)
            if workplace.address is not None:
                _check_shared(store)
            journal = start_journal()
            crew = Crew(job, journal)
            hear, window = lambda: ray.get(journal.drain.remote()), lambda: heads_at_a_time(needs, _nodes())
            return Run(job, crew, hear, window, events, view).make()


def pixels_of(plan: Plan) -> int:
    """Pixels of all images of a head, as the first seed's rig has them."""
    square = (plan.render.resolution, plan.render.resolution)
    sizes = [
        view.size or square for view in sample_rig(plan.render.distributions.sampler(plan.first_seed, "rig")).views
    ]
    return sum(width * height for width, height in sizes)


def _nodes() -> list[Mapping[str, float]]:
    """What each living node has in all."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _await_nodes(needs: Mapping[str, Need], seconds: float) -> None:
    """Wait until there are nodes that can run all stages: those of a cluster come one after the other."""
    until = time.monotonic() + seconds
    while True:
        try:
            return check_nodes(needs, _nodes())
        except InputError as error:
            if time.monotonic() >= until:
                raise
            log.info("waiting for nodes: %s", error)
        time.sleep(min(_NODES_LOOK_S, max(until - time.monotonic(), 0)))


def heads_at_a_time(needs: Mapping[str, Need], nodes: list[Mapping[str, float]]) -> int:
    """Heads in work: enough for every core to have something, few enough for their captures to fit into memory."""
    fewest = min(need.cpus for need in needs.values())
    return max(2, sum(int(node.get("CPU", 0)) // fewest + 1 for node in nodes))


class _Imports(JobConfig):
    """Workers import from where this process found our packages; Ray would add its working folder."""

    def _serialize(self) -> str:
        self._py_driver_sys_path = import_folders()
        return super()._serialize()


@contextmanager
def cluster(workplace: Workplace) -> Iterator[None]:
    """Ray, connected or started on this machine and ended again."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    quietly: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    try:
        if workplace.address is None:
            # "local": without it Ray would join whatever cluster was started on this machine.
            ray.init("local", num_cpus=workplace.cpus, include_dashboard=False, job_config=_Imports(), **quietly)
        else:
            ray.init(workplace.address, job_config=_Imports(), **quietly)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"no Ray cluster at {workplace.address or 'this machine'}: {reason}") from None
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def alone(store: Store) -> Iterator[None]:
    """Refuse to work where another run does: two would make the same heads."""
    if store.local is None:
        refuse_living(store)
        yield
        return
    try:
        store.local.mkdir(parents=True, exist_ok=True)
        file = (store.local / _LOCK).open("a")
    except OSError as error:
        raise InputError(f"can't write {store}: {error.strerror}; choose another --out") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"another run works on {store}; wait for it or end it (`p2p status` shows it)") from None
        except OSError:  # a file system without locks
            refuse_living(store)
        yield  # the file stays: who opened it before it was removed would hold a lock that nobody else sees


def refuse_living(store: Store) -> None:
    """An object store has no locks: a run that gives signs of life is one that lives."""
    try:
        seen = json.loads(store.read(HEARTBEAT))
    except (FileNotFoundError, ValueError):
        return
    age = time.time() - float(seen.get("time", 0))
    if age < 6 * HEARTBEAT_S:
        raise InputError(
            f"another run works on {store} (process {seen.get('pid')} on {seen.get('host')}, {age:.0f} s ago); end it. "
            f"If it was killed, wait {6 * HEARTBEAT_S - age:.0f} s"
        )


def _check_disks(job: Job) -> None:
    """Refuse to begin what can't be ended for want of space."""
    done = find_done(job.store, job.plan)
    left = job.plan.heads - len(done.parts) - sum(len(job.plan.shards[name]) for name in done.shards)
    each = sample_bytes(job.pixels) + (capture_bytes(job.pixels) if job.keep_captures else 0)
    extra = job.plan.heads_per_shard * sample_bytes(job.pixels)  # a shard, while its parts are still there
    if job.store.local is not None and left:
        what = f"{left} heads ({each / 1e6:.0f} MB each, {head_name(job.plan.first_seed)} first)"
        check_space(job.store.local, left * each + extra, what)
    if job.scratch is not None:
        check_space(job.scratch, scratch_bytes(job.pixels), "a stage")


def _check_shared(store: Store) -> None:
    """Refuse a folder that some node of the cluster doesn't see."""
    if store.local is None:
        return
    probe = f".probe-{os.getpid()}-{time.time_ns()}"
    store.write(probe, b"")
    try:
        for node in ray.nodes():
            if not node["Alive"]:
                continue
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            sees = ray.remote(_sees).options(num_cpus=0, scheduling_strategy=there).remote(str(store.local / probe))
            if not ray.get(sees):
                raise InputError(
                    f"{store} is not the same folder on node {node['NodeManagerHostname']}; "
                    "choose one on a shared file system, or an object store (s3://...)"
                )
    finally:
        store.remove(probe)


def _sees(path: str) -> bool:
    return Path(path).is_file()
