from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from synthetic import make_capture

from capture import Capture


@pytest.fixture(scope="session")
def sphere(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    """Five views of a sphere at 96²; don't write into it."""
    return make_capture(tmp_path_factory.mktemp("sphere") / "capture")
