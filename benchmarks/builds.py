"""Two builds of this program side by side: worktrees of commits, and commands that run in them, measured."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from factory.stages.usage import peak_bytes

REPO = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Run:
    """Attributes:
    seconds: CPU time of a command and of the processes that it waited for.
    peak: most memory that one of them held, bytes.
    """

    seconds: float
    peak: int


@dataclass(frozen=True)
class Build:
    """A build: the folder of its source."""

    source: Path

    def run(self, *words: object) -> Run:
        """Run this Python on words in the build, in a process of its own. Exits where that fails."""
        environment = os.environ | {"PYTHONPATH": str(self.source)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # both builds have their modules compiled
        command = [sys.executable, *map(str, words)]
        process = subprocess.Popen(
            command, cwd=self.source, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        if status:
            raise SystemExit(f"{' '.join(command)} failed in {self.source}:\n{output[-2000:]}")
        return Run(usage.ru_utime + usage.ru_stime, peak_bytes(usage))

    def compile_modules(self) -> None:
        """Compile all modules of the build: else its first command would."""
        self.run("-m", "compileall", "-q", self.source, "-x", r"/\.")

    def p2p(self, *words: object) -> Run:
        """Run `p2p` of the build."""
        return self.run("-m", "factory.cli", *words)


@contextmanager
def worktree(commit: str, folder: Path) -> Iterator[Build]:
    """The build of a commit of this repository, in a worktree that is removed afterwards."""
    git = ["git", "-C", str(REPO), "worktree"]
    subprocess.run([*git, "add", "--detach", str(folder), commit], check=True, capture_output=True)
    try:
        yield Build(folder)
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True, capture_output=True)
