"""Fetching a data set from a URL, once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import fsspec
from aiohttp import ClientError

from capture import InputError, atomic_path, write_bytes
from training.data.shards import Shard, Split

_URL = re.compile(r"[a-z][a-z0-9+.\-]+://")
_BLOCK = 1 << 20
_FAILURES = (OSError, ValueError, ImportError, ClientError)


def is_url(name: str) -> bool:
    """Whether a data set is named by a URL (https, s3, and whatever fsspec opens)."""
    return _URL.match(name) is not None


def fetch_description(url: str, folder: Path) -> None:
    """Copy `dataset.json` below `url` into `folder`. Raises `InputError` where it can't be read."""
    write_bytes(folder / "dataset.json", _read(f"{url.rstrip('/')}/dataset.json"))


def fetch_shards(url: str, splits: Sequence[Split], progress: Callable[[str, int, int], None] | None = None) -> None:
    """Copy the shards of some splits of the data set at `url` to their places, except those that are there and whole.

    `progress` is told of every shard that is copied.

    Raises:
        InputError: where one can't be read, or has another checksum than `dataset.json` states.
    """
    shards = dict.fromkeys(shard for split in splits for shard in split.shards)  # splits may share some
    missing = [shard for shard in shards if not _is_whole(shard)]
    for done, shard in enumerate(missing, 1):
        _copy(f"{url.rstrip('/')}/{shard.path.name}", shard)
        if progress is not None:
            progress(shard.path.name, done, len(missing))


def _is_whole(shard: Shard) -> bool:
    """Files appear whole; the checksum tells those of an older data set apart."""
    if not shard.path.is_file():
        return False
    with shard.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == shard.sha256


def _copy(url: str, shard: Shard) -> None:
    digest = hashlib.sha256()
    with atomic_path(shard.path) as temporary:
        try:
            with fsspec.open(url, "rb") as source, temporary.open("wb") as file:
                while block := source.read(_BLOCK):
                    digest.update(block)
                    file.write(block)
        except _FAILURES as error:
            raise _unreadable(url, error) from None
        if digest.hexdigest() != shard.sha256:
            raise InputError(f"{url} has another checksum than dataset.json states; upload the data set again")


def _read(url: str) -> bytes:
    try:
        with fsspec.open(url, "rb") as file:
            data: Any = file.read()
        return bytes(data)
    except _FAILURES as error:
        raise _unreadable(url, error) from None


def _unreadable(url: str, error: Exception) -> InputError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return InputError(f"can't read {url} ({reason}); check `dataset` and the network")
