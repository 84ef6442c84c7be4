"""Disk space: estimates of what a data set takes, checks before a run, and waiting while a disk is full."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from capture import InputError
from factory.dataset.store import Store
from factory.production.event_queue import SendEvent
from factory.stages.failures import Failure, failure_of

# Bytes per pixel of a head's images, measured on heads of 256² to 1024² with 13 views, rounded up.
_CAPTURE = 8.0  # PNG images, masks, scan, labels
_SAMPLE = 2.5  # JPEG images, scan and labels, compressed
_WORKSPACE = 60.0  # and while stereo works: depth and normal maps, twice
_FIXED = 8e6  # the true surface and cameras, whatever the resolution

_CHECK_S = 5.0  # between two looks at the free space
_REPORT_S = 60.0  # between two messages about it


def sample_bytes(pixels: float) -> int:
    """Bytes of a head in a shard; `pixels` are those of all its images."""
    return int(_SAMPLE * pixels + _FIXED)


def capture_bytes(pixels: float) -> int:
    """Bytes of a head's capture, with scan and labels."""
    return int(_CAPTURE * pixels + _FIXED)


def scratch_bytes(pixels: float) -> int:
    """Bytes that a stage needs on the disk of its node while it runs."""
    return int(_WORKSPACE * pixels) + capture_bytes(pixels)


def working_folder(scratch: Path | None) -> TemporaryDirectory[str]:
    """A temporary folder below `scratch`, or in the system's place, to be used as a context.

    Folders of processes on this machine that were killed are removed.
    """
    parent = Path(tempfile.gettempdir()) if scratch is None else scratch
    prefix = f"p2p-{socket.gethostname()}-"
    for left in parent.glob(f"{prefix}*"):
        pid = left.name.removeprefix(prefix).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    return TemporaryDirectory(prefix=f"{prefix}{os.getpid()}-", dir=parent, ignore_cleanup_errors=True)


def check_free_space(folder: Path, needed: int, content: str) -> None:
    """Raise `InputError` where the disk of `folder`, which may not exist yet, has less than `needed` bytes free.

    `content` names what takes the space.
    """
    free = free_bytes(folder)
    if free < needed:
        raise InputError(
            f"{content} needs about {needed / 1e9:.1f} GB and {folder} has {free / 1e9:.1f} GB free; "
            "free some, choose another place, or make fewer heads"
        )


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk that `folder` lies on or will lie on."""
    existing = Path(folder).absolute()
    while not existing.exists():
        existing = existing.parent
    return shutil.disk_usage(existing).free


def put_when_there_is_space(store: Store, path: Path, name: str, send_event: SendEvent) -> None:
    """Copy a file into the store; while a disk there is full, wait and send "paused" events."""

    def report(reason: str) -> None:
        send_event("paused", reason=reason, node=socket.gethostname())

    write_when_there_is_space(lambda: store.put(path, name), store.local, 2 * path.stat().st_size, report)


def write_when_there_is_space(
    write: Callable[[], None], folder: Path | None, needed: int, report: Callable[[str], None]
) -> None:
    """Call `write`; where a disk is full, wait until `folder` has `needed` bytes free and call it again.

    `report` is called with the reason while it waits. Raises what `write` raises for any other reason.
    """
    while True:
        try:
            write()
            return
        except InputError as error:
            if folder is None or failure_of(2, [str(error)]) is not Failure.DISK:
                raise
            report(f"{error}: paused")
        wait_for_space(folder, needed, report)
        time.sleep(1)  # what is free may be too little still


def wait_for_space(folder: Path, needed: int, report: Callable[[str], None]) -> float:
    """Wait until the disk of `folder` has `needed` bytes free; returns the seconds that it took.

    `report` is called with the reason at once and every minute.
    """
    started = time.monotonic()
    reported = -_REPORT_S
    while (free := free_bytes(folder)) < needed:
        waited = time.monotonic() - started
        if waited - reported >= _REPORT_S:
            reported = waited
            report(f"the disk of {folder} has {free / 1e9:.2f} GB free and {needed / 1e9:.2f} GB are needed: paused")
        time.sleep(_CHECK_S)
    return time.monotonic() - started
