"""The program that writes a labelled capture as a head archive, in a process of its own as every stage.

python -m factory.production.tasks.write_head_archive CAPTURE ARCHIVE.tar SLOT PLAN_KEY
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from capture import Capture
from capture.runtime.lifetime import end_with_parent
from factory.console import exit_code_of
from factory.dataset.archive import index_of, write_archive
from factory.dataset.samples import encode, facts


def write_head_archive(folder: Path, path: Path, slot: int, key: str) -> None:
    """Write the capture in `folder` as the archive `path`, for a slot of the plan `key`. Raises `InputError`."""
    capture = Capture.read(folder)
    sample = encode(capture)
    index = index_of([(slot, capture.info.id, facts(capture), sample)], key)
    write_archive(path, index, (sample[name] for name in sorted(sample)))


def main(arguments: Sequence[str]) -> int:
    """Run the program; returns its exit code."""
    end_with_parent()
    folder, path, slot, key = arguments
    return exit_code_of(lambda: write_head_archive(Path(folder), Path(path), int(slot), key))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
