"""The event log of a data set: `events.jsonl`, a JSON object a line.

It is for people, their tools and statistics. No decision is based on it: the shards say themselves what they hold.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Iterator
from errno import EDQUOT, ENOSPC
from typing import Any

from capture import InputError
from factory.dataset.store import Store

log = logging.getLogger(__name__)

EVENTS = "events.jsonl"  # on a disk
FOLDER = "events"  # in an object store, where nothing can be appended to: files of lines, in the order of their names
_FLUSH_S = 60.0
_FLUSH_EVENTS = 2000


class EventLog:
    """Appends events to a data set's log; use it as a context, so that the last ones are written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unwritten: list[str] = []
        self._written = time.monotonic()

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()
        if self._unwritten:
            log.warning("the last %d events could not be written to %s", len(self._unwritten), self._store)

    def write(self, event: str, **values: Any) -> None:
        """Add an event with plain `values`, and the time in seconds since 1970 unless they have a `time`."""
        record = {"time": round(time.time(), 3), "event": event, **values}
        self._unwritten.append(json.dumps(record, allow_nan=False, default=str) + "\n")
        due = time.monotonic() - self._written > _FLUSH_S
        if self._store.local is not None or due or len(self._unwritten) >= _FLUSH_EVENTS:
            self.flush()

    def flush(self) -> None:
        """Write the events that are not written yet."""
        if not self._unwritten:
            return
        text, self._unwritten = "".join(self._unwritten), []
        self._written = time.monotonic()
        if self._store.local is not None:
            try:
                self._store.local.mkdir(parents=True, exist_ok=True)
                with (self._store.local / EVENTS).open("a", encoding="utf-8") as file:
                    file.write(text)
            except OSError as error:
                if error.errno not in (ENOSPC, EDQUOT):
                    raise
                self._unwritten = [text]  # until there is room again; half a line of it may be there twice
            return
        name = f"{FOLDER}/{time.time_ns():020d}-{secrets.token_hex(4)}.jsonl"
        try:
            self._store.write(name, text.encode())
        except InputError as error:  # a record must not end what it records
            log.warning("events will be written later: %s", error)
            self._unwritten = [text]


def read_events(store: Store) -> Iterator[dict[str, Any]]:
    """All events, oldest first; lines that a killed run left unfinished are skipped."""
    if store.local is not None:
        names = [EVENTS] if store.exists(EVENTS) else []
    else:
        names = [f"{FOLDER}/{name}" for name in store.sizes(FOLDER)]
    for name in names:
        with store.open(name) as file:
            for line in file:
                try:
                    value = json.loads(line)
                except ValueError:
                    continue
                if isinstance(value, dict):
                    yield value
