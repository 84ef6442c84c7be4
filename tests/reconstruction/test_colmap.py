from __future__ import annotations

import subprocess
import sys

from reconstruction.colmap import errors_only, pycolmap


def test_importing_leaves_the_log_level_of_colmap() -> None:
    program = (
        "import PIL.Image, pycolmap; before = pycolmap.logging.minloglevel; import reconstruction.pipeline; "
        "assert pycolmap.logging.minloglevel == before"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_only_errors_are_logged_while_asked_for() -> None:
    before = pycolmap.logging.minloglevel
    try:
        pycolmap.logging.minloglevel = pycolmap.logging.INFO.value
        with errors_only():
            assert pycolmap.logging.minloglevel == pycolmap.logging.ERROR.value
        assert pycolmap.logging.minloglevel == pycolmap.logging.INFO.value
    finally:
        pycolmap.logging.minloglevel = before
