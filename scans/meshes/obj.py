"""The geometry of Wavefront OBJ files."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from capture import InputError, Scan
from capture.colour_range import to_bytes
from capture.scan import faces_of_numbers

_WHITE = 255  # of vertices without a colour in a file that has some
_COMMENT = re.compile(rb"#[^\r\n]*")
_INDENT = re.compile(rb"^[ \t]+", re.MULTILINE)
_CONTINUED = re.compile(rb"\\[ \t]*\r?\n")
_SLASHES = re.compile(rb"/[^ \t\n]*")


def read_obj(path: Path) -> Scan:
    """Positions, polygons (fanned into triangles) and colours behind the positions, in the order of the file.

    Colours may be shares or bytes; where only some vertices have one, the others are white. Weights, materials,
    textures, normals, lines, curves and surfaces are passed over. Raises `InputError` where the file is damaged.
    """
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"scan {path} can't be read ({error.strerror})") from None
    try:
        positions, polygons, seen = _lines(text)
        points, colours = _vertices(positions)
        faces = _triangles(polygons, seen, len(points))
    except ValueError as error:
        raise InputError(f"damaged OBJ file: {path} ({error}); export it again") from None
    faces = faces_of_numbers(points, faces, Path(path))
    try:
        return Scan(points, faces, colours)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _lines(text: bytes) -> tuple[list[bytes], list[bytes], list[int]]:
    """The texts after `v` and after `f`, and the number of vertices before each face."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    if b"#" in text:
        text = _COMMENT.sub(b"", text)
    if b"\\" in text:
        text = _CONTINUED.sub(b" ", text)
    if re.search(rb"^[ \t]+[vf][ \t]", text, re.MULTILINE):
        text = _INDENT.sub(b"", text)
    lines = [line for line in text.splitlines() if line.startswith((b"v ", b"f ", b"v\t", b"f\t"))]
    positions, polygons, seen = [], [], []
    for line in lines:
        if line[0] == 118:  # v
            positions.append(line[2:])
        else:
            polygons.append(line[2:])
            seen.append(len(positions))
    return positions, polygons, seen


def _vertices(lines: Sequence[bytes]) -> tuple[NDArray, NDArray[np.uint8] | None]:
    """Positions (V, 3) in double precision, and colours (V, 3) where there are any.

    Raises `ValueError` where a line holds no position.
    """
    if not lines:
        raise ValueError("it has no vertices")
    values, sizes = _numbers(lines, np.float64, "inf")
    if sizes.min() < 3:
        raise ValueError("a vertex has fewer than three coordinates")
    starts = np.cumsum(sizes) - sizes
    points = values[starts[:, None] + np.arange(3)]
    coloured = sizes >= 6
    if not coloured.any():
        return points, None
    shades = np.full((len(lines), 3), np.nan)
    for size in np.unique(sizes[coloured]):
        rows = np.flatnonzero(sizes == size)
        first = _first_of_colour(values[starts[rows][:, None] + np.arange(size)])
        shades[rows] = values[starts[rows][:, None] + np.arange(first, first + 3)]
    colours = np.full((len(lines), 3), _WHITE, np.uint8)
    colours[coloured] = to_bytes(shades[coloured])
    return points, colours


def _first_of_colour(rows: NDArray[np.float64]) -> int:
    """The column that is red, behind x y z or x y z w. Of seven numbers the fourth is a weight or the last an alpha."""
    size = rows.shape[1]
    if size == 7:
        return 4 if (rows[:, 3] == 1).all() and not (rows[:, 6] == 1).all() else 3
    return 3 if size == 6 else 4


def _triangles(lines: Sequence[bytes], seen: Sequence[int], count: int) -> NDArray[np.int32]:
    """(F, 3) vertex indices from 0."""
    if not lines:
        raise ValueError("it has no faces; a mesh is needed, not a point cloud")
    index, sizes = _numbers(lines, np.int64, "0")
    if sizes.min() < 3:
        raise ValueError("a face has fewer than three corners")
    if index.min() < 0:
        index = np.where(index < 0, index + np.repeat(seen, sizes), index - 1)
    else:
        index = index - 1
    if index.min() < 0 or index.max() >= count:
        raise ValueError("a face refers to a vertex that is not there")
    first = np.cumsum(sizes) - sizes
    fans = [
        np.stack([first[sizes > k], first[sizes > k] + k - 1, first[sizes > k] + k], axis=1)
        for k in range(2, int(sizes.max()))
    ]
    return index[np.concatenate(fans)].astype(np.int32)


def _numbers(lines: Sequence[bytes], dtype: DTypeLike, stop: str) -> tuple[NDArray, NDArray[np.int64]]:
    """All numbers of lines, and how many each has. Behind slashes nothing is read.

    `stop` is a number that no line may hold: it is put behind each to tell the lines apart.
    """
    text = f" {stop}\n".encode().join([*lines, b""])
    if b"/" in text:
        text = _SLASHES.sub(b"", text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # where it ends at what is no number
        values = np.fromstring(text, dtype, sep=" ")
    ends = np.flatnonzero(values == np.array(stop, dtype))
    if len(ends) != len(lines):
        _explain(lines, dtype, stop)
    sizes = np.diff(ends, prepend=-1) - 1
    return np.delete(values, ends), sizes


def _explain(lines: Sequence[bytes], dtype: DTypeLike, stop: str) -> None:
    """Raise the `ValueError` that names the first line which doesn't hold numbers."""
    for line in lines:
        for word in _SLASHES.sub(b"", line).split():
            try:
                value = np.array(word).astype(dtype)
            except (ValueError, OverflowError):
                raise ValueError(f"{word[:20].decode(errors='replace')!r} is no number") from None
            if value == np.array(stop, dtype):
                what = "a face refers to vertex 0, which is not there" if stop == "0" else "a coordinate is infinite"
                raise ValueError(what)
    raise ValueError("a line holds something else than numbers")
