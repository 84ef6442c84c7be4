"""Regions of the template's face, by its landmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from registration.template import Template

_LANDMARKS = {  # beginnings of names; of two regions that reach a vertex the nearer landmark's has it
    "nose": ("nose_tip", "nose_bridge_", "nose_base_", "left_nostril_wing", "right_nostril_wing"),
    "lips": ("mouth_outer_", "upper_lip", "lower_lip"),
    "chin": ("chin", "jaw_7", "jaw_8", "jaw_9"),
    "brow": ("left_brow_", "right_brow_", "nasion"),
}
_REACH_M = {"nose": 0.018, "lips": 0.012, "chin": 0.025, "brow": 0.02}
NAMES = (*_LANDMARKS, "left cheek", "right cheek")


def face_regions(template: Template) -> NDArray[np.int64]:
    """(V,) index into `NAMES` for the vertices of the face mask, -1 elsewhere.

    A vertex of the mean head belongs to the nearest landmark of those within reach; the rest of the face is brow above
    the brows, chin below the lips, and cheek between. Without a model's landmarks all of it is cheek.
    """
    surface = template.surface(template.mean)
    nearest, region = np.full(len(surface), np.inf), np.full(len(surface), -1)
    points = {name: template.landmark(surface, name) for name in template.model.landmarks}
    heights: dict[str, float] = {}
    for number, (name, beginnings) in enumerate(_LANDMARKS.items()):
        some = [point for key, point in points.items() if point is not None and key.startswith(beginnings)]
        if some:
            heights[name] = float(np.mean(some, axis=0)[2])
        for point in some:
            distance = np.linalg.norm(surface - point, axis=1)
            closer = (distance < nearest) & (distance < _REACH_M[name])
            region[closer], nearest[closer] = number, distance[closer]
    rest = region < 0
    above, below = heights.get("brow", np.inf), heights.get("chin", -np.inf)
    cheek = np.where(surface[:, 0] > 0, NAMES.index("left cheek"), NAMES.index("right cheek"))
    height = surface[:, 2]
    region[rest] = np.where(height > above, NAMES.index("brow"), np.where(height < below, NAMES.index("chin"), cheek))[
        rest
    ]
    return np.where(template.face_mask, region, -1)


def bare_nose(template: Template) -> NDArray[np.bool_]:
    """(V,) vertices of the nose nearer to its tip than to the nasion: no hair grows there, and glasses sit above."""
    surface = template.surface(template.mean)
    nose = face_regions(template) == NAMES.index("nose")
    tip, nasion = (template.landmark(surface, name) for name in ("nose_tip", "nasion"))
    if tip is None or nasion is None:
        return nose
    return nose & (np.linalg.norm(surface - tip, axis=1) < np.linalg.norm(surface - nasion, axis=1))
