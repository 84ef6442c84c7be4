"""Light from far away as equirectangular panoramas: those of studios, and what a face receives from any.

Panoramas are (H, W, 3) linear radiance in Blender's layout, the bottom row first; the middle column is +X, and -Y,
where the face looks to, lies a quarter of the width to its right.
"""

from __future__ import annotations

import math

import numpy as np

from capture.geometry import Floats
from generator.components.environment import EnvironmentSpec

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
# Radiance over the face's light above which a panorama is cut: a small sun burns glassy highlights into the skin,
# which glide as the camera moves, and its shadows are harder than anything in a capture studio.
BRIGHTEST = 8.0
WHITE_BALANCE = 0.75  # how much of the light's colour the cameras correct, as real ones do
_STUDIO = (128, 256)  # H, W of the panoramas of studios: panels of a few degrees


def studio_light(spec: EnvironmentSpec) -> Floats:
    """The panorama of a dome or of softboxes."""
    directions = _directions(*_STUDIO)
    return _dome(spec, directions) if spec.lighting == "dome" else _softboxes(spec, directions)


def _dome(spec: EnvironmentSpec, directions: Floats) -> Floats:
    """Panels all around and down to 60 degrees below, with dark seams that eyes and glasses reflect."""
    x, y, z = np.moveaxis(directions, -1, 0)
    elevation, azimuth = np.degrees(np.arcsin(np.clip(z, -1, 1))), np.degrees(np.arctan2(x, -y))
    seams = (np.abs((azimuth + 7.5) % 15 - 7.5) < 1.2) | (np.abs((elevation + 7.5) % 15 - 7.5) < 1.2)
    lit = np.where(seams, 0.1, 1.0) * (elevation > -60)
    toward = _direction(*spec.key)
    lit *= 1 + spec.unevenness * (directions @ toward)
    return np.repeat(lit[..., None], 3, axis=-1)


def _softboxes(spec: EnvironmentSpec, directions: Floats) -> Floats:
    """A main light, a weaker one on the other side, one behind for the outline, and a room that is not black."""
    azimuth, elevation = spec.key
    side = 1.0 if azimuth >= 0 else -1.0
    fill = _direction(-0.8 * azimuth - 15 * side, 0.4 * elevation)
    rim = _direction(azimuth - 150 * side, 35.0)
    half = spec.softness
    light = np.full((*directions.shape[:2], 3), 0.02)
    for toward, angle, power, colour in (
        (_direction(azimuth, elevation), half, 1.0, (1.0, 0.98, 0.95)),
        (fill, 1.2 * half, 1.0 / spec.contrast, (0.96, 0.98, 1.0)),
        (rim, 0.6 * half, 0.6, (1.0, 1.0, 1.0)),
    ):
        box = _box(directions, toward, min(angle, 60.0))
        light += (power * box / box.sum())[..., None] * np.array(colour) * directions[..., 0].size * 0.05
    return light


def _box(directions: Floats, toward: Floats, half: float) -> Floats:
    """(H, W) 1 in a rectangle of `half` degrees to each side (a little taller than wide), with soft edges."""
    right = np.cross([0.0, 0.0, 1.0], toward)
    right /= np.linalg.norm(right)
    depth = directions @ toward
    size = math.tan(math.radians(half))
    with np.errstate(divide="ignore", invalid="ignore"):
        across = np.abs(directions @ right / depth) / size
        along = np.abs(directions @ np.cross(toward, right) / depth) / (1.3 * size)
    edge = np.clip((1 - np.maximum(across, along)) / 0.12, 0, 1)
    return np.where(depth > 0, edge, 0.0)


def limit_radiance(panorama: Floats, rotation: float) -> tuple[float, Floats]:
    """Upper limit of a panorama's radiance, and the light (3,) that the face receives below it.

    The two depend on each other: where a lamp in front gives most of the light, the limit darkens the face, and the
    window behind would outshine it at the same limit. A few rounds are enough.
    """
    height, width, _ = panorama.shape
    shares = face_shares(height, width, rotation)
    light = face_light(panorama, shares)
    for _ in range(5):
        brightest = BRIGHTEST * float(light @ LUMINANCE)
        light = face_light(np.minimum(panorama, brightest), shares)
    return brightest, light


def unevenness(panorama: Floats, rotation: float, fill: float) -> float:
    """Mean square of the radiance below its limit over the square of the mean, over the sphere; 1 for even light.

    `fill` is the share of the face's light that comes evenly from everywhere in addition.
    """
    brightest, light = limit_radiance(panorama, rotation)
    radiance = (1 - fill) * (np.minimum(panorama, brightest) @ LUMINANCE) / float(light @ LUMINANCE) + fill
    height = len(panorama)
    solid = np.cos(((np.arange(height) + 0.5) / height - 0.5) * np.pi)
    mean, square = (np.average(power.mean(axis=1), weights=solid) for power in (radiance, radiance**2))
    return float(square / mean**2)


def face_light(panorama: Floats, shares: Floats) -> Floats:
    """(3,) radiance of a white Lambertian card lit by the panorama (H, W, 3); 1 means that albedo 0.5 renders as 0.5.

    `shares` (H, W) comes from `face_shares`.
    """
    return np.maximum((panorama * shares[..., None]).sum(axis=(0, 1)), 1e-4)


def face_shares(height: int, width: int, rotation: float) -> Floats:
    """Share of the radiance of each pixel that a white card sends on: mostly one that faces the front, a little others.

    Args:
        height, width: H, W of the panorama.
        rotation: of the world about Z in degrees, as the Mapping node takes it.

    Returns:
        (H, W); a panorama of ones sums up to the share of the sky that the cards see, nearly 1.
    """
    directions = _directions(height, width, rotation)
    solid = np.linalg.norm(directions[..., :2], axis=-1) * (np.pi / height) * (2 * np.pi / width)
    cards = np.array([(0.0, -1.0, 0.0), (0.7, -0.7, 0.0), (-0.7, -0.7, 0.0), (0.0, -0.7, 0.7)])
    facing = np.maximum(directions @ cards.T, 0) @ np.array([0.55, 0.15, 0.15, 0.15])
    return np.asarray(solid * facing / np.pi)


def _directions(height: int, width: int, rotation: float = 0.0) -> Floats:
    """(H, W, 3) unit vectors of the world towards the pixels of a panorama."""
    elevation = ((np.arange(height) + 0.5) / height - 0.5) * np.pi
    azimuth = -((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi
    azimuth = azimuth - math.radians(rotation)  # from the panorama's frame to the world's
    level = np.cos(elevation)[:, None]
    x, y = level * np.cos(azimuth), level * np.sin(azimuth)
    return np.stack([x, y, np.broadcast_to(np.sin(elevation)[:, None], x.shape)], axis=-1)


def _direction(azimuth: float, elevation: float) -> Floats:
    """(3,) unit vector; degrees, azimuth 0 in front of the face (-Y), 90 on the subject's left (+X)."""
    a, e = math.radians(azimuth), math.radians(elevation)
    return np.array([math.sin(a) * math.cos(e), -math.cos(a) * math.cos(e), math.sin(e)])
