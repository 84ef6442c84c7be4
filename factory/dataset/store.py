"""Storage of a data set: a folder on a disk or below the URL of an object store, through fsspec.

A file appears whole or not at all: on a disk it is written beside and renamed, an object store shows what was put when
all of it has arrived.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG
from typing import IO, Any

from capture import InputError, atomic_path
from capture.files import explain_os_error

_URL = re.compile(r"[a-z][a-z0-9+.\-]+://")
_HINT = "check the address, the bucket and your credentials"


class Store:
    """Files below one folder, named relative to it with `/`.

    Attributes:
        url: of the folder, or its absolute path.
        local: the folder on this machine's disk; None for an object store.
    """

    def __init__(self, address: str | Path) -> None:
        """Name a folder or URL; nothing is opened yet. Raises `InputError` where it is empty."""
        if not str(address):
            raise InputError("the path of a data set is empty; name a folder or a URL")
        text = str(address).rstrip("/") or "/"
        if text.startswith("file://"):
            text = text.removeprefix("file://")
        self.local: Path | None = None if _URL.match(text) else Path(text).absolute()
        self.url = text if self.local is None else str(self.local)
        self._opened: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Store, (self.url,)  # connections don't travel to other processes

    def __str__(self) -> str:
        return self.url

    def url_of(self, name: str) -> str:
        """The path or URL of a file; of the folder itself for an empty name."""
        return f"{self.url}/{name}" if name else self.url

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Name -> bytes of the files in a folder, without those below it; none where there is no such folder."""
        if self.local is not None:
            path = self.local / folder
            return dict(_sizes(path)) if path.is_dir() else {}
        with self._failures(folder):
            self._fs.invalidate_cache()
            try:
                entries = self._fs.ls(self._path(folder), detail=True)
            except FileNotFoundError:
                return {}
            files = {e["name"].rstrip("/").rpartition("/")[2]: int(e["size"]) for e in entries if e["type"] == "file"}
            return dict(sorted(files.items()))

    def exists(self, name: str) -> bool:
        """True where there is such a file."""
        if self.local is not None:
            return (self.local / name).is_file()
        with self._failures(name):
            self._fs.invalidate_cache()
            try:  # `isfile` says no to whatever goes wrong
                return bool(self._fs.info(self._path(name))["type"] == "file")
            except FileNotFoundError:
                return False

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        """A file's bytes, all or those from `start` to `end`. Raises `FileNotFoundError`, `InputError`."""
        if self.local is not None:
            with (self.local / name).open("rb") as file:
                file.seek(start)
                return file.read() if end is None else file.read(end - start)
        with self._failures(name):
            return bytes(self._fs.cat_file(self._path(name), start=start, end=end))

    def write(self, name: str, data: bytes) -> None:
        """Write a file, or put it in the place of one that is there."""
        if self.local is not None:
            path = self.local / name
            with self._failures(name):
                path.parent.mkdir(parents=True, exist_ok=True)
                with atomic_path(path) as temporary:
                    temporary.write_bytes(data)
            return
        with self._failures(name, writing=True):
            self._fs.pipe_file(self._path(name), data)

    def put(self, path: Path, name: str) -> None:
        """Copy a file of this machine here."""
        with self._failures(name, writing=True):
            if self.local is None:
                self._fs.put_file(str(path), self._path(name))
                return
            target = self.local / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(target) as temporary, path.open("rb") as source, temporary.open("wb") as file:
                while block := source.read(1 << 22):
                    file.write(block)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """A file to read from any position. Raises `FileNotFoundError`, `InputError`."""
        if self.local is not None:
            with (self.local / name).open("rb") as file:
                yield file
            return
        with self._failures(name), self._fs.open(self._path(name), "rb", block_size=1 << 23) as file:
            yield file

    def remove(self, name: str) -> None:
        """Remove a file; one that isn't there needs no removing."""
        if self.local is not None:
            (self.local / name).unlink(missing_ok=True)
            return
        with self._failures(name):
            try:
                self._fs.rm_file(self._path(name))
            except FileNotFoundError:
                return

    @property
    def _fs(self) -> Any:
        if self._opened is None:
            import fsspec

            try:
                self._opened = fsspec.core.url_to_fs(self.url)[0]
            except ImportError as error:
                raise InputError(f"{self.url}: {error}; pip install 'pixels2points[s3]' for S3") from None
            except (ValueError, OSError) as error:
                raise InputError(f"{self.url}: {error}") from None
        return self._opened

    def _path(self, name: str) -> str:
        return f"{self.url}/{name}".rstrip("/")

    @contextmanager
    def _failures(self, name: str, writing: bool = False) -> Iterator[None]:
        """Turn errors that the user can mend, such as a bucket that isn't there, into `InputError` with the URL."""
        try:
            yield
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not writing:
                raise
            if self.local is not None:
                raise explain_os_error(error, self.local / name) from error
            raise InputError(f"{self.url_of(name)}: {error}; {_HINT}") from None
        except _foreign_errors() as error:
            raise InputError(f"{self.url_of(name)}: {error}; {_HINT}") from None


def _sizes(folder: Path) -> Iterator[tuple[str, int]]:
    """Name and bytes of the files in a folder, in order; those that are removed meanwhile are left out."""
    for path in sorted(folder.iterdir()):
        with suppress(FileNotFoundError):
            status = path.stat()
            if S_ISREG(status.st_mode):
                yield path.name, status.st_size


def _foreign_errors() -> tuple[type[Exception], ...]:
    """Exceptions of S3's library that are no `OSError`: no credentials, no region, no such host."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        return ()
    return BotoCoreError, ClientError
