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
from capture.lens_models import LENS_MODELS, Lens

if TYPE_CHECKING:
    from typing import Self  # Python 3.11; Blender before 4.1 runs 3.10

Array = NDArray[np.float64]

# Parameter names per model, in COLMAP's order (colmap.github.io, "Camera Models").
CAMERA_MODELS: dict[str, tuple[str, ...]] = {name: model.parameters for name, model in LENS_MODELS.items()}


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
        if not 0 <= self._named.get("alpha", 0.0) <= 1 or self._named.get("beta", 1.0) <= 0:
            raise InputError(f"camera of {self.name}: {self.model} takes alpha from 0 to 1 and a positive beta")
        if abs(self._named.get("omega", 0.0)) >= np.pi:
            raise InputError(f"camera of {self.name}: omega of {self.model} is an angle below 180 degrees, in radians")
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

    @cached_property
    def _lens(self) -> Lens:
        return LENS_MODELS[self.model].lens(self._named)

    @property
    def focal(self) -> tuple[float, float]:
        """(fx, fy) in pixels: what a small angle next to the optical axis measures, per radian."""
        if self.panoramic:
            return self._named["w"] / (2 * np.pi), self._named["h"] / np.pi
        single = self._named.get("f", 0.0)
        return self._named.get("fx", single), self._named.get("fy", single)

    @property
    def principal(self) -> tuple[float, float]:
        """(cx, cy) in pixels."""
        if self.panoramic:
            return self._named["w"] / 2, self._named["h"] / 2
        return self._named["cx"], self._named["cy"]

    @property
    def distorted(self) -> bool:
        """Whether straight lines have images that are not straight, as no pinhole's are."""
        return not self._lens.straight

    @property
    def panoramic(self) -> bool:
        """Whether the image shows all directions: no camera without distortion can stand for it."""
        return self.model == "EQUIRECTANGULAR"

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

    @property
    def up(self) -> Array:
        """(3,) unit vector towards the top of the image in the world."""
        return np.asarray(-self.rotation[1])

    def project(self, points: ArrayLike) -> tuple[Array, Array]:
        """Pixels and depths of points of the world.

        Args:
            points: (..., 3) metres.

        Returns:
            pixels (..., 2) and depth (...,) along the optical axis in metres. Points outside the frame get pixels
            outside `[0, width) x [0, height)`; points that the lens has no image of get NaN: at or behind the camera
            (but for panoramas and division models of more than 180 degrees), or so far aside that the distortion would
            fold them back.
        """
        local = np.asarray(points, float) @ self.rotation.T + self.translation
        pixels = self._lens.to_plane(local)
        for i, (focal, principal) in enumerate(zip(self.focal, self.principal, strict=True)):
            pixels[..., i] *= focal
            pixels[..., i] += principal
        return pixels, local[..., 2]

    def unproject(self, pixels: ArrayLike, depth: ArrayLike) -> Array:
        """Points of the world at `depth` (metres along the optical axis) behind the pixels.

        Args:
            pixels: (..., 2).
            depth: (...,) or a scalar.

        Returns:
            (..., 3) metres; NaN for pixels that show nothing, or nothing ahead of the camera.
        """
        local = self._local_rays(pixels)
        if self.distorted:
            with np.errstate(invalid="ignore", divide="ignore"):
                local = np.where(local[..., 2:] > 0, local / local[..., 2:], np.nan)
        local = local * np.asarray(depth, float)[..., None]
        return np.asarray((local - self.translation) @ self.rotation)

    def rays(self, pixels: ArrayLike) -> Array:
        """Unit vectors (..., 3) of the world from the camera's centre to what the pixels (..., 2) show.

        NaN for pixels that show nothing. Unlike `unproject`, for all that a panorama sees.
        """
        local = self._local_rays(pixels)
        return np.asarray(local @ self.rotation / np.linalg.norm(local, axis=-1, keepdims=True))

    def _local_rays(self, pixels: ArrayLike) -> Array:
        """Directions (..., 3) in the camera's frame; of depth 1 for a pinhole."""
        return self._lens.to_rays((np.asarray(pixels, float) - self.principal) / self.focal)

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
        model = LENS_MODELS[self.model].general
        values = self._named | {"fx": fx * sx, "fy": fy * sy, "cx": cx * sx, "cy": cy * sy}
        values |= {"w": self._named.get("w", 0.0) * sx, "h": self._named.get("h", 0.0) * sy}
        params = tuple(values.get(key, 0.0) for key in CAMERA_MODELS[model])
        return Camera(self.name, width, height, model, params, self.rotation, self.translation)


def _frozen(value: ArrayLike, shape: tuple[int, ...], name: str, what: str) -> Array:
    """A read-only float64 copy; raises `InputError` where the shape is another or a value is not finite."""
    array = np.array(value, dtype=np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise InputError(f"camera of {name}: its {what} must be {shape} finite numbers; calibrate the capture again")
    array.setflags(write=False)
    return array
