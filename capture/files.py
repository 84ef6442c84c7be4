"""Atomic writing: a file that exists under its final name is whole."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from capture.errors import InputError


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target`; rename it to `target` when the block ends without an error.

    The temporary name keeps the suffix of the target, as many writers pick the format by it. Its content is on the disk
    before it gets its name. On any error the temporary file is removed and what stood at `target` stays. Raises
    `InputError` where the disk is full or the folder can't be written.
    """
    target = Path(target)
    temporary = target.with_name(f".{target.stem}.{secrets.token_hex(4)}{target.suffix}")
    make_folder(target.parent)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise explain_os_error(error, target) from error
    finally:
        with suppress(OSError):  # the folder may not be there, and that is the error to tell
            temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it where they are missing; raises `InputError` where that can't be."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        explained = explain_os_error(error, folder)
        if isinstance(explained, InputError):
            raise explained from error
        raise InputError(f"can't make the folder {folder}: {error.strerror}; choose another output") from error


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal digits."""
    made = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            made.update(block)
    return made.hexdigest()


def explain_os_error(error: OSError, target: Path) -> Exception:
    """The same failure as an `InputError` of one line where the user can mend it, else the error itself."""
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return InputError(f"can't write {target}: {error.strerror}; choose an output folder that you may write to")
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return InputError(f"can't write {target}: {error.strerror}; free some space and run again")
    if isinstance(error, IsADirectoryError):
        return InputError(f"can't write {target}: a folder of that name stands there; choose another output")
    if error.errno == errno.ENAMETOOLONG:
        return InputError(f"can't write {target}: {error.strerror}; choose a shorter path")
    if isinstance(error, NotADirectoryError | FileExistsError):
        return InputError(f"can't write {target}: a file stands where a folder is needed; choose another output")
    return error


def check_output(out: Path) -> None:
    """Raise `InputError` where a file or folder can't be written at `out`. Nothing is left of the attempt."""
    if out.exists():
        return
    folder = out.parent if out.suffix else out
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    make_folder(folder)
    probe = folder / f".probe-{os.getpid()}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        explained = explain_os_error(error, out)
        if isinstance(explained, InputError):
            raise explained from None
        raise InputError(f"can't write {out}: {error.strerror}; choose another output") from None
    for each in missing:
        with suppress(OSError):  # somebody else made something in it meanwhile
            each.rmdir()


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, keys in the given order, atomically. NaN is refused (it is not JSON)."""
    write_bytes(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())


def read_json(path: Path, what: str) -> Any:
    """The parsed JSON of `path`; raises `InputError` naming `what` where it is missing or not JSON."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{what} is missing: {path}") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{what} is not valid JSON: {path} ({error})") from None
    except OSError as error:
        raise InputError(f"{what} can't be read: {path} ({error.strerror})") from None
