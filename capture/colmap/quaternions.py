"""Quaternions (w, x, y, z), in which COLMAP's files hold rotations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def quaternion_from_rotation(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4,) unit quaternion (w, x, y, z), w >= 0, of a (3, 3) rotation (Shepperd's method)."""
    m = np.asarray(rotation, float)
    four_squares = 1 + np.array(
        [m.trace(), m[0, 0] - m[1, 1] - m[2, 2], m[1, 1] - m[0, 0] - m[2, 2], m[2, 2] - m[0, 0] - m[1, 1]]
    )
    xy, xz, yz = m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1]
    wx, wy, wz = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    outer = np.array([[0, wx, wy, wz], [wx, 0, xy, xz], [wy, xy, 0, yz], [wz, xz, yz, 0]])
    outer[np.diag_indices(4)] = four_squares
    row = outer[int(np.argmax(four_squares))]
    quaternion = row / np.linalg.norm(row)
    return np.asarray(-quaternion if quaternion[0] < 0 else quaternion)


def rotation_from_quaternion(quaternion: Sequence[float]) -> NDArray[np.float64]:
    """(3, 3) rotation of a quaternion (w, x, y, z); it is normalised first. Zero or NaN gives NaN."""
    q = np.asarray(quaternion, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
