"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# A machine that does something else meanwhile makes no example wrong.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")
