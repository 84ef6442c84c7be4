"""The frame of the skull: what sits on a head turns with the head, not with the chest."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from capture.geometry import Floats
from generator.head import HeadGeometry

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class HeadFrame:
    """Local coordinates: x to the subject's left, y to the back of the head, z to the crown.

    Attributes:
        origin: (3,) the middle of the skull, metres.
        axes: (3, 3) the local axes as rows.
    """

    origin: Floats
    axes: Floats

    def local(self, points: Floats) -> Floats:
        """Points (..., 3) of the world in this frame."""
        return np.asarray((points - self.origin) @ self.axes.T)

    def world(self, points: Floats) -> Floats:
        """Local points (..., 3) in the world."""
        return np.asarray(points @ self.axes + self.origin)


def head_frame(head: HeadGeometry) -> HeadFrame | None:
    """The frame of a head, or None, with a line in the log, where the head model has no scalp.

    The rotation is the one that brings the mean head's scalp closest to this head's (Kabsch 1976).
    """
    scalp = head.skin.masks.get("scalp")
    if scalp is None or not (scalp > 0.5).any():
        log.info("the head model has no scalp: it wears neither hats nor spectacles nor earrings")
        return None
    chosen = scalp > 0.5
    here, mean = head.skin.vertices[chosen], head.skin.base[chosen]
    # not a product of matrices: those add up in an order that depends on the number of threads
    u, _, vt = np.linalg.svd(np.einsum("ni,nj->ij", mean - mean.mean(0), here - here.mean(0)))
    axes = (u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt).astype(float)
    local = here @ axes.T
    middle = (local.min(axis=0) + local.max(axis=0)) / 2
    return HeadFrame(middle @ axes, axes)


def has_landmarks(head: HeadGeometry, names: Sequence[str], what: str) -> bool:
    """True where the head model has all of the landmarks; otherwise a line in the log names what is left out."""
    missing = [name for name in names if name not in head.landmarks]
    if missing:
        log.info("the head model has no %s: it wears no %s", ", ".join(missing), what)
    return not missing
