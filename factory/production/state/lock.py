"""The exclusive lock of a data set: two runs would make the same heads."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from capture import InputError
from factory.dataset.store import Store
from factory.production.state.heartbeat import STALE_S, DamagedHeartbeatError, read_heartbeat

_LOCK = ".producing"


@contextmanager
def exclusive_lock(store: Store) -> Iterator[None]:
    """Hold the lock of a data set. Raises `InputError` where another run holds it."""
    if store.local is None:
        refuse_active_run(store)
        yield
        return
    try:
        store.local.mkdir(parents=True, exist_ok=True)
        file = (store.local / _LOCK).open("a")
    except OSError as error:
        raise InputError(f"can't write {store}: {error.strerror}; choose another `out`") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"another run works on {store}; wait for it or end it (`p2p status` shows it)") from None
        except OSError:  # a file system without locks
            refuse_active_run(store)
        yield  # the file stays: who opened it before it was removed would hold a lock that nobody else sees


def refuse_active_run(store: Store) -> None:
    """Raise `InputError` where a run has a fresh heartbeat, for stores without locks such as object stores."""
    try:
        heartbeat = read_heartbeat(store)
    except DamagedHeartbeatError:  # nobody writes it any more
        return
    if heartbeat is None:
        return
    state, age = heartbeat
    if age < STALE_S:
        raise InputError(
            f"another run works on {store} (process {state.get('pid')} on {state.get('host')}, last report "
            f"{age:.0f} s ago); end it. If it was killed, wait {STALE_S - age:.0f} s"
        )
