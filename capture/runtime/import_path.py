"""The import path of the processes that we start: never the folder that a command happens to run in.

`python -m` and `python -c`, with which Python's own workers start, let the working folder go before all libraries: a
user's `capture.py` or `json.py` there would be run in the place of ours.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The folder that our packages lie in: a clone, or where packages are installed."""

_INSTALLED = ("site-packages", "dist-packages")  # every Python of the same environment finds what lies there


def import_folders() -> list[str]:
    """Folders, not those of the environment, that another Python must search first to find our packages as this did.

    The clone that this process was started from, say, where none or another one is installed.
    """
    ours = any(Path(entry).resolve() == ROOT for entry in sys.path)
    return [str(ROOT)] if ours and ROOT.name not in _INSTALLED else []


def import_environment() -> dict[str, str]:
    """Variables with which a Python finds our packages as this process did, and leaves out its working folder.

    What `PYTHONPATH` names stays, but for empty entries, which stand for the working folder and are there by mistake.
    """
    named = [str(Path(entry).absolute()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    folders = list(dict.fromkeys([*import_folders(), *named]))
    return {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(folders)}


@contextmanager
def safe_imports() -> Iterator[None]:
    """Processes that are started within the block, by whichever library, get `import_environment`."""
    names = import_environment()
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
