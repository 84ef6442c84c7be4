"""Production with the real stages on a Ray cluster of three nodes, while processes, nodes and disks fail.

Slow: `make faults` runs these, `make test` doesn't. Each data set must equal the undisturbed one, byte by byte.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from ray.cluster_utils import Cluster

from factory.cli.main import main
from tests.factory.production import tiny

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1500)]
HEADS = 3
PATIENCE_S = 900


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed")
    words = tiny.command(folder / "data", folder / "overrides.yaml", heads=HEADS)
    subprocess.run(words, check=True, timeout=PATIENCE_S)
    return tiny.shards_of(folder / "data")


@pytest.fixture
def nodes() -> Iterator[Cluster]:
    """A head node that works on nothing, and two of one core each."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        for _ in range(2):
            made.add_node(num_cpus=1)
        yield made
    finally:
        made.shutdown()


class Production:
    """A run of `p2p produce` that a test disturbs."""

    def __init__(self, folder: Path, nodes: Cluster, out: Path | None = None, scratch: Path | None = None) -> None:
        self.out, self.scratch = out or folder / "data", scratch or folder / "scratch"
        self._said = folder / "said.log"
        self._words = tiny.command(
            self.out,
            folder / "overrides.yaml",
            "--address",
            nodes.address,
            "--scratch",
            str(self.scratch),
            "--generate.minutes",
            "1.5",
            heads=HEADS,
        )
        self.start()

    def start(self) -> None:
        self.process = tiny.start(self._words, self._said)

    @property
    def said(self) -> str:
        return self._said.read_text()

    def stages(self, word: str) -> list[psutil.Process]:
        """The stages' own processes with a word in their command line."""
        stages = []
        for process in psutil.process_iter(["cmdline"]):
            words = " ".join(process.info["cmdline"] or [])
            if word in words and f"{self.scratch}/" in words and "--address" not in words:
                stages.append(process)
        return stages

    def wait_for(self, what: Callable[[], object]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not what():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < until, self.said
            time.sleep(0.1)

    def blender(self) -> psutil.Process:
        """A Blender that has been at work for a while."""
        self.wait_for(lambda: [p for p in self.stages("generate.py") if time.time() - p.create_time() > 3])
        return self.stages("generate.py")[0]

    def end(self) -> None:
        assert self.process.wait(PATIENCE_S) == 0, self.said
        assert main(["verify", str(self.out)]) == 0
        assert not self.stages("") and not (self.out / "quarantine").exists()


@pytest.fixture
def production(tmp_path: Path, nodes: Cluster) -> Iterator[Production]:
    made = Production(tmp_path, nodes)
    yield made
    made.process.kill()
    made.process.wait()


def test_a_worker_is_killed(production: Production, undisturbed: dict[str, bytes]) -> None:
    worker = production.blender().parent()
    assert worker is not None and worker.name().startswith("ray::")
    blender = production.stages("generate.py")
    worker.kill()
    production.wait_for(lambda: not any(process.is_running() and process.ppid() == worker.pid for process in blender))
    production.end()
    assert tiny.shards_of(production.out) == undisturbed


def test_a_blender_is_killed(production: Production, undisturbed: dict[str, bytes]) -> None:
    production.blender().kill()
    production.wait_for(lambda: "out of memory" in (production.out / "events.jsonl").read_text())
    production.end()
    assert tiny.shards_of(production.out) == undisturbed


@pytest.mark.parametrize("stage", ["generate.py", "reconstruct"])
def test_a_node_dies(production: Production, undisturbed: dict[str, bytes], stage: str) -> None:
    production.wait_for(lambda: production.stages(stage))
    worker = production.stages(stage)[0].parent()
    raylet = worker.parent() if worker is not None else None
    assert raylet is not None and raylet.name() == "raylet"
    raylet.kill()
    production.end()
    assert tiny.shards_of(production.out) == undisturbed


def test_the_driver_is_killed_again_and_again(production: Production, undisturbed: dict[str, bytes]) -> None:
    for stage in ("generate.py", "reconstruct", "label"):
        production.wait_for(lambda stage=stage: production.stages(stage))
        production.process.kill()
        production.process.wait()
        production.start()
    production.end()
    assert tiny.shards_of(production.out) == undisturbed


def test_a_stage_hangs(production: Production, undisturbed: dict[str, bytes]) -> None:
    production.blender().send_signal(signal.SIGSTOP)
    production.wait_for(lambda: '"timeout"' in (production.out / "events.jsonl").read_text())
    production.end()
    assert tiny.shards_of(production.out) == undisturbed


@pytest.mark.parametrize("change", ["cut", "flip"])
def test_a_shard_changes_behind_its_back(production: Production, undisturbed: dict[str, bytes], change: str) -> None:
    production.wait_for(lambda: list(production.out.glob("train-*.tar")))
    production.process.send_signal(signal.SIGTERM)
    assert production.process.wait(60) == 130
    path = next(production.out.glob("train-*.tar"))
    data = bytearray(path.read_bytes())
    if change == "cut":
        del data[len(data) // 2 :]
    else:
        data[len(data) // 2] ^= 1
    path.write_bytes(data)
    production.start()
    production.end()
    assert tiny.shards_of(production.out) == undisturbed


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 64 MB."""
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], check=False)
    if made.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("which", ["out", "scratch"])
def test_a_disk_is_full(tmp_path: Path, nodes: Cluster, undisturbed: dict[str, bytes], which: str) -> None:
    with small_disk(tmp_path / "small") as small:
        made = Production(tmp_path, nodes, **{which: small / "here"})
        try:
            made.wait_for(lambda: made.stages("generate.py"))
            filler = small / "filler"
            with filler.open("wb") as file:
                room = shutil.disk_usage(small).free - 50_000
                os.posix_fallocate(file.fileno(), 0, room)
            made.wait_for(lambda: "paused" in made.said)
            assert "free" in made.said
            time.sleep(10)
            filler.unlink()
            made.end()
            assert tiny.shards_of(made.out) == undisturbed
        finally:
            made.process.kill()
            made.process.wait()
