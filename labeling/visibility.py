"""Points of a head or its scan in the views: how many cameras see them, and as what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from capture import Camera, Capture, Mesh, PixelClass, Scan, vertex_normals
from capture.frames import far_origin
from labeling.masks import pixel_numbers, values_at
from scans.images.class_masks import read_class_masks
from scans.ray_casting import RayCaster
from scans.visibility import visible_in

Points = NDArray[np.float64]

MIN_COSINE = 0.17  # a surface seen under less than 10 degrees can't be expected
_OFFSET_M = 2e-4  # by which rays start above the surface: the same for the head and all scans of it


def head_caster(mesh: Mesh) -> RayCaster:
    """Rays against a synthetic head or a scan of it: about the origin, unless that is far away."""
    return RayCaster(mesh.vertices, mesh.faces, _OFFSET_M, far_origin(mesh.vertices))


@dataclass(frozen=True, eq=False)
class PointViews:
    """P points of a surface in N views.

    Attributes:
        visible: (N, P) whether a view sees a point.
        pixel: (N, P) int32 the pixel that a point falls on, row by row from 0; -1 outside of the frame.
    """

    visible: NDArray[np.bool_]
    pixel: NDArray[np.int32]

    @classmethod
    def of(cls, points: Points, normals: Points, cameras: Sequence[Camera], caster: RayCaster) -> Self:
        """Of points (P, 3) with unit normals (P, 3), on a surface that rays are cast against."""
        shape = len(cameras), len(points)
        visible, pixel = np.empty(shape, bool), np.empty(shape, np.int32)
        for view, camera in enumerate(cameras):
            pixels, _ = camera.project(points)
            pixel[view] = pixel_numbers(camera, pixels)
            visible[view] = visible_in(camera, points, normals, caster, MIN_COSINE, pixels)
        return cls(visible, pixel)

    def of_some(self, chosen: NDArray) -> PointViews:
        """Of those points alone that an index chooses."""
        return PointViews(self.visible[:, chosen], self.pixel[:, chosen])

    @cached_property
    def seen(self) -> NDArray[np.int64]:
        """(P,) number of the views that see each point."""
        return self.visible.sum(axis=0)

    def agreed(self, masks: Sequence[NDArray[np.uint8] | None], classes: Sequence[int]) -> NDArray[np.int64]:
        """(P,) number of the views that see each point and whose mask shows one of `classes` there.

        A view without a mask counts as one of them.
        """
        agreed = np.zeros(self.visible.shape[1], np.int64)
        for visible, pixel, mask in zip(self.visible, self.pixel, masks, strict=True):
            agreed += visible if mask is None else visible & np.isin(values_at(mask, pixel), classes)
        return agreed


@dataclass(frozen=True, eq=False)
class ScanViews:
    """A scan in the views of its capture: what labels and quality are both made of.

    Attributes:
        scan: V vertices.
        cameras: N views.
        masks: N class masks (H, W), None where a view has none.
    """

    scan: Scan
    cameras: Sequence[Camera]
    masks: Sequence[NDArray[np.uint8] | None]

    @classmethod
    def of_capture(cls, capture: Capture, scan: Scan) -> Self:
        """Raises `InputError` where a mask is damaged."""
        return cls(scan, capture.cameras, read_class_masks(capture))

    @cached_property
    def points(self) -> Points:
        """(V, 3) the vertices in double precision."""
        return self.scan.vertices.astype(float)

    @cached_property
    def normals(self) -> Points:
        """(V, 3) the scan's own, or those of its faces."""
        given = self.scan.normals
        return vertex_normals(self.points, self.scan.faces) if given is None else given.astype(float)

    @cached_property
    def caster(self) -> RayCaster:
        """Rays against the scan."""
        return head_caster(self.scan)

    @cached_property
    def at_vertices(self) -> PointViews:
        """The vertices in the views."""
        return PointViews.of(self.points, self.normals, self.cameras, self.caster)

    @cached_property
    def on_skin(self) -> NDArray[np.bool_]:
        """(V,) whether all views that see a vertex, at least one, see skin there."""
        seen = self.at_vertices.seen
        return np.asarray((seen > 0) & (self.at_vertices.agreed(self.masks, [PixelClass.SKIN]) == seen))
