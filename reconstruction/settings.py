"""Settings of a reconstruction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capture import InputError

BACKENDS = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class ReconstructionSettings:
    """Settings of `reconstruct`; the defaults suit a dozen images of a head.

    Attributes:
        backend: of the depth maps: "cpu" (our own), "cuda" (COLMAP's) or "auto" (cuda where it is there).
        vertices: vertices of the scan; None takes what the images support (0.25 per pixel of one image).
        max_image_size: pixels; images with a longer side are shrunk to it. None takes them as they are.
        seed: seed of the random search of the cpu backend.
        threads: threads to use, None for all cores. The result doesn't depend on it.
        sources: most other views that a view is matched with.
        window_radius: half side of the matching window, pixels.
        window_step: distance of the samples in the window, pixels.
        min_consistent: other views whose depth must agree with a pixel's.
        max_reprojection_error: pixels by which they may differ.
        max_cost: 1 - NCC above which a pixel is dropped. Hair never matches well: its highlights move.
        depth_min: nearest depth, metres; None finds the range from the sparse points or the cameras.
        depth_max: farthest depth, metres.
        poisson_depth: depth of the octree; None picks it by the image size.
        max_gap: how far, in pixels of the images, the mesh may span from what the images support. Here and in
            `max_hole`, pixels finer than a 600th of the object count as that.
        max_lift: how far, as a share of the object's size, the mesh may leave the tangent planes of the points around
            it; farther where these scatter, and 0.7 pixels at least. More keeps more hair, and more webs between hair
            and skin.
        max_hole: holes up to this many pixels wide are closed.
        min_component: pieces with less than this share of the largest piece's area are dropped.
    """

    backend: str = "auto"
    vertices: int | None = None
    max_image_size: int | None = 2048
    seed: int = 0
    threads: int | None = None
    sources: int = 6
    window_radius: int = 4
    window_step: int = 2
    min_consistent: int = 2
    max_reprojection_error: float = 1.5
    max_cost: float = 0.8
    depth_min: float | None = None
    depth_max: float | None = None
    poisson_depth: int | None = None
    max_gap: float = 3.0
    max_lift: float = 0.0016
    max_hole: float = 32.0
    min_component: float = 0.02

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            raise InputError(f"backend {self.backend!r}: use one of {', '.join(BACKENDS)}")
        if self.vertices is not None and self.vertices < 100:
            raise InputError(f"vertices {self.vertices}: a scan needs at least 100")
        if self.max_image_size is not None and self.max_image_size < 32:
            raise InputError(f"max_image_size {self.max_image_size}: it must be 32 or more")
        if (self.depth_min is None) != (self.depth_max is None):
            raise InputError("depth_min and depth_max: give both or none")
        if self.depth_min is not None and self.depth_max is not None and not 0 < self.depth_min < self.depth_max:
            raise InputError(f"depth range {self.depth_min} .. {self.depth_max}: needs 0 < depth_min < depth_max")
        for name in ("max_gap", "max_lift", "max_hole", "min_component"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise InputError(f"{name} {getattr(self, name)}: it must be 0 or more")
        if self.seed < 0:
            raise InputError(f"seed {self.seed}: use 0 or more")
        if self.threads is not None and self.threads < 1:
            raise InputError(f"threads {self.threads}: use 1 or more")
        if self.sources < 2 or self.min_consistent < 1:
            raise InputError("sources must be 2 or more and min_consistent 1 or more")
        if self.window_radius < 1 or not 1 <= self.window_step <= 2 * self.window_radius:
            raise InputError("window_radius must be 1 or more, window_step between 1 and the window's side")
