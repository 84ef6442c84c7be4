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
reconstruct_capture(Path(sys.argv[1]), ReconstructionSettings(threads=1))
"""


@pytest.mark.slow
def test_compiled_and_loaded_kernels_agree(tmp_path: Path) -> None:
    capture = make_capture(tmp_path / "sphere", 96)
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    scans = []
    for _ in range(2):
        subprocess.run([sys.executable, "-c", PROGRAM, capture.folder], env=environment, check=True, timeout=300)
        scans.append(capture.scan_path.read_bytes())
        capture.scan_path.unlink()
    assert list((tmp_path / "cache").rglob("*.nbc"))  # the second one had something to load
    assert scans[0] == scans[1]
