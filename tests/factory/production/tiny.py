"""The real stages at the smallest size that still makes a scan: a bald head, five views of 96 pixels, one sample."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

OVERRIDES = "hair: {family: none}\nbeard: {family: none}\nheadwear: {kind: none}\neyewear: {kind: none}\n"
OVERRIDES += "rig: {views: [[-40, 0], [-15, 0], [15, 0], [40, 0], [0, 25]]}\n"


def command(out: Path | str, overrides: Path, *options: str, heads: int = 2, test_heads: int = 1) -> list[str]:
    """`p2p produce` of so many tiny heads, a head a shard."""
    overrides.write_text(OVERRIDES)
    return [
        sys.executable, "-m", "factory.cli", "produce", "--out", str(out), "--heads", str(heads),
        "--test-heads", str(test_heads), "--heads-per-shard", "1", "--resolution", "96", "--samples", "1",
        "--distributions", str(overrides),
        "--gates.min_face", "0", "--gates.min_skin", "0", "--gates.max_error_mm", "0", *options,
    ]  # fmt: skip


def start(words: list[str], said: Path) -> subprocess.Popen[bytes]:
    """Run a command in the background, with its output in a file."""
    with said.open("ab") as file:
        return subprocess.Popen(words, stdout=file, stderr=file, env=dict(os.environ))


def shards_of(folder: Path) -> dict[str, bytes]:
    """Name -> bytes of every shard."""
    return {path.name: path.read_bytes() for path in Path(folder).glob("*.tar")}
