"""Production by `docker/slurm/produce.sbatch` on a real Slurm: its controller and three nodes on this machine.

Needs Debian's `slurm-wlm` and `munge`, and root's rights, and is skipped where they are not there.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from factory.cli.main import main
from tests.factory.production import tiny

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]
PATIENCE_S = 1800
HEADS = 3
SCRIPT = Path(__file__).parents[2] / "docker" / "slurm" / "produce.sbatch"
NODES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")  # names that are addresses: Ray's head is looked for by its node's
MISSING = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if shutil.which(name) is None]
needs_slurm = pytest.mark.skipif(
    bool(MISSING) or os.geteuid() != 0, reason="needs slurm-wlm and munge of Debian, and root's rights"
)


class Slurm:
    """A controller and its nodes, with files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._daemons: list[tuple[subprocess.Popen[bytes], Path]] = []
        self._environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}

    def start(self) -> None:
        key, munge = self.folder / "munge.key", self.folder / "munge.socket"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        files = [f"--{name}-file={self.folder / f'munge.{name}'}" for name in ("pid", "log", "seed")]
        self._daemon("munged", "--foreground", "--force", f"--key-file={key}", f"--socket={munge}", *files)
        self.wait_for(munge.exists)
        port, first = _free_ports(1)[0], _free_row(len(NODES))
        node_ports = f"[{first}-{first + len(NODES) - 1}]"  # nodes of one machine must stand in one line
        (self.folder / "slurm.conf").write_text(f"""ClusterName=test
SlurmctldHost={socket.gethostname()}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={munge}
StateSaveLocation={self.folder}/state
SlurmdSpoolDir={self.folder}/spool-%n
SlurmctldPidFile={self.folder}/slurmctld.pid
SlurmdPidFile={self.folder}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
NodeName=127.0.0.[1-3] NodeHostname={socket.gethostname()} NodeAddr=127.0.0.1 Port={node_ports} CPUs=1
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
""")
        (self.folder / "state").mkdir()
        self._daemon("slurmctld", "-D")
        for name in NODES:
            (self.folder / f"spool-{name}").mkdir()
            self._daemon("slurmd", "-D", "-N", name)
        self.wait_for(lambda: self.says("sinfo", "--noheader", "--format=%T").split() == ["idle"])

    def stop(self) -> None:
        for daemon, _ in reversed(self._daemons):
            daemon.terminate()
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def says(self, *words: str) -> str:
        """Output of one of Slurm's commands; empty where the controller does not answer."""
        done = subprocess.run(words, env=self._environment, capture_output=True, text=True, timeout=60)
        return done.stdout if done.returncode == 0 else ""

    def submit(self, log: Path, minutes: int, options: list[str]) -> str:
        """Queue a production on all nodes, whose signal comes a minute before its time is over; returns the job."""
        words = ["sbatch", "--parsable", f"--nodes={len(NODES)}", f"--time={minutes}", "--signal=B:TERM@60"]
        environment = {**self._environment, "P2P": sys.prefix, "RAY_PORT": str(_free_ports(1)[0])}
        words += [f"--output={log}", f"--chdir={self.folder}", str(SCRIPT), *options]
        return subprocess.run(words, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    def job(self, number: str) -> dict[str, str]:
        """What the controller knows of a job."""
        return dict(re.findall(r"(\w+)=(\S+)", self.says("scontrol", "show", "job", number)))

    def wait_for(self, what: Callable[[], object]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not what():
            ended = [log.read_text() for daemon, log in self._daemons if daemon.poll() is not None]
            assert not ended and time.monotonic() < until, ended
            time.sleep(0.5)

    def _daemon(self, *words: str) -> None:
        log = self.folder / f"{words[0]}-{len(self._daemons)}.log"
        with log.open("wb") as file:
            self._daemons.append((subprocess.Popen(words, env=self._environment, stdout=file, stderr=file), log))


def _free_row(count: int) -> int:
    """The first of so many free ports in a row."""
    for first in _free_ports(50):
        try:
            for port in range(first + 1, first + count):
                with socket.socket() as other:
                    other.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            continue
        return first
    raise AssertionError("no ports in a row")


def _free_ports(count: int) -> list[int]:
    found = [socket.socket() for _ in range(count)]
    for each in found:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in found]
    for each in found:
        each.close()
    return ports


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[Slurm]:
    folder = tmp_path / "slurm"
    folder.mkdir()
    folder.chmod(0o755)  # munge takes no socket in a folder that others may not enter
    made = Slurm(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@needs_slurm
def test_a_job_that_the_clock_stops_is_queued_again_and_ends_whole(slurm: Slurm, tmp_path: Path) -> None:
    undisturbed = tiny.command(tmp_path / "undisturbed", tmp_path / "overrides.yaml", heads=HEADS)
    subprocess.run(undisturbed, check=True, timeout=PATIENCE_S)
    out, log = tmp_path / "data", tmp_path / "job.log"
    options = tiny.command(out, tmp_path / "overrides.yaml", heads=HEADS)
    job = slurm.submit(log, 2, options[options.index("produce") + 1 :])
    slurm.wait_for(lambda: slurm.job(job).get("Restarts") == "1")  # the signal came, and with it the requeue
    assert "interrupted; finished files are kept" in log.read_text()
    slurm.says("scontrol", "update", f"JobId={job}", "TimeLimit=60")
    slurm.wait_for(lambda: slurm.job(job).get("JobState") in ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"))
    assert slurm.job(job)["JobState"] == "COMPLETED", log.read_text()
    assert main(["verify", str(out)]) == 0
    assert tiny.shards_of(out) == tiny.shards_of(tmp_path / "undisturbed")


@needs_slurm
def test_a_job_whose_options_are_wrong_ends_with_the_one_line_that_says_so(slurm: Slurm, tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    job = slurm.submit(log, 10, ["--heads", "none", "--out", str(tmp_path / "data")])
    slurm.wait_for(lambda: slurm.job(job).get("JobState") in ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"))
    assert slurm.job(job)["JobState"] == "FAILED" and slurm.job(job)["ExitCode"] == "2:0"
    assert "--heads" in log.read_text() and not (tmp_path / "data").exists()
