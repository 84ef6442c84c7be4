"""Versions of everything that decides what a render looks like."""

from __future__ import annotations

import numpy as np

from assets.head_models.head_model import HeadModel
from generator import GENERATOR_VERSION
from generator.blender.compat import version
from generator.blender.curves import hair_nodes


def render_versions(model: HeadModel) -> dict[str, str]:
    """Name -> version: of Blender, the generator, the head model, numpy, and where the hair nodes come from."""
    return {
        "blender": version(),
        "generator": GENERATOR_VERSION,
        f"head_model/{model.name}": model.version,
        "numpy": np.__version__,
        "hair_nodes": hair_nodes(),
    }
