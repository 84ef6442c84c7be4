"""A face made of formulas, cameras around it, and a detector that knows where it is."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from capture import Camera, InputError
from scans.landmarks.detector import FaceInImage
from scans.landmarks.face_mesh import FaceMesh
from scans.landmarks.model_file import model_path
from scans.landmarks.names import COUNT, MESH_COUNT
from tests.helpers import looking_at_origin

ROWS, COLUMNS = 18, 26


def _lacking() -> str:
    if importlib.util.find_spec("ai_edge_litert") is None:
        return "LiteRT is not installed (pip install ai-edge-litert)"
    try:
        model_path()
    except InputError as error:
        return str(error)
    return ""


needs_model = pytest.mark.skipif(bool(_lacking()), reason=_lacking() or "-")


def half_ellipsoid() -> FaceMesh:
    """468 vertices of the front half of an ellipsoid of 12 x 18 x 14 cm: y up, looking towards z."""
    assert ROWS * COLUMNS == MESH_COUNT
    up, side = np.meshgrid(np.linspace(-1.2, 1.2, ROWS), np.linspace(-1.4, 1.4, COLUMNS), indexing="ij")
    points = np.stack([np.cos(up) * np.sin(side), np.sin(up), np.cos(up) * np.cos(side)], axis=-1)
    first = (np.arange(ROWS - 1)[:, None] * COLUMNS + np.arange(COLUMNS - 1)).ravel()
    quads = np.stack([first, first + 1, first + COLUMNS + 1, first + COLUMNS], axis=1)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return FaceMesh(points.reshape(-1, 3) * [0.06, 0.09, 0.07], faces.astype(np.int32))


def face_in_world() -> np.ndarray:
    """(478, 3): the vertices as a head of our captures has them, Z up and looking towards -Y, and the irises."""
    x, y, z = half_ellipsoid().vertices.T
    vertices = np.stack([x, -z, y], axis=1)
    return np.concatenate([vertices, np.tile(vertices.mean(axis=0), (COUNT - MESH_COUNT, 1))])


def views(azimuths: tuple[float, ...] = (-40, -20, 0, 15, 30, 45), size: int = 400) -> list[Camera]:
    return [looking_at_origin(f"view_{i:02d}.png", azimuth, size) for i, azimuth in enumerate(azimuths)]


def project(cameras: list[Camera], points: np.ndarray) -> np.ndarray:
    return np.stack([camera.project(points)[0] for camera in cameras])


class KnownFaces:
    """A detector that knows the answers: of each image, told by its first pixel's red."""

    key = "known"

    def __init__(self, faces: dict[int, FaceInImage | None]) -> None:
        self.mesh, self._faces = half_ellipsoid(), faces

    def find(self, image: np.ndarray) -> FaceInImage | None:
        return self._faces[int(image[0, 0, 0])]
