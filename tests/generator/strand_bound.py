"""Run with bpy: how Blender's hair nodes change straight strands; prints JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from generator.blender.curves import HAIR_NODES, add_strands, bundled_hair_node
from generator.blender.materials.hair import hair_material
from generator.components.hair_colour import HairColour
from generator.hair.strands import Strands

COUNT, STEPS = 40, 12


def evaluated(seed: int | None) -> np.ndarray:
    """(N, 3) points of 40 strands that are 10 mm apart."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    points = np.zeros((COUNT, STEPS, 3))
    points[..., 0], points[..., 2] = 0.01 * np.arange(COUNT)[:, None], np.linspace(0, 0.1, STEPS)
    strands = Strands(points, np.full((COUNT, STEPS), 1e-4), np.linspace(0, 1, COUNT))
    made = add_strands("hair", strands, hair_material("hair", HairColour(dyed=0.8, tint=(0.1, 0.2, 0.8))), 5, seed)
    evaluated = made.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    flat = np.empty(3 * len(evaluated.points), np.float32)
    evaluated.points.foreach_get("position", flat)
    return flat.reshape(-1, 3)


bpy.ops.wm.read_factory_settings(use_empty=True)
bundled = all(bundled_hair_node(name) for name in HAIR_NODES)
plain, more, again = evaluated(None), evaluated(5), evaluated(5)
off = np.hypot(more[:, 0] - np.round(more[:, 0], 2), more[:, 1])
report = {
    "bundled": bundled,
    "plain": len(plain),
    "more": len(more),
    "off": float(off.max()),
    "same": bool(np.array_equal(more, again)),
}
sys.stdout.write(f"RESULT {json.dumps(report)}\n")
