"""Meshes as records: the reconstructed scan and the true head surface."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from capture.colour_range import to_bytes
from capture.errors import InputError
from capture.ply.files import PlyMesh, read_ply, write_ply

if TYPE_CHECKING:
    from typing import Self  # Python 3.11; Blender before 4.1 runs 3.10

_MeshT = TypeVar("_MeshT", bound="Mesh")

_COLOURS = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))

log = logging.getLogger(__name__)

_BLUR = 1e-6  # of the extent: a third of a micrometre on a head


@dataclass(frozen=True, eq=False)
class Mesh:
    """A triangle mesh in metres.

    Attributes:
        vertices: (V, 3), finite: float32, or float64 where it was given so far from its frame's origin that float32
            would blur the surface. Vertices that no face uses and that are not numbers are put in the middle.
        faces: (F, 3) int32, indices into the vertices; at least one face.

    Raises:
        InputError: where the arrays are not such a mesh.
    """

    vertices: NDArray[np.floating]
    faces: NDArray[np.int32]

    def __post_init__(self) -> None:
        what = type(self).__name__.lower()
        vertices: NDArray[np.floating] = np.array(self.vertices)
        if vertices.dtype != np.float32:
            vertices = vertices.astype(np.float64)
        faces = _readonly(self.faces, np.int32)
        if vertices.ndim != 2 or vertices.shape[1:] != (3,) or faces.ndim != 2 or faces.shape[1:] != (3,):
            raise InputError(f"{what}: needs vertices (V, 3) and faces (F, 3), got {vertices.shape}, {faces.shape}")
        if not len(faces):
            raise InputError(f"{what}: has no faces; a mesh is needed, not a point cloud")
        if faces.min() < 0 or faces.max() >= len(vertices):
            raise InputError(f"{what}: a face refers to a vertex that is not there")
        finite = np.isfinite(vertices).all(axis=1)
        if not finite.all():
            if not finite[faces].all():
                raise InputError(f"{what}: has vertices that are not finite numbers; clean the mesh first")
            vertices[~finite] = np.median(vertices[faces[:, 0]], axis=0)
        if vertices.dtype != np.float32 and not _blurred(vertices[faces[:, 0]]):
            vertices = vertices.astype(np.float32)
        vertices.setflags(write=False)
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "faces", faces)

    def _check_column(self, name: str, rows: int, *shape: int, dtype: type) -> None:
        """Freeze the optional attribute `name`; it must be (rows, *shape)."""
        value = getattr(self, name)
        if value is None:
            return
        value = _readonly(value, dtype)
        if value.shape != (rows, *shape):
            expected = (rows, *shape)
            raise InputError(f"{type(self).__name__.lower()}: {name} must be {expected}, got {value.shape}")
        object.__setattr__(self, name, value)


@dataclass(frozen=True, eq=False)
class Scan(Mesh):
    """A reconstructed scan.

    Attributes:
        colours: (V, 3) uint8 sRGB, or None.
        normals: (V, 3) float32 unit vectors, or None.

    Raises:
        InputError: where the arrays are not such a mesh.

    Example:
        >>> from pixels2points import Scan
        >>> triangle = Scan([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
        >>> triangle.write("triangle.ply")
        >>> Scan.read("triangle.ply").vertices.shape
        (3, 3)
    """

    colours: NDArray[np.uint8] | None = None
    normals: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_column("colours", len(self.vertices), 3, dtype=np.uint8)
        self._check_column("normals", len(self.vertices), 3, dtype=np.float32)

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read a PLY scan, colours of any type and range. Raises `InputError` naming the file if it is no mesh.

        Faces with a corner that is not a number are left out, and a warning says so.
        """
        mesh = read_ply(Path(path))
        found = (_stack(mesh, names) for names in _COLOURS)
        colours = next((to_bytes(table) for table in found if table is not None), None)
        normals = _stack(mesh, ("nx", "ny", "nz"))
        positions = _positions(mesh)
        faces = faces_of_numbers(positions, mesh.faces, Path(path))
        return _named(Path(path), lambda: cls(positions, faces, colours, normals))

    def write(self, path: Path | str) -> None:
        """Write as binary PLY, atomically."""
        columns = _columns(("x", "y", "z"), self.vertices)
        if self.normals is not None:
            columns |= _columns(("nx", "ny", "nz"), self.normals)
        if self.colours is not None:
            columns |= _columns(("red", "green", "blue"), self.colours)
        write_ply(Path(path), PlyMesh(columns, self.faces))


@dataclass(frozen=True, eq=False)
class HeadSurface(Mesh):
    """The head model's surface exactly as rendered: the truth that scans are compared with.

    Attributes:
        parts: (F,) uint8 part of each face, an index into `PARTS`.
        face_mask: (V,) bool, the part of the face that measures registration (mid-forehead to chin without eyes,
            nostrils and mouth), or None where the head model has none.
    """

    parts: NDArray[np.uint8] | None = None
    face_mask: NDArray[np.bool_] | None = None

    PARTS: ClassVar[tuple[str, ...]] = ("skin", "eyes", "teeth", "tongue")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.parts is None:
            object.__setattr__(self, "parts", np.zeros(len(self.faces), np.uint8))
        self._check_column("parts", len(self.faces), dtype=np.uint8)
        self._check_column("face_mask", len(self.vertices), dtype=np.bool_)

    def part(self, name: str) -> NDArray[np.bool_]:
        """(F,) whether a face belongs to the part `name`."""
        return np.asarray(self.parts == self.PARTS.index(name))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a surface written by `write`, or any PLY mesh (all of it is skin then)."""
        mesh = read_ply(path)
        mask = mesh.vertex.get("face_mask")
        face_mask = None if mask is None else mask.astype(bool)
        return _named(path, lambda: cls(_positions(mesh), mesh.faces, mesh.face.get("part"), face_mask))

    def write(self, path: Path) -> None:
        """Write as binary PLY with a `part` per face, and a `part` and a `face_mask` per vertex, atomically.

        Blender and others import what vertices have, and lose what faces have. A vertex of several parts is of the
        first of them.
        """
        columns = _columns(("x", "y", "z"), self.vertices)
        if self.face_mask is not None:
            columns["face_mask"] = self.face_mask
        assert self.parts is not None
        columns["part"] = np.full(len(self.vertices), np.iinfo(np.uint8).max, np.uint8)
        np.minimum.at(columns["part"], self.faces.ravel(), np.repeat(self.parts, 3))
        write_ply(path, PlyMesh(columns, self.faces, {"part": self.parts}))


def faces_of_numbers(vertices: NDArray, faces: NDArray[np.int32], path: Path) -> NDArray[np.int32]:
    """The faces (F, 3) whose corners are finite numbers; warns, naming the file, where others are left out."""
    finite = np.isfinite(vertices).all(axis=1)
    if finite.all() or finite[faces].all() or not finite[faces].all(axis=1).any():
        return faces
    kept = finite[faces].all(axis=1)
    corners = len(np.unique(faces[~finite[faces]]))
    log.warning(
        "%s: %d vertices are not finite numbers; the %d faces around them are left out", path, corners, (~kept).sum()
    )
    return faces[kept]


def _blurred(points: NDArray[np.floating]) -> bool:
    """Whether single precision moves points (P, 3) by more than a millionth of their extent, strays aside."""
    with np.errstate(over="ignore", invalid="ignore"):
        moved = np.abs(points.astype(np.float32) - points).max(axis=1)
    low, high = np.percentile(points, (5, 95), axis=0)
    return bool(np.median(moved) > _BLUR * (high - low).max())


def _readonly(value: ArrayLike, dtype: type) -> NDArray:
    array: NDArray = np.array(value, dtype=dtype)
    array.setflags(write=False)
    return array


def _positions(mesh: PlyMesh) -> NDArray:
    return np.stack([mesh.vertex[axis] for axis in "xyz"], axis=1)


def _stack(mesh: PlyMesh, names: tuple[str, ...]) -> NDArray | None:
    if not set(names) <= set(mesh.vertex):
        return None
    return np.stack([mesh.vertex[name] for name in names], axis=1)


def _columns(names: tuple[str, ...], table: NDArray) -> dict[str, NDArray]:
    return {name: table[:, i] for i, name in enumerate(names)}


def _named(path: Path, build: Callable[[], _MeshT]) -> _MeshT:
    """Build a record and name the file in what goes wrong."""
    try:
        return build()
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
