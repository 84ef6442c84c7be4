"""One labelled head as a part of a data set; run in a process of its own, as every stage is.

python -m factory.production.pack_head CAPTURE PART.tar SLOT KEY
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from capture import Capture
from capture.lifetime import end_with_parent
from factory.console import exit_code_of
from factory.dataset.archive import index_of, write_archive
from factory.dataset.samples import encode, facts


def write_part(folder: Path, path: Path, slot: int, key: str) -> None:
    """Write the capture in `folder` as the archive `path`, for a slot of the plan `key`. Raises `InputError`."""
    capture = Capture.read(folder)
    sample = encode(capture)
    index = index_of([(slot, capture.info.id, facts(capture), sample)], key)
    write_archive(path, index, (sample[name] for name in sorted(sample)))


def main(words: Sequence[str]) -> int:
    """Run; returns the exit code."""
    end_with_parent()
    folder, path, slot, key = words
    return exit_code_of(lambda: write_part(Path(folder), Path(path), int(slot), key))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
