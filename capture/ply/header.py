"""The header of a PLY file: its format and its elements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4",
    "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "int64": "i8", "uint64": "u8", "float32": "f4", "float64": "f8",
}  # fmt: skip
_FORMATS = ("ascii", "binary_little_endian", "binary_big_endian")


@dataclass(frozen=True)
class Property:
    """A column; of lists where `count_dtype` is set."""

    name: str
    dtype: str
    count_dtype: str | None = None


@dataclass(frozen=True)
class Element:
    """A table's name, number of rows and columns, as the header tells them."""

    name: str
    count: int
    properties: tuple[Property, ...]

    @property
    def lists(self) -> tuple[Property, ...]:
        return tuple(p for p in self.properties if p.count_dtype)


def read_header(data: bytes) -> tuple[str, list[Element], int]:
    """Format, elements, and where the rows begin; comments may hold anything. Raises `ValueError` where it is none."""
    form, elements = "", list[Element]()
    for number, (line, end) in enumerate(_lines(data)):
        words = line.decode("utf-8", errors="replace").split()
        if number == 0:
            if words != ["ply"]:
                break
        elif words == ["end_header"]:
            if form not in _FORMATS:
                raise ValueError(f"unknown format {form!r}")
            return form, elements, end
        elif words and words[0] == "format":
            form = words[1]
        elif words and words[0] == "element":
            elements.append(Element(words[1], int(words[2]), ()))
            if elements[-1].count < 0:
                raise ValueError(f"it has {words[2]} of {words[1]}")
        elif words and words[0] == "property":
            if not elements:
                raise ValueError("a property comes before any element")
            elements[-1] = replace(elements[-1], properties=(*elements[-1].properties, _property(words)))
    raise ValueError("it has no PLY header")


def _lines(data: bytes) -> Iterator[tuple[bytes, int]]:
    """The lines that a header may have, each with the position behind its end."""
    first = re.match(rb"(?:\xef\xbb\xbf)?ply[ \t]*(\r\n|\n|\r)", data)
    old_mac = first is not None and first.group(1) == b"\r"
    ends = re.compile(rb"\r" if old_mac else rb"\r?\n")
    position = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    while first is not None and (end := ends.search(data, position)) is not None:
        yield data[position : end.start()], end.end()
        position = end.end()


def _property(words: Sequence[str]) -> Property:
    kinds = words[2:4] if words[1] == "list" else words[1:2]
    for kind in kinds:
        if kind not in _TYPES:
            raise ValueError(f"its property {words[-1]} is of the type {kind}, which PLY files don't have")
    if words[1] == "list":
        return Property(words[4], _TYPES[words[3]], _TYPES[words[2]])
    return Property(words[2], _TYPES[words[1]])
