"""The one interface to 3D morphable head models, and what every one of them shares.

Frame of every head model: metres, Z up, the face looks towards -Y, the subject's left is +X. The origin is the
midpoint between the centres of the two eyeballs of the head at rest (before any rotation of `Pose`), for every
identity: a camera rig that aims at the origin aims at the bridge of the nose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from assets.parameter_sampler import ParameterSampler
from capture.errors import InputError

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.int32]
Rotation = tuple[float, float, float]

NO_ROTATION: Rotation = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Pose:
    """Rotations of the joints as axis-angle vectors in the world frame, radians.

    `neck` is the turn of the head against the chest (spread over the joints of the neck), `jaw` opens with a
    positive first component, `left_eye` and `right_eye` turn the eyeballs alone about their own centres
    (positive first component looks down, positive third component looks to the subject's left).
    """

    neck: Rotation = NO_ROTATION
    jaw: Rotation = NO_ROTATION
    left_eye: Rotation = NO_ROTATION
    right_eye: Rotation = NO_ROTATION


@runtime_checkable
class HeadModel(Protocol):
    """A head as a function of coefficients. All arrays are constants of the model; only `vertices` computes.

    name, version: stored beside every head.
    polygons (Q, 4) int32: faces, counter-clockwise seen from outside; a triangle has -1 as its last corner.
    faces (F, 3) int32: `triangulate(polygons)`.
    base (V, 3): where each vertex lies on the mean head of the default model (`assets.makehuman.model`): everything
        that is drawn, cut or grown at a place of the head is defined there. Other models are aligned
        (`assets.head_models.annotation_transfer`).
    uvs (T, 2) float32 with polygon_uvs (Q, 4) and face_uvs (F, 3): the texture point of every corner.
    polygon_parts (Q,) and face_parts (F,) int32: index into part_names.
    landmarks: name -> vertex index. See `IBUG_68` for the names that every model has.
    regions: name -> (V,) float32 in [0, 1]; a polygon belongs where all its corners do (`polygons_in`).
    chains: name -> (N,) int32, ordered vertices of a curve, as the lash lines.
    """

    name: str
    version: str
    identity_names: tuple[str, ...]
    expression_names: tuple[str, ...]
    polygons: IntArray
    base: FloatArray
    faces: IntArray
    uvs: FloatArray
    polygon_uvs: IntArray
    face_uvs: IntArray
    polygon_parts: IntArray
    face_parts: IntArray
    part_names: tuple[str, ...]
    landmarks: Mapping[str, int]
    regions: Mapping[str, FloatArray]
    chains: Mapping[str, IntArray]

    @property
    def mean_identity(self) -> FloatArray:
        """(I,) the coefficients of an average head."""
        ...

    def vertices(self, identity: FloatArray, expression: FloatArray, pose: Pose) -> FloatArray:
        """(V, 3) float64 metres, for coefficients (I,) and (E,)."""
        ...

    def traits(self, identity: FloatArray) -> Mapping[str, float]:
        """Traits of the person, as far as the model tells: masculine 0 to 1, age in years."""
        ...

    def sample_identity(self, sampler: ParameterSampler) -> FloatArray:
        """(I,) a draw from the model's prior."""
        ...

    def sample_expression(self, sampler: ParameterSampler) -> FloatArray:
        """(E,) a draw from the model's prior; every model draws `strength`, where 0 is neutral."""
        ...

    def sample_pose(self, sampler: ParameterSampler) -> Pose:
        """A draw from the model's prior; every model draws `strength`, where 0 is the head at rest."""
        ...


def _ibug_68() -> tuple[str, ...]:
    names = [f"jaw_{i}" for i in range(17)]
    names += [f"right_brow_{i}" for i in range(5)] + [f"left_brow_{i}" for i in range(5)]
    names += [f"nose_bridge_{i}" for i in range(4)] + [f"nose_base_{i}" for i in range(5)]
    names += [f"right_eye_{i}" for i in range(6)] + [f"left_eye_{i}" for i in range(6)]
    names += [f"mouth_outer_{i}" for i in range(12)] + [f"mouth_inner_{i}" for i in range(8)]
    return tuple(names)


IBUG_68 = _ibug_68()
"""Landmark names in the order of the iBUG 300-W 68-point scheme; left and right are the subject's. Every model
has also: chin, nose_tip, nasion, {left,right}_{eye_inner,eye_outer,mouth_corner,nostril_wing,ear_top,ear_lobe,
tragus}, upper_lip, lower_lip, vertex."""


def triangulate(polygons: NDArray[np.integer]) -> IntArray:
    """(F, 3) triangles of (Q, 4) faces: corners 0 1 2 and 0 2 3 of each quad, in order; triangles as they are."""
    return split_quads(polygons, polygons).astype(np.int32)


def split_quads(values: NDArray, polygons: NDArray[np.integer]) -> NDArray:
    """(F, 3, ...) values at the corners of the triangles of `triangulate`, from those of the faces (Q, 4, ...)."""
    halves = values[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3, *values.shape[2:])
    kept = np.ones((len(polygons), 2), bool)
    kept[:, 1] = polygons[:, 3] >= 0
    return np.asarray(halves[kept.ravel()])


def polygons_in(polygons: IntArray, mask: FloatArray, threshold: float = 0.5) -> NDArray[np.bool_]:
    """(Q,) bool: the polygons (or triangles) whose corners all have a mask value of at least `threshold`."""
    return (mask[polygons] >= threshold).all(axis=1)


def check_coefficients(values: FloatArray, names: tuple[str, ...], what: str) -> FloatArray:
    """`values` as (len(names),) float64; raises `InputError` for another shape or values that are not finite."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (len(names),):
        raise InputError(f"{what} has shape {array.shape}, but the head model wants ({len(names)},)")
    if not np.isfinite(array).all():
        raise InputError(f"{what} holds values that are not finite: give numbers only")
    return array
