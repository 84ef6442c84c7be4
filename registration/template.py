"""The template: a head model's skin, subdivided as often as registration needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assets.geometry.subdivision import catmull_clark, split_corners
from assets.head_models.head_model import NO_ROTATION, FloatArray, HeadModel, Pose, triangulate
from assets.head_models.registry import DEFAULT, is_subdivided, load_head_model
from capture import InputError, Mesh
from capture.geometry import rotation_matrix

Floats = NDArray[np.float64]

# Regions of the skin that a scan doesn't show: inside the mouth, the nostrils and the sockets.
_HIDDEN = ("inner_mouth", "nostrils", "eye_sockets")
_HEAD_M = 0.22  # of the face's middle: the head, without the shoulders


@dataclass(frozen=True)
class Coefficients:
    """A head of the head model, in the world.

    Attributes:
        identity: (I,).
        expression: (E,).
        neck, jaw: (3,) axis-angle, radians.
        turn: (3,) axis-angle of the whole head about the origin.
        shift: (3,) metres, after the turn.
    """

    identity: FloatArray
    expression: FloatArray
    neck: FloatArray
    jaw: FloatArray
    turn: FloatArray
    shift: FloatArray

    @property
    def rotation(self) -> Floats:
        """(3, 3) of `turn`."""
        return rotation_matrix(self.turn)


class Template:
    """A head model's skin as a mesh of fixed topology.

    Attributes:
        model: the head model.
        polygons: (Q, 4) int32 corners of the skin, of quads, and triangles that end in -1.
        faces: (F, 3) int32, the same as triangles.
        face_mask: (V,) bool, where errors are measured: mid-forehead to chin without eyes, nostrils and mouth.
        shown: (V,) bool, what a scan can show: not the inside of the mouth, the nostrils and the sockets.
    """

    def __init__(self, model: HeadModel, levels: int = 1) -> None:
        """Raises `InputError` where the model has no face mask or no skin."""
        self.model, self._levels = model, levels
        parts = np.array([name.startswith("skin") for name in model.part_names])
        polygons = model.polygons[parts[model.polygon_parts]]
        if not len(polygons) or "face" not in model.regions:
            raise InputError(
                f"head model {model.name}: it has no face mask; registration is measured by one. "
                "Give it the region `face` (docs/head_models.md)"
            )
        self._used = np.unique(polygons[polygons >= 0])
        number = np.full(len(model.base), -1, np.int32)
        number[self._used] = np.arange(len(self._used))
        self._cage = np.where(polygons >= 0, number[polygons], -1).astype(np.int32)
        names = ["face", *(name for name in _HIDDEN if name in model.regions)]
        masks = np.stack([np.asarray(model.regions[name], float) for name in names], axis=1)
        _, self.polygons, masks = self._subdivided(np.asarray(model.base, float)[self._used], masks[self._used])
        self.faces = triangulate(self.polygons)
        self._corner_uvs = np.asarray(model.uvs, float)[model.polygon_uvs[parts[model.polygon_parts]]]
        self.face_mask = masks[:, 0] >= 0.5
        if not self.face_mask.any():
            raise InputError(f"head model {model.name}: its region `face` is empty (docs/head_models.md)")
        self.shown = ~(masks[:, 1:] >= 0.5).any(axis=1)

    def region(self, *names: str) -> NDArray[np.bool_]:
        """(V,) vertices in any of the head model's regions of these names; one that it doesn't have holds nothing."""
        known = [
            np.asarray(self.model.regions[name], float)[self._used] for name in names if name in self.model.regions
        ]
        if not known:
            return np.zeros(len(self.face_mask), bool)
        _, _, masks = self._subdivided(np.zeros((len(self._used), 3)), np.stack(known, axis=1))
        return np.asarray((masks >= 0.5).any(axis=1))

    @cached_property
    def cage_faces(self) -> NDArray[np.int32]:
        """(G, 3) triangles of the head model's own skin."""
        return triangulate(self._cage)

    @property
    def cage_size(self) -> int:
        """C, the vertices of the head model's own skin: the first of the V."""
        return len(self._used)

    def surface(self, head: Coefficients) -> Floats:
        """(V, 3) metres in the world."""
        surface, _, _ = self._subdivided(self.cage(head))
        return surface

    def cage(self, head: Coefficients) -> Floats:
        """(C, 3) metres in the world, before subdivision."""
        pose = Pose(_triple(head.neck), _triple(head.jaw))
        vertices = self.model.vertices(head.identity, head.expression, pose)[self._used]
        return np.asarray(vertices @ head.rotation.T + head.shift)

    def landmark(self, vertices: NDArray, name: str) -> NDArray | None:
        """(3,) a landmark of the head model on the vertices (V, 3), None where it is none of the skin's vertices."""
        number = self.landmark_index(name)
        return None if number is None else vertices[number]

    def landmark_index(self, name: str) -> int | None:
        """The vertex of a landmark of the head model, None where there is none of the skin's."""
        vertex = self.model.landmarks.get(name, -1)
        number = int(np.searchsorted(self._used, vertex))
        return number if number < len(self._used) and self._used[number] == vertex else None

    def around_face(self, vertices: NDArray, other: Mesh | None = None) -> Mesh:
        """The head without neck and shoulders, for pictures: what lies near the middle of the face.

        Args:
            vertices: (V, 3) metres, of this template.
            other: a mesh in the same place to cut instead of it.
        """
        middle = vertices[self.face_mask].mean(axis=0)
        mesh = Mesh(vertices, self.faces) if other is None else other
        near = np.linalg.norm(mesh.vertices - middle, axis=1) < _HEAD_M
        kept = np.where(near[:, None], mesh.vertices, middle)  # unused vertices must not widen the picture
        return Mesh(kept, mesh.faces[near[mesh.faces].all(axis=1)])

    @cached_property
    def corner_uvs(self) -> Floats:
        """(Q, 4, 2) texture coordinates of the polygons' corners; those of a triangle's missing corner mean nothing."""
        polygons: NDArray = self._cage
        values = self._corner_uvs
        for level in range(self._levels):
            values = split_corners(values, polygons)
            if level + 1 < self._levels:
                _, polygons, _ = catmull_clark(np.zeros((int(polygons.max()) + 1, 1)), polygons)
        return values

    @cached_property
    def mean(self) -> Coefficients:
        """The model's mean head at rest, where the model has it."""
        zero = np.zeros(3)
        expression = np.zeros(len(self.model.expression_names))
        return Coefficients(np.asarray(self.model.mean_identity, float), expression, zero, zero, zero, zero)

    def _subdivided(self, vertices: Floats, masks: Floats | None = None) -> tuple[Floats, NDArray[np.int32], Floats]:
        polygons: NDArray = self._cage
        for _ in range(self._levels):
            vertices, polygons, masks = catmull_clark(vertices, polygons, masks)
        return vertices, polygons.astype(np.int32), np.zeros((len(vertices), 1)) if masks is None else masks


def load_template(which: str | Path = DEFAULT) -> Template:
    """The template of a head model, as `load_head_model` takes it; people's own meshes keep their vertices."""
    return Template(load_head_model(which), levels=1 if is_subdivided(which) else 0)


def axis_angle(rotation: FloatArray) -> Floats:
    """(3,) the axis-angle vector of a rotation matrix (3, 3)."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_matrix(np.asarray(rotation)).as_rotvec())


def _triple(values: FloatArray) -> tuple[float, float, float]:
    if not np.any(values):
        return NO_ROTATION
    x, y, z = (float(value) for value in values)
    return x, y, z
