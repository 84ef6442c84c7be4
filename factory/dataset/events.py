"""What happened, as JSON lines: `events.jsonl` beside a data set.

A record for people and their tools. Nothing is decided by it: what a data set holds, its shards say themselves.
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
FOLDER = "events"  # in an object store, where nothing can be appended to: files of events, in the order of their names
_FLUSH_S = 60.0
_FLUSH_EVENTS = 2000


class EventLog:
    """Appends events to a data set's log; use it as a context, so that the last ones are written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: list[str] = []
        self._written = time.monotonic()

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()
        if self._kept:
            log.warning("the last %d events could not be written to %s", len(self._kept), self._store)

    def write(self, event: str, **values: Any) -> None:
        """Add one event; `values` are plain. One that brings its own `time` (seconds since 1970) keeps it."""
        record = {"time": round(time.time(), 3), "event": event, **values}
        self._kept.append(json.dumps(record, allow_nan=False, default=str) + "\n")
        due = time.monotonic() - self._written > _FLUSH_S
        if self._store.local is not None or due or len(self._kept) >= _FLUSH_EVENTS:
            self.flush()

    def flush(self) -> None:
        """Write what is kept back."""
        if not self._kept:
            return
        text, self._kept = "".join(self._kept), []
        self._written = time.monotonic()
        if self._store.local is not None:
            try:
                self._store.local.mkdir(parents=True, exist_ok=True)
                with (self._store.local / EVENTS).open("a", encoding="utf-8") as file:
                    file.write(text)
            except OSError as error:
                if error.errno not in (ENOSPC, EDQUOT):
                    raise
                self._kept = [text]  # until there is room again; half a line of it may be there twice
            return
        name = f"{FOLDER}/{time.time_ns():020d}-{secrets.token_hex(4)}.jsonl"
        try:
            self._store.write(name, text.encode())
        except InputError as error:  # a record must not end what it records
            log.warning("events are kept back: %s", error)
            self._kept = [text]


def read_events(store: Store) -> Iterator[dict[str, Any]]:
    """All events, oldest first; lines that a killed run left unfinished are passed over."""
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
