"""Several heads in one process, images alone: what a contact sheet is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.head_models.head_model import HeadModel
from assets.library import Library
from capture import InputError, read_json
from generator.blender.build import build_scene
from generator.blender.jobs.capture import RenderSettings
from generator.blender.render import render_images
from generator.cameras.rig import RigSpec, rig_cameras
from generator.distributions import Distributions
from generator.sampling import sample_spec
from generator.spec import HeadSpec


@dataclass(frozen=True)
class PreviewPlan:
    """Attributes:
    specs: the heads.
    rig: the views of each.
    """

    specs: Sequence[HeadSpec]
    rig: RigSpec

    @classmethod
    def read(cls, path: Path, model: HeadModel, library: Library) -> PreviewPlan:
        """From `{"views": [[azimuth, elevation], ...], "heads": [{"seed": 0, "overrides": {...}}, ...]}`."""
        value = read_json(path, "preview")
        try:
            views = tuple((float(azimuth), float(elevation)) for azimuth, elevation in value["views"])
            heads = [(int(head["seed"]), head["overrides"]) for head in value["heads"]]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}: no plan of a preview ({error!r}); let `p2p preview` write it") from None
        return cls([_spec(seed, overrides, model, library) for seed, overrides in heads], RigSpec.around(views))


def _spec(seed: int, overrides: Mapping[str, Any], model: HeadModel, library: Library) -> HeadSpec:
    return sample_spec(seed, model, Distributions(overrides), library)


def render_preview(
    plan: PreviewPlan,
    model: HeadModel,
    folder: Path,
    settings: RenderSettings,
    library: Library,
    progress: Callable[[str, int, int], None],
) -> None:
    """Render `folder/head_<index>/view_<index>.png` of every head; `progress("head", done, all)` after each."""
    for index, spec in enumerate(plan.specs):
        scene, head, radius = build_scene(
            spec, model, settings.samples, settings.threads, lambda stage, work: work(), library, settings.device
        )
        cameras = rig_cameras(plan.rig, head.centre, radius, settings.resolution)
        render_images(scene, cameras, folder / f"head_{index:03d}", lambda *step: None, spec.sensor)
        progress("head", index + 1, len(plan.specs))
