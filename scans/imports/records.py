"""The cameras of a file, in names of our own: lenses, poses, views, and the points that views see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from zipfile import Path as ZipPath

import numpy as np
from numpy.typing import ArrayLike, NDArray

from capture import CAMERA_MODELS, InputError
from capture.lens_models import Distortion, Perspective

Array = NDArray[np.float64]
ImageFile = Path | ZipPath

_ORTHONORMAL = 1e-3  # by which products of a rotation's rows may miss 0 and 1: a file of few digits


@dataclass(frozen=True)
class BrownLens:
    """A pinhole with Brown's polynomial distortion, as all programs for photogrammetry have it in some form.

    With ideal coordinates x, y (of depth 1) and r^2 = x^2 + y^2, a point is seen at

        x' = x (1 + k1 r^2 + k2 r^4 + k3 r^6 + k4 r^8) + 2 p1 x y + p2 (r^2 + 2 x^2)
        y' = y (1 + k1 r^2 + k2 r^4 + k3 r^6 + k4 r^8) + p1 (r^2 + 2 y^2) + 2 p2 x y
        u = fx x' + skew y' + cx,  v = fy y' + cy

    which is OpenCV's order of p1 and p2. (0, 0) is the corner of the image, as in COLMAP.

    Attributes:
        width, height: pixels.
        fx, fy, cx, cy, skew: pixels.
        k1, k2, k3, k4: of r^2, r^4, r^6, r^8.
        p1, p2: tangential.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    skew: float = 0.0
    k1: float = 0.0
    k2: float = 0.0
    k3: float = 0.0
    k4: float = 0.0
    p1: float = 0.0
    p2: float = 0.0

    def __post_init__(self) -> None:
        values = [getattr(self, each.name) for each in fields(self)]
        if not np.isfinite(values).all() or min(self.width, self.height, self.fx, self.fy) <= 0:
            raise InputError(f"its intrinsics are no camera's: {self.width} x {self.height}, f {self.fx} {self.fy}")

    @cached_property
    def _lens(self) -> Perspective:
        return Perspective(Distortion((self.k1, self.k2, self.k3, self.k4), (), (self.p1, self.p2)))

    @property
    def inexact(self) -> tuple[str, ...]:
        """Names of the parameters that no COLMAP model has."""
        return tuple(name for name in ("k4", "skew") if getattr(self, name))

    @property
    def bent(self) -> tuple[str, ...]:
        """Names of the parameters of distortion and skew that are not zero."""
        return tuple(name for name in ("k1", "k2", "k3", "k4", "p1", "p2", "skew") if getattr(self, name))

    @property
    def colmap(self) -> ColmapLens:
        """The smallest of COLMAP's models that is the same lens; raises `ValueError` where there is none."""
        if self.inexact:
            raise ValueError(f"no COLMAP model has {' and '.join(self.inexact)}")
        return ColmapLens(self.width, self.height, self._model, self._values)

    @property
    def _model(self) -> str:
        if self.k3:
            return "FULL_OPENCV"
        if self.p1 or self.p2 or ((self.k1 or self.k2) and self.fx != self.fy):
            return "OPENCV"
        if self.k2:
            return "RADIAL"
        if self.k1:
            return "SIMPLE_RADIAL"
        return "SIMPLE_PINHOLE" if self.fx == self.fy else "PINHOLE"

    @property
    def _values(self) -> Mapping[str, float]:
        names = ("fx", "fy", "cx", "cy", "k1", "k2", "k3", "p1", "p2")
        return {name: getattr(self, name) for name in names} | {"f": self.fx}

    def to_pixels(self, points: ArrayLike) -> Array:
        """Pixels (..., 2) of points (..., 3) in the camera's frame; NaN where the lens has no image of them."""
        x, y = np.moveaxis(self._lens.to_plane(np.array(points, float)), -1, 0)
        return np.stack([self.fx * x + self.skew * y + self.cx, self.fy * y + self.cy], axis=-1)

    def to_rays(self, pixels: ArrayLike) -> Array:
        """Directions (..., 3) of depth 1 in the camera's frame that pixels (..., 2) show; NaN where there is none."""
        u, v = np.moveaxis(np.asarray(pixels, float), -1, 0)
        y = (v - self.cy) / self.fy
        return self._lens.to_rays(np.stack([(u - self.cx - self.skew * y) / self.fx, y], axis=-1))


@dataclass(frozen=True)
class ColmapLens:
    """A lens that one of COLMAP's models has as it is.

    Attributes:
        model: name of the model.
        values: its parameters by their names; others are passed over, absent ones are 0.
    """

    width: int
    height: int
    model: str
    values: Mapping[str, float]

    @property
    def params(self) -> tuple[float, ...]:
        """The parameters in COLMAP's order."""
        return tuple(float(self.values.get(name, 0.0)) for name in CAMERA_MODELS[self.model])

    @property
    def bent(self) -> tuple[str, ...]:
        """The model's name where it has distortion, and the parameters of that that are not zero."""
        plain = ("f", "fx", "fy", "cx", "cy", "w", "h")
        used = tuple(name for name in CAMERA_MODELS[self.model] if name not in plain and self.values.get(name))
        return used or (() if self.model in ("PINHOLE", "SIMPLE_PINHOLE", "FULL_OPENCV") else (self.model,))


Lens = BrownLens | ColmapLens


@dataclass(frozen=True, eq=False)
class Pose:
    """World to camera, in COLMAP's axes: a point X lies at R X + t; x right, y down, z forward.

    Raises `InputError` where the rotation is none. What a few digits leave of one is made one.
    """

    rotation: Array
    translation: Array

    def __post_init__(self) -> None:
        rotation, translation = np.asarray(self.rotation, float), np.asarray(self.translation, float)
        if rotation.shape != (3, 3) or translation.shape != (3,):
            raise InputError("its pose is not made of a 3 x 3 rotation and a position")
        if not np.isfinite(rotation).all() or not np.isfinite(translation).all():
            raise InputError("its pose is not finite")
        if np.abs(rotation @ rotation.T - np.eye(3)).max() > _ORTHONORMAL or np.linalg.det(rotation) < 0:
            raise InputError("its pose is no rotation")
        u, _, v = np.linalg.svd(rotation)
        object.__setattr__(self, "rotation", u @ v)
        object.__setattr__(self, "translation", translation)

    @classmethod
    def at(cls, centre: ArrayLike, rotation: ArrayLike) -> Pose:
        """The pose of a camera at `centre` (3,), of which `rotation` takes the world to the camera."""
        turned = cls(np.asarray(rotation, float), np.zeros(3))
        return cls(turned.rotation, -turned.rotation @ np.asarray(centre, float))

    @classmethod
    def of_opengl(cls, matrix: ArrayLike) -> Pose:
        """The pose that a camera-to-world matrix (3, 4) or (4, 4) has whose camera looks along -z, y up."""
        found = np.asarray(matrix, float)
        if found.shape not in ((3, 4), (4, 4)):
            raise InputError("its pose is no 3 x 4 or 4 x 4 matrix")
        return cls.at(found[:3, 3], (found[:3, :3] @ OPENGL).T)

    @property
    def centre(self) -> Array:
        """(3,) place of the camera."""
        return np.asarray(-self.rotation.T @ self.translation)


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Put `what` a message is about before an `InputError` of the block, and make one of missing or damaged values."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{what}: {error}") from None
    except KeyError as error:
        raise InputError(f"{what}: {error.args[0]} is missing") from None
    except (
        ValueError,
        TypeError,
        IndexError,
        AttributeError,
        ArithmeticError,
        SyntaxError,
    ) as error:  # XML's is syntax
        raise InputError(f"{what}: damaged ({error})") from None


OPENGL = np.diag([1.0, -1.0, -1.0])
"""Turns axes of OpenGL's cameras (x right, y up, looking along -z) into COLMAP's, and back."""


@dataclass(frozen=True, eq=False)
class View:
    """An image of the file.

    Attributes:
        name: as the file calls it.
        image: the file with the pixels; None where it is not there.
        pose: None where the image was not aligned.
        lens: None where the image is not there, and with it its size, or where it was not aligned.
        mask: the mask that the file names for it.
    """

    name: str
    image: ImageFile | None
    pose: Pose | None = None
    lens: Lens | None = None
    mask: Path | None = None


@dataclass(frozen=True, eq=False)
class Observed:
    """Points of the world and the pixels where views have them: tie points or markers.

    Attributes:
        positions: (P, 3) in the file's frame; rows of NaN are to be triangulated.
        views: per point the (n,) indices of the views that see it.
        pixels: per point the (n, 2) pixels there.
        colours: (P, 3), white where there are none.
    """

    positions: Array = field(default_factory=lambda: np.zeros((0, 3)))
    views: Sequence[NDArray[np.int64]] = ()
    pixels: Sequence[Array] = ()
    colours: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "positions", np.asarray(self.positions, float).reshape(-1, 3))
        if not len(self.positions) == len(self.views) == len(self.pixels):
            raise ValueError("points, views and pixels are not equally many")

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True, eq=False)
class Scene:
    """All that a file says of its cameras.

    Attributes:
        tool: program and kind of file.
        generation: the version of the file, and which of the format's conventions it has.
        unit: of lengths and of the frame, in words.
        views: in the file's order.
        points: tie points, whose tracks go into the capture.
        markers: points set by hand or found as targets, for checking alone.
        notes: what a user should know beside, a clause each.
        doubts: what may be wrong, likewise.
    """

    tool: str
    generation: str
    unit: str
    views: Sequence[View]
    points: Observed = field(default_factory=Observed)
    markers: Observed = field(default_factory=Observed)
    notes: Sequence[str] = ()
    doubts: Sequence[str] = ()
