"""Run in a process of its own: hashes of everything that is sampled and grown, for every option of every choice.

fingerprint.py OUT.json [component]: with a component, its stream is replaced by another one.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from assets.makehuman.model import load_default_model
from assets.parameter_sampler import ParameterSampler
from generator.distributions import Distributions, RecordedDistributions
from generator.hair.scalp import root_shade
from generator.head import HeadGeometry, build_head
from generator.sampling import sample_spec
from generator.skin.colour import skin_albedo
from generator.skin.relief import relief_fields
from generator.spec import COMPONENTS, HeadSpec
from generator.streams import component_stream
from generator.wear import assembly
from generator.wear.assembly import assemble_outfit

SEED = 3
HEADS_OF_ANOTHER_STREAM = 6
FEW = {"hair": 150, "beard": 150, "brows": 60, "lashes": 40}  # strands
SEEN = [f"{name}.{row.kind_field}" for name, row in COMPONENTS.items() if row.kind_field]


@dataclass(frozen=True)
class Recorded(RecordedDistributions):
    """Distributions that keep their samplers; one component may get another stream."""

    other: str = ""

    def sampler(self, seed: int, component: str) -> ParameterSampler:
        given = super().sampler(seed, component)
        if component == self.other:
            given.rng = component_stream(seed + 1000, component)
        return given


def digest(*arrays: Any) -> str:
    made = hashlib.sha256()
    for array in (array for array in arrays if array is not None):
        made.update(np.ascontiguousarray(array).tobytes())
    return made.hexdigest()[:16]


def plans(other: str) -> list[Distributions]:
    """As many heads as the longest choice has options; every option of every choice is worn by one."""
    model = load_default_model()
    asked = Recorded(other=other)
    sample_spec(SEED, model, asked)
    few = {name: {"strands": count} for name, count in FEW.items() if "strands" in asked.samplers[name].asked}
    options = {}
    for choice in SEEN:
        component, _, name = choice.partition(".")
        if name in asked.samplers[component].options:
            options[choice] = asked.samplers[component].options[name]
    made = []
    for index in range(max(map(len, options.values()))):
        overrides: dict[str, dict[str, Any]] = {name: dict(override) for name, override in few.items()}
        for choice, names in options.items():
            component, _, name = choice.partition(".")
            overrides.setdefault(component, {})[name] = names[index % len(names)]
        made.append(Recorded(overrides, other=other))
    return made


def fingerprint(spec: HeadSpec, head: HeadGeometry, relief: Callable[[Any, int], str]) -> dict[str, str]:
    """Hashes of all that `assemble_outfit` makes, of the skin's relief and of its colours."""
    outfit = assemble_outfit(spec, head)
    hashes = {
        f"mesh {mesh.name}": digest(
            mesh.vertices, mesh.triangles, *(mesh.attributes[k] for k in sorted(mesh.attributes))
        )
        for mesh in outfit.meshes
    }
    hashes["relief"] = relief(head.skin, spec.skin.seed)
    hashes["albedo"] = digest(skin_albedo(spec.skin, head, root_shade(spec.hair, head)))
    return hashes | {
        f"strands {name}": digest(strands.points, strands.radii, strands.shade, strands.tone)
        for name, strands in outfit.strands.items()
    }


def main() -> None:
    model, other = load_default_model(), sys.argv[2] if len(sys.argv) > 2 else ""
    grow = assembly.distance_field
    fields: dict[str, Any] = {}

    def once(vertices: Any, normals: Any, *more: Any, **options: Any) -> Any:
        """The field of a surface is the same for all heads that have it: a second a head."""
        key = digest(vertices, normals) + repr((more, sorted(options.items())))
        if key not in fields:
            fields[key] = grow(vertices, normals, *more, **options)
        return fields[key]

    assembly.distance_field = once  # type: ignore[assignment]
    built = cache(lambda shape: build_head(model, shape))
    relief = cache(lambda skin, seed: digest(*relief_fields(skin, seed)))  # the same for heads of one shape
    specs = [sample_spec(seed, model, Recorded(other=other)).to_json() for seed in range(20)]
    heads = []
    for overrides in plans(other)[: HEADS_OF_ANOTHER_STREAM if other else None]:
        spec = sample_spec(SEED, model, overrides)
        head = built(spec.shape)
        parts = {
            name: digest(part.vertices, part.triangles, part.uvs, *(part.masks[key] for key in sorted(part.masks)))
            for name, part in head.parts.items()
        }
        heads.append({"parts": parts, **fingerprint(spec, head, relief)})
    Path(sys.argv[1]).write_text(json.dumps({"specs": specs, "heads": heads}, sort_keys=True))


if __name__ == "__main__":
    main()
