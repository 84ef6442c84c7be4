"""Stages in processes of their own: a crash in Blender or in a native library takes nothing else along."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from capture import InputError, RefusedError
from capture.files import make_folder
from capture.runtime import progress
from capture.runtime.import_path import import_environment
from capture.runtime.lifetime import PARENT
from factory.stages.failures import Failure, StageError, failure_of
from factory.stages.usage import Usage, peak_bytes
from factory.stages.watchdog import UNLIMITED, Limits, Watchdog

# What tells the libraries in a stage how many threads to use.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

GRACE_S = 5.0  # seconds that a stage is given to end by itself


def run_stage(
    command: Sequence[str | os.PathLike[str]],
    what: str,
    log_path: Path,
    on_progress: Callable[[str, int, int], None] | None = None,
    limits: Limits = UNLIMITED,
    threads: int | None = None,
    scratch: Path | None = None,
) -> Usage:
    """Run a stage's command to its end, with its output in `log_path`.

    Args:
        command: program and arguments. A Python finds our packages and imports nothing from the working folder.
        what: names the stage and the capture in errors.
        log_path: where standard output and standard error go, together.
        on_progress: called with (what, done, total) for each progress line.
        limits: time and memory; a stage that goes beyond is killed with all processes that it started.
        threads: that numerical libraries in it use; None for all cores.
        scratch: folder for its temporary files; None for the system's.

    The stage ends when this process ends, however that comes about.

    Returns:
        The most memory that the process held, and the times that it told.

    Raises:
        InputError: it could not be started or ended with exit code 2; the message is its own.
        RefusedError: it ended with exit code 3, likewise.
        StageError: it crashed, went beyond its limits or failed otherwise.
    """
    environment = os.environ | import_environment() | progress.ASKED
    environment |= {"PYTHONUNBUFFERED": "1", PARENT: str(os.getpid())}
    if scratch is not None:
        environment |= {"TMPDIR": str(scratch)}
    if threads is not None:
        environment |= dict.fromkeys(_THREADS, str(threads))
    make_folder(log_path.parent)
    tail: deque[str] = deque(maxlen=50)
    with log_path.open("w", encoding="utf-8") as log:
        try:
            process = subprocess.Popen(
                [os.fspath(word) for word in command],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=environment,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise InputError(f"{what}: can't start {command[0]} ({error.strerror})") from None
        peak, times = 0.0, dict[str, float]()
        with process, Watchdog(process.pid, limits) as watchdog:
            try:
                _follow(process, log.write, tail, times, on_progress)
                peak = _wait(process)
            finally:
                _end(process)
    if watchdog.failure is not None:
        raise _error(what, watchdog.reason, log_path, watchdog.failure)
    _judge(process.returncode, what, tail, log_path)
    return Usage(peak, times)


def _wait(process: subprocess.Popen[str]) -> float:
    """Wait for the end of a process; returns the most memory that it held, GiB. Python's own `wait` doesn't tell."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return round(peak_bytes(used) / 2**30, 3)


def _end(process: subprocess.Popen[str]) -> None:
    """End a stage that still runs: first as Ctrl-C does, so that it removes what it has half written."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S / 5)  # a terminal sends Ctrl-C to all: a second one would interrupt the cleaning up
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_S)


def _follow(
    process: subprocess.Popen[str],
    write: Callable[[str], object],
    tail: deque[str],
    times: dict[str, float],
    on_progress: Callable[[str, int, int], None] | None,
) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        told = progress.parse_line(line)
        if isinstance(told, progress.StepProgress):
            if on_progress:
                on_progress(told.step, told.done, told.total)
        elif told is not None:
            times.update(told.seconds)
        else:
            write(line)
            if line.strip():
                tail.append(line.strip())


def _judge(code: int, what: str, tail: deque[str], log_path: Path) -> None:
    if code == 0:
        return
    errors = [line.removeprefix("error: ") for line in tail if line.startswith("error: ")]
    if code in (2, 3) and errors:
        raise (InputError if code == 2 else RefusedError)(errors[-1])
    if code < 0:
        reason = f"killed by {signal.Signals(-code).name}"
    else:
        reason = f"exit code {code}: {errors[-1] if errors else (tail[-1] if tail else 'it said nothing')}"
    raise _error(what, reason, log_path, failure_of(code, tail))


def _error(what: str, reason: str, log_path: Path, kind: Failure) -> StageError:
    return StageError(f"{what} failed ({reason}); its whole output is in {log_path}", kind)
