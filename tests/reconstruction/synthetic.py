"""A textured sphere before nothing, ray cast by numpy into a few small views: exact depth and normals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, Capture, CaptureInfo

RADIUS = 0.1


def look_at(name: str, azimuth: float, elevation: float, size: int, distance: float = 0.6) -> Camera:
    """A camera on a sphere around the origin (angles in degrees, azimuth 0 looks along +Y)."""
    a, e = np.radians([azimuth, elevation])
    centre = distance * np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])
    forward = -centre / distance
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    focal = size / 2 / 0.13 * distance
    half = size / 2
    return Camera.pinhole(name, (size, size), (focal, focal), (half, half), rotation, -rotation @ centre)


def rig(size: int) -> list[Camera]:
    """Five views within 40 degrees."""
    angles = [(0, 0), (-18, 0), (18, 0), (0, 16), (0, -16)]
    return [look_at(f"view_{i:02d}.png", a, e, size) for i, (a, e) in enumerate(angles)]


def sphere_depth(camera: Camera, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Depth of the sphere at pixels (..., 2), 0 where they miss it."""
    rays = camera.unproject(pixels, 1.0) - camera.centre
    a, b = (rays**2).sum(-1), rays @ camera.centre
    inside = b**2 - a * (camera.centre @ camera.centre - RADIUS**2)
    return np.where(inside > 0, (-b - np.sqrt(np.maximum(inside, 0))) / a, 0)


def texture(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A sum of waves in random directions with wavelengths of a few pixels, in [0, 1]."""
    rng = np.random.default_rng(3)
    directions = rng.normal(size=(40, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    frequencies = 2 * np.pi / rng.uniform(0.006, 0.03, 40)
    phases = rng.uniform(0, 2 * np.pi, 40)
    waves = np.sin(points @ (directions * frequencies[:, None]).T + phases)
    return np.clip(0.5 + 0.08 * waves.sum(axis=-1), 0, 1)


def grid(camera: Camera, samples: int = 1) -> NDArray[np.float64]:
    """(H * samples, W * samples, 2) sample positions; the pixels' centres for 1."""
    u = (np.arange(camera.width * samples) + 0.5) / samples
    v = (np.arange(camera.height * samples) + 0.5) / samples
    return np.stack(np.meshgrid(u, v), axis=-1)


def render(camera: Camera, samples: int = 3) -> NDArray[np.uint8]:
    """(H, W, 3) picture of the sphere before a plain grey."""
    where = grid(camera, samples)
    depth = sphere_depth(camera, where)
    points = camera.unproject(where, np.where(depth > 0, depth, 1))
    values = np.where(depth > 0, texture(points), 0.4)
    values = values.reshape(camera.height, samples, camera.width, samples).mean(axis=(1, 3))
    return np.repeat((255 * values + 0.5).astype(np.uint8)[..., None], 3, axis=2)


def make_capture(folder: Path, size: int = 96, cameras: list[Camera] | None = None) -> Capture:
    """A capture of the sphere on disk."""
    cameras = cameras or rig(size)
    (folder / "images").mkdir(parents=True)
    for camera in cameras:
        Image.fromarray(render(camera)).save(folder / "images" / camera.name)
    return Capture.create(folder, cameras, CaptureInfo("sphere"))
