"""Any linear head model: a template plus offsets for identity and expression, turned at neck and eyes.

What such a model does not tell (regions, lash lines, where each vertex lies on the default model's mean head) is
carried over from the default model by `assets.head_models.annotation_transfer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assets.head_models.annotation_transfer import Annotation
from assets.head_models.expression_prior import sample_expression
from assets.head_models.head_model import FloatArray, IntArray, Pose, check_coefficients, split_quads, triangulate
from assets.head_models.skinning import rotation_about
from assets.makehuman.prior import sample_pose
from assets.parameter_sampler import ParameterSampler
from capture.errors import InputError

CUT = 2.5  # standard deviations of the prior of identities
EXPRESSIVE = 0.45  # standard deviations of expression coefficients that have no names known to us
NECK = (-0.165, -0.105)  # heights on the default mean head between which the turn of the neck grows from 0 to 1
PIVOT = (0.0, 0.065, -0.125)  # of that turn, on the default mean head


@dataclass(frozen=True, eq=False)
class LinearData:
    """The numbers of a linear head model, in our frame.

    Attributes:
        name, version: recorded beside every head.
        template: (V, 3) metres, Z up, the face towards -Y.
        polygons: (Q, 4) faces, -1 for a triangle's last corner; polygon_uvs: (Q, 4) likewise into uvs (T, 2).
        polygon_parts: (Q,) index into part_names; names begin with skin, eye_left, eye_right, teeth or tongue.
        identity: (I, V, 3) metres per unit; identity_names; identity_deviation: (I,) of the prior around 0.
        expression: (E, V, 3); expression_names.
        eyes: vertices of the left and of the right eyeball; empty where the model has none.
        eye_centres: (2, 3) of the template, left and right.
        landmarks: name -> (3,) on the template, what is known.
    """

    name: str
    version: str
    template: FloatArray
    polygons: IntArray
    uvs: FloatArray
    polygon_uvs: IntArray
    polygon_parts: IntArray
    part_names: tuple[str, ...]
    identity: FloatArray
    identity_names: tuple[str, ...]
    identity_deviation: FloatArray
    expression: FloatArray
    expression_names: tuple[str, ...]
    eyes: tuple[IntArray, IntArray]
    eye_centres: FloatArray
    landmarks: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count, identities, expressions = len(self.template), len(self.identity_names), len(self.expression_names)
        numbers = (self.template, self.identity, self.expression, self.identity_deviation, self.eye_centres)
        checks = {
            "its numbers are not all finite": all(np.isfinite(array).all() for array in numbers),
            "the template is not (V, 3)": self.template.shape == (count, 3),
            "faces are not (Q, 4)": self.polygons.ndim == 2 and self.polygons.shape[1] == 4 and len(self.polygons) > 0,
            "faces name vertices that are not there": bool(self.polygons.max(initial=0) < count),
            "texture coordinates don't fit the faces": self.polygon_uvs.shape == self.polygons.shape
            and bool(self.polygon_uvs.max(initial=-1) < len(self.uvs)),
            "identity offsets don't fit the vertices": self.identity.shape == (identities, count, 3),
            "expression offsets don't fit the vertices": self.expression.shape == (expressions, count, 3),
            "deviations don't fit the identities": self.identity_deviation.shape == (identities,),
            "parts don't fit the faces": self.polygon_parts.shape == (len(self.polygons),),
            "there is no skin": any(name.startswith("skin") for name in self.part_names),
        }
        for what, right in checks.items():
            if not right:
                raise InputError(f"head model {self.name}: {what}; export it again")


class LinearHead:
    """A `HeadModel` of `LinearData`."""

    def __init__(self, data: LinearData, annotation: Annotation) -> None:
        self.name, self.version = data.name, data.version
        self.polygons: IntArray = data.polygons.astype(np.int32)
        self.faces: IntArray = triangulate(self.polygons)
        uvs, polygon_uvs = _eye_texture(data)
        self.uvs: FloatArray = uvs.astype(np.float32)
        self.polygon_uvs: IntArray = polygon_uvs.astype(np.int32)
        self.face_uvs: IntArray = split_quads(self.polygon_uvs, self.polygons).astype(np.int32)
        self.polygon_parts: IntArray = data.polygon_parts.astype(np.int32)
        repeated = np.repeat(self.polygon_parts[:, None], 4, axis=1)
        self.face_parts: IntArray = split_quads(repeated, self.polygons)[:, 0].astype(np.int32)
        self.part_names = data.part_names
        self.identity_names, self.expression_names = data.identity_names, data.expression_names
        self.base: FloatArray = annotation.base
        self.regions, self.chains = annotation.regions, annotation.chains
        self.landmarks: Mapping[str, int] = annotation.landmarks
        self._data = data
        skin = np.unique(self.faces[np.isin(self.face_parts, _skins(data.part_names))])
        near = skin[np.linalg.norm(self.base[skin] - PIVOT, axis=1).argsort()[:200]]
        # The pivot lies inside the neck: as far behind its skin as in the default model.
        self._pivot = data.template[near].mean(axis=0) + np.array(PIVOT) - self.base[near].mean(axis=0)
        t = np.clip((self.base[:, 2] - NECK[0]) / (NECK[1] - NECK[0]), 0, 1)
        self._turned = t * t * (3 - 2 * t)
        for eye in data.eyes:
            self._turned[eye] = 1.0

    @property
    def mean_identity(self) -> FloatArray:
        """(I,) zeros."""
        return np.zeros(len(self.identity_names))

    def traits(self, identity: FloatArray) -> Mapping[str, float]:
        """Linear models don't tell sex or age."""
        return {}

    def vertices(self, identity: FloatArray, expression: FloatArray, pose: Pose) -> FloatArray:
        """(V, 3) metres; the origin is the midpoint between the eyes at rest. Raises `InputError`."""
        data = self._data
        own = check_coefficients(identity, self.identity_names, "identity")
        acted = check_coefficients(expression, self.expression_names, "expression")
        rest = data.template + _weighted(data.identity, own)
        centres = data.eye_centres + _weighted(_at_eyes(data), own)
        moved = rest + _weighted(data.expression, acted)
        for eye, centre, turn in zip(data.eyes, centres, (pose.left_eye, pose.right_eye), strict=True):
            spin = rotation_about(turn, centre)
            moved[eye] = moved[eye] @ spin[:3, :3].T + spin[:3, 3]
        neck = rotation_about(pose.neck, self._pivot)
        turned = moved @ neck[:3, :3].T + neck[:3, 3]
        return np.asarray(moved + self._turned[:, None] * (turned - moved) - centres.mean(axis=0))

    def sample_identity(self, sampler: ParameterSampler) -> FloatArray:
        """(I,) normal, cut at 2.5 standard deviations; asks for `variation`, which scales it."""
        variation = sampler.number("variation", 1.0, 1.0)
        unit = np.clip(sampler.rng.standard_normal(len(self.identity_names)), -CUT, CUT)
        return np.asarray(variation * self._data.identity_deviation * unit)

    def sample_expression(self, sampler: ParameterSampler) -> FloatArray:
        """(E,) moods where the model knows the 52 facial actions by name, else normal numbers times `strength`."""
        if "jawOpen" in self.expression_names or "mouthSmileLeft" in self.expression_names:
            return sample_expression(sampler, self.expression_names)
        strength = sampler.number("strength", 0.0, 1.0)
        unit = np.clip(sampler.rng.standard_normal(len(self.expression_names)), -CUT, CUT)
        return np.asarray(strength * EXPRESSIVE * unit)

    def sample_pose(self, sampler: ParameterSampler) -> Pose:
        """A sitting person who looks at the camera."""
        return sample_pose(sampler)


def _eye_texture(data: LinearData) -> tuple[FloatArray, IntArray]:
    """Texture points and corners where those of the eyes are as `assets.makehuman.eyeball` defines them: the direction
    from (0.5, 0.5) is that from the gaze axis, the distance the angle to it over 2 pi."""
    uvs, corners = [np.asarray(data.uvs, float)], data.polygon_uvs.copy()
    for side, centre in zip(("left", "right"), data.eye_centres, strict=True):
        own = np.isin(data.polygon_parts, [i for i, name in enumerate(data.part_names) if name == f"eye_{side}"])
        way = data.template - centre
        across = np.stack([way[:, 0], way[:, 2]], axis=1)
        length = np.linalg.norm(across, axis=1, keepdims=True)
        angle = np.arctan2(length, -way[:, 1:2])
        start = sum(map(len, uvs))
        uvs.append(0.5 + across / np.maximum(length, 1e-12) * angle / (2 * np.pi))
        corners[own] = np.where(data.polygons[own] >= 0, data.polygons[own] + start, -1)
    return np.concatenate(uvs), corners


def _skins(names: tuple[str, ...]) -> list[int]:
    return [i for i, name in enumerate(names) if name.startswith("skin")]


def _weighted(offsets: FloatArray, weights: FloatArray) -> FloatArray:
    """(V, 3) sum of offsets (K, V, 3) with weights (K,), the same bits on any number of threads."""
    used = np.flatnonzero(weights)
    return np.asarray(np.einsum("k,kvc->vc", weights[used], offsets[used], optimize=False))


def _at_eyes(data: LinearData) -> FloatArray:
    """(I, 2, 3) how identities move the centres of the eyes: as the eyeballs, or as the landmarks around them."""
    groups: list[NDArray[np.integer]] = list(data.eyes)
    if not all(map(len, groups)):
        groups = [np.linalg.norm(data.template - centre, axis=1).argsort()[:40] for centre in data.eye_centres]
    return np.stack([data.identity[:, group].mean(axis=1) for group in groups], axis=1)
