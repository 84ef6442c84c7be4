"""Classes of a scan's vertices by the rendered masks: hair, garment, eyes and so on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture import PixelClass
from labeling.masks import values_at
from labeling.visibility import ScanViews

UNSEEN = 255  # no camera with a mask sees the vertex, or only the background shines through there


def seen_classes(views: ScanViews) -> NDArray[np.uint8] | None:
    """The `PixelClass` that the views show at each vertex of the scan, by vote.

    A view's vote weighs the cosine between the normal and the direction to its camera; views that do not see the vertex
    don't vote. Background doesn't count: a stereo scan is a little wider than what was rendered.

    Returns:
        (V,) uint8, `UNSEEN` where nobody votes; None where the capture has no masks.
    """
    if all(mask is None for mask in views.masks):
        return None
    points, normals, at_vertices = views.points, views.normals, views.at_vertices
    votes = np.zeros((len(points), len(PixelClass)), np.float32)
    for view, (camera, mask) in enumerate(zip(views.cameras, views.masks, strict=True)):
        if mask is None:
            continue
        seen = np.flatnonzero(at_vertices.visible[view])
        towards = camera.centre - points[seen]
        cosine = np.einsum("pc,pc->p", towards, normals[seen]) / np.linalg.norm(towards, axis=1)
        votes[seen, values_at(mask, at_vertices.pixel[view, seen])] += cosine.astype(np.float32)
    votes[:, PixelClass.BACKGROUND] = 0
    return np.where(votes.max(axis=1) > 0, votes.argmax(axis=1), UNSEEN).astype(np.uint8)
