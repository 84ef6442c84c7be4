"""Evaluates the baked MakeHuman head with plain numpy.

The identity vector is [macro parameters..., detail modifiers...]:

- gender 0 (female) .. 1 (male); age in years (18 to 25 look alike, then linear to 90 as in MakeHuman); muscle,
  weight, height, proportions 0 .. 1 with 0.5 the average; african, asian, caucasian: weights >= 0 of any sum;
  size: isotropic scale minus one.
- one slider for each detail modifier of MakeHuman (`nose-hump`, `eye-scale`, ...), 0 neutral, +-1 the sliders'
  ends. A name that ends in -up, -out, -forward, -convex, -r is positive that way, a name without such an
  ending is positive where MakeHuman says incr. Left and right move together; `asym-*` make the asymmetry.

The macro parameters combine multiplicatively: the baked corners (gender x age x ancestry, gender x age x muscle x
weight, and the latter x height and x proportions) are blended by the products of their interpolation weights,
as MakeHuman does. Everything else is linear.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from assets.head_models.expression_prior import sample_expression
from assets.head_models.head_model import FloatArray, IntArray, Pose, check_coefficients, triangulate
from assets.head_models.skinning import blend, rotation_about
from assets.makehuman import prior
from assets.parameter_sampler import ParameterSampler
from capture.geometry import rotation_matrix

NECK_SHARES = {"neck01": 0.2, "neck02": 0.25, "neck03": 0.25, "head": 0.3}
"""Shares of the neck's joints in its rotation."""
LIP_OVERLAP = 0.0010
"""Overlap of closed lips at their seam, metres: subdivision shrinks them, and a gap would show the teeth."""
LID_THICKNESS = 0.0003
"""Distance that the lids' vertices keep from the eyeball, metres."""


class _Latest:
    """A function of one array that keeps its latest result: derivatives ask for the same again and again."""

    def __init__(self, function: Callable[[FloatArray], FloatArray]) -> None:
        self._function = function
        self._kept: tuple[bytes, FloatArray] | None = None

    def __call__(self, argument: FloatArray) -> FloatArray:
        key, kept = argument.tobytes(), self._kept
        if kept is None or kept[0] != key:
            result = self._function(argument)
            result.flags.writeable = False
            self._kept = kept = key, result
        return kept[1]


class _Shapes:
    """Offsets (T, 3S) float32 metres, one row a target."""

    def __init__(self, offsets: FloatArray) -> None:
        self.offsets = offsets
        self.sum = _Latest(self._sum)

    def _sum(self, weights: FloatArray) -> FloatArray:
        """(S, 3) the weighted sum; rows of weight zero cost nothing."""
        used = np.flatnonzero(weights)
        # not a product of matrices: those add up in an order that depends on the number of threads
        flat = np.einsum("k,kv->v", weights[used].astype(np.float32), self.offsets[used])
        return flat.astype(np.float64).reshape(-1, 3)


def _unpack(arrays: Mapping[str, Any], name: str) -> _Shapes:
    packed = arrays[name]
    offsets = packed.reshape(len(packed), -1).astype(np.float32)
    offsets *= arrays[f"{name}_scale"].astype(np.float32)[:, None]
    return _Shapes(offsets)


class MakeHumanHead:
    """The default `HeadModel`. Made by `assets.makehuman.model.load_default_model`.

    Beyond the interface: source_vertex (V,) int32, the number of each vertex in MakeHuman's hm08 base mesh, -1
    for the eyeballs, which are denser here.
    """

    def __init__(self, arrays: Mapping[str, Any], version: str) -> None:
        self.name = "makehuman"
        self.base_mesh = "hm08"
        self.version = version
        self.polygons: IntArray = arrays["polygons"]
        self.faces: IntArray = triangulate(self.polygons)
        self.uvs: FloatArray = arrays["uvs"]
        self.polygon_uvs: IntArray = arrays["polygon_uvs"]
        self.face_uvs: IntArray = triangulate(self.polygon_uvs)
        self.polygon_parts: IntArray = arrays["polygon_parts"]
        self.face_parts: IntArray = np.repeat(self.polygon_parts, 2)
        self.part_names = tuple(str(name) for name in arrays["part_names"])
        names = (str(name) for name in arrays["landmark_names"])
        self.landmarks: Mapping[str, int] = MappingProxyType(
            dict(zip(names, arrays["landmark_vertices"].tolist(), strict=True))
        )
        self.regions: Mapping[str, FloatArray] = MappingProxyType(_named(arrays, "region/"))
        self.chains: Mapping[str, IntArray] = MappingProxyType(_named(arrays, "chain/"))
        self.detail_names = tuple(str(name) for name in arrays["detail_names"])
        self.identity_names = prior.MACRO_NAMES + self.detail_names
        self.expression_names = tuple(str(name) for name in arrays["expression_names"])
        self._base: FloatArray = arrays["base"]
        self._shown = int(arrays["shown"])
        self._macro = _unpack(arrays, "macro")
        self._macro_keys = [tuple(str(key).split("-")) for key in arrays["macro_keys"]]
        self._detail = _unpack(arrays, "detail")
        self._detail_owner: IntArray = arrays["detail_owner"]
        self._detail_sign: IntArray = arrays["detail_sign"]
        self._expression = _unpack(arrays, "expression")
        self._gaze: FloatArray = arrays["gaze"]
        self._eye_rows: IntArray = arrays["eye_rows"]
        self._eye_operator: FloatArray = arrays["eye_operator"]
        self._skin_weights: FloatArray = arrays["skin_weights"]
        lids = np.flatnonzero(np.maximum(self.regions["eyelids"], self.regions["lid_margin"]) > 0.5)
        left = self._base[lids, 0] > 0
        self._lid_rows = (lids[left], lids[~left])
        self._seal_gaps: FloatArray = arrays["seal_gaps"]
        self._seal_moves: FloatArray = arrays["seal_moves"]
        self._joint_means: FloatArray = arrays["joint_means"]
        self._rest = _Latest(self._rest_of)
        eyeballs = np.full(2 * self._eye_operator.shape[1], -1, dtype=np.int32)
        self.source_vertex: IntArray = np.concatenate([arrays["source_vertex"][: self._shown], eyeballs])
        self.base: FloatArray = self.vertices(self.mean_identity, self.neutral_expression())
        _freeze(self)

    @property
    def mean_identity(self) -> FloatArray:
        """(I,) a young adult in the middle of genders and ancestries, with the prior's mean details."""
        return prior.mean_identity(self.detail_names)

    def traits(self, identity: FloatArray) -> Mapping[str, float]:
        """masculine and age."""
        gender, age = (float(identity[prior.MACRO_NAMES.index(name)]) for name in ("gender", "age"))
        return {"masculine": gender, "age": age}

    def sample_identity(self, sampler: ParameterSampler) -> FloatArray:
        """(I,) a draw from the prior of `assets.makehuman.prior`."""
        return prior.sample_identity(sampler, self.detail_names)

    def sample_expression(self, sampler: ParameterSampler) -> FloatArray:
        """(E,) a draw from the prior of `assets.head_models.expression_prior`."""
        return sample_expression(sampler, self.expression_names)

    def sample_pose(self, sampler: ParameterSampler) -> Pose:
        """A draw from the prior of `assets.makehuman.prior`."""
        return prior.sample_pose(sampler)

    def neutral_expression(self) -> FloatArray:
        """(E,) zeros."""
        return np.zeros(len(self.expression_names))

    def vertices(self, identity: FloatArray, expression: FloatArray, pose: Pose | None = None) -> FloatArray:
        """(V, 3) float64 metres; raises `InputError` for coefficients of another shape or not finite."""
        identity = check_coefficients(identity, self.identity_names, "identity")
        expression = check_coefficients(expression, self.expression_names, "expression")
        pose = Pose() if pose is None else pose
        rest = self._rest(identity)
        joints = self._joint_means @ rest
        centres = rest[self._eye_rows].mean(axis=1)
        eyes = self._eyeballs(rest, centres, expression, pose)
        moved = rest + self._expression.sum(expression)
        self._keep_lids_out(moved, rest, centres)
        transforms = _bones(joints, pose)
        skin = blend(moved[: self._shown], transforms, self._skin_weights)
        head = transforms[4]
        return np.concatenate([skin, eyes @ head[:3, :3].T + head[:3, 3]])

    def _rest_of(self, identity: FloatArray) -> FloatArray:
        """(S, 3) the computed vertices of an identity before expression and pose."""
        macros, details = np.split(identity, [len(prior.MACRO_NAMES)])
        values = dict(zip(prior.MACRO_NAMES, macros.tolist(), strict=True))
        rest = self._base + self._macro.sum(macro_weights(values, self._macro_keys))
        signed = details[self._detail_owner] * self._detail_sign
        rest = rest + self._detail.sum(np.maximum(signed, 0.0))
        rest = (rest - rest[self._eye_rows].mean(axis=(0, 1))) * (1.0 + values["size"])
        rest[:, 2] += self._seal_moves @ (self._seal_gaps @ rest[:, 2] + LIP_OVERLAP)
        return rest

    def bones(self, identity: FloatArray, pose: Pose) -> FloatArray:
        """(6, 4, 4) transforms of the bones: what `skin_weights` blends."""
        return _bones(self._joint_means @ self._rest(identity), pose)

    @property
    def skin_weights(self) -> FloatArray:
        """(V, 6) how much each vertex follows each bone; the eyeballs follow the head."""
        eyes = np.zeros((2 * self._eye_operator.shape[1], self._skin_weights.shape[1]))
        eyes[:, 4] = 1.0
        return np.concatenate([self._skin_weights, eyes])

    def eye_centres(self, identity: FloatArray) -> FloatArray:
        """(2, 3) centres of the left and the right eyeball at rest, metres."""
        count = self._eye_operator.shape[1]
        both = self.vertices(identity, self.neutral_expression())[self._shown :].reshape(2, count, 3)
        return (both[:, 0] + both[:, -1]) / 2

    def _keep_lids_out(self, moved: FloatArray, rest: FloatArray, centres: FloatArray) -> None:
        """Push the vertices of the lids that an expression drew into an eyeball out to its surface, in place."""
        for rows, lids, centre in zip(self._eye_rows, self._lid_rows, centres, strict=True):
            radius = float(np.linalg.norm(rest[rows] - centre, axis=1).mean()) + LID_THICKNESS
            offset = moved[lids] - centre
            distance = np.linalg.norm(offset, axis=1, keepdims=True)
            moved[lids] = centre + offset * np.maximum(radius / distance, 1.0)

    def _eyeballs(self, rest: FloatArray, centres: FloatArray, expression: FloatArray, pose: Pose) -> FloatArray:
        """(2 n, 3) both eyeballs, turned about their centres by the pose and by the eyeLook actions."""
        looks = np.tensordot(expression, self._gaze, axes=1)
        balls = []
        for side, rotation in enumerate((pose.left_eye, pose.right_eye)):
            ball = self._eye_operator[side] @ rest[self._eye_rows[side]]
            turn = rotation_matrix(rotation) @ rotation_matrix(tuple(looks[side]))
            balls.append((ball - centres[side]) @ turn.T + centres[side])
        return np.concatenate(balls)


def macro_weights(values: Mapping[str, float], keys: list[tuple[str, ...]]) -> FloatArray:
    """(T,) the weight of every corner target: the product of the interpolation weights that its key names."""
    gender = min(max(values["gender"], 0.0), 1.0)
    old = min(max((values["age"] - 25.0) / 65.0, 0.0), 1.0)
    ancestry = np.maximum([values[name] for name in ("african", "asian", "caucasian")], 0.0)
    ancestry = ancestry / ancestry.sum() if ancestry.sum() > 0 else np.full(3, 1 / 3)
    factors = {"universal": 1.0, "female": 1.0 - gender, "male": gender, "young": 1.0 - old, "old": old}
    factors |= dict(zip(("african", "asian", "caucasian"), ancestry.tolist(), strict=True))
    for name in ("muscle", "weight"):
        low, middle, high = _hat(values[name])
        factors |= {f"min{name}": low, f"average{name}": middle, f"max{name}": high}
    factors["minheight"], _, factors["maxheight"] = _hat(values["height"])
    factors["uncommonproportions"], _, factors["idealproportions"] = _hat(values["proportions"])
    return np.array([math.prod(factors[word] for word in key) for key in keys])


def _hat(value: float) -> tuple[float, float, float]:
    """Weights of the low, middle and high corner of a parameter in 0 .. 1 with the average at 0.5."""
    t = min(max(value, 0.0), 1.0) * 2.0 - 1.0
    return max(-t, 0.0), 1.0 - abs(t), max(t, 0.0)


def _bones(joints: FloatArray, pose: Pose) -> FloatArray:
    """(6, 4, 4) transforms of chest, neck01, neck02, neck03, head, jaw."""
    transforms = [np.eye(4)]
    for joint, share in zip(joints[:4], NECK_SHARES.values(), strict=True):
        transforms.append(transforms[-1] @ rotation_about(pose.neck, joint, share))
    transforms.append(transforms[-1] @ rotation_about(pose.jaw, joints[4]))
    return np.stack(transforms)


def _named(arrays: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {key.removeprefix(prefix): arrays[key] for key in arrays if key.startswith(prefix)}


def _freeze(model: MakeHumanHead) -> None:
    """Arrays of the model are read-only: they are shared by all that use it."""
    for value in (*vars(model).values(), *model.regions.values(), *model.chains.values()):
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
