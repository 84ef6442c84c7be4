"""Settings of rendering as plain values: what its stamp depends on, and what a data set is made from."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from assets.head_models.registry import is_default, load_head_model
from assets.library import open_library
from assets.makehuman.model import model_version
from capture.files import sha256_of
from factory.stages.settings import RenderSettings


def render_options(settings: RenderSettings) -> dict[str, Any]:
    """The settings as plain values; the Blender binary by its path and time, as another version draws otherwise."""
    value = settings.values()
    value["distributions"] = settings.distributions.to_json()
    value["library"] = _library_content(settings.library)
    value["head_model"] = [settings.head_model, _model_content(settings.head_model)]
    if settings.device == "cpu":
        del value["device"]  # stamps from before there was a choice stay good
    if settings.blender is not None:
        value["blender"] = [str(settings.blender.resolve()), settings.blender.stat().st_mtime_ns]
    return value


def content_of(settings: RenderSettings) -> dict[str, Any]:
    """The options that images depend on, as plain values: the same on every machine with the same assets and model."""
    value = {name: each for name, each in settings.values().items() if name not in ("blender", "library")}
    value["distributions"] = settings.distributions.to_json()
    value["passes"] = list(settings.passes)
    value["head_model"] = _model_content(settings.head_model)
    library = json.dumps(_library_content(settings.library), sort_keys=True)
    value["library"] = hashlib.sha256(library.encode()).hexdigest()[:16]
    return value


@cache
def _model_content(head_model: str) -> str:
    """The version of a head model; that of the default is known without its data."""
    return model_version() if is_default(head_model) else load_head_model(head_model).version


@cache
def _library_content(folders: tuple[Path, ...]) -> dict[str, list[object]]:
    """id -> weight and checksum of every asset, as others draw and show otherwise."""
    return {name: [asset.weight, asset.sha256] for name, asset in open_library(folders).assets.items()}


def library_files(folders: tuple[Path, ...]) -> dict[str, str]:
    """Files and weights of all assets -> SHA-256 or number, which tell where two libraries differ."""
    found = {}
    for name, asset in open_library(folders).assets.items():
        found[f"weight of {name}"] = f"{asset.weight:g}"
        found |= {f"{name}: {file}": sha256_of(asset.path(role)) for role, file in asset.files.items()}
    return found
