"""The file that is read: its text, JSON or XML, parsed once, and only as far as somebody asks."""

from __future__ import annotations

import json
import zipfile
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from capture import InputError

_START = 4096  # bytes by which most formats are known


class Source:
    """A file or a folder that another program wrote.

    Args:
        path: of it.

    Raises:
        InputError: where it is not there, or can't be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            raise InputError(f"no such file: {path}")

    @property
    def folder(self) -> Path | None:
        """The folder that was named; None where it was a file."""
        return self.path if self.path.is_dir() else None

    @property
    def place(self) -> Path:
        """The folder that the file lies in, or that was named."""
        return self.path if self.path.is_dir() else self.path.parent

    @cached_property
    def data(self) -> bytes:
        """The file's bytes; none of a folder."""
        if self.folder is not None:
            return b""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise InputError(f"can't read {self.path}: {error.strerror}") from None

    @cached_property
    def start(self) -> str:
        """The first characters, without a byte order mark."""
        return self.data[:_START].decode("utf-8-sig", errors="replace")

    @cached_property
    def text(self) -> str:
        """The whole file; raises `InputError` where it is no text."""
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError:
            with suppress(UnicodeDecodeError):
                return self.data.decode("utf-16") if self.data[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        return self.data.decode("latin-1")

    @cached_property
    def json(self) -> Any:
        """The parsed file; None where it is no JSON."""
        if self.start.lstrip()[:1] not in ("{", "["):
            return None
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise InputError(f"{self.path} is not valid JSON: {error}") from None

    @cached_property
    def xml(self) -> ElementTree.Element | None:
        """The root of the parsed file; None where it is no XML."""
        if not self.start.lstrip().startswith("<"):
            return None
        try:
            return ElementTree.fromstring(self.data)
        except ElementTree.ParseError as error:
            raise InputError(f"{self.path} is not valid XML: {error}") from None

    @cached_property
    def zip(self) -> zipfile.ZipFile | None:
        """The archive; None where the file is none."""
        if self.folder is not None or not zipfile.is_zipfile(self.path):
            return None
        return zipfile.ZipFile(self.path)

    def has_keys(self, *names: str) -> bool:
        """Whether it is a JSON object that has all of these keys."""
        return isinstance(self.json, dict) and set(names) <= set(self.json)
