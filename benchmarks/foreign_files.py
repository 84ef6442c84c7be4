"""Tables of files that other tools write and this program reads, for `foreign_images` and `foreign_meshes`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from capture import InputError

Writer = Callable[[Path], None]


class ForeignFile(NamedTuple):
    """A row: `check` reads the file that `write` wrote, and returns whether that is right and a few words on it."""

    name: str
    file_name: str
    write: Writer
    check: Callable[[Path], tuple[bool, str]]


def print_table(tools: Sequence[Callable[[], Iterable[ForeignFile]]], words: Sequence[str]) -> int:
    """Write, read and judge the files of all tools that are installed; returns the exit code, 1 where one is misread.

    Args:
        tools: the rows of one tool each; one that raises `ImportError` is told as not tried.
        words: only rows whose names hold one of them; all rows where there are none.
    """
    wrong = count = 0
    print("| file | read |\n| --- | --- |")
    for rows in tools:
        try:
            listed = list(rows())
        except ImportError as error:
            print(f"| {rows.__name__} | not tried: {error} |")
            continue
        for row in listed:
            if words and not any(word in row.name for word in words):
                continue
            right, said = _tried(row)
            count, wrong = count + 1, wrong + (not right)
            print(f"| {row.name} | {said if right else f'**{said}**'} |", flush=True)
    print(f"\n{count - wrong} of {count} are read right")
    return int(wrong > 0)


def _tried(row: ForeignFile) -> tuple[bool, str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / row.file_name
        row.write(path)
        try:
            return row.check(path)
        except InputError as error:
            return False, f"refused: {error}"
