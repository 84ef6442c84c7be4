"""Light from far away as equirectangular panoramas: those of studios, and what a face receives from any.

Panoramas are (H, W, 3) linear radiance in Blender's layout, the bottom row first; the middle column is +X, and -Y,
where the face looks to, lies a quarter of the width to its right.
"""

from __future__ import annotations

import math

import numpy as np

from capture.geometry import Floats
from generator.components.environment import LAMPS, EnvironmentSpec

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
# Radiance over the face's light above which a panorama is cut: a small sun burns glassy highlights into the skin,
# which glide as the camera moves, and its shadows are harder than anything in a capture studio.
BRIGHTEST = 8.0
# Light of a card that faces a lamp over that of one that faces the front camera: cameras don't let faces burn out.
OVEREXPOSED = 1.7
WHITE_BALANCE = 0.75  # how much of the light's colour the cameras correct, as real ones do
_STUDIO = (128, 256)  # H, W of the panoramas of studios: panels of a few degrees


def studio_light(spec: EnvironmentSpec) -> Floats:
    """The panorama of a dome, of softboxes or of one small lamp."""
    directions = _directions(*_STUDIO)
    if spec.lighting in LAMPS:
        return _lamp(spec, directions)
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


def _lamp(spec: EnvironmentSpec, directions: Floats) -> Floats:
    """A white disc, `softness` degrees in radius, in the dark; light from everywhere is added to it later."""
    away = np.degrees(np.arccos(np.clip(directions @ _direction(*spec.key), -1, 1)))
    edge = 360.0 / _STUDIO[1]  # a pixel
    return np.repeat(np.clip((spec.softness - away) / edge + 0.5, 0, 1)[..., None], 3, axis=-1)


def fill_share(spec: EnvironmentSpec) -> float:
    """Share of even light from everywhere in that of the face, so that what the lamps don't reach keeps its texture."""
    return 1 / (1 + spec.contrast) if spec.lighting in LAMPS else _FILL[spec.lighting]


_FILL = {"panorama": 0.25, "dome": 0.0, "softboxes": 0.12}


def lamp_light(panorama: Floats, key: tuple[float, float]) -> float:
    """Luminance of a white card that faces a lamp, of which the panorama has nothing beside."""
    directions = _directions(*panorama.shape[:2])
    solid = np.linalg.norm(directions[..., :2], axis=-1) * (np.pi / panorama.shape[0]) * (2 * np.pi / panorama.shape[1])
    facing = np.maximum(directions @ _direction(*key), 0)
    return float(((panorama @ LUMINANCE) * solid * facing).sum() / np.pi)


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


def limit_radiance(panorama: Floats, rotation: float, over: float = BRIGHTEST) -> tuple[float, Floats]:
    """Upper limit of a panorama's radiance, and the light (3,) that the face receives below it.

    The limit is `over` times the face's light.

    The two depend on each other: where a lamp in front gives most of the light, the limit darkens the face, and the
    window behind would outshine it at the same limit. A few rounds are enough.
    """
    height, width, _ = panorama.shape
    shares = face_shares(height, width, rotation)
    light = face_light(panorama, shares)
    for _ in range(5):
        brightest = over * float(light @ LUMINANCE)
        light = face_light(np.minimum(panorama, brightest), shares)
    return brightest, light


def unevenness(panorama: Floats, rotation: float, fill: float, over: float = BRIGHTEST) -> float:
    """Mean square of the radiance over the square of the mean, over the sphere; 1 for even light.

    The radiance is that below its limit, `over` times the face's light. `fill` is the share of the face's light that
    comes evenly from everywhere in addition.
    """
    brightest, light = limit_radiance(panorama, rotation, over)
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
