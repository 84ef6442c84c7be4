"""Names of head archives: tar files of one finished head each, which wait in the store for their shard to be full."""

from __future__ import annotations

import re

HEAD_ARCHIVES = "parts"  # the folder in the store
HEAD_ARCHIVE_NAME = re.compile(r"(\d{8})-(\d{8})\.tar")  # slot and seed


def head_archive_name(slot: int, seed: int) -> str:
    """File name of the archive that holds the head of a slot."""
    return f"{slot:08d}-{seed:08d}.tar"


def slot_of(name: str) -> int:
    """The slot that a head archive is for, from its file name."""
    return int(name[:8])
