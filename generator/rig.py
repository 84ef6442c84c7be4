"""Where the cameras stand: the default rig of 13 views.

A row of seven at the height of the head from profile to profile, three from above and three from below. Along the
row neighbours are 30 degrees apart, and every raised or lowered view has one within 29 degrees: narrow enough for
stereo, wide enough to cover ear to ear, the chin from below and the crown from above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assets.draw import Draw
from capture import Camera, InputError

# Azimuth (to the subject's left, +X) and elevation, degrees.
DEFAULT_DIRECTIONS: tuple[tuple[float, float], ...] = (
    (-90.0, 0.0), (-60.0, 0.0), (-30.0, 0.0), (0.0, 0.0), (30.0, 0.0), (60.0, 0.0), (90.0, 0.0),
    (-45.0, 25.0), (0.0, 25.0), (45.0, 25.0), (-45.0, -25.0), (0.0, -25.0), (45.0, -25.0),
)  # fmt: skip


@dataclass(frozen=True)
class RigSpec:
    """A rig around a head.

    Attributes:
        directions: (azimuth, elevation) of each view in degrees; azimuth 0 is in front, 90 the subject's left.
        distance: from the centre of the head to each camera, metres.
        jitter: per view (azimuth, elevation) in degrees added to its direction, (relative distance), and the shift
            (x, y) of the aim in fractions of the framed radius; empty for none.
        margin: framed radius / radius of the head.
    """

    directions: tuple[tuple[float, float], ...] = DEFAULT_DIRECTIONS
    distance: float = 1.2
    jitter: tuple[tuple[float, float, float, float, float], ...] = ()
    margin: float = 1.06

    def __post_init__(self) -> None:
        if not self.directions:
            raise InputError("rig: it has no views; give at least one direction")
        if self.jitter and len(self.jitter) != len(self.directions):
            raise InputError(f"rig: jitter for {len(self.jitter)} views, but {len(self.directions)} directions")
        if not 0.3 <= self.distance <= 20:
            raise InputError(f"rig: distance {self.distance} m; use one between 0.3 and 20")


def sample_rig(draw: Draw) -> RigSpec:
    """The default directions with the small errors of a real rig."""
    rng = draw.rng
    count = len(DEFAULT_DIRECTIONS)
    angles = rng.uniform(-1.5, 1.5, (count, 2))
    distance = rng.uniform(-0.01, 0.01, (count, 1))
    aim = rng.uniform(-0.015, 0.015, (count, 2))
    rows = np.round(np.concatenate([angles, distance, aim], axis=1), 6)
    return RigSpec(distance=round(float(rng.uniform(1.1, 1.3)), 4), jitter=tuple((*map(float, row),) for row in rows))  # type: ignore[misc]


def rig_cameras(spec: RigSpec, centre: ArrayLike, radius: float, resolution: int | tuple[int, int]) -> list[Camera]:
    """The cameras of a rig.

    Args:
        spec: the rig.
        centre: (3,) centre of the head, metres.
        radius: of the sphere to frame, metres.
        resolution: pixels, (width, height) or one number for both.

    Returns:
        N cameras named view_00.png, view_01.png, ...
    """
    size = (resolution, resolution) if isinstance(resolution, int) else resolution
    middle = np.asarray(centre, float)
    focal = _focal(spec, radius, min(size))
    cameras = []
    for index, (azimuth, elevation) in enumerate(spec.directions):
        d_azimuth, d_elevation, d_distance, *aim = spec.jitter[index] if spec.jitter else (0.0,) * 5
        outward = _direction(azimuth + d_azimuth, elevation + d_elevation)
        eye = middle + outward * spec.distance * (1 + d_distance)
        right = np.cross([0.0, 0.0, 1.0], outward)
        right /= np.linalg.norm(right)
        target = middle + radius * (aim[0] * right + aim[1] * np.cross(outward, right))
        rotation = look_at(eye, target)
        principal = (size[0] / 2, size[1] / 2)
        name = f"view_{index:02d}.png"
        cameras.append(Camera.pinhole(name, size, (focal, focal), principal, rotation, -rotation @ eye))
    return cameras


def _focal(spec: RigSpec, radius: float, pixels: int) -> float:
    """Focal length in pixels at which the sphere, times the margin, just fits."""
    framed = radius * spec.margin
    if framed >= spec.distance:
        raise InputError(f"rig: cameras {spec.distance} m away stand inside a head of radius {radius:.3f} m")
    tangent = framed / np.sqrt(spec.distance**2 - framed**2)
    return float(pixels / 2 / tangent)


def _direction(azimuth: float, elevation: float) -> NDArray[np.float64]:
    """(3,) unit vector from the head to the camera; angles in degrees."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])


def look_at(eye: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
    """(3, 3) world-to-camera rotation (x right, y down, z forward) of an upright camera, never straight up."""
    forward = np.asarray(target, float) - np.asarray(eye, float)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])
