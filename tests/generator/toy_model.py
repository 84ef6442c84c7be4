"""A small head model for tests: a sphere of quads with the regions that hair and garments need."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from assets.head_models.head_model import Pose, triangulate
from assets.parameter_sampler import ParameterSampler
from generator.distributions import Distributions

RADIUS = 0.1
CENTRE = np.array([0.0, 0.07, 0.0])


def cube_sphere(divisions: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit sphere (V, 3) of quads (Q, 4), counter-clockwise from outside."""
    grid = np.linspace(-1, 1, divisions + 1)
    points, quads = [], []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            u, v = np.meshgrid(grid, grid, indexing="ij")
            face = np.empty((*u.shape, 3))
            face[..., axis], face[..., (axis + 1) % 3], face[..., (axis + 2) % 3] = sign, u * sign, v
            start = sum(len(p) for p in points)
            index = np.arange(u.size).reshape(u.shape) + start
            quads.append(np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1).reshape(-1, 4))
            points.append(face.reshape(-1, 3))
    stacked = np.concatenate(points)
    unique, inverse = np.unique(np.round(stacked, 9), axis=0, return_inverse=True)
    return unique / np.linalg.norm(unique, axis=1, keepdims=True), inverse.ravel()[np.concatenate(quads)]


class ToyModel:
    """Implements `assets.head_models.head_model.HeadModel`."""

    name, version = "toy", "1"
    identity_names = ("gender", "width")
    expression_names = ("smile",)
    part_names = ("skin",)

    def __init__(self) -> None:
        sphere, quads = cube_sphere(24)
        self.rest = sphere * RADIUS + CENTRE
        self.polygons = quads.astype(np.int32)
        self.faces = triangulate(self.polygons)
        self.uvs = np.zeros((len(sphere), 2), np.float32)
        self.base = self.rest
        self.polygon_uvs, self.face_uvs = self.polygons, self.faces
        self.polygon_parts = np.zeros(len(quads), np.int32)
        self.face_parts = np.zeros(len(self.faces), np.int32)
        z, y = self.rest[:, 2], self.rest[:, 1]
        scalp = np.clip((z + 0.4 * (y - 0.07) - 0.03) / 0.01 + 0.5, 0, 1)
        face = ((y < 0.07) & (z < 0.04)).astype(float)
        regions = {"scalp": scalp, "face": face}
        self.regions = MappingProxyType({k: v.astype(np.float32) for k, v in regions.items()})

        def nearest(x: float, y: float, z: float) -> int:
            return int(np.argmin(((self.rest - [x, y, z]) ** 2).sum(axis=1)))

        self.landmarks = {
            "chin": nearest(0, 0, -0.08),
            "left_eye_outer": nearest(0.045, 0, 0),
            "right_eye_outer": nearest(-0.045, 0, 0),
        }
        self.chains: dict[str, np.ndarray] = {}

    @property
    def mean_identity(self) -> np.ndarray:
        return np.array([0.5, 0.0])

    def vertices(self, identity: np.ndarray, expression: np.ndarray, pose: Pose) -> np.ndarray:
        return self.rest * np.array([1 + identity[1], 1, 1])

    def traits(self, identity: np.ndarray) -> dict[str, float]:
        return {"masculine": float(identity[0])}

    def sample_identity(self, sampler: ParameterSampler) -> np.ndarray:
        rng = sampler.rng
        return np.array([rng.random(), 0.05 * rng.standard_normal()])

    def sample_expression(self, sampler: ParameterSampler) -> np.ndarray:
        rng = sampler.rng
        return np.array([sampler.number("strength", 1.0, 1.0) * rng.random()])

    def sample_pose(self, sampler: ParameterSampler) -> Pose:
        rng = sampler.rng
        return Pose(neck=(0.0, 0.0, sampler.number("strength", 1.0, 1.0) * 0.1 * float(rng.random())))


def override(**components: dict) -> Distributions:
    """Distributions of these components."""
    return Distributions(components)
