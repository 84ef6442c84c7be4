"""A head in any OBJ file as a head model: a JSON file beside it names some of its vertices as landmarks.

It is brought to our frame and to the size of the mean head by these landmarks, whatever its unit and axes. As it tells
nothing of how heads differ, its identity is three stretches: width, depth and height.
"""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import numpy as np

from assets.geometry.obj_polygons import Corner, read_polygons
from assets.geometry.surface import similarity
from assets.head_models.head_model import FloatArray, IntArray
from assets.head_models.linear_model import LinearData
from assets.makehuman.model import load_default_model
from capture.errors import InputError
from capture.files import read_json

SUFFIX = ".landmarks.json"
_STRETCHES = ("width", "depth", "height")  # along x, y and z
_DEVIATION = 0.06  # of a stretch: of 18 cm, 11 mm
_EYES = np.array([[0.0315, 0.0, 0.0], [-0.0315, 0.0, 0.0]])  # left and right, on the mean head


def read_obj_template(path: Path) -> LinearData:
    """The head in an OBJ file, by `<name>.landmarks.json` beside it: landmark -> number of its vertex, from 0.

    Names are those of `assets.head_models.head_model`; six or more, all over the face. Raises `InputError` where a file
    is missing or damaged, or landmarks are unknown or name no vertex.
    """
    vertices, polygons, uvs, polygon_uvs, data = _read_mesh(path)
    numbers = _read_landmarks(path, len(vertices))
    model = load_default_model()
    ours = np.stack([model.base[model.landmarks[name]] for name in numbers]).astype(float)
    theirs = vertices[list(numbers.values())]
    scale, rotation, shift = similarity(theirs, ours, np.ones(len(ours)))
    template = scale * vertices @ rotation.T + shift
    apart = np.linalg.norm(template[list(numbers.values())] - ours, axis=1)
    if np.median(apart) > 0.02:
        raise InputError(
            f"{path}: its landmarks lie {1000 * np.median(apart):.0f} mm (median) from those of an average head of "
            f"its size; look at the vertex numbers in {_landmarks_file(path).name}, which count from 0"
        )
    stretches = np.stack([template * np.eye(3)[axis] for axis in range(3)])
    version = hashlib.sha256(data + repr(sorted(numbers.items())).encode()).hexdigest()[:16]
    nobody = np.zeros(0, np.int32)
    return LinearData(
        path.stem, version, template, polygons, uvs, polygon_uvs, np.zeros(len(polygons), np.int32), ("skin",),
        stretches, _STRETCHES, np.full(3, _DEVIATION), np.zeros((0, len(template), 3)), (), (nobody, nobody), _EYES,
        {name: template[number] for name, number in numbers.items()},
    )  # fmt: skip


def _landmarks_file(path: Path) -> Path:
    return path.with_name(path.stem + SUFFIX)


def _read_landmarks(path: Path, count: int) -> dict[str, int]:
    """Landmark -> vertex."""
    place = _landmarks_file(path)
    if not place.is_file():
        raise InputError(
            f"template {path}: which of its vertices are landmarks has to stand in {place.name} beside it, as in "
            '{"nose_tip": 297, "chin": 732, ...}; six or more, see docs/head_models.md'
        )
    given = read_json(place, "landmarks of the template")
    known = load_default_model().landmarks
    if not isinstance(given, dict) or not all(type(value) is int and 0 <= value < count for value in given.values()):
        raise InputError(f"{place}: an object of vertex numbers is needed, name -> 0 to {count - 1}")
    if unknown := [name for name in given if name not in known]:
        raise InputError(f"{place}: landmarks {', '.join(unknown[:3])} are not known; docs/registration.md lists names")
    if len(given) < 6:
        raise InputError(f"{place}: {len(given)} landmarks; six or more all over the face are needed")
    return dict(given)


def _read_mesh(path: Path) -> tuple[FloatArray, IntArray, FloatArray, IntArray, bytes]:
    """Vertices (V, 3), polygons (Q, 4), texture points (T, 2) and their corners (Q, 4), and the file's bytes.

    Polygons of more than four corners are cut into fans. A file without texture points has one, for all corners.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"template {path} can't be read ({error.strerror})") from None
    mesh = read_polygons(data.decode("utf-8", "replace").splitlines(), path)
    pieces = [piece for polygon in mesh.polygons for piece in _pieces(polygon)]
    corners = np.array([piece if len(piece) == 4 else (*piece, (-1, -1)) for piece in pieces])
    polygons, polygon_uvs = corners[..., 0].astype(np.int32), corners[..., 1].astype(np.int32)
    if mesh.textured:
        return mesh.vertices, polygons, mesh.points, polygon_uvs, data
    return mesh.vertices, polygons, np.zeros((1, 2)), np.where(polygons >= 0, 0, -1).astype(np.int32), data


def _pieces(polygon: tuple[Corner, ...]) -> list[tuple[Corner, ...]]:
    """A triangle or a quad as it is, a larger polygon as a fan."""
    if len(polygon) <= 4:
        return [polygon]
    return [(polygon[0], second, third) for second, third in itertools.pairwise(polygon[1:])]
