"""Colours of files that don't say what white is in them, brought to 8 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_HEADROOM = 4.0  # times white that the brightest tenth of the lit values may have: highlights of an HDR bake
_SAMPLE = 1_000_000  # values that are looked at


def white_level(values: NDArray) -> float:
    """The value that is white: 1, 255 or 65535.

    Floats are shares of white where nine tenths of those above zero are at most four: what is brighter than white is a
    highlight. Whole numbers above 1 are bytes or 16-bit values, also in columns of another type.
    """
    flat = values.ravel()
    flat = flat[:: max(1, len(flat) // _SAMPLE)]
    lit = flat[np.isfinite(flat) & (flat > 0)]
    top = float(lit.max()) if len(lit) else 0.0
    whole = flat.dtype.kind in "iu"
    if not whole and top <= 1:
        return 1.0
    if whole or (lit == np.rint(lit)).all():
        return 255.0 if top <= 255 else 65535.0
    bright = float(np.percentile(lit, 90))
    return next((white for white in (1.0, 255.0) if bright <= _HEADROOM * white), 65535.0)


def to_bytes(values: NDArray, white: float | None = None) -> NDArray[np.uint8]:
    """Colours of any type and range as bytes; what is above white becomes 255, what is no number 0.

    Args:
        values: of any shape. Bytes stay as they are, signed ones are taken for unsigned.
        white: the value that becomes 255; None finds it with `white_level`.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.int8:
        return values.view(np.uint8)
    if white is None:
        white = white_level(values)
    kind: type[np.floating] = np.float64 if values.dtype.itemsize > 2 else np.float32
    scaled: NDArray[np.floating] = values.astype(kind) * (255 / white)
    return np.nan_to_num(scaled.round(), nan=0.0, posinf=255.0, neginf=0.0).clip(0, 255).astype(np.uint8)
