from __future__ import annotations

import pytest

from capture import Capture
from tests.reconstruction.synthetic import make_capture


@pytest.fixture(scope="session")
def sphere(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    """Five views of a sphere at 96²; don't write into it."""
    return make_capture(tmp_path_factory.mktemp("sphere") / "capture")
