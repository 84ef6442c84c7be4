"""Sources of features: a scan, its images, and what is computed of them on demand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from capture import Camera, vertex_normals
from scans.ray_casting import RayCaster
from scans.visibility import Views, project_views
from training.features.cropping import Crop, in_crops
from training.operators import Operators


@dataclass(frozen=True, eq=False)
class Sources:
    """Everything that features are computed from; what is expensive is computed only when a feature asks for it.

    Attributes:
        vertices: (V, 3) of the whole scan, metres.
        faces: (F, 3).
        at: (P,) vertices whose features are wanted.
        cameras: N views.
        tokens: gives the N token maps (h, w, C).
        pixels: gives the N images (H, W, 3).
        operators: gives the operators of the coarse mesh with the P vertices.
        caster: gives rays against the scan.
        crops: the parts of the N images that the token maps cover; None where these are the images.
    """

    vertices: NDArray
    faces: NDArray
    at: NDArray
    cameras: Sequence[Camera]
    tokens: Callable[[], list[NDArray[np.float16]]]
    pixels: Callable[[], list[NDArray[np.uint8]]]
    operators: Callable[[], Operators]
    caster: Callable[[], RayCaster]
    crops: Sequence[Crop] | None = None

    @cached_property
    def normals(self) -> NDArray[np.float64]:
        """(P, 3)."""
        return vertex_normals(self.vertices, self.faces)[self.at]

    @cached_property
    def views(self) -> Views:
        """The P vertices in the N views."""
        points = np.asarray(self.vertices, np.float64)[self.at]
        return project_views(self.cameras, points, self.normals, self.caster())

    @property
    def token_views(self) -> Views:
        """The P vertices in the N token maps."""
        return self.views if self.crops is None else in_crops(self.views, self.crops)
