"""From a spec to a capture on disk, inside Blender."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from assets.head_models.head_model import HeadModel
from assets.library import Library
from capture import Capture, CaptureInfo
from generator import GENERATOR_VERSION
from generator.asset_selection import credits_of
from generator.blender.build import build_scene
from generator.blender.compat import version
from generator.blender.curves import hair_nodes
from generator.blender.passes import render_masks
from generator.blender.render import render_images
from generator.blender.world import hdri_path
from generator.cameras.rig import rig_cameras
from generator.jobs.output_folder import forget_former, refuse_painted
from generator.spec import HeadSpec

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RenderSettings:
    """How to render.

    Attributes:
        resolution: pixels, both ways.
        samples: per pixel.
        threads: or None for all cores.
        passes: ground truth beside the masks, of `generator.jobs.ground_truth.PASSES`.
        device: what renders, of `generator.jobs.devices.DEVICES`.
    """

    resolution: int = 512
    samples: int = 16
    threads: int | None = None
    passes: tuple[str, ...] = ()
    device: str = "cpu"


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
    library: Library | None = None,
) -> dict[str, float]:
    """Render a head into a capture folder (see the design); `capture.json` is written last.

    What an earlier run left in the folder is removed first. Raises `InputError` where the folder's name is no id for a
    capture, the folder can't be written, or a person painted labels of the scan in it.

    Returns:
        seconds per stage: head, world, dress, objects, export, first view, other views, develop, masks.
    """
    versions = {
        "blender": version(),
        "generator": GENERATOR_VERSION,
        f"head_model/{model.name}": model.version,
        "numpy": np.__version__,
        "hair_nodes": hair_nodes(),
    }
    # refuses names before hours are spent
    info = CaptureInfo(folder.name, spec.seed, spec.to_json(), versions, _credits(spec, library), _traits(spec, model))
    refuse_painted(folder)  # likewise
    watch = Stopwatch()
    samples, threads = settings.samples, settings.threads
    scene, head, radius = build_scene(spec, model, samples, threads, watch.time, library, settings.device)
    forget_former(folder)
    cameras = rig_cameras(spec.rig, head.centre, radius, settings.resolution)
    watch.time("export", lambda: head.surface().write(folder / Capture.HEAD))
    render_images(scene, cameras, folder / "images", progress, spec.sensor, watch.time)
    watch.time("masks", lambda: render_masks(scene, cameras, folder / "masks", progress, settings.passes))
    Capture.create(folder, cameras, info)
    log.info("%s: %s", folder.name, ", ".join(f"{k} {v:.1f} s" for k, v in watch.seconds.items()))
    return watch.seconds


def _traits(spec: HeadSpec, model: HeadModel) -> dict[str, float]:
    return {name: float(value) for name, value in model.traits(np.array(spec.shape.identity)).items()}


def _credits(spec: HeadSpec, library: Library | None) -> tuple[dict[str, str], ...]:
    return tuple(credits_of(spec, library or Library(), hdri_path))
