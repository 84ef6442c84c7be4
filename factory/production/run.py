"""The loop of a production run: submits work to Ray, takes in results and events, and has failed heads replaced."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from capture import InputError
from factory.dataset.description import DATASET
from factory.dataset.events import EventLog
from factory.production.display import RunDisplay
from factory.production.failure_policy import MAX_LOST, FailurePolicy
from factory.production.state.description import described_shards, write_description
from factory.production.state.existing import ExistingFiles, list_existing, remove_partial_files
from factory.production.state.head_archives import HEAD_ARCHIVES, slot_of
from factory.production.state.quarantine import put_in_quarantine
from factory.production.state.run_status import RunStatus
from factory.production.state.shard_progress import ShardProgress
from factory.production.task_submitter import TaskSubmitter
from factory.production.tasks.context import RunContext
from factory.production.tasks.disk_space import write_when_there_is_space
from factory.production.tasks.head_errors import HeadError, RejectedError
from factory.production.work_items import HeadWork, ShardAssembly, ShardCheck, WorkItem
from factory.stages.failures import Failure
from factory.stages.seeds import head_name

log = logging.getLogger(__name__)

_POLL_S = 0.5
_NODES_S = 15.0  # between two looks at the nodes of the cluster
_RESULTS = 256  # that are taken in at a time
_HEADS_PER_CHECK = 8  # heads in work for each old shard that is checked beside them
_LOG_IN_EVENT = 4000  # characters of a failed stage's output, its end; all of it is kept in quarantine
_DRIVER_BYTES = 10_000_000  # of disk space that the driver waits for where it can't write


class ProductionRun:
    """A run that makes what a data set lacks.

    Args:
        context: settings of the run.
        submitter: of its tasks.
        poll_events: gives the events of the tasks since the last call.
        max_in_work: gives how many heads may be in work at a time, for the nodes that there are now.
        event_log: where events are recorded.
        display: where progress is shown.
    """

    def __init__(
        self,
        context: RunContext,
        submitter: TaskSubmitter,
        poll_events: Callable[[], list[dict[str, Any]]],
        max_in_work: Callable[[], int],
        event_log: EventLog,
        display: RunDisplay,
    ) -> None:
        self._plan, self._store = context.plan, context.store
        self._submitter, self._poll_events = submitter, poll_events
        self._get_max_in_work, self._max_in_work, self._nodes_seen = max_in_work, 1, float("-inf")
        self._event_log, self._display = event_log, display
        self._waiting: deque[HeadWork] = deque()
        self._unchecked: deque[str] = deque()
        self._in_work: dict[ray.ObjectRef, WorkItem] = {}
        self.status = RunStatus(self._plan.heads)

    def run(self) -> dict[str, Any]:
        """Make what is missing; returns the `dataset.json` of the complete data set.

        Raises:
            StageError: too many heads fail.
            InputError: something that the user can mend is wrong with all of them, or with the store.
        """
        self._resume(list_existing(self._store, self._plan))
        self._event_log.write("run", heads=self._plan.heads, done=self.status.done, key=self._plan.key)
        while self._waiting or self._in_work or self._unchecked:
            self._submit()
            for ref in self._wait_for_results():
                self._take_result(ref, self._in_work.pop(ref))
            self._take_events()
        self._take_events()
        description: dict[str, Any] = {}
        self._write(lambda: description.update(write_description(self._store, self._plan)))
        self._event_log.write("whole", heads=self._plan.heads, replaced=description["replaced"])
        self._display.show(self.status, final=True)
        return description

    # Start

    def _resume(self, existing: ExistingFiles) -> None:
        """Use what is there: old shards are checked in the background, head archives are used, the rest is made."""
        self._described = self._take_description()
        for name in self._described - existing.shards:
            self._withdraw_description(name)
        for name in existing.obsolete:
            self._store.remove(f"{HEAD_ARCHIVES}/{name}")
        if self._store.local is not None:
            remove_partial_files(self._store.local)
        self._failures = FailurePolicy(self._plan, self._store, existing.failed_seeds)
        self._shards = ShardProgress(self._plan, existing.head_archives)
        for name in sorted({*existing.shards, *existing.damaged}):
            if name in existing.damaged:
                log.warning("%s is damaged: %s", self._store.url_of(name), existing.damaged[name])
            self._unchecked.append(name)
        for name in self._plan.shards:
            if name not in existing.shards and name not in existing.damaged:
                self._open_shard(name)
        self.status.done = self._plan.heads - self._shards.missing_heads
        log.info("%d of %d heads are finished", self.status.done, self._plan.heads)

    def _take_description(self) -> set[str]:
        """The shards that `dataset.json` names; a damaged one is removed, as one is written at the end."""
        described = described_shards(self._store)
        if described is None:
            log.warning("%s is damaged: it is written again", self._store.url_of(DATASET))
            self._store.remove(DATASET)
        return described or set()

    def _withdraw_description(self, shard: str) -> None:
        """Remove `dataset.json` where it names a shard that is lost; one from before the data set grew stays else."""
        if shard in self._described:
            self._store.remove(DATASET)
            self._described = set()

    def _open_shard(self, name: str) -> None:
        """Have the heads made that a shard lacks, or the shard assembled where it lacks none."""
        lacking = self._shards.open(name)
        for slot in lacking:
            self._waiting.append(HeadWork(slot, self._failures.next_seed(slot)))
        if not lacking:
            self._assemble(name)

    # Submission

    def _submit(self) -> None:
        """Submit what Ray has room for. Old shards are checked beside the work on heads, not before it."""
        if time.monotonic() - self._nodes_seen > _NODES_S:
            self._max_in_work, self._nodes_seen = self._get_max_in_work(), time.monotonic()
        heads = sum(isinstance(work, HeadWork) for work in self._in_work.values())
        checks = sum(isinstance(work, ShardCheck) for work in self._in_work.values())
        while self._unchecked and checks < self._max_checks():
            self._check(self._unchecked.popleft())
            checks += 1
        while self._waiting and heads < self._max_in_work:
            head = self._waiting.popleft()
            self._in_work[self._submitter.submit_head(head.slot, head.seed)] = head
            heads += 1

    def _max_checks(self) -> int:
        """Old shards that may be checked at a time: few while there are heads to make."""
        return max(1, self._max_in_work // _HEADS_PER_CHECK) if self._waiting else self._max_in_work

    def _check(self, shard: str) -> None:
        self._in_work[self._submitter.submit_check(shard)] = ShardCheck(shard)

    def _assemble(self, shard: str) -> None:
        archives = self._shards.archives_of(shard)
        self._in_work[self._submitter.submit_assembly(shard, archives)] = ShardAssembly(shard)

    # Results

    def _wait_for_results(self) -> list[ray.ObjectRef]:
        """Tasks that have ended; waits a moment for the first one and for no other."""
        ready, _ = ray.wait(list(self._in_work), num_returns=1, timeout=_POLL_S)
        if ready:
            ready, _ = ray.wait(list(self._in_work), num_returns=min(len(self._in_work), _RESULTS), timeout=0)
        return list(ready)

    def _take_result(self, ref: ray.ObjectRef, work: WorkItem) -> None:
        """Take in what a task returned, or the reason why it failed."""
        try:
            result = ray.get(ref)
        except RayTaskError as error:
            cause = error.cause
            if isinstance(cause, HeadError) and isinstance(work, HeadWork):
                self._take_events()  # with the attempts before
                self._take_head_error(work, cause)
            elif isinstance(cause, InputError):
                raise cause from None
            elif isinstance(cause, RayError):
                self._take_loss(work, cause)
            else:
                raise
        except RayError as error:
            self._take_loss(work, error)
        else:
            match work:
                case HeadWork():
                    self._take_head(work, result)
                case ShardAssembly():
                    self._take_assembly(work.shard, result)
                case ShardCheck():
                    self._take_check(work.shard, result)

    def _take_head(self, head: HeadWork, archive: str) -> None:
        self._failures.record_made(head.seed)
        self.status.add(1)
        self._event_log.write("head", id=head_name(head.seed), slot=head.slot)
        full = self._shards.add(head.slot, archive)
        if full is not None:
            self._assemble(full)

    def _take_assembly(self, shard: str, damaged: list[str]) -> None:
        if damaged:
            log.warning("archives %s are damaged: their heads are made again", ", ".join(damaged))
            self.status.add(-self._shards.remove(shard, damaged))
            self._open_shard(shard)
        else:
            self._shards.close(shard)
            self._event_log.write("shard", name=shard)

    def _take_check(self, shard: str, damage: tuple[str, list[str]] | None) -> None:
        """Have the heads made again that a damaged shard has lost."""
        if damage is None:
            return
        reason, saved = damage
        self._withdraw_description(shard)
        lost = self._shards.add_saved(shard, {slot_of(archive): archive for archive in saved})
        where, heads = self._store.url_of(shard), len(self._plan.shards[shard])
        log.warning("%s is damaged (%s): %d of its %d heads are made again", where, reason, lost, heads)
        self._event_log.write("damaged", name=shard, reason=reason, lost=lost)
        self.status.add(-lost)
        self._open_shard(shard)

    # Failures

    def _take_head_error(self, head: HeadWork, error: HeadError) -> None:
        """Repeat or replace a head that Ray doesn't repeat any more."""
        if self._failures.is_repeated(head, error):
            self._waiting.appendleft(HeadWork(head.slot, head.seed, head.lost + 1))
        else:
            self._replace(head, error)

    def _replace(self, head: HeadWork, error: HeadError) -> None:
        """Put a seed into quarantine, and another one in its place."""
        rejected = isinstance(error, RejectedError)
        attempts, verdict = self._failures.drop(head.seed, error), str(error)
        self._write(lambda: put_in_quarantine(self._store, head.seed, attempts, verdict))
        self.status.add_failure(error.details["kind"], rejected)
        event = "rejected" if rejected else "quarantined"
        self._event_log.write(event, id=head_name(head.seed), slot=head.slot, verdict=verdict)
        log.warning("%s; another seed takes its place", verdict)
        self._failures.check_rate(self._max_in_work, error)
        self._waiting.appendleft(HeadWork(head.slot, self._failures.next_seed(head.slot)))

    def _take_loss(self, work: WorkItem, error: RayError) -> None:
        """Repeat work whose process or node died more often than Ray repeats, which says nothing about the head."""
        reason = " ".join(str(error).split())[:500]
        self._event_log.write("lost", what=str(work), reason=reason)
        log.warning("lost %s: %s", work, reason)
        match work:
            case ShardAssembly():
                self._assemble(work.shard)
            case ShardCheck():
                self._check(work.shard)
            case HeadWork() if work.lost < MAX_LOST:
                self._waiting.appendleft(HeadWork(work.slot, work.seed, work.lost + 1))
            case HeadWork():
                details = {"id": head_name(work.seed), "stage": "all", "kind": str(Failure.CRASH), "reason": reason}
                self._replace(work, HeadError(details))

    # Events

    def _take_events(self) -> None:
        """Take in the events of the tasks, and show them."""
        for values in self._poll_events():
            event = values.pop("event")
            if event == "attempt failed":
                self._failures.record_attempt(values)
                values = {**values, "log": values.get("log", "")[-_LOG_IN_EVENT:]}
            if event == "paused":
                log.warning("%s", values["reason"])
            self.status.update(event, values)
            self._event_log.write(event, **values)
        self._display.show(self.status)

    def _write(self, write: Callable[[], None]) -> None:
        """Write a file of the driver's own; wait while a disk is full."""
        write_when_there_is_space(write, self._store.local, _DRIVER_BYTES, lambda why: log.warning("%s", why))
