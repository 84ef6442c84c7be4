"""Views that are baked: their images, and which vertices of the surface each of them shows, how well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, Capture, Mesh
from registration.texture.surface import TexturedSurface
from scans.distance import closest_points
from scans.images.decoding import decode_file, image_size
from scans.images.sampling import sample_image
from scans.meshes.repair import repair
from scans.ray_casting import RayCaster
from scans.scaling import scaled_camera

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_ON_M = 0.003  # how far from the scan the template shows what the images show there
_BESIDE_M = 0.004  # of skin before the template that doesn't hide it: the two don't lie on one another exactly
_ABOVE_M = 0.0005  # the same of the template itself, and of what is no skin
_LEAST_COSINE = 0.2  # of the angle at which a surface is still looked at
_FEATHER_M = 0.006  # over which a view comes in, from what hides the surface and from the border of the image


@dataclass(frozen=True, eq=False)
class View:
    """A view of a capture.

    Attributes:
        camera: in metres, of the image's own size.
        path: of the image.
    """

    camera: Camera
    path: Path

    def picture(self, pixel_m: float, distance: float) -> Picture:
        """The image, shrunk by a whole factor where its pixels are finer than `pixel_m` at a distance, both metres."""
        decoded = decode_file(self.path)
        factor = max(1, int(pixel_m / distance * min(self.camera.focal)))
        colours, opaque = decoded.colours, decoded.opaque
        if factor > 1:
            colours = np.asarray(Image.fromarray(colours).reduce(factor))
        height, width = colours.shape[:2]  # rounded up: the last column and row may be of fewer pixels
        whole = replace(self.camera, width=width * factor, height=height * factor)
        return Picture(colours, opaque, whole.resized(width, height), factor)


@dataclass(frozen=True, eq=False)
class Picture:
    """An image, shrunk.

    Attributes:
        colours: (H, W, 3).
        opaque: where it is opaque, before it was shrunk; None everywhere.
        camera: of the shrunk image.
        factor: by which it was shrunk.
    """

    colours: NDArray[np.uint8]
    opaque: Mask | None
    camera: Camera
    factor: int = 1

    def opaque_at(self, pixels: Floats) -> Mask:
        """(P,) whether the image holds something at pixels (P, 2) inside it."""
        if self.opaque is None:
            return np.ones(len(pixels), bool)
        height, width = self.opaque.shape
        column, row = np.minimum((pixels * self.factor).astype(np.int64), [width - 1, height - 1]).T
        return np.asarray(self.opaque[row, column])


def views_of(capture: Capture, camera_unit: float) -> list[View]:
    """The views of a capture whose cameras have so many metres per unit. Raises `InputError` where an image is none."""
    return [
        View(_fitted(scaled_camera(camera, camera_unit), path), path)
        for camera, path in zip(capture.cameras, capture.image_paths, strict=True)
    ]


def _fitted(camera: Camera, path: Path) -> Camera:
    """The camera of an image in its own size."""
    width, height = image_size(path, str(path))
    return camera if (width, height) == (camera.width, camera.height) else camera.resized(width, height)


@dataclass(frozen=True, eq=False)
class Seen:
    """The surface's n vertices in the views.

    Attributes:
        weights: (n, N) of each view, 0 where it doesn't show the vertex: how densely its pixels lie there, less near to
            what hides the surface.
        colours: (n, N, 3) sRGB, of pixels about as large as the triangles; 0 where the weight is 0.
    """

    weights: NDArray[np.float32]
    colours: NDArray[np.uint8]


class Occluders:
    """Occluders of the template's surface in the views: the template, and the scan, hair and all."""

    def __init__(self, surface: TexturedSurface, scan: Mesh, skin: Mask) -> None:
        """Of a scan with V vertices, and which of them are skin (V,)."""
        on_skin = skin[scan.faces].all(axis=1)
        self._casters = [RayCaster(surface.points, surface.faces, _ABOVE_M)]
        for faces, above in ((scan.faces[on_skin], _BESIDE_M), (scan.faces[~on_skin], _ABOVE_M)):
            if len(faces):
                self._casters.append(RayCaster(scan.vertices, faces, above))

    def sees(self, camera: Camera, points: Floats, normals: Floats) -> Mask:
        """(P,) whether nothing lies between points (P, 3) with normals (P, 3) and a camera."""
        free = np.ones(len(points), bool)
        for caster in self._casters:
            left = np.flatnonzero(free)
            free[left] = caster.sees(caster.origins(points[left], normals[left]), camera.centre)
        return free


def skin_of(surface: TexturedSurface, scan: Mesh, skin: Mask) -> Mask:
    """(n,) vertices of the surface that lie on skin of a scan, which is told for its V vertices (V,)."""
    distance, face, _ = closest_points(surface.points, scan)
    return np.asarray(surface.shown & (distance < _ON_M) & skin[scan.faces[face]].all(axis=1))


def look(
    surface: TexturedSurface, views: Sequence[View], scan: Mesh, skin: NDArray, progress: Callable[[float], None]
) -> Seen:
    """Look at a surface, where it lies on skin, through the views.

    Args:
        surface: n vertices.
        views: N of them.
        scan: V vertices, in the surface's frame.
        skin: (V,) which of them are.
        progress: called with the share that is done.
    """
    repaired = repair(scan)
    inside = repaired.gather(np.asarray(skin, float)) > 0.5
    wanted = skin_of(surface, repaired.scan, inside)
    occluders = Occluders(surface, repaired.scan, inside)
    rings = max(2, round(_FEATHER_M / surface.edge))
    weights = np.zeros((len(surface.points), len(views)), np.float32)
    colours = np.zeros((*weights.shape, 3), np.uint8)
    for i, view in enumerate(views):
        density, colours[:, i] = _look_through(view, surface, wanted, occluders)
        depth = surface.depth_in(density > 0, rings)
        weights[:, i] = density * np.maximum(depth - 1, 0) / (rings - 1)
        progress((i + 1) / len(views))
    return Seen(weights, colours)


def _look_through(
    view: View, surface: TexturedSurface, wanted: Mask, occluders: Occluders
) -> tuple[Floats, NDArray[np.uint8]]:
    """Density of a view's pixels (n,), 0 where the view doesn't show it or it isn't wanted, and colours (n, 3)."""
    density, colours = np.zeros(len(wanted)), np.zeros((len(wanted), 3), np.uint8)
    ways = view.camera.centre - surface.points
    distance = np.linalg.norm(ways, axis=1)
    cosine = np.einsum("nc,nc->n", ways, surface.normals) / np.maximum(distance, 1e-9)
    index = np.flatnonzero(wanted & (cosine > _LEAST_COSINE))
    if not len(index):
        return density, colours
    picture = view.picture(surface.edge, float(np.median(distance[index])))
    pixels, _ = picture.camera.project(surface.points[index])
    framed = picture.camera.inside(pixels)
    index, pixels = index[framed], pixels[framed]
    clear = picture.opaque_at(pixels)
    index, pixels = index[clear], pixels[clear]
    free = occluders.sees(view.camera, surface.points[index], surface.normals[index])
    index, pixels = index[free], pixels[free]
    focal = np.sqrt(np.prod(view.camera.focal))
    density[index] = (cosine[index] - _LEAST_COSINE) * (focal / distance[index]) ** 2
    colours[index] = sample_image(picture.colours, pixels)
    return density, colours
