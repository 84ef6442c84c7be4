"""From a spec to a capture on disk, inside Blender."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from assets.head_model import HeadModel
from capture import Capture, CaptureInfo, PixelClass
from generator import GENERATOR_VERSION
from generator.blender.cameras import add_camera
from generator.blender.compat import version
from generator.blender.curves import add_strands, hair_material
from generator.blender.eye_material import eye_material
from generator.blender.garment_material import garment_material
from generator.blender.meshes import add_mesh
from generator.blender.render import render_images, render_masks
from generator.blender.scene import new_scene
from generator.blender.skin_material import mouth_material, skin_material
from generator.blender.world import add_world
from generator.components.hair import HairColour
from generator.garment import make_garment
from generator.geometry.distance import DistanceField, distance_field
from generator.hair.dress import framed_radius, hair_obstacle
from generator.hair.facial import grow_beard, grow_brows, grow_lashes
from generator.hair.scalp import grow_scalp, root_shade
from generator.hair.strands import Strands
from generator.head import HeadGeometry, build_head
from generator.output_folder import forget_former
from generator.rig import rig_cameras
from generator.skin_colour import exposure_gain, skin_albedo
from generator.spec import HeadSpec

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RenderSettings:
    """How to render.

    Attributes:
        resolution: pixels, both ways.
        samples: per pixel.
        threads: or None for all cores.
    """

    resolution: int = 512
    samples: int = 16
    threads: int | None = None


@dataclass
class Stopwatch:
    """Seconds spent per stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    def time(self, stage: str, work: Callable[[], Any]) -> Any:
        """Do the work, count its time."""
        start = time.perf_counter()
        result = work()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start
        return result


def capture_head(
    spec: HeadSpec,
    model: HeadModel,
    folder: Path,
    settings: RenderSettings,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> dict[str, float]:
    """Render a head into a capture folder (see the design); `capture.json` is written last.

    What an earlier run left in the folder is removed first. Raises `InputError` where the folder's name is no id for a
    capture or the folder can't be written.

    Returns:
        seconds per stage: build, images, masks.
    """
    versions = {"blender": version(), "generator": GENERATOR_VERSION, f"head_model/{model.name}": model.version,
                "numpy": np.__version__}  # fmt: skip
    info = CaptureInfo(folder.name, spec.seed, spec.to_json(), versions)  # refuses names before hours are spent
    watch = Stopwatch()
    scene, head, radius = watch.time("build", lambda: _build(spec, model, settings))
    forget_former(folder)
    cameras = rig_cameras(spec.rig, head.centre, radius, settings.resolution)
    watch.time("build", lambda: head.surface().write(folder / Capture.HEAD))
    watch.time("images", lambda: render_images(scene, cameras, folder / "images", progress))
    watch.time("masks", lambda: render_masks(scene, cameras, folder / "masks", progress))
    Capture.create(folder, cameras, info)
    log.info("%s: %s", folder.name, ", ".join(f"{k} {v:.1f} s" for k, v in watch.seconds.items()))
    return watch.seconds


def _build(spec: HeadSpec, model: HeadModel, settings: RenderSettings) -> tuple[Any, HeadGeometry, float]:
    """The scene, the head in it, and the radius to frame."""
    scene = new_scene(settings.samples, settings.threads, spec.seed)
    head = build_head(model, spec.shape)
    add_camera(scene)
    add_world(scene, spec.environment, exposure_gain(spec.skin))
    _add_head(spec, head)
    field = distance_field(head.skin.vertices, head.skin.normals)
    _add_garment(spec, head, field)
    hair = _add_hair(spec, head, field)
    return scene, head, framed_radius(head, hair)


def _add_garment(spec: HeadSpec, head: HeadGeometry, field: DistanceField) -> None:
    cloth = make_garment(spec.garment, head, field)
    add_mesh("garment", cloth.vertices, cloth.triangles, garment_material(spec.garment), PixelClass.GARMENT,
             {"base": cloth.base, "collar": cloth.collar})  # fmt: skip


def _add_hair(spec: HeadSpec, head: HeadGeometry, field: DistanceField) -> Strands | None:
    """Grow and add all hair; returns that of the scalp."""
    obstacle = hair_obstacle(head, field, spec.garment)
    scalp = grow_scalp(spec.hair, head, obstacle)
    for name, strands, colour, number in (
        ("scalp hair", scalp, spec.hair.colour, PixelClass.SCALP_HAIR),
        ("brows", grow_brows(spec.brows, head), spec.brows.colour, PixelClass.BROWS),
        ("lashes", grow_lashes(spec.lashes, head), HairColour(0.95, 0.2, 0.0), PixelClass.LASHES),
        ("beard", grow_beard(spec.beard, head, obstacle), spec.beard.colour, PixelClass.FACIAL_HAIR),
    ):
        if strands is not None and len(strands):
            add_strands(name, strands, hair_material(name, colour), number)
    return scalp


def _add_head(spec: HeadSpec, head: HeadGeometry) -> None:
    skin = head.skin
    attributes = {"albedo": skin_albedo(spec.skin, head, root_shade(spec.hair, head)), "base": skin.base}
    attributes["lips"] = skin.masks.get("lips", np.zeros(len(skin.vertices)))
    add_mesh("skin", skin.vertices, skin.triangles, skin_material(spec.skin), PixelClass.SKIN, attributes)
    if "eyes" in head.parts:
        eyes = head.parts["eyes"]
        flat = np.concatenate([eyes.uvs, np.zeros((len(eyes.uvs), 1))], axis=1)
        paint = eye_material(spec.eyes, _eye_radius(eyes.vertices))
        add_mesh("eyes", eyes.vertices, eyes.triangles, paint, PixelClass.EYES, {"eye_uv": flat, "base": eyes.base})
    for name in ("teeth", "tongue"):
        if name in head.parts:
            part = head.parts[name]
            add_mesh(name, part.vertices, part.triangles, mouth_material(name), PixelClass.MOUTH)


def _eye_radius(vertices: np.ndarray) -> float:
    """Of the eyeballs, from the height of one."""
    left = vertices[vertices[:, 0] > np.median(vertices[:, 0])]
    return float(np.ptp(left[:, 2]) / 2)
