"""Decisions about heads that fail: another attempt, another seed, or the end of the run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from capture import InputError
from factory.dataset.store import Store
from factory.production.settings.plan import REPLACEMENTS, Plan
from factory.production.state.quarantine import QUARANTINE
from factory.production.task_submitter import RETRIES
from factory.production.tasks.head_errors import HeadError, RejectedError
from factory.production.work_items import HeadWork
from factory.stages.failures import Failure, StageError
from factory.stages.seeds import head_name

MAX_LOST = 5  # times that a head's processes or nodes may die before the head itself is blamed
FIRST_FAILURES = 3  # heads, or as many as are in work, that may fail before one is made, ...
FAILURES_PER_HEAD = 2  # ... and as many more for each that is made


@dataclass
class FailurePolicy:
    """Keeps account of the attempts and seeds of a run that failed, and decides what follows.

    Attributes:
        plan: of the data set.
        store: that it is written to.
        failed_seeds: that are not tried again.
    """

    plan: Plan
    store: Store
    failed_seeds: set[int]
    _attempts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _failed: int = 0
    _made: int = 0

    def next_seed(self, slot: int) -> int:
        """The first seed of a slot that hasn't failed. Raises `StageError` where there is none left."""
        for replacement in range(REPLACEMENTS + 1):
            seed = self.plan.seed(slot, replacement)
            if seed not in self.failed_seeds:
                return seed
        raise StageError(
            f"slot {slot} of the data set: {REPLACEMENTS + 1} seeds failed or were rejected, "
            f"{head_name(self.plan.seed(slot))} first; see {self.store.url_of(QUARANTINE)}"
        )

    def record_attempt(self, details: Mapping[str, Any]) -> None:
        """Note a failed attempt, whether it is repeated or not."""
        self._attempts.setdefault(details["id"], []).append(dict(details))

    def record_made(self, seed: int) -> None:
        """Note that a head is made."""
        self._attempts.pop(head_name(seed), None)
        self._made += 1

    def is_repeated(self, head: HeadWork, error: HeadError) -> bool:
        """True where a head gets another attempt though Ray doesn't repeat it any more: dead nodes used up its repeats.

        Raises `InputError` for a mistake in the set-up, which is no head's fault.
        """
        if error.details["kind"] == Failure.SETUP:
            raise InputError("{stage} {id} on {node}: {reason}".format(**error.details)) from None
        attempts = self._attempts.get(head_name(head.seed), [])
        stage, is_new = error.details["stage"], error.details not in attempts
        failed = sum(attempt["stage"] == stage for attempt in attempts) + is_new
        return not isinstance(error, RejectedError) and failed <= RETRIES and head.lost < MAX_LOST

    def drop(self, seed: int, error: HeadError) -> Collection[Mapping[str, Any]]:
        """Never try a seed again; returns its failed attempts."""
        attempts = self._attempts.pop(head_name(seed), [])
        if error.details not in attempts:  # its event may come later than the error itself
            attempts.append(error.details)
        self.failed_seeds.add(seed)
        self._failed += 1
        return attempts

    def check_rate(self, in_work: int, last: HeadError) -> None:
        """Raise `StageError` where too many heads fail; `in_work` is how many are worked on at a time."""
        if self._failed >= max(FIRST_FAILURES, in_work) + FAILURES_PER_HEAD * self._made:
            raise StageError(
                f"stopped: {self._failed} heads failed or were rejected and {self._made} were finished; "
                f"the last: {last}. The output of their stages is in {self.store.url_of(QUARANTINE)}; "
                "remove that folder to try these seeds again"
            )
