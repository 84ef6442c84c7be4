"""Classes of a scan's vertices by the rendered masks: hair, garment, eyes and so on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture import Capture, PixelClass, Scan, vertex_normals
from labeling.masks import pixel_values
from labeling.visibility import MIN_COSINE, head_caster
from scans.class_masks import read_class_masks
from scans.visibility import visible_in

UNSEEN = 255  # no camera with a mask sees the vertex, or only the background shines through there


def seen_classes(capture: Capture, scan: Scan) -> NDArray[np.uint8] | None:
    """The `PixelClass` that the views show at each vertex of the scan, by vote.

    A view's vote weighs the cosine between the normal and the direction to its camera; views that do not see the vertex
    don't vote. Background doesn't count: a stereo scan is a little wider than what was rendered.

    Returns:
        (V,) uint8, `UNSEEN` where nobody votes; None where the capture has no masks.

    Raises:
        InputError: where a mask is damaged.
    """
    masks = read_class_masks(capture)
    if all(mask is None for mask in masks):
        return None
    points = scan.vertices.astype(float)
    normals = vertex_normals(points, scan.faces) if scan.normals is None else scan.normals.astype(float)
    caster = head_caster(scan)
    votes = np.zeros((len(points), len(PixelClass)), np.float32)
    for camera, mask in zip(capture.cameras, masks, strict=True):
        if mask is None:
            continue
        seen = np.flatnonzero(visible_in(camera, points, normals, caster, MIN_COSINE))
        towards = camera.centre - points[seen]
        cosine = np.einsum("pc,pc->p", towards, normals[seen]) / np.linalg.norm(towards, axis=1)
        votes[seen, pixel_values(mask, camera, points[seen])] += cosine.astype(np.float32)
    votes[:, PixelClass.BACKGROUND] = 0
    return np.where(votes.max(axis=1) > 0, votes.argmax(axis=1), UNSEEN).astype(np.uint8)
