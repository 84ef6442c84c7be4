"""Files inside installed packages."""

from __future__ import annotations

import re

import pytest

from capture import InputError
from capture.packaged_files import packaged_file


def test_a_file_of_an_installed_package_is_found_and_what_is_missing_is_named() -> None:
    assert packaged_file("numpy", "numpy/__init__.py", "arrays", "install it").is_file()
    with pytest.raises(InputError, match="no arrays: it comes in the package no-such-package; install it"):
        packaged_file("no-such-package", "a", "arrays", "install it")
    with pytest.raises(InputError, match="no arrays: .*" + re.escape("numpy/none.bin") + " is missing; install it"):
        packaged_file("numpy", "numpy/none.bin", "arrays", "install it")
