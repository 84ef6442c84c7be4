"""Run in a Blender's Python: the words of several runs of `generate.py`, one after the other, as one start costs most.

several.py RUNS.json OUT.json: name -> words, and name -> exit code, error output and standard output.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from generator.blender.command import main


def run(words: list[str]) -> tuple[int, str, str]:
    said = io.StringIO()
    logging.getLogger().handlers.clear()  # a handler of the run before writes to its output
    with contextlib.redirect_stderr(said), tempfile.TemporaryFile() as told:
        sys.stdout.flush()
        real = os.dup(1)  # progress is written to the stream itself
        os.dup2(told.fileno(), 1)
        try:
            code = main(words)
        except Exception:  # noqa: BLE001 - as generate.py tells of them
            traceback.print_exc()
            code = 1
        finally:
            sys.stdout.flush()
            os.dup2(real, 1)
            os.close(real)
        told.seek(0)
        return code, said.getvalue(), told.read().decode()


runs, out = map(Path, sys.argv[-2:])
out.write_text(json.dumps({name: run(words) for name, words in json.loads(runs.read_text()).items()}))
