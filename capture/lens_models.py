"""COLMAP's lens models: from directions in the camera's frame to the image plane, and back.

The image plane is in units of the focal length, with the principal point at the origin. A direction that a lens has no
image of is NaN there, and so is the direction of a place that shows nothing. As in COLMAP, all lenses but division and
equirectangular ones see what lies ahead of the camera only, be their image of 180 degrees or more.

Sources: colmap.github.io, "Camera Models"; the papers that the classes name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_TOLERANCE = 1e-12  # of the inverse, in focal lengths: far below a millionth of a pixel
_SAMPLES = 2048  # of the angle to the axis, for the first guess of the inverse


@dataclass(frozen=True)
class Distortion:
    """Radial, tangential and thin-prism distortion of a plane (Weng et al. 1992, and OpenCV's rational form).

    Attributes:
        numerator, denominator: of the radial factor, coefficients of r^2, r^4, ...
        tangential: p1 and p2.
        prism: coefficients of r^2 and r^4 in x, then in y.
        nested: tangential and prism terms are of the place after the radial factor, not before it.
    """

    numerator: tuple[float, ...] = ()
    denominator: tuple[float, ...] = ()
    tangential: tuple[float, float] = (0.0, 0.0)
    prism: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    nested: bool = False

    @property
    def nothing(self) -> bool:
        """Whether it leaves every place where it is."""
        return not any((*self.numerator, *self.denominator, *self.tangential, *self.prism))

    def __call__(self, plane: Array) -> Array:
        """The distorted places of (..., 2)."""
        x, y = plane[..., 0], plane[..., 1]
        r2 = np.asarray(x * x + y * y, np.float64)
        radial = self.radial(r2)
        far_x, far_y = x * radial, y * radial
        if self.nested:
            x, y = far_x, far_y
            r2 = x * x + y * y
        p1, p2 = self.tangential
        dx = 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
        dy = p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
        if any(self.prism):
            x1, x2, y1, y2 = self.prism
            dx, dy = dx + r2 * (x1 + r2 * x2), dy + r2 * (y1 + r2 * y2)
        return np.stack([far_x + dx, far_y + dy], axis=-1)

    def radial(self, r2: Array) -> Array:
        """The radial factor at squared radii."""
        above = 1 + r2 * _polynomial(self.numerator, r2)
        return np.asarray(above / (1 + r2 * _polynomial(self.denominator, r2)) if self.denominator else above)

    def inverse(self, distorted: Array, radii: Array) -> Array:
        """The places (..., 2) that are distorted to these, by Newton's method on a numerical Jacobian.

        Args:
            distorted: (..., 2).
            radii: (S,) increasing, from 0 on: the undistorted radii at which the lens can be inverted.

        Returns:
            (..., 2); NaN where there is none within those radii.
        """
        radius = np.linalg.norm(distorted, axis=-1)
        near = np.interp(radius, radii * self.radial(radii * radii), radii)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            guess = distorted * np.where(radius > 0, near / radius, 1.0)[..., None]
            step = 1e-6
            dx, dy = np.array([step, 0.0]), np.array([0.0, step])
            for _ in range(20):
                residual = self(guess) - distorted
                if np.nanmax(np.abs(residual), initial=0.0) < _TOLERANCE:
                    break
                (a, c), (b, d) = (
                    np.moveaxis((self(guess + way) - self(guess - way)) / (2 * step), -1, 0) for way in (dx, dy)
                )
                u, v = residual[..., 0], residual[..., 1]
                guess = guess - np.stack([d * u - b * v, a * v - c * u], axis=-1) / (a * d - b * c)[..., None]
            missed = np.abs(self(guess) - distorted).max(axis=-1)
            beyond = np.linalg.norm(guess, axis=-1) > radii[-1] * 1.01
        guess[~(missed < 1e-9) | beyond] = np.nan
        return guess


def _polynomial(coefficients: Sequence[float], x: Array) -> Array | float:
    """c1 + c2 x + c3 x^2 + ... by Horner's rule."""
    found: Array | float = 0.0
    for coefficient in reversed(coefficients):
        found = coefficient + x * found
    return found


class Lens:
    """A lens: its projection onto the image plane."""

    straight = False  # whether straight lines have straight images, as a pinhole's have

    def to_plane(self, points: Array) -> Array:
        """Places (..., 2) on the image plane of points (..., 3) in the camera's frame; a new array."""
        raise NotImplementedError

    def to_rays(self, plane: Array) -> Array:
        """Directions (..., 3) in the camera's frame, of any length, behind places (..., 2) on the image plane."""
        raise NotImplementedError


@dataclass(frozen=True)
class Perspective(Lens):
    """A pinhole, with or without distortion."""

    distortion: Distortion

    @property
    def straight(self) -> bool:  # type: ignore[override]
        return self.distortion.nothing

    @cached_property
    def _radii(self) -> Array:
        """Distances from the axis over depth up to which a larger one has its image further out."""
        return _increasing(self.distortion, np.tan(np.linspace(0, np.radians(89.9), _SAMPLES)))

    def to_plane(self, points: Array) -> Array:
        plane = _perspective(points)
        if self.straight:
            return plane
        folded = np.einsum("...k,...k->...", plane, plane) > self._radii[-1] ** 2
        with np.errstate(over="ignore", invalid="ignore"):
            plane = self.distortion(plane)
        plane[folded] = np.nan
        return plane

    def to_rays(self, plane: Array) -> Array:
        if not self.straight:
            plane = self.distortion.inverse(plane, self._radii)
        return np.concatenate([plane, np.ones_like(plane[..., :1])], axis=-1)


@dataclass(frozen=True)
class Equidistant(Lens):
    """A fisheye whose radius is the angle to the axis, then distorted (Kannala and Brandt 2006)."""

    distortion: Distortion

    @cached_property
    def _angles(self) -> Array:
        return _increasing(self.distortion, np.linspace(0, np.pi / 2, _SAMPLES))

    def to_plane(self, points: Array) -> Array:
        plane = _perspective(points)
        radius = np.linalg.norm(plane, axis=-1)
        angle = np.arctan(radius)
        plane *= _ratio(angle, radius)[..., None]
        if not self.distortion.nothing:
            plane = self.distortion(plane)
        plane[angle > self._angles[-1]] = np.nan
        return plane

    def to_rays(self, plane: Array) -> Array:
        if not self.distortion.nothing:
            plane = self.distortion.inverse(plane, self._angles)
        angle = np.linalg.norm(plane, axis=-1)
        ahead = angle < np.pi / 2
        sine = np.where(ahead, np.sin(angle), np.nan)
        return np.concatenate([plane * _ratio(sine, angle)[..., None], np.cos(angle)[..., None]], axis=-1)


@dataclass(frozen=True)
class FieldOfView(Lens):
    """Devernay and Faugeras (2001): the radius grows with an angle."""

    omega: float

    @property
    def straight(self) -> bool:  # type: ignore[override]
        return self.omega == 0

    @property
    def _slope(self) -> float:
        return 2 * np.tan(self.omega / 2)

    def to_plane(self, points: Array) -> Array:
        plane = _perspective(points)
        if self.straight:
            return plane
        radius = np.linalg.norm(plane, axis=-1)
        limit = self._slope / self.omega
        return plane * _ratio(np.arctan(radius * self._slope) / self.omega, radius, limit)[..., None]

    def to_rays(self, plane: Array) -> Array:
        if not self.straight:
            radius = np.linalg.norm(plane, axis=-1)
            angle = np.where(radius * abs(self.omega) < np.pi / 2, radius * self.omega, np.nan)
            plane = plane * _ratio(np.tan(angle) / self._slope, radius, self.omega / self._slope)[..., None]
        return np.concatenate([plane, np.ones_like(plane[..., :1])], axis=-1)


@dataclass(frozen=True)
class Division(Lens):
    """Fitzgibbon (2001): the undistorted place is the distorted one over 1 + k r^2."""

    k: float

    @property
    def straight(self) -> bool:  # type: ignore[override]
        return self.k == 0

    def to_plane(self, points: Array) -> Array:
        if self.straight:
            return _perspective(points)
        x, y, depth = points[..., 0], points[..., 1], points[..., 2]
        with np.errstate(invalid="ignore", divide="ignore"):
            divisor = depth + np.sqrt(depth * depth - 4 * self.k * (x * x + y * y))
            scale = np.where(divisor > 0, 2 / divisor, np.nan)
        return np.asarray(points[..., :2] * scale[..., None])

    def to_rays(self, plane: Array) -> Array:
        r2 = np.einsum("...k,...k->...", plane, plane)
        depth = np.where(self.k * r2 < 1, 1 + self.k * r2, np.nan)  # beyond, the same directions come again
        return np.concatenate([plane, depth[..., None]], axis=-1)


@dataclass(frozen=True)
class Unified(Lens):
    """The enhanced unified camera model of Khomutenko, Garcia and Martinet (2016)."""

    alpha: float
    beta: float

    @property
    def straight(self) -> bool:  # type: ignore[override]
        return self.alpha == 0

    def to_plane(self, points: Array) -> Array:
        x, y, depth = points[..., 0], points[..., 1], points[..., 2]
        far = np.sqrt(self.beta * (x * x + y * y) + depth * depth)
        divisor = np.where(depth > 0, self.alpha * far + (1 - self.alpha) * depth, np.nan)
        return np.asarray(points[..., :2] / divisor[..., None])

    def to_rays(self, plane: Array) -> Array:
        r2 = self.beta * np.einsum("...k,...k->...", plane, plane)
        with np.errstate(invalid="ignore"):
            root = np.sqrt(1 - (2 * self.alpha - 1) * r2)
        depth = (1 - self.alpha**2 * r2) / (self.alpha * root + 1 - self.alpha)
        return np.concatenate([plane, np.where(depth > 0, depth, np.nan)[..., None]], axis=-1)


@dataclass(frozen=True)
class Equirectangular(Lens):
    """A panorama: longitude to the right, latitude downwards, in radians; it sees all around."""

    def to_plane(self, points: Array) -> Array:
        x, y, depth = points[..., 0], points[..., 1], points[..., 2]
        plane = np.stack([np.arctan2(x, depth), np.arctan2(y, np.hypot(x, depth))], axis=-1)
        plane[~points.any(axis=-1)] = np.nan
        return plane

    def to_rays(self, plane: Array) -> Array:
        across, down = plane[..., 0], plane[..., 1]
        return np.stack([np.cos(down) * np.sin(across), np.sin(down), np.cos(down) * np.cos(across)], axis=-1)


def _perspective(points: Array) -> Array:
    """x / z and y / z (..., 2) of points (..., 3), NaN at or behind the camera; a new array."""
    depth = points[..., 2]
    ahead = depth > 0
    divisor = depth if ahead.all() else np.where(ahead, depth, np.nan)
    plane = np.empty((*depth.shape, 2))
    for i in (0, 1):  # column by column: NumPy is slow along axes of two
        np.divide(points[..., i], divisor, out=plane[..., i])
    return plane


def _ratio(above: Array, below: Array, limit: float = 1.0) -> Array:
    """`above / below`; `limit` where both are next to nothing."""
    small = below < 1e-12
    return np.where(small, limit, above / np.where(small, 1.0, below))


def _increasing(distortion: Distortion, radii: Array) -> Array:
    """The radii up to which the distorted ones increase: further out, a lens of this distortion would fold."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        distorted = radii * distortion.radial(radii * radii)
        last = np.flatnonzero(~(np.diff(distorted) > 0))
    return radii[: last[0] + 1] if len(last) else radii


@dataclass(frozen=True)
class LensModel:
    """A lens model of COLMAP's.

    Attributes:
        number: COLMAP's, as in binary files.
        parameters: names in COLMAP's order; focal length and principal point in pixels, the others without unit.
        lens: makes the lens of the parameters by their names.
        general: the model of the same kind that has two focal lengths.
    """

    number: int
    parameters: tuple[str, ...]
    lens: Callable[[Mapping[str, float]], Lens]
    general: str


def _values(given: Mapping[str, float], names: str) -> tuple[float, ...]:
    return tuple(given.get(name, 0.0) for name in names.split())


def _perspective_lens(given: Mapping[str, float]) -> Lens:
    p1, p2 = _values(given, "p1 p2")
    return Perspective(Distortion(_values(given, "k1 k2 k3"), _values(given, "k4 k5 k6"), (p1, p2)))


def _fisheye_lens(given: Mapping[str, float]) -> Lens:
    (p1, p2), (x, y) = _values(given, "p1 p2"), _values(given, "sx1 sy1")
    return Equidistant(Distortion(_values(given, "k1 k2 k3 k4"), (), (p1, p2), (x, 0.0, y, 0.0)))


def _nested_fisheye_lens(given: Mapping[str, float]) -> Lens:
    (p0, p1), (x1, x2, y1, y2) = _values(given, "p0 p1"), _values(given, "s0 s1 s2 s3")
    return Equidistant(Distortion(_values(given, "k0 k1 k2 k3 k4 k5"), (), (p1, p0), (x1, x2, y1, y2), nested=True))


def _field_of_view_lens(given: Mapping[str, float]) -> Lens:
    return FieldOfView(given["omega"])


def _division_lens(given: Mapping[str, float]) -> Lens:
    return Division(given["k"])


def _unified_lens(given: Mapping[str, float]) -> Lens:
    return Unified(given["alpha"], given["beta"])


def _equirectangular_lens(given: Mapping[str, float]) -> Lens:
    return Equirectangular()


def _model(number: int, names: str, lens: Callable[[Mapping[str, float]], Lens], general: str) -> LensModel:
    return LensModel(number, tuple(names.split()), lens, general)


LENS_MODELS: dict[str, LensModel] = {
    "SIMPLE_PINHOLE": _model(0, "f cx cy", _perspective_lens, "FULL_OPENCV"),
    "PINHOLE": _model(1, "fx fy cx cy", _perspective_lens, "FULL_OPENCV"),
    "SIMPLE_RADIAL": _model(2, "f cx cy k1", _perspective_lens, "FULL_OPENCV"),
    "RADIAL": _model(3, "f cx cy k1 k2", _perspective_lens, "FULL_OPENCV"),
    "OPENCV": _model(4, "fx fy cx cy k1 k2 p1 p2", _perspective_lens, "FULL_OPENCV"),
    "FULL_OPENCV": _model(6, "fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6", _perspective_lens, "FULL_OPENCV"),
    "FOV": _model(7, "fx fy cx cy omega", _field_of_view_lens, "FOV"),
    "SIMPLE_FISHEYE": _model(14, "f cx cy", _fisheye_lens, "FISHEYE"),
    "FISHEYE": _model(15, "fx fy cx cy", _fisheye_lens, "FISHEYE"),
    "SIMPLE_RADIAL_FISHEYE": _model(8, "f cx cy k1", _fisheye_lens, "OPENCV_FISHEYE"),
    "RADIAL_FISHEYE": _model(9, "f cx cy k1 k2", _fisheye_lens, "OPENCV_FISHEYE"),
    "OPENCV_FISHEYE": _model(5, "fx fy cx cy k1 k2 k3 k4", _fisheye_lens, "OPENCV_FISHEYE"),
    "THIN_PRISM_FISHEYE": _model(10, "fx fy cx cy k1 k2 p1 p2 k3 k4 sx1 sy1", _fisheye_lens, "THIN_PRISM_FISHEYE"),
    "RAD_TAN_THIN_PRISM_FISHEYE": _model(
        11,
        "fx fy cx cy k0 k1 k2 k3 k4 k5 p0 p1 s0 s1 s2 s3",
        _nested_fisheye_lens,
        "RAD_TAN_THIN_PRISM_FISHEYE",
    ),
    "SIMPLE_DIVISION": _model(12, "f cx cy k", _division_lens, "DIVISION"),
    "DIVISION": _model(13, "fx fy cx cy k", _division_lens, "DIVISION"),
    "EUCM": _model(16, "fx fy cx cy alpha beta", _unified_lens, "EUCM"),
    "EQUIRECTANGULAR": _model(17, "w h", _equirectangular_lens, "EQUIRECTANGULAR"),
}
