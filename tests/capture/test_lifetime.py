"""What a killed process has started ends with it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from capture.runtime.lifetime import PARENT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's means are Linux's")
ROOT = Path(__file__).resolve().parents[2]
STAGE = """
import time
from capture.runtime.lifetime import end_with_parent
end_with_parent()
print("ready", flush=True)
time.sleep(60)
"""
# A worker that starts a stage, as `run_stage` does, says its process id, and is then killed.
WORKER = f"""
import os, subprocess, sys
stage = subprocess.Popen([sys.executable, "-c", {STAGE!r}], env=os.environ | {{{PARENT!r}: str(os.getpid())}},
                         stdout=subprocess.PIPE)
stage.stdout.readline()
print(stage.pid, flush=True)
stage.wait()
"""


def run(program: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    variables = {key: value for key, value in os.environ.items() if key != PARENT} | environment
    return subprocess.Popen([sys.executable, "-c", program], env=variables, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def ends(pid: int) -> bool:
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_a_stage_ends_with_the_worker_that_started_it() -> None:
    with run(WORKER, {}) as worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())
        assert psutil.pid_exists(pid)
        worker.kill()
    assert ends(pid)


def test_a_stage_whose_worker_is_gone_already_ends_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    with run(STAGE, {PARENT: str(gone.pid)}) as stage:
        assert stage.wait(20) == -9


@pytest.mark.parametrize("value", [None, "", "1", "notanumber"])
def test_others_live_on(value: str | None) -> None:
    """Without a parent named, or where another process inherited the variable."""
    with run(STAGE, {} if value is None else {PARENT: value}) as stage:
        assert stage.stdout is not None and stage.stdout.readline() == "ready\n"
        assert stage.poll() is None
        stage.kill()
