"""Stages that hang, swell or die are ended and told apart."""

import sys
import time
from pathlib import Path

import psutil
import pytest

from capture import InputError
from factory.stages.failures import Failure, StageError, failure_of
from factory.stages.processes import run_stage
from factory.stages.watchdog import Limits, Watchdog, memory_gib


def stage(tmp_path: Path, program: str, limits: Limits) -> None:
    run_stage([sys.executable, "-c", program], "render head_1", tmp_path / "a.log", limits=limits)


def test_a_stage_within_its_limits_ends_by_itself(tmp_path: Path) -> None:
    stage(tmp_path, "print('hello')", Limits(seconds=60, gib=8))
    assert (tmp_path / "a.log").read_text() == "hello\n"


def test_a_stage_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    child = "import time; time.sleep(600)"
    program = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {child!r}]); print(p.pid); p.wait()"
    started = time.monotonic()
    with pytest.raises(StageError, match=r"render head_1 failed \(took longer than 2 s\).*a\.log") as caught:
        stage(tmp_path, "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); " + program, Limits(seconds=2))
    assert caught.value.kind is Failure.TIMEOUT
    assert time.monotonic() - started < 30
    pid = int((tmp_path / "a.log").read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_stage_that_swells_is_killed(tmp_path: Path) -> None:
    program = "import time; block = bytearray(400 * 2**20); time.sleep(600)"
    with pytest.raises(StageError, match=r"held 0\.\d GiB of 0\.2") as caught:
        stage(tmp_path, program, Limits(gib=0.2))
    assert caught.value.kind is Failure.MEMORY


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        (-9, ["loading"], Failure.MEMORY),
        (-11, ["loading"], Failure.CRASH),
        (1, ["MemoryError"], Failure.MEMORY),
        (1, ["OSError: [Errno 28] No space left on device"], Failure.DISK),
        (2, ["error: can't write x: No space left on device; free some space and run again"], Failure.DISK),
        (3, ["error: the mesh is empty"], Failure.DATA),
        (2, ["error: no CUDA here"], Failure.SETUP),
        (1, ["RuntimeError: boom"], Failure.CRASH),
    ],
)
def test_failures_are_told_apart(code: int, said: list[str], kind: Failure) -> None:
    assert failure_of(code, said) is kind


def test_an_error_passes_between_processes() -> None:
    make, given, *_ = StageError("it hangs", Failure.TIMEOUT).__reduce__()  # what travels, and makes it anew
    error = make(*given)
    assert str(error) == "it hangs" and error.kind is Failure.TIMEOUT


def test_limits_are_positive() -> None:
    with pytest.raises(InputError, match="memory limit 0"):
        Limits(gib=0)


def test_a_process_that_has_ended_holds_nothing() -> None:
    assert memory_gib(2**22 + 1) == 0
    with Watchdog(2**22 + 1, Limits(seconds=0.01)) as watchdog:
        time.sleep(0.8)
    assert watchdog.failure is Failure.TIMEOUT
