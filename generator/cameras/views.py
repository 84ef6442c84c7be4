"""The views of a rig, as a record and as users write them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from capture import InputError
from capture.geometry import Floats

_KEYS = ("azimuth", "elevation", "distance", "position", "look_at", "focal_px", "focal_mm", "sensor_mm", "resolution")


@dataclass(frozen=True)
class ViewSpec:
    """One camera.

    Attributes:
        azimuth: of the camera seen from the head, degrees, 0 in front, 90 on the subject's left.
        elevation: degrees, up is positive.
        distance: to the centre of the head, metres; None for the rig's.
        look_at: (3,) the point it looks at, metres from the centre of the head.
        focal: focal length in widths of the image; None: as long as the head fits.
        size: width and height of the image in pixels; None for what the run says.
    """

    azimuth: float = 0.0
    elevation: float = 0.0
    distance: float | None = None
    look_at: tuple[float, float, float] = (0.0, 0.0, 0.0)
    focal: float | None = None
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not -90 <= self.elevation <= 90:
            raise InputError(f"rig: elevation {self.elevation}; use -90 to 90 degrees")
        if self.distance is not None and not 0.3 <= self.distance <= 20:
            raise InputError(f"rig: a camera {self.distance:.3g} m from the head's centre; use 0.3 to 20 m")
        if self.focal is not None and not 0.05 <= self.focal <= 100:
            raise InputError(f"rig: focal length of {self.focal:.4g} widths of the image; use 0.05 to 100")
        if self.size is not None and not all(16 <= side <= 8192 for side in self.size):
            raise InputError(f"rig: resolution {self.size[0]} x {self.size[1]}; use 16 to 8192 pixels")


def direction(azimuth: float, elevation: float) -> Floats:
    """(3,) unit vector from the head to the camera; angles in degrees."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])


def place(view: ViewSpec, distance: float) -> Floats:
    """(3,) where a camera stands, metres from the centre of the head; `distance` is the rig's."""
    return direction(view.azimuth, view.elevation) * (view.distance or distance)


def read_views(views: Any, shared: Mapping[str, Any], where: str) -> tuple[ViewSpec, ...]:
    """Views as users write them; `shared` holds what a view doesn't say itself, `where` starts errors."""
    if not isinstance(views, Sequence) or isinstance(views, str) or not views:
        raise InputError(f"{where}: views: it has none; give a list such as `[{{azimuth: 0, elevation: 0}}]`")
    return tuple(_read_view(view, shared, f"{where}: views[{index}]") for index, view in enumerate(views))


def _read_view(value: Any, shared: Mapping[str, Any], where: str) -> ViewSpec:
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        value = {"azimuth": value[0], "elevation": value[1]}
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: {value!r}; give an object, or azimuth and elevation as a list")
    if unknown := sorted(map(str, set(value) - set(_KEYS))):
        raise InputError(f"{where}: unknown {', '.join(unknown)}; a view has {', '.join(_KEYS)}")
    given = {name: item for name, item in shared.items() if not _replaced(name, value)} | dict(value)
    azimuth, elevation, distance = _stand(given, where)
    size = _size(given["resolution"], where) if "resolution" in given else None
    aim = _point(given.get("look_at", (0.0, 0.0, 0.0)), f"{where}: look_at")
    try:
        return ViewSpec(azimuth, elevation, distance, aim, _focal(given, size, where), size)
    except InputError as error:
        raise InputError(f"{where}: {str(error).removeprefix('rig: ')}") from None


def _replaced(name: str, view: Mapping[str, Any]) -> bool:
    """True where a view has its own focal length instead of the shared one, in either unit."""
    return (name == "focal_px" and "focal_mm" in view) or (name == "focal_mm" and "focal_px" in view)


def _stand(given: Mapping[str, Any], where: str) -> tuple[float, float, float | None]:
    """Azimuth, elevation and distance."""
    if "position" not in given:
        if "azimuth" not in given:
            raise InputError(f"{where}: it stands nowhere; give azimuth and elevation, or a position")
        angles = (_number(given.get(name, 0.0), f"{where}: {name}") for name in ("azimuth", "elevation"))
        return *angles, _number(given["distance"], f"{where}: distance") if "distance" in given else None  # type: ignore[return-value]
    if twice := [name for name in ("azimuth", "elevation", "distance") if name in given]:
        raise InputError(f"{where}: both position and {', '.join(twice)}; give one or the other")
    x, y, z = _point(given["position"], f"{where}: position")
    distance = math.sqrt(x * x + y * y + z * z)
    if distance < 1e-3:
        raise InputError(f"{where}: it stands in the centre of the head; use 0.3 m or more")
    azimuth, elevation = math.degrees(math.atan2(x, -y)), math.degrees(math.asin(max(-1.0, min(1.0, z / distance))))
    return round(azimuth, 9), round(elevation, 9), round(distance, 9)


def _focal(given: Mapping[str, Any], size: tuple[int, int] | None, where: str) -> float | None:
    """In widths of the image."""
    if "focal_px" in given and "focal_mm" in given:
        raise InputError(f"{where}: both focal_px and focal_mm; give one of them")
    if "focal_px" in given:
        if size is None:
            raise InputError(f"{where}: focal_px needs the resolution that it was measured at beside it")
        return round(_number(given["focal_px"], f"{where}: focal_px") / size[0], 12)
    if "focal_mm" in given:
        if "sensor_mm" not in given:
            raise InputError(f"{where}: focal_mm needs the width of the sensor beside it, such as sensor_mm: 36")
        sensor = _number(given["sensor_mm"], f"{where}: sensor_mm")
        if sensor <= 0:
            raise InputError(f"{where}: sensor_mm {sensor}; the width of a sensor is positive")
        return round(_number(given["focal_mm"], f"{where}: focal_mm") / sensor, 12)
    return None


def _size(value: Any, where: str) -> tuple[int, int]:
    pair = [value, value] if isinstance(value, int) else value
    if not isinstance(pair, Sequence) or len(pair) != 2 or not all(type(side) is int for side in pair):
        raise InputError(f"{where}: resolution {value!r}; give pixels as one number or [width, height]")
    return pair[0], pair[1]


def _point(value: Any, where: str) -> tuple[float, float, float]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 3:
        raise InputError(f"{where}: {value!r}; give [x, y, z] in metres from the centre of the head")
    x, y, z = (_number(item, where) for item in value)
    return x, y, z


def _number(value: Any, where: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise InputError(f"{where}: {value!r}; a number is needed")
    return float(value)
