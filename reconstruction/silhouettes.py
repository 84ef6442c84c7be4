"""Silhouettes: what the masks of a capture say is foreground, and the visual hull of points that lie in all of them.

Coarse levels of the stereo find depths in plain or repeating backgrounds as well. What is background in any view is no
part of the head (Laurentini, "The visual hull concept for silhouette-based image understanding", PAMI 1994).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from capture import Camera, Capture
from capture.frames import shifted_camera
from scans.images.class_masks import read_class_masks
from scans.images.decoding import read_foreground


@dataclass(frozen=True, eq=False)
class Silhouettes:
    """The foreground of N views.

    Attributes:
        cameras: N.
        masks: N (H, W) bool.
    """

    cameras: Sequence[Camera]
    masks: Sequence[NDArray[np.bool_]]

    @classmethod
    def of_capture(cls, capture: Capture, masks: Sequence[Path] | None, origin: NDArray[np.float64]) -> Self | None:
        """By mask files, or else by the class masks of a capture that was rendered; None without any.

        The cameras are moved so that `origin` (3,) is theirs.
        """
        cameras = [shifted_camera(camera, origin) for camera in capture.cameras]
        if masks is not None:
            return cls(cameras, [read_foreground(path) for path in masks])
        if capture.info.spec is None:  # what people keep in masks/ is used where they name it
            return None
        classes = read_class_masks(capture)
        known = [each > 0 for each in classes if each is not None]
        return cls(cameras, known) if len(known) == len(cameras) else None

    def hold(self, points: NDArray[np.float64], margin: int) -> NDArray[np.bool_]:
        """(P,) whether points (P, 3) lie in the silhouettes of all views that frame them.

        These are widened by `margin` pixels.
        """
        held = np.ones(len(points), bool)
        for camera, mask in zip(self.cameras, self.masks, strict=True):
            wide = ndimage.distance_transform_edt(~mask) <= margin if not mask.all() else mask
            pixels, _ = camera.project(points)
            framed = camera.inside(pixels)
            columns, rows = np.where(framed[:, None], pixels, 0).astype(int).T
            held &= ~framed | wide[rows, columns]
        return held
