"""Proxies out of a library, fitted to a head: the meshes that it wears instead of our own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from assets.head_models.head_model import HeadModel
from assets.library import Asset
from assets.library.fit import Fitted, fit_proxy
from assets.library.mhclo import read_obj, read_proxy
from assets.makehuman.fitting import load_fitting_mesh
from assets.makehuman.head import MakeHumanHead
from capture import InputError
from capture.geometry import Floats
from generator.asset_selection import asset_slots
from generator.component import ProxyFit
from generator.components.hair_colour import BLACK, HairColour
from generator.geometry.distance import DistanceField, distance_field
from generator.head import HeadGeometry
from generator.spec import HeadSpec
from generator.wear.worn_mesh import WornMesh

SHALLOW = 0.4
RELAX = 0.012
"""Cloth within this distance of the skin is moved when some of it lies too deep, so that its layers stay in order."""


def library_meshes(
    spec: HeadSpec, head: HeadGeometry, model: HeadModel, used: Mapping[str, Asset]
) -> tuple[WornMesh, ...]:
    """A mesh for each proxy among the chosen assets (component -> asset, of `asset_selection.assets_of`).

    Raises `InputError` where one is damaged or doesn't fit.
    """
    proxies = {name: slot.proxy for name, slot in asset_slots() if slot.proxy is not None}
    assets = {name: asset for name, asset in used.items() if name in proxies}
    if not assets:
        return ()
    if not isinstance(model, MakeHumanHead):
        names = ", ".join(asset.id for asset in assets.values())
        raise InputError(f"{names}: made for MakeHuman's base mesh; the head model {model.name!r} has another")
    fitting = load_fitting_mesh(model)
    field = distance_field(head.skin.vertices, head.skin.normals)
    shape = spec.shape
    meshes = []
    for name, asset in assets.items():
        fitted = fit_proxy(
            read_proxy(asset.path("fit")),
            read_obj(asset.path("mesh")),
            fitting,
            np.array(shape.identity),
            np.array(shape.expression),
            shape.pose,
        )
        if not len(fitted.triangles):
            raise InputError(f"asset {asset.id!r}: nothing of it lies on head, neck or chest")
        meshes.append(_worn_mesh(name, proxies[name], asset, fitted, field, _tint(name, spec)))
    return tuple(meshes)


def _tint(name: str, spec: HeadSpec) -> tuple[float, float, float] | None:
    """The colour of hair; what else is worn keeps the colours of its image."""
    colours = {"hair": spec.hair.colour, "brows": spec.brows.colour, "lashes": BLACK}
    return pigment_colour(colours[name]) if name in colours else None


def pigment_colour(colour: HairColour) -> tuple[float, float, float]:
    """Linear RGB of a mass of hair: from pigments to absorption as Blender's hair shader has it (Principled Hair BSDF,
    melanin), from absorption to reflectance by Chiang et al. 2016, "A practical and controllable hair and fur model",
    equation 9, for a roughness of 0.3. A surface stands for the outermost strands alone, which let less light be
    absorbed than a whole mass: by `SHALLOW`, chosen by eye beside strands. Grey strands mix in white."""
    amount = -math.log(max(1 - colour.melanin, 1e-4))
    dark, red = np.array([0.506, 0.841, 1.653]), np.array([0.343, 0.733, 1.924])
    absorbed = amount * (dark * (1 - colour.redness) + red * colour.redness)
    reflected = np.exp(-5.89 * np.sqrt(SHALLOW * absorbed)) * (1 - colour.grey) + 0.55 * colour.grey
    r, g, b = np.maximum(reflected, 0.004).tolist()
    return r, g, b


def _worn_mesh(
    name: str,
    fit: ProxyFit,
    asset: Asset,
    fitted: Fitted,
    field: DistanceField,
    tint: tuple[float, float, float] | None,
) -> WornMesh:
    for _ in range(fit.splits):
        fitted = split(fitted)
    vertices = fitted.vertices
    if fit.gap_mm is not None:
        vertices = keep_off(vertices, field, fit.gap_mm / 1000, RELAX if fit.gap_mm >= 2.5 else fit.gap_mm / 500)
    images: dict[str, Path] = {role: asset.path(role) for role in ("diffuse", "normal") if role in asset.files}
    label = "scalp hair" if name == "hair" else name
    return WornMesh(
        f"library {label}",
        vertices,
        fitted.triangles,
        fit.pixel_class,
        f"library {name}",
        corner_uvs=fitted.corner_uvs,
        images=images,
        tint=tint,
        touches=(fit.gap_mm or 0) < 2.5,
    )


def split(fitted: Fitted) -> Fitted:
    """Every triangle cut in four at the middles of its edges."""
    triangles, count = fitted.triangles, len(fitted.vertices)
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, inverse = np.unique(edges, axis=0, return_inverse=True)
    middle = count + inverse.reshape(-1, 3)
    a, b, c = triangles.T
    ab, bc, ca = middle.T
    faces = np.stack([[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]).transpose(2, 0, 1).reshape(-1, 3)
    uv = fitted.corner_uvs
    half = (uv + np.roll(uv, -1, axis=1)) / 2
    cut = [
        [uv[:, 0], half[:, 0], half[:, 2]],
        [half[:, 0], uv[:, 1], half[:, 1]],
        [half[:, 2], half[:, 1], uv[:, 2]],
        [half[:, 0], half[:, 1], half[:, 2]],
    ]
    corners = np.array(cut).transpose(2, 0, 1, 3).reshape(-1, 3, 2)
    return Fitted(np.concatenate([fitted.vertices, fitted.vertices[unique].mean(axis=1)]), faces, corners)


def keep_off(points: Floats, field: DistanceField, least: float, relax: float) -> Floats:
    """Points moved away from the skin to `least` metres or more, in their order.

    Distances from -`relax` to `least` + `relax` are squeezed into [`least`, `least` + `relax`]: what lay below another
    layer stays below it.
    """
    depth = field.distance(points)
    wanted = np.clip(least + (depth + relax) / (2 * relax + least) * relax, least, None)
    near = np.flatnonzero((depth < least + relax) & (wanted > depth))
    moved = points.copy()
    for _ in range(4):
        lack = wanted[near] - field.distance(moved[near])
        short = lack > 1e-5
        if not short.any():
            break
        moved[near[short]] += field.gradient(moved[near[short]]) * lack[short, None]
    return moved
