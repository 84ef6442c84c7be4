"""How much disk a data set takes, and what happens when there is none left."""

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
from factory.stages.failures import Failure, failure_of

# Bytes per pixel of a head's images, measured on heads of 256² to 1024² with 13 views, rounded up.
_CAPTURE = 8.0  # PNG images, masks, scan, labels
_SAMPLE = 2.5  # JPEG images, scan and labels, compressed
_WORKSPACE = 60.0  # and while stereo works: depth and normal maps, twice
_FIXED = 8e6  # the true surface and cameras, whatever the resolution

_LOOK_S = 5.0  # between two looks whether there is room again
_SAY_S = 60.0  # between two complaints


def sample_bytes(pixels: float) -> int:
    """A head in a shard; `pixels` are those of all its images."""
    return int(_SAMPLE * pixels + _FIXED)


def capture_bytes(pixels: float) -> int:
    """A head's capture, with scan and labels."""
    return int(_CAPTURE * pixels + _FIXED)


def scratch_bytes(pixels: float) -> int:
    """What a stage needs on the disk of its node while it works."""
    return int(_WORKSPACE * pixels) + capture_bytes(pixels)


def working_folder(scratch: Path | None) -> TemporaryDirectory[str]:
    """A folder below `scratch`, or in the system's place, which is gone after its block.

    What processes that were killed have left there, on this machine, is removed.
    """
    place = Path(tempfile.gettempdir()) if scratch is None else scratch
    mine = f"p2p-{socket.gethostname()}-"
    for left in place.glob(f"{mine}*"):
        pid = left.name.removeprefix(mine).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    return TemporaryDirectory(prefix=f"{mine}{os.getpid()}-", dir=place, ignore_cleanup_errors=True)


def check_space(folder: Path, needed: int, what: str) -> None:
    """Raise `InputError` where the disk of `folder`, which may not be there yet, has less than `needed` bytes free."""
    free = free_bytes(folder)
    if free < needed:
        raise InputError(
            f"{what} needs about {needed / 1e9:.1f} GB and {folder} has {free / 1e9:.1f} GB free; "
            "free some, choose another place, or make fewer heads"
        )


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk that `folder` lies on or will lie on."""
    place = Path(folder).absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def patiently(write: Callable[[], None], folder: Path | None, needed: int, say: Callable[[str], None]) -> None:
    """Write something; where a disk is full, wait until `folder` has `needed` bytes free, and write it then.

    Raises what `write` raises for any other reason.
    """
    while True:
        try:
            write()
            return
        except InputError as error:
            if folder is None or failure_of(2, [str(error)]) is not Failure.DISK:
                raise
            say(f"{error}: paused")
        wait_for_space(folder, needed, say)
        time.sleep(1)  # what is free may be too little still


def wait_for_space(folder: Path, needed: int, say: Callable[[str], None]) -> float:
    """Wait until the disk of `folder` has `needed` bytes free; returns the seconds. `say` is told why, now and then."""
    started = time.monotonic()
    said = -_SAY_S
    while (free := free_bytes(folder)) < needed:
        waited = time.monotonic() - started
        if waited - said >= _SAY_S:
            said = waited
            say(f"the disk of {folder} has {free / 1e9:.2f} GB free and {needed / 1e9:.2f} GB are needed: paused")
        time.sleep(_LOOK_S)
    return time.monotonic() - started
