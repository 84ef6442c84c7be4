"""Losses of JPEG: an image through baseline compression and back, without the file in between.

Everything that loses something is done as the standard and its usual program do it: ITU-T T.81 (1992) gives the
transform (A.3.3), quantisation (A.3.4) and the tables of Annex K, JFIF 1.02 the colours; tables are scaled by quality,
and subsampled colour is averaged and interpolated, as the Independent JPEG Group's library does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

# ITU-T T.81, tables K.1 and K.2: quantisation of luminance and of chrominance.
LUMINANCE = np.array([
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55), (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62), (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
])  # fmt: skip
CHROMINANCE = np.full((8, 8), 99)
CHROMINANCE[:4, :4] = (17, 18, 24, 47), (18, 21, 26, 66), (24, 26, 56, 99), (47, 66, 99, 99)

# JFIF 1.02, page 3: from R, G, B to Y, Cb - 128, Cr - 128, and back.
_TO_YCC = np.array([(0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312)], np.float32)
_TO_RGB = np.array([(1, 0, 1.402), (1, -0.344136, -0.714136), (1, 1.772, 0)], np.float32)

_EIGHTHS = np.float32(8)  # the library keeps eighths of its cosines, so that ties, which go away from 0, are many


def through_jpeg(image: Pixels, quality: int, subsampled: bool) -> Pixels:
    """The image (H, W, 3) as a JPEG file of a quality of 1 to 100 gives it back; `subsampled` is 4:2:0, else 4:4:4."""
    height, width = image.shape[:2]
    step = 16 if subsampled else 8
    padded = np.pad(image, ((0, -height % step), (0, -width % step), (0, 0)), mode="edge").astype(np.float32)
    luma, *chroma = (np.rint(plane).astype(np.float32) for plane in _mixed(padded, _TO_YCC))
    planes = [_quantised(luma - 128, quantisation(LUMINANCE, quality)) + 128]
    for plane in chroma:
        coarse = _halved(plane) if subsampled else plane
        kept = _quantised(coarse, quantisation(CHROMINANCE, quality))
        planes.append(_doubled(kept) if subsampled else kept)
    back = np.stack(_mixed(np.stack(planes, axis=-1), _TO_RGB), axis=-1)
    return np.clip(np.rint(back), 0, 255).astype(np.uint8)[:height, :width]


def quantisation(table: NDArray[np.integer], quality: int) -> NDArray[np.int64]:
    """(8, 8) steps of a quality: the table itself at 50, 1 at 100."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((table * scale + 50) // 100, 1, 255).astype(np.int64)


def _mixed(image: Floats, matrix: Floats) -> list[Floats]:
    """Planes (H, W) of weighted sums of the channels."""
    first, second, third = np.moveaxis(image, -1, 0)
    return [a * first + b * second + c * third for a, b, c in matrix]


def _quantised(plane: Floats, steps: NDArray[np.int64]) -> Floats:
    """The plane (H, W), around 0 and of whole blocks, after quantisation of its blocks' cosines; whole numbers."""
    height, width = plane.shape
    blocks = plane.reshape(height // 8, 8, width // 8, 8)
    forward = _cosines()
    found = _transformed(_transformed(blocks, forward, 1), forward, 3)
    divisor = steps.astype(np.float32)[:, None, :]
    found = np.rint(_EIGHTHS * found) / _EIGHTHS
    found = np.sign(found) * np.floor(np.abs(found) / divisor + np.float32(0.5)) * divisor
    back = _transformed(_transformed(found, forward.T, 1), forward.T, 3).reshape(height, width)
    return np.clip(np.rint(back), -128, 127)


def _cosines() -> Floats:
    """(8, 8) the orthonormal discrete cosine transform, frequencies by samples."""
    index = np.arange(8)
    rows = 0.5 * np.cos((2 * index + 1) * index[:, None] * np.pi / 16)
    rows[0] *= np.sqrt(0.5)
    return np.asarray(rows, np.float32)


def _transformed(blocks: Floats, matrix: Floats, axis: int) -> Floats:
    """Blocks (R, 8, C, 8) times a matrix along one of their axes; sums in one order, whatever the threads."""
    columns = [np.take(blocks, [index], axis=axis) for index in range(8)]
    rows = []
    for weights in matrix:
        row = weights[0] * columns[0]
        for weight, column in zip(weights[1:], columns[1:], strict=True):
            row += weight * column
        rows.append(row)
    return np.concatenate(rows, axis=axis)


def _halved(plane: Floats) -> Floats:
    """(H / 2, W / 2) means of 2 x 2 pixels as whole numbers; ties go down and up in turn."""
    four = plane[::2, ::2] + plane[::2, 1::2] + plane[1::2, ::2] + plane[1::2, 1::2]
    ties = np.resize(np.array([1, 2], np.float32), four.shape[1])
    return np.floor((four + ties) / 4)


def _doubled(plane: Floats) -> Floats:
    """(2 H, 2 W) interpolated: three quarters of the nearest pixel and one of the next, along both axes."""
    rows = np.empty((2 * plane.shape[0], plane.shape[1]), np.float32)
    padded = np.pad(plane, ((1, 1), (0, 0)), mode="edge")
    rows[::2], rows[1::2] = 3 * plane + padded[:-2], 3 * plane + padded[2:]
    both = np.empty((rows.shape[0], 2 * rows.shape[1]), np.float32)
    padded = np.pad(rows, ((0, 0), (1, 1)), mode="edge")
    both[:, ::2], both[:, 1::2] = 3 * rows + padded[:, :-2] + 8, 3 * rows + padded[:, 2:] + 7
    return np.floor(both / 16)
