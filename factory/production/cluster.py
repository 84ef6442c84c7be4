"""The Ray cluster that a run uses: connection, and its nodes."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray.job_config import JobConfig
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from capture import InputError
from capture.runtime.import_path import import_folders
from factory.dataset.store import Store
from factory.production.settings.options import ClusterOptions
from factory.production.settings.resources import StageResources, check_nodes

log = logging.getLogger(__name__)

_NODES_WAIT_S = 600.0  # longest wait for the nodes of a cluster to come
_NODES_CHECK_S = 15.0
_SOCKET_BYTES = 107  # longest path of a socket
_SESSION_BYTES = len("/session_2026-11-27_18-38-16_123456_1234567/sockets/plasma_store.1")


class _ImportPath(JobConfig):
    """The import path of Ray's workers: the folder of our packages, without the working folder that Ray would add."""

    def _serialize(self) -> str:
        self._py_driver_sys_path = import_folders()
        return super()._serialize()


@contextmanager
def connected(options: ClusterOptions) -> Iterator[None]:
    """Connect to Ray, or start it on this machine, and end that afterwards. Raises `InputError`."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # of tasks in work when the run stops: it says why itself
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    try:
        if options.address is None:
            # Ray protects what it starts here by a token, and explains that to each user in vain.
            logging.getLogger("ray._private.authentication").setLevel(logging.ERROR)
            # "local": without it Ray would join whatever cluster was started on this machine.
            quiet |= {"_temp_dir": session_folder()}
            ray.init("local", num_cpus=options.cpus, include_dashboard=False, job_config=_ImportPath(), **quiet)
        else:
            ray.init(options.address, job_config=_ImportPath(), **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"no Ray cluster at {options.address or 'this machine'}: {reason}") from None
    try:
        yield
    finally:
        ray.shutdown()


def session_folder() -> str | None:
    """A folder for Ray's sessions whose sockets have paths that the system takes; None where its own has.

    Raises `InputError` where none is short enough.
    """
    named = os.environ.get("RAY_TMPDIR")
    usual = Path(named or tempfile.gettempdir()) / "ray"
    if len(os.fsencode(usual)) <= _SOCKET_BYTES - _SESSION_BYTES:
        return None
    short = Path("/tmp/ray")
    if named is None and os.access(short.parent, os.W_OK):
        log.info("Ray's sessions lie in %s: TMPDIR is too long for its sockets", short)
        return str(short)
    what = "RAY_TMPDIR" if named else "TMPDIR"
    raise InputError(f"{what} {usual.parent}: too long a path for Ray's sockets; name a short folder as RAY_TMPDIR")


def live_nodes() -> list[Mapping[str, float]]:
    """The resources in all of each node that is alive."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def wait_for_nodes(options: ClusterOptions, resources: Mapping[str, StageResources]) -> None:
    """Wait until there are nodes that can run all stages: those of a cluster come one after the other.

    Raises `InputError` where none come, at once where Ray was started on this machine.
    """
    until = time.monotonic() + (0 if options.address is None else _NODES_WAIT_S)
    while True:
        try:
            return check_nodes(resources, live_nodes())
        except InputError as error:
            if time.monotonic() >= until:
                raise
            log.info("waiting for nodes: %s", error)
        time.sleep(min(_NODES_CHECK_S, max(until - time.monotonic(), 0)))


def max_heads_in_work(resources: Mapping[str, StageResources], nodes: list[Mapping[str, float]]) -> int:
    """Heads in work: enough for every core to have something, few enough for their captures to fit into memory."""
    fewest = min(each.cpus for each in resources.values())
    return max(2, sum(int(node.get("CPU", 0)) // fewest + 1 for node in nodes))


def check_shared_folder(store: Store) -> None:
    """Raise `InputError` where a node of the cluster doesn't see the folder of a data set."""
    if store.local is None:
        return
    probe = f".probe-{os.getpid()}-{time.time_ns()}"
    store.write(probe, b"")
    try:
        for node in ray.nodes():
            if not node["Alive"]:
                continue
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            task = ray.remote(_is_file).options(num_cpus=0, scheduling_strategy=there)
            if not ray.get(task.remote(str(store.local / probe))):
                raise InputError(
                    f"{store} is not the same folder on node {node['NodeManagerHostname']}; "
                    "choose one on a shared file system, or an object store (s3://...)"
                )
    finally:
        store.remove(probe)


def _is_file(path: str) -> bool:
    return Path(path).is_file()
