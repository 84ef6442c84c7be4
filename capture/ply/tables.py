"""The elements of a PLY file as tables: ASCII and binary rows, lists of any lengths."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from capture.ply.header import Element, Property, read_header

_STRUCTS = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q"}
_MICROSOFT_NAN = re.compile(rb"[-+]?\d+\.#[A-Za-z]+\d*")  # 1.#QNAN, -1.#IND00

Columns = dict[str, NDArray]
Lists = tuple[NDArray[np.int64], NDArray]  # lengths (n,), values (sum of the lengths,)


@dataclass(frozen=True)
class Table:
    """An element's rows.

    Attributes:
        columns: name -> (n,) values.
        lists: name -> the lengths (n,) of the rows' lists, and all their values.
    """

    columns: Columns = field(default_factory=dict)
    lists: dict[str, Lists] = field(default_factory=dict)


def read_tables(data: bytes) -> dict[str, Table]:
    """All elements of a PLY file, by name. Raises `ValueError` where it is damaged."""
    form, elements, position = read_header(data)
    source: _Numbers | _Bytes
    if form == "ascii":
        source = _Numbers(data[position:])
    else:
        source = _Bytes(data, position, ">" if form == "binary_big_endian" else "<")
    tables: dict[str, Table] = {}
    for element in elements:
        table = _table(source, element)
        tables.setdefault(element.name, table)
    return tables


def _table(source: _Numbers | _Bytes, element: Element) -> Table:
    if not element.properties:
        return Table()
    whole = source.uniform(element)
    if whole is not None:
        lengths, fields = whole
        sizes = np.tile(np.array(lengths, np.int64), (element.count, 1))
        return _assemble(element, sizes, [(slice(None), fields)])
    starts, sizes = source.walk(element)
    keys = np.zeros(element.count, np.int64)
    for column in sizes.T:  # rows whose lists are as long are read together
        keys = np.unique(keys * (int(column.max(initial=0)) + 1) + column, return_inverse=True)[1]
    order = np.argsort(keys, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(keys[order])) + 1) if element.count else []
    pieces = [(rows, source.rows(element, starts[rows], sizes[rows[0]].tolist())) for rows in groups]
    return _assemble(element, sizes, pieces)


def _assemble(element: Element, sizes: NDArray[np.int64], pieces: Sequence[tuple]) -> Table:
    """The table of rows that were read in pieces: (rows, a field for each property)."""
    columns: Columns = {}
    lists: dict[str, Lists] = {}
    at = 0
    for i, p in enumerate(element.properties):
        if not p.count_dtype:
            column = np.empty(element.count, p.dtype)
            for rows, fields in pieces:
                column[rows] = fields[i]
            columns.setdefault(p.name, column)
            continue
        lengths = sizes[:, at]
        at += 1
        values = np.empty(int(lengths.sum()), p.dtype)
        firsts = np.cumsum(lengths) - lengths
        for rows, fields in pieces:
            if isinstance(rows, slice):
                values[:] = fields[i].ravel()
            else:
                values[firsts[rows][:, None] + np.arange(fields[i].shape[1])] = fields[i]
        lists.setdefault(p.name, (lengths, values))
    return Table(columns, lists)


def _cut_off() -> ValueError:
    return ValueError("it ends before its last row")


class _Bytes:
    """Rows of a binary file."""

    def __init__(self, data: bytes, position: int, order: str) -> None:
        self._data, self._position, self._order = data, position, order

    def uniform(self, element: Element) -> tuple[list[int], list[NDArray]] | None:
        """The lengths of a row's lists and the fields, where all rows are as long as the first; else None."""
        lengths = self._walk(element, 1)[1] if element.lists and element.count else [0] * len(element.lists)
        layout = self._layout(element, lengths)
        end = self._position + element.count * layout.itemsize
        if end > len(self._data):
            if element.lists:
                return None
            raise _cut_off()
        rows = np.frombuffer(self._data, layout, element.count, self._position)
        counts = [rows[f"n{i}"] for i, p in enumerate(element.properties) if p.count_dtype]
        if any((count != length).any() for count, length in zip(counts, lengths, strict=True)):
            return None
        self._position = end
        return lengths, [rows[f"v{i}"] for i in range(len(element.properties))]

    def walk(self, element: Element) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Offsets (n,) at which rows begin, and the lengths of its lists (n, L)."""
        starts, lengths, self._position = self._walk(element, element.count)
        return np.array(starts, np.int64), np.array(lengths, np.int64).reshape(element.count, -1)

    def _walk(self, element: Element, count: int) -> tuple[list[int], list[int], int]:
        steps, skip = [], 0
        for p in element.properties:
            if p.count_dtype:
                count_of = struct.Struct(self._order + _STRUCTS[_whole(p)])
                steps.append((skip, count_of.unpack_from, count_of.size, np.dtype(p.dtype).itemsize))
                skip = 0
            else:
                skip += np.dtype(p.dtype).itemsize
        data, position, starts, lengths = self._data, self._position, [], []
        try:
            for _ in range(count):
                starts.append(position)
                for before, unpack, size, item in steps:
                    position += before
                    (length,) = unpack(data, position)
                    position += size + length * item
                    lengths.append(length)
                position += skip
        except (struct.error, OverflowError):
            raise _cut_off() from None
        if position > len(data):
            raise _cut_off()
        if min(lengths, default=0) < 0:
            raise ValueError("a list is shorter than nothing")
        return starts, lengths, position

    def rows(self, element: Element, starts: NDArray[np.int64], lengths: list[int]) -> list[NDArray]:
        """The fields of rows that begin at `starts`, their lists all of these lengths."""
        layout = self._layout(element, lengths)
        every = np.frombuffer(self._data, np.uint8)
        table = every[starts[:, None] + np.arange(layout.itemsize)].view(layout)[:, 0]
        return [table[f"v{i}"] for i in range(len(element.properties))]

    def _layout(self, element: Element, lengths: Sequence[int]) -> np.dtype:
        layout: list[tuple] = []
        left = iter(lengths)
        for i, p in enumerate(element.properties):
            if p.count_dtype:
                layout.append((f"n{i}", self._order + p.count_dtype))
                layout.append((f"v{i}", self._order + p.dtype, (next(left),)))
            else:
                layout.append((f"v{i}", self._order + p.dtype))
        return np.dtype(layout)


class _Numbers:
    """Rows of an ASCII file."""

    def __init__(self, text: bytes) -> None:
        self._text = _MICROSOFT_NAN.sub(b"nan", text) if b"#" in text else text
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # where it ends at what is no number
            self._values = np.fromstring(self._text, np.float64, sep=" ")
        self._position = 0

    def uniform(self, element: Element) -> tuple[list[int], list[NDArray]] | None:
        """As `_Bytes.uniform`."""
        lengths = self._walk(element, 1)[1] if element.lists and element.count else [0] * len(element.lists)
        width = len(element.properties) + sum(lengths)
        end = self._position + element.count * width
        if end > len(self._values):
            if element.lists:
                return None
            raise self._end()
        rows = self._values[self._position : end].reshape(element.count, width)
        counts, fields = _split(element, rows, lengths)
        if any((count != length).any() for count, length in zip(counts, lengths, strict=True)):
            return None
        self._position = end
        return lengths, fields

    def walk(self, element: Element) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """As `_Bytes.walk`."""
        starts, lengths, self._position = self._walk(element, element.count)
        return np.array(starts, np.int64), np.array(lengths, np.int64).reshape(element.count, -1)

    def _walk(self, element: Element, count: int) -> tuple[list[int], list[int], int]:
        are_lists = [bool(p.count_dtype) for p in element.properties]
        left = self._values[self._position :]
        values = left.tolist() if count > 1 else left
        position, starts, lengths = 0, list[int](), list[int]()
        try:
            for _ in range(count):
                starts.append(position)
                for is_list in are_lists:
                    if is_list:
                        lengths.append(int(values[position]))
                        position += lengths[-1]
                    position += 1
        except (IndexError, ValueError, OverflowError):
            raise self._end() from None
        if min(lengths, default=0) < 0:
            raise ValueError("a list is shorter than nothing")
        if self._position + position > len(self._values):
            raise self._end()
        return [start + self._position for start in starts], lengths, position + self._position

    def rows(self, element: Element, starts: NDArray[np.int64], lengths: list[int]) -> list[NDArray]:
        """As `_Bytes.rows`."""
        width = len(element.properties) + sum(lengths)
        return _split(element, self._values[starts[:, None] + np.arange(width)], lengths)[1]

    def _end(self) -> ValueError:
        """The error that says why there are no more numbers."""
        for word in self._text.split()[max(0, len(self._values) - 1) :]:  # the last may have been read in part
            try:
                float(word)
            except ValueError:
                return ValueError(f"{word[:20].decode('utf-8', errors='replace')!r} is no number")
        return _cut_off()


def _split(element: Element, rows: NDArray, lengths: Sequence[int]) -> tuple[list[NDArray], list[NDArray]]:
    """The counts of lists and the fields in a matrix of numbers."""
    counts, fields, at, left = [], [], 0, iter(lengths)
    for p in element.properties:
        if p.count_dtype:
            counts.append(rows[:, at])
            length = next(left)
            fields.append(_cast(rows[:, at + 1 : at + 1 + length], p.dtype))
            at += 1 + length
        else:
            fields.append(_cast(rows[:, at], p.dtype))
            at += 1
    return counts, fields


def _cast(values: NDArray[np.float64], dtype: str) -> NDArray:
    if np.dtype(dtype).kind == "f":
        with np.errstate(over="ignore"):
            return values.astype(dtype)
    limits = np.iinfo(dtype)
    with np.errstate(invalid="ignore"):
        return values.clip(limits.min, limits.max).astype(dtype)


def _whole(p: Property) -> str:
    if p.count_dtype not in _STRUCTS:
        raise ValueError(f"the lists of its property {p.name} have lengths that are no whole numbers")
    return str(p.count_dtype)
