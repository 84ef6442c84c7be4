"""Whether intrinsics are those of a lens that somebody has."""

from __future__ import annotations

import numpy as np

from capture import Camera

# Focal lengths in terms of the longer side: 9 mm to 700 mm of a full-frame camera, and fisheyes are no part.
_FOCAL = (0.25, 20.0)
_SQUARE = 0.05  # pixels are square to some per mille
_OFFSET = 0.15  # of the side: principal points lie near the middle
_BENT = 0.7  # of the distance to the middle: the widest action cameras move the corners by 0.6


def implausible(camera: Camera) -> str | None:
    """The intrinsics that no lens has, in words that end with numbers; None where all is in order."""
    (fx, fy), (cx, cy) = camera.focal, camera.principal
    longer = max(camera.width, camera.height)
    if not (
        np.isfinite([fx, fy, cx, cy]).all() and _FOCAL[0] < min(fx, fy) / longer and max(fx, fy) / longer < _FOCAL[1]
    ):
        return f"the focal length is {fx:.0f} x {fy:.0f} pixels for an image of {camera.width} x {camera.height}"
    if abs(fx / fy - 1) > _SQUARE:
        return f"the focal lengths differ: fx {fx:.0f}, fy {fy:.0f}"
    if abs(cx / camera.width - 0.5) > _OFFSET or abs(cy / camera.height - 0.5) > _OFFSET:
        where = f"({cx:.0f}, {cy:.0f})"
        return f"the principal point is {where} in an image of {camera.width} x {camera.height}"
    bend = bending(camera)
    if not bend < _BENT:
        share = f"{100 * bend:.0f} % of the way to the middle" if np.isfinite(bend) else "beyond all bounds"
        return f"the distortion moves the corners by {share}"
    return None


def bending(camera: Camera) -> float:
    """By how much the lens moves the border of the image, as a share of the nearer distance to the middle; inf where a
    place on the border shows nothing.
    """
    if not camera.distorted:
        return 0.0
    along = np.linspace(0.0, 1.0, 9)
    border = np.concatenate([[(t, 0), (t, 1), (0, t), (1, t)] for t in along]) * (camera.width, camera.height)
    focal, middle = np.array(camera.focal), np.array(camera.principal)
    rays = camera.rays(border) @ camera.rotation.T
    straight = rays[:, :2] / rays[:, 2:] * focal
    seen = border - middle
    near, far = (np.linalg.norm(each, axis=1) for each in (straight, seen))
    moved = np.maximum(near / far, far / near) - 1
    return float(moved.max()) if np.isfinite(moved).all() and (rays[:, 2] > 0).all() else float("inf")
