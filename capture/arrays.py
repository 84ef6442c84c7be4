"""NPZ files: arrays by name, nothing that could run code."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

_DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    NotImplementedError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_npz(source: Path | BinaryIO) -> dict[str, NDArray]:
    """All arrays of an NPZ file, or of an open one.

    Raises `FileNotFoundError` where there is none, and `ValueError`, whatever the damage, where it can't be read.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return read_npz(file)
    try:
        with np.load(source, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except _DAMAGE as error:
        raise ValueError(str(error) or type(error).__name__) from None
