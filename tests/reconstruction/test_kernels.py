"""Kernels give the same numbers in the process that compiles them and in those that load them from the disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reconstruction.synthetic import make_capture

PROGRAM = """
import sys
from pathlib import Path
from reconstruction import ReconstructionSettings, reconstruct_capture
from reconstruction.patchmatch import fattening, filtering, sweep
reconstruct_capture(Path(sys.argv[1]), ReconstructionSettings(threads=1))
kernels = [value for module in (fattening, filtering, sweep) for value in vars(module).values()]
stats = [value.stats for value in kernels if hasattr(value, "stats") and not value.targetoptions.get("forceinline")]
print(sum(sum(each.cache_misses.values()) for each in stats), sum(sum(each.cache_hits.values()) for each in stats))
"""


@pytest.mark.slow
def test_compiled_and_loaded_kernels_agree(tmp_path: Path) -> None:
    capture = make_capture(tmp_path / "sphere", 48)

    def rebuild(**environment: str) -> tuple[bytes, int, int]:
        """The scan, and how many kernels were compiled and loaded for it."""
        words = [sys.executable, "-c", PROGRAM, str(capture.folder)]
        done = subprocess.run(
            words, env=os.environ | environment, check=True, timeout=300, stdout=subprocess.PIPE, text=True
        )
        scan = capture.scan_path.read_bytes()
        capture.scan_path.unlink()
        compiled, loaded = map(int, done.stdout.split())
        return scan, compiled, loaded

    one, other = rebuild(), rebuild()
    if not one[1]:  # they lay in the cache already; where they didn't, all later tests find them there
        one = rebuild(NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert one[1] > 3 and one[2] == 0
    assert other[1] == 0 and other[2] == one[1]
    assert one[0] == other[0]
