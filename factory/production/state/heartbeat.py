"""The heartbeat of a run: `progress.json` in the store, written anew every ten seconds and removed at its end."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

from capture import InputError
from factory.dataset.store import Store
from factory.production.state.run_status import RunStatus

log = logging.getLogger(__name__)

HEARTBEAT = "progress.json"
HEARTBEAT_S = 10.0
STALE_S = 6 * HEARTBEAT_S  # a run whose heartbeat is older has died


class DamagedHeartbeatError(InputError):
    """A heartbeat can't be read."""


class Heartbeat:
    """Writes the state of a run regularly, from a thread of its own: also while the run itself waits for something.

    Use it as a context.
    """

    def __init__(self, store: Store, heads: int) -> None:
        self._store = store
        self._state = RunStatus(heads).to_json()
        self._updated = float("-inf")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._write()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()
        try:
            self._store.remove(HEARTBEAT)
        except InputError as unreachable:  # the error that ended the run is what matters
            log.warning("%s", unreachable)

    def update(self, state: Mapping[str, Any]) -> None:
        """Set the state, as `RunStatus.to_json` gives it; it is written at once unless one was a moment ago."""
        self._state = dict(state)
        if time.monotonic() - self._updated > HEARTBEAT_S:
            self._updated = time.monotonic()
            self._write()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_S):
            self._write()

    def _write(self) -> None:
        with suppress(InputError, OSError):  # a full disk is reported by the tasks that need it
            self._store.write(HEARTBEAT, json.dumps({**self._state, "time": time.time()}).encode())


def read_heartbeat(store: Store) -> tuple[dict[str, Any], float] | None:
    """The state of the run that works on a data set, and the age of that state in seconds; None where there is no run.

    Raises `DamagedHeartbeatError`, or `InputError` where the store can't be read.
    """
    try:
        state = json.loads(store.read(HEARTBEAT))
        age = max(time.time() - float(state["time"]), 0.0)  # clocks of two machines may differ
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedHeartbeatError(f"{store.url_of(HEARTBEAT)} is damaged ({error}); remove it") from None
    return state, age
