"""The run that makes a data set: keeps Ray busy, hears what comes back, and decides what happens to heads that fail."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from capture import InputError
from factory.dataset.events import EventLog
from factory.dataset.packing import DATASET
from factory.dataset.store import Store
from factory.production.description import describe_dataset
from factory.production.disk_space import patiently
from factory.production.display import Status, View
from factory.production.existing import Done, find_done, put_in_quarantine, remove_leftovers
from factory.production.head_tasks import PARTS, HeadError, Job, RejectedError
from factory.production.plan import REPLACEMENTS, Plan
from factory.production.tasks import RETRIES, Crew
from factory.stages.failures import Failure, StageError
from factory.stages.heads import head_name

log = logging.getLogger(__name__)

LOST_AT_MOST = 5  # times that a head's processes or nodes may die before the head itself is blamed
FAILURES_AT_FIRST = 3  # heads, or all that are in work, that may fail before one is made, and two more for each made
FAILURES_PER_HEAD = 2
_TICK_S = 0.5
_NODES_S = 15.0  # between two looks at what nodes there are
_HEADS_PER_CHECK = 8  # heads in work for each shard that is read beside
_LOG_IN_EVENT = 4000  # characters of what a stage said, its end; all of it is kept where the head is given up
_ROOM = 10_000_000  # bytes that the driver waits for where it can't write


@dataclass
class _Head:
    """A slot that is being filled."""

    slot: int
    seed: int
    lost: int = 0


@dataclass(frozen=True)
class _Join:
    shard: str
    slots: tuple[int, ...]


@dataclass(frozen=True)
class _Check:
    shard: str


class Stopped(KeyboardInterrupt):
    """The run was asked to end."""


@dataclass
class Run:
    """A production run.

    Attributes:
        job: what is made.
        crew: who makes it.
        hear: gives what the stages told since the last time.
        window: gives how many heads may be in work at a time; nodes come and go.
        events: where what happens is recorded.
        view: where it is shown.
    """

    job: Job
    crew: Crew
    hear: Callable[[], list[dict[str, Any]]]
    window: Callable[[], int]
    events: EventLog
    view: View
    _waiting: deque[_Head] = field(default_factory=deque)
    _parts: dict[int, str] = field(default_factory=dict)
    _missing: dict[str, int] = field(default_factory=dict)
    _work: dict[ray.ObjectRef, _Head | _Join | _Check] = field(default_factory=dict)
    _attempts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _bad_seeds: set[int] = field(default_factory=set)
    _failed: int = 0
    _made: int = 0
    _unchecked: deque[str] = field(default_factory=deque)
    _width: int = 1
    _width_of: float = float("-inf")

    def __post_init__(self) -> None:
        self._plan: Plan = self.job.plan
        self._store: Store = self.job.store
        self.status = Status(self._plan.heads)

    def make(self) -> dict[str, Any]:
        """Make what is missing; returns the `dataset.json` of the whole data set.

        Raises:
            StageError: too many heads fail.
            InputError: something that the user can mend is wrong with all of them, or with the store.
        """
        self._begin(find_done(self._store, self._plan))
        self.events.write("run", heads=self._plan.heads, done=self.status.done, key=self._plan.key)
        while self._waiting or self._work or self._unchecked:
            self._submit()
            ready, _ = ray.wait(list(self._work), num_returns=1, timeout=_TICK_S)
            if ready:  # and whatever else is there, without waiting
                ready, _ = ray.wait(list(self._work), num_returns=min(len(self._work), 256), timeout=0)
            for ref in ready:
                self._settle(ref, self._work.pop(ref))
            self._listen()
        self._listen()
        description: dict[str, Any] = {}
        self._write(lambda: description.update(describe_dataset(self._store, self._plan)))
        self.events.write("whole", heads=self._plan.heads, replaced=description["replaced"])
        self.view.show(self.status, final=True)
        return description

    def _begin(self, done: Done) -> None:
        """Take up what is there: shards are read once in the background, parts are used, the rest is to be made."""
        if (done.damaged or len(done.shards) < len(self._plan.shards)) and self._store.exists(DATASET):
            self._store.remove(DATASET)  # it isn't whole
        for name in done.obsolete:
            self._store.remove(f"{PARTS}/{name}")
        if self._store.local is not None:
            remove_leftovers(self._store.local)
        self._bad_seeds = done.bad_seeds
        self._parts = dict(done.parts)
        for name in sorted({*done.shards, *done.damaged}):
            if name in done.damaged:
                log.warning("%s is damaged: %s", self._store.where(name), done.damaged[name])
            self._unchecked.append(name)
        for name, slots in self._plan.shards.items():
            if name not in done.shards and name not in done.damaged:
                self._open(name, slots)
        self.status.done = self._plan.heads - sum(self._missing.values())
        self.status.found = self.status.done
        log.info("%d of %d heads are there", self.status.done, self._plan.heads)

    def _open(self, name: str, slots: tuple[int, ...]) -> None:
        """Find out what a shard lacks, and see to it."""
        lacking = [slot for slot in slots if slot not in self._parts]
        self._missing[name] = len(lacking)
        for slot in lacking:
            self._waiting.append(_Head(slot, self._next_seed(slot)))
        if not lacking:
            self._join(name)

    def _next_seed(self, slot: int) -> int:
        for replacement in range(REPLACEMENTS + 1):
            seed = self._plan.seed(slot, replacement)
            if seed not in self._bad_seeds:
                return seed
        raise StageError(
            f"slot {slot}: {REPLACEMENTS + 1} seeds failed or were rejected, {head_name(self._plan.seed(slot))} first; "
            f"see {self._store.where('quarantine')}"
        )

    def _submit(self) -> None:
        """Give Ray what it has room for. Old shards are read beside the work, not before it."""
        if time.monotonic() - self._width_of > _NODES_S:
            self._width, self._width_of = self.window(), time.monotonic()
        heads = sum(isinstance(work, _Head) for work in self._work.values())
        checks = sum(isinstance(work, _Check) for work in self._work.values())
        while self._unchecked and (checks < max(1, self._width // _HEADS_PER_CHECK) or not self._waiting):
            if checks >= self._width:
                break
            name = self._unchecked.popleft()
            self._work[self.crew.check(name)] = _Check(name)
            checks += 1
        while self._waiting and heads < self._width:
            head = self._waiting.popleft()
            self._work[self.crew.head(head.slot, head.seed)] = head
            heads += 1

    def _join(self, name: str) -> None:
        slots = self._plan.shards[name]
        self._work[self.crew.join(name, [self._parts[slot] for slot in slots])] = _Join(name, slots)

    def _settle(self, ref: ray.ObjectRef, work: _Head | _Join | _Check) -> None:
        """Take in what a task returned or why it didn't."""
        try:
            value = ray.get(ref)
        except RayTaskError as error:
            cause = error.cause
            if isinstance(cause, HeadError) and isinstance(work, _Head):
                self._listen()  # the evidence of the attempts before
                self._failed_head(work, cause)
            elif isinstance(cause, InputError):
                raise cause from None
            elif isinstance(cause, RayError):
                self._lost(work, cause)
            else:
                raise
        except RayError as error:
            self._lost(work, error)
        else:
            self._done(work, value)

    def _done(self, work: _Head | _Join | _Check, value: Any) -> None:
        if isinstance(work, _Head):
            self._attempts.pop(head_name(work.seed), None)
            self._parts[work.slot] = value
            self._made += 1
            self.status.add(1)
            self.events.write("head", id=head_name(work.seed), slot=work.slot)
            name = self._plan.shard_of[work.slot]
            self._missing[name] -= 1
            if not self._missing[name]:
                self._join(name)
        elif isinstance(work, _Join):
            if value:
                log.warning("parts %s are damaged: their heads are made again", ", ".join(value))
                self._forget(work.shard, value)
                return
            for slot in work.slots:
                del self._parts[slot]
            del self._missing[work.shard]
            self.events.write("shard", name=work.shard)
        elif value is not None:
            self._repair(work.shard, *value)

    def _forget(self, name: str, parts: list[str]) -> None:
        """Make the heads of damaged parts again."""
        lost = [slot for slot in self._plan.shards[name] if self._parts[slot] in parts]
        for slot in lost:
            del self._parts[slot]
        self.status.add(-len(lost))
        self._open(name, self._plan.shards[name])

    def _repair(self, name: str, reason: str, saved: list[str]) -> None:
        """Make the heads again that a damaged shard has lost."""
        self._store.remove(DATASET)
        slots = self._plan.shards[name]
        self._parts |= {slot: part for part in saved if (slot := int(part[:8])) in slots}
        lost = sum(slot not in self._parts for slot in slots)
        log.warning(
            "%s is damaged (%s): %d of its %d heads are made again", self._store.where(name), reason, lost, len(slots)
        )
        self.events.write("damaged", name=name, reason=reason, lost=lost)
        self.status.add(-lost)
        self._open(name, slots)

    def _failed_head(self, head: _Head, error: HeadError) -> None:
        """Decide about a head that Ray doesn't repeat any more."""
        if error.evidence["kind"] == Failure.SETUP:
            raise InputError("{stage} {id} on {node}: {reason}".format(**error.evidence)) from None
        said = self._attempts.get(head_name(head.seed), [])
        stage, same = error.evidence["stage"], error.evidence not in said
        failed = sum(attempt["stage"] == stage for attempt in said) + same
        if not isinstance(error, RejectedError) and failed <= RETRIES and head.lost < LOST_AT_MOST:
            self._waiting.appendleft(replace(head, lost=head.lost + 1))  # nodes that died have used up Ray's repeats
            return
        self._give_up(head, error)

    def _give_up(self, head: _Head, error: HeadError) -> None:
        """Put a head into quarantine, and another seed in its place."""
        name = head_name(head.seed)
        rejected = isinstance(error, RejectedError)
        attempts = self._attempts.pop(name, [])
        if error.evidence not in attempts:  # what a stage tells may come later than that it failed
            attempts.append(error.evidence)
        verdict = str(error)
        self._write(lambda: put_in_quarantine(self._store, head.seed, attempts, verdict))
        self._bad_seeds.add(head.seed)
        self._failed += 1
        self.status.fail(error.evidence["kind"], rejected)
        self.events.write("rejected" if rejected else "quarantined", id=name, slot=head.slot, verdict=verdict)
        log.warning("%s: %s; another seed takes its place", "rejected" if rejected else "given up", verdict)
        self._check_failures(verdict)
        self._waiting.appendleft(_Head(head.slot, self._next_seed(head.slot)))

    def _check_failures(self, verdict: str) -> None:
        if self._failed >= max(FAILURES_AT_FIRST, self._width) + FAILURES_PER_HEAD * self._made:
            raise StageError(
                f"stopped: {self._failed} heads failed and {self._made} were made; the last: {verdict}. "
                f"What each said is in {self._store.where('quarantine')}; remove that folder to try these seeds again"
            )

    def _lost(self, work: _Head | _Join | _Check, error: RayError) -> None:
        """A process or a node died more often than Ray repeats, which says nothing about the head."""
        reason = " ".join(str(error).split())[:500]
        self.events.write("lost", what=str(work), reason=reason)
        log.warning("lost %s: %s", work, reason)
        if isinstance(work, _Join):
            self._join(work.shard)
        elif isinstance(work, _Check):
            self._work[self.crew.check(work.shard)] = work
        elif work.lost < LOST_AT_MOST:
            self._waiting.appendleft(_Head(work.slot, work.seed, work.lost + 1))
        else:
            evidence = {"id": head_name(work.seed), "stage": "all", "kind": str(Failure.CRASH), "reason": reason}
            self._give_up(work, HeadError(evidence))

    def _write(self, write: Callable[[], None]) -> None:
        """Write something of the driver's own; wait while a disk is full."""
        patiently(write, self._store.local, _ROOM, lambda why: log.warning("%s", why))

    def _listen(self) -> None:
        """Take in what the stages told; show it."""
        for told in self.hear():
            event = told.pop("event")
            if event == "attempt failed":
                self._attempts.setdefault(told["id"], []).append(dict(told))
                told = {**told, "log": told.get("log", "")[-_LOG_IN_EVENT:]}
            if event == "paused":
                log.warning("%s", told["reason"])
            self.status.hear(event, told)
            self.events.write(event, **told)
        self.view.show(self.status)


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """While it lasts: end in order on SIGTERM as on Ctrl-C; schedulers of clusters send it before they kill."""

    def stop(number: int, frame: object) -> None:
        raise Stopped

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
