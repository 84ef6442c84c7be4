"""Which points of a mesh the cameras see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from capture import Camera, Capture, InputError, Mesh, PixelClass, Scan, vertex_normals

MIN_COSINE = 0.17  # a surface seen under less than 10 degrees can't be expected
_LIFT = 2e-4  # metres by which rays start above the surface, so that they don't hit where they start


class Occluder:
    """A mesh that hides things."""

    def __init__(self, mesh: Mesh) -> None:
        self._scene = rtcore_scene.EmbreeScene()
        self._mesh = TriangleMesh(self._scene, mesh.vertices.astype(np.float32), mesh.faces.astype(np.int32))

    def visible(
        self, points: NDArray[np.float64], normals: NDArray[np.float64], camera: Camera, min_cosine: float = 0.0
    ) -> NDArray[np.bool_]:
        """Whether `camera` sees points of the surface.

        Args:
            points: (P, 3) metres.
            normals: (P, 3) unit vectors, outwards.
            camera: the view.
            min_cosine: least cosine between normal and direction to the camera.

        Returns:
            (P,) inside the frame, facing the camera, and nothing in between.
        """
        towards = camera.centre - points
        distance = np.linalg.norm(towards, axis=1)
        towards = towards / distance[:, None]
        seen = ((towards * normals).sum(axis=1) > min_cosine) & camera.inside(camera.project(points)[0])
        index = np.flatnonzero(seen)
        if len(index):
            origins = (points[index] + _LIFT * normals[index]).astype(np.float32)
            hit = self._scene.run(origins, towards[index].astype(np.float32), query="INTERSECT")
            seen[index] = hit < 0
        return seen

    def hit(self, origin: NDArray[np.float64], through: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(P,) whether rays from `origin` (3,) through points (P, 3) meet the mesh."""
        if not len(through):
            return np.zeros(0, bool)
        ways = through - origin
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        origins = np.tile(origin, (len(ways), 1)).astype(np.float32)
        return np.asarray(self._scene.run(origins, ways.astype(np.float32), query="INTERSECT") >= 0)

    def distance(self, origin: NDArray[np.float64], ways: NDArray[np.float64]) -> NDArray[np.float64]:
        """(P,) metres from `origin` (3,) along unit vectors (P, 3) to the mesh, infinite where they miss it."""
        origins = np.tile(origin, (len(ways), 1)).astype(np.float32)
        far = np.asarray(self._scene.run(origins, ways.astype(np.float32), query="DISTANCE"), float)
        return np.where(far < 1e6, far, np.inf)


def pixel_values(values: NDArray, camera: Camera, points: NDArray[np.float64]) -> NDArray:
    """The value of an image (H, W) at the pixel that each point (P, 3) falls on; 0 outside of the frame."""
    pixels, _ = camera.project(points)
    inside = camera.inside(pixels)
    columns, rows = np.where(inside[:, None], pixels, 0).astype(int).T
    return np.where(inside, values[rows, columns], 0)


def seen_as(
    mesh: Mesh,
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    cameras: Sequence[Camera],
    masks: Sequence[NDArray[np.uint8] | None],
    classes: Sequence[int],
    min_cosine: float = 0.0,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """In how many views each point is visible, and in how many of those the mask says one of `classes`.

    A view without a mask says yes.
    """
    occluder = Occluder(mesh)
    seen, agreed = np.zeros(len(points), np.int64), np.zeros(len(points), np.int64)
    for camera, mask in zip(cameras, masks, strict=True):
        visible = occluder.visible(points, normals, camera, min_cosine)
        says = np.ones(len(points), bool) if mask is None else np.isin(pixel_values(mask, camera, points), classes)
        seen += visible
        agreed += visible & says
    return seen, agreed


def seen_on_skin(
    scan: Scan, cameras: Sequence[Camera], masks: Sequence[NDArray[np.uint8] | None]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Per vertex (V,) of a scan: how many cameras see it, and whether all of those, at least one, see skin there."""
    points = scan.vertices.astype(float)
    normals = vertex_normals(points, scan.faces) if scan.normals is None else scan.normals.astype(float)
    seen, agreed = seen_as(scan, points, normals, cameras, masks, [PixelClass.SKIN], MIN_COSINE)
    return seen, (seen > 0) & (agreed == seen)


def without_specks(mask: NDArray[np.uint8] | None) -> NDArray[np.uint8] | None:
    """A mask (H, W) in which only pixels stay skin whose eight neighbours are skin; the others become background."""
    if mask is None:
        return None
    skin = np.pad(mask == PixelClass.SKIN, 1, mode="edge")
    clear = skin[1:-1, 1:-1].copy()
    for down in (0, 1, 2):
        for right in (0, 1, 2):
            clear &= skin[down : down + mask.shape[0], right : right + mask.shape[1]]
    return np.where((mask == PixelClass.SKIN) & ~clear, np.uint8(PixelClass.BACKGROUND), mask)


def read_masks(capture: Capture) -> list[NDArray[np.uint8] | None]:
    """Per view the class ids (H, W), None where there is no mask; raises `InputError` where one is damaged."""
    masks: list[NDArray[np.uint8] | None] = []
    for path, camera in zip(capture.mask_paths, capture.cameras, strict=True):
        if not path.is_file():
            masks.append(None)
            continue
        try:
            mask = np.asarray(Image.open(path))
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
            raise InputError(f"damaged mask: {path} ({error}); generate the capture again") from None
        if mask.shape != (camera.height, camera.width):
            raise InputError(f"mask {path} is not a grey image of its camera's size; generate the capture again")
        masks.append(mask)
    return masks
