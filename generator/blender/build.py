"""From a spec to a Blender scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets.head_models.head_model import HeadModel
from assets.library import Asset, Library
from capture import Camera, PixelClass
from generator.asset_selection import assets_of
from generator.blender.cameras import add_camera
from generator.blender.curves import add_strands
from generator.blender.materials.eye import eye_material
from generator.blender.materials.hair import hair_material
from generator.blender.materials.mouth import mouth_material
from generator.blender.materials.proxy import image_material, record_transparency
from generator.blender.materials.registry import MATERIALS
from generator.blender.materials.skin import skin_material
from generator.blender.materials.texture_images import toned
from generator.blender.meshes import add_mesh
from generator.blender.scene import new_scene
from generator.blender.world import add_world, polarise
from generator.cameras.footprint import pixel_size
from generator.components.hair import BLACK
from generator.hair.level_of_detail import coarse_strands
from generator.hair.scalp import root_shade
from generator.head import HeadGeometry, build_head
from generator.skin.colour import exposure_gain, skin_albedo, skin_overlay
from generator.skin.relief import relief_fields
from generator.spec import HeadSpec
from generator.wear.assembly import Outfit, assemble_outfit
from generator.wear.library_meshes import library_meshes

Time = Callable[[str, Callable[[], Any]], Any]
Cameras = Callable[[NDArray[np.float64], float], Sequence[Camera]]


def build_scene(
    spec: HeadSpec,
    model: HeadModel,
    cameras_around: Cameras,
    samples: int,
    threads: int | None,
    time: Time,
    library: Library | None = None,
    device: str = "cpu",
    skin: NDArray[np.float64] | None = None,
) -> tuple[Any, HeadGeometry, Sequence[Camera]]:
    """The scene, the head in it, and the cameras; `time(stage, work)` does the work of a stage.

    `cameras_around(centre, radius)` makes the cameras of the head's centre and the radius to frame, metres; the finest
    of their pixels decides on the level of detail of skin and hair.

    `skin` is for `build_head`: a registered skin instead of the coefficients' own.
    """
    assets = assets_of(spec, library or Library())
    scene = new_scene(samples, threads, spec.seed, device)
    scene.render.film_transparent = spec.environment.transparent
    head = time("head", lambda: build_head(model, spec.shape, skin))
    add_camera(scene)
    if "skin" in assets:
        spec = replace(spec, skin=toned(spec.skin, assets["skin"].path("diffuse"), head))
    panorama = assets["environment"].path("image") if "environment" in assets else None
    time("world", lambda: add_world(scene, spec.environment, exposure_gain(spec.skin), panorama))
    proxies = time("dress", lambda: library_meshes(spec, head, model, assets))
    outfit = time("dress", lambda: assemble_outfit(spec, head, proxies))
    cameras = cameras_around(head.centre, outfit.framed_radius(head))
    pixel = min(pixel_size(camera, head.centre) for camera in cameras)
    time("objects", lambda: _add_head(spec, head, assets, pixel))
    time("objects", lambda: _add_outfit(scene, spec, outfit, pixel))
    if spec.environment.specular < 1:
        polarise(spec.environment.specular)
    return scene, head, cameras


def _add_outfit(scene: Any, spec: HeadSpec, outfit: Outfit, pixel: float) -> None:
    for mesh in outfit.meshes:
        paint = image_material(mesh) if mesh.images else MATERIALS[mesh.material](spec)
        made = add_mesh(
            mesh.name, mesh.vertices, mesh.triangles, paint, mesh.pixel_class, mesh.attributes, mesh.corner_uvs
        )
        if mesh.images:
            record_transparency(scene, made, mesh)
    looks = {
        "scalp hair": (spec.hair.colour, PixelClass.SCALP_HAIR),
        "brows": (spec.brows.colour, PixelClass.BROWS),
        "lashes": (BLACK, PixelClass.LASHES),
        "beard": (spec.beard.colour, PixelClass.FACIAL_HAIR),
    }
    for name, strands in outfit.strands.items():
        colour, number = looks[name]
        more = spec.hair.seed if name == "scalp hair" else None
        add_strands(name, coarse_strands(strands, pixel), hair_material(name, colour), number, more)


def _add_head(spec: HeadSpec, head: HeadGeometry, assets: Mapping[str, Asset], pixel: float) -> None:
    skin = head.skin
    photo = assets["skin"].path("diffuse") if "skin" in assets else None
    colours = skin_albedo if photo is None else skin_overlay
    relief, marks = relief_fields(skin, spec.skin.seed)
    attributes = {
        "albedo": colours(spec.skin, head, root_shade(spec.hair, head)),
        "base": skin.base,
        "relief": relief,
        "marks": marks,
    }
    paint = skin_material(spec.skin, photo, pixel)
    add_mesh("skin", skin.vertices, skin.triangles, paint, PixelClass.SKIN, attributes, skin.corner_uvs)
    if "eyes" in head.parts:
        eyes = head.parts["eyes"]
        flat = np.concatenate([eyes.uvs, np.zeros((len(eyes.uvs), 1))], axis=1)
        picture = assets["eyes"].path("diffuse") if "eyes" in assets else None
        paint = eye_material(spec.eyes, _eye_radius(eyes.vertices), picture, exposure_gain(spec.skin))
        add_mesh(
            "eyes",
            eyes.vertices,
            eyes.triangles,
            paint,
            PixelClass.EYES,
            {"eye_uv": flat, "base": eyes.base},
            eyes.corner_uvs,
        )
    for name in ("teeth", "tongue"):
        if name in head.parts:
            part = head.parts[name]
            add_mesh(
                name,
                part.vertices,
                part.triangles,
                mouth_material(name),
                PixelClass.MOUTH,
                {"base": part.base},
                part.corner_uvs,
            )


def _eye_radius(vertices: np.ndarray) -> float:
    """Of the eyeballs, from the height of one."""
    left = vertices[vertices[:, 0] > np.median(vertices[:, 0])]
    return float(np.ptp(left[:, 2]) / 2)
