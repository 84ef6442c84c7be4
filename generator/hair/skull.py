"""The measures of a head that hairstyles need, and directions on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture.geometry import Floats, unit
from generator.head import HeadGeometry


@dataclass(frozen=True, eq=False)
class Skull:
    """The lie of the hair on a head: where the whorl is and how to measure on any identity.

    Attributes:
        middle: (3,) centre of the skull, metres.
        size: (3,) half extents of the head.
        whorl: (3,) point of the crown that hair radiates from.
    """

    middle: Floats
    size: Floats
    whorl: Floats


def skull_of(head: HeadGeometry) -> Skull:
    """Measured from the scalp's vertices."""
    scalp = head.skin.vertices[head.skin.masks["scalp"] > 0.5]
    low, high = scalp.min(axis=0), scalp.max(axis=0)
    middle, size = (low + high) / 2, (high - low) / 2
    return Skull(middle, size, middle + size * np.array([0.12, 0.62, 0.95]))


def whorl_flow(points: Floats, away: Floats, skull: Skull) -> Floats:
    """(N, 3) directions from the whorl over the head: forward on top, down at the sides and the back, in a swirl."""
    out = unit(points - skull.whorl)
    near = np.exp(-((np.linalg.norm(points - skull.whorl, axis=1) / 0.035) ** 2))[:, None]
    return unit(out + 0.9 * near * np.cross(away, out))


def face_shield(head: HeadGeometry) -> tuple[Floats, Floats]:
    """An ellipsoid around the face that hanging hair goes around."""
    eyes = (head.landmarks["left_eye_outer"] + head.landmarks["right_eye_outer"]) / 2
    width = float(np.linalg.norm(head.landmarks["left_eye_outer"] - head.landmarks["right_eye_outer"])) / 2
    chin = head.landmarks["chin"]
    centre = np.array([eyes[0], eyes[1] - 0.015, (eyes[2] + chin[2]) / 2])
    return centre, np.array([width * 1.30, 0.075, (eyes[2] - chin[2]) * 0.95])


def beside_parting(points: Floats, skull: Skull, parting: float) -> Floats:
    """(N,) metres from the parting, positive on the subject's left; `parting` is -1 right to 1 left."""
    return np.asarray(points[:, 0] - skull.middle[0] - parting * 0.55 * skull.size[0])


def fringe_region(base: Floats) -> NDArray[np.bool_]:
    """(N,) where on the mean head a fringe grows from."""
    return np.asarray((base[:, 1] < 0.022) & (np.abs(base[:, 0]) < 0.058) & (base[:, 2] > 0.03))
