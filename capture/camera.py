"""One calibrated view, in COLMAP's conventions and camera models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from capture.errors import InputError

if TYPE_CHECKING:
    from typing import Self  # Python 3.11; Blender before 4.1 runs 3.10

Array = NDArray[np.float64]

# Parameter names per model, in COLMAP's order (colmap.github.io, "Camera Models").
CAMERA_MODELS: dict[str, tuple[str, ...]] = {
    "SIMPLE_PINHOLE": ("f", "cx", "cy"),
    "PINHOLE": ("fx", "fy", "cx", "cy"),
    "SIMPLE_RADIAL": ("f", "cx", "cy", "k1"),
    "RADIAL": ("f", "cx", "cy", "k1", "k2"),
    "OPENCV": ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2"),
    "FULL_OPENCV": ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6"),
}


@dataclass(frozen=True, eq=False)
class Camera:
    """A view: the image file it belongs to, its intrinsics and its world-to-camera pose.

    x right, y down, z forward; a point X of the world lies at R X + t in the camera; the centre of the top left
    pixel is at (0.5, 0.5). Lengths in metres.

    Args:
        name: file name of the image inside the capture's `images/`, subfolders allowed.
        model: one of `CAMERA_MODELS`.
        params: the model's parameters in COLMAP's order, in pixels (distortion without unit).
        rotation: (3, 3) rotation R, world to camera.
        translation: (3,) t, metres.

    Raises:
        InputError: where a value is not finite, R is no rotation, the parameters don't fit the model, or the name
            leads out of `images/` (stages write files of that name, too).

    Example:
        A camera one metre in front of the origin, which looks at it.

        >>> from pixels2points import Camera
        >>> pose = {"rotation": [[1, 0, 0], [0, 0, -1], [0, 1, 0]], "translation": [0, 0, 1]}
        >>> camera = Camera.pinhole("front.png", size=(640, 480), focal=(900, 900), principal=(320, 240), **pose)
        >>> camera.centre.tolist()
        [0.0, -1.0, 0.0]
        >>> pixels, depth = camera.project([[0, 0, 0], [0.1, 0, 0]])
        >>> pixels.tolist(), depth.tolist()
        ([[320.0, 240.0], [410.0, 240.0]], [1.0, 1.0])
    """

    name: str
    width: int
    height: int
    model: str
    params: tuple[float, ...]
    rotation: Array
    translation: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", tuple(float(value) for value in self.params))
        object.__setattr__(self, "rotation", _frozen(self.rotation, (3, 3), self.name, "rotation"))
        object.__setattr__(self, "translation", _frozen(self.translation, (3,), self.name, "translation"))
        self._check()

    def _check(self) -> None:
        path = PurePosixPath(self.name)
        if not path.name or path.is_absolute() or ".." in path.parts or "\0" in self.name:
            raise InputError(f"image name {self.name!r}: must be a file inside the capture's images/; rename it there")
        if self.model not in CAMERA_MODELS:
            known = ", ".join(CAMERA_MODELS)
            raise InputError(f"camera of {self.name}: model {self.model} is not supported; use one of {known}")
        if len(self.params) != len(CAMERA_MODELS[self.model]):
            names = ", ".join(CAMERA_MODELS[self.model])
            raise InputError(f"camera of {self.name}: {self.model} takes {names}, got {len(self.params)} values")
        if not np.isfinite(self.params).all() or min(self.focal) <= 0:
            raise InputError(f"camera of {self.name}: the intrinsics must be finite, the focal length positive")
        if self.width < 1 or self.height < 1:
            raise InputError(f"camera of {self.name}: the size {self.width} x {self.height} holds no pixel")
        if not np.allclose(self.rotation @ self.rotation.T, np.eye(3), atol=1e-5):
            raise InputError(f"camera of {self.name}: its pose is not a rotation; calibrate the capture again")
        if np.linalg.det(self.rotation) < 0:
            raise InputError(f"camera of {self.name}: its pose mirrors the world; calibrate the capture again")

    @classmethod
    def pinhole(
        cls,
        name: str,
        size: tuple[int, int],
        focal: tuple[float, float],
        principal: tuple[float, float],
        rotation: ArrayLike,
        translation: ArrayLike,
    ) -> Camera:
        """A camera without distortion.

        Args:
            name: file name of the image.
            size: (width, height), pixels.
            focal: (fx, fy), pixels.
            principal: (cx, cy), pixels.
            rotation: (3, 3), world to camera.
            translation: (3,), metres.
        """
        params = (*focal, *principal)
        pose = np.asarray(rotation, float), np.asarray(translation, float)
        return cls(name, int(size[0]), int(size[1]), "PINHOLE", params, *pose)

    def to_json(self) -> dict[str, Any]:
        """The camera as JSON, as a shard's `capture.json` lists them."""
        return {
            "name": self.name,
            "width": self.width,
            "height": self.height,
            "model": self.model,
            "params": list(self.params),
            "rotation": self.rotation.tolist(),
            "translation": self.translation.tolist(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; raises `InputError` where a field is missing."""
        try:
            size = value["name"], int(value["width"]), int(value["height"])
            return cls(*size, value["model"], tuple(value["params"]), value["rotation"], value["translation"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"damaged camera record: {error}; pack the data set again") from None

    @cached_property
    def _named(self) -> dict[str, float]:
        return dict(zip(CAMERA_MODELS[self.model], self.params, strict=True))

    @property
    def focal(self) -> tuple[float, float]:
        """(fx, fy) in pixels."""
        single = self._named.get("f", 0.0)
        return self._named.get("fx", single), self._named.get("fy", single)

    @property
    def principal(self) -> tuple[float, float]:
        """(cx, cy) in pixels."""
        return self._named["cx"], self._named["cy"]

    @property
    def distorted(self) -> bool:
        """Whether any distortion coefficient is other than zero."""
        return any(value != 0 for key, value in self._named.items() if key[0] in "kp")

    @property
    def matrix(self) -> Array:
        """(3, 3) calibration matrix K, without distortion."""
        (fx, fy), (cx, cy) = self.focal, self.principal
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])

    @property
    def centre(self) -> Array:
        """(3,) position of the camera in the world, metres."""
        return np.asarray(-self.rotation.T @ self.translation)

    @property
    def direction(self) -> Array:
        """(3,) unit vector of the optical axis in the world."""
        return np.asarray(self.rotation[2])

    def project(self, points: ArrayLike) -> tuple[Array, Array]:
        """Pixels and depths of points of the world.

        Args:
            points: (..., 3) metres.

        Returns:
            pixels (..., 2) and depth (...,) along the optical axis in metres. Points at or behind the camera get
            NaN pixels; points outside the frame get pixels outside `[0, width) x [0, height)`.
        """
        local = np.asarray(points, float) @ self.rotation.T + self.translation
        depth = local[..., 2]
        ahead = depth > 0
        divisor = depth if ahead.all() else np.where(ahead, depth, np.nan)
        normalised = np.empty((*depth.shape, 2))
        for i in (0, 1):  # column by column: NumPy is slow along axes of two
            np.divide(local[..., i], divisor, out=normalised[..., i])
        pixels = self._distort(normalised)
        for i, (focal, principal) in enumerate(zip(self.focal, self.principal, strict=True)):
            pixels[..., i] *= focal
            pixels[..., i] += principal
        return pixels, depth

    def unproject(self, pixels: ArrayLike, depth: ArrayLike) -> Array:
        """Points of the world at `depth` (metres along the optical axis) behind the pixels.

        Args:
            pixels: (..., 2).
            depth: (...,) or a scalar.

        Returns:
            (..., 3) metres.
        """
        normalised = self._undistort((np.asarray(pixels, float) - self.principal) / self.focal)
        local = np.concatenate([normalised, np.ones_like(normalised[..., :1])], axis=-1)
        local = local * np.asarray(depth, float)[..., None]
        return np.asarray((local - self.translation) @ self.rotation)

    def inside(self, pixels: ArrayLike) -> NDArray[np.bool_]:
        """(...,) whether pixels (..., 2) lie in the frame; NaN doesn't."""
        pixels = np.asarray(pixels, float)
        x, y = pixels[..., 0], pixels[..., 1]  # column by column: a third of the time of `all` over pairs
        return np.asarray((x >= 0) & (x < self.width) & (y >= 0) & (y < self.height))

    def resized(self, width: int, height: int) -> Camera:
        """The same view in an image of another size."""
        sx, sy = width / self.width, height / self.height
        (fx, fy), (cx, cy) = self.focal, self.principal
        if not self.distorted:
            scaled = (fx * sx, fy * sy), (cx * sx, cy * sy)
            return Camera.pinhole(self.name, (width, height), *scaled, self.rotation, self.translation)
        coefficients = [self._named.get(key, 0.0) for key in CAMERA_MODELS["FULL_OPENCV"][4:]]
        params = (fx * sx, fy * sy, cx * sx, cy * sy, *coefficients)
        return Camera(self.name, width, height, "FULL_OPENCV", params, self.rotation, self.translation)

    def _distort(self, normalised: Array) -> Array:
        """OpenCV's rational and tangential distortion of normalised coordinates (..., 2)."""
        if not self.distorted:
            return normalised
        k = [self._named.get(f"k{i}", 0.0) for i in range(1, 7)]
        p1, p2 = self._named.get("p1", 0.0), self._named.get("p2", 0.0)
        x, y = normalised[..., 0], normalised[..., 1]
        r2 = x * x + y * y
        radial = (1 + r2 * (k[0] + r2 * (k[1] + r2 * k[2]))) / (1 + r2 * (k[3] + r2 * (k[4] + r2 * k[5])))
        dx = 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
        dy = p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
        return np.stack([x * radial + dx, y * radial + dy], axis=-1)

    def _undistort(self, distorted: Array) -> Array:
        """The inverse of `_distort`, by Newton's method on a numerical Jacobian."""
        if not self.distorted:
            return distorted
        guess, step = distorted.copy(), 1e-6
        dx, dy = np.array([step, 0.0]), np.array([0.0, step])
        for _ in range(20):
            residual = self._distort(guess) - distorted
            if np.nanmax(np.abs(residual), initial=0.0) < 1e-12:
                break
            jx = (self._distort(guess + dx) - self._distort(guess - dx)) / (2 * step)
            jy = (self._distort(guess + dy) - self._distort(guess - dy)) / (2 * step)
            guess = guess - np.linalg.solve(np.stack([jx, jy], axis=-1), residual[..., None])[..., 0]
        return guess


def _frozen(value: ArrayLike, shape: tuple[int, ...], name: str, what: str) -> Array:
    """A read-only float64 copy; raises `InputError` where the shape is another or a value is not finite."""
    array = np.array(value, dtype=np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise InputError(f"camera of {name}: its {what} must be {shape} finite numbers; calibrate the capture again")
    array.setflags(write=False)
    return array
