"""The registry of components: a new one is a file and a row, and everything that deals with components has it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import get_type_hints

import pytest

from assets.library import KINDS
from assets.makehuman.model import load_default_model
from generator.components.hair import FAMILIES
from generator.components.person import Person
from generator.hair.styles import STYLES
from generator.sampling import sample_spec
from generator.spec import COMPONENTS, STREAMS, HeadSpec
from tests.generator.toy_model import ToyModel
from tests.helpers import REPO

ROW = """
    patch: Annotated[
        PatchSpec,
        Component(
            sample_patch,
            kind_field="kind",
            person={"age": "years"},
            asset=AssetSlot("eye", "picture", 0.5, flag="painted", choice="picture"),
            attributes={"patch_mm": "size.width_mm"},
            accessory=make_patch,
        ),
    ]
"""
FILE = '''
"""Eye patches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capture import PixelClass
from generator.wear.worn_mesh import WornMesh


@dataclass(frozen=True)
class Size:
    width_mm: float = 40.0


@dataclass(frozen=True)
class PatchSpec:
    kind: str = "none"
    size: Size = Size()
    years: float = 30.0
    picture: str = ""


def sample_patch(sampler, person):
    kind = sampler.choice("kind", {"none": 0.5, "left": 0.25, "right": 0.25})
    return PatchSpec(kind, Size(sampler.number("width_mm", 30, 50)), person.age)


def make_patch(spec, head, skull, field):
    width = spec.size.width_mm / 1000
    corners = np.array([[0.0, -0.2, 0.0], [width, -0.2, 0.0], [0.0, -0.2, width]])
    return [WornMesh("patch", corners, np.array([[0, 1, 2]]), PixelClass.EYEWEAR, "patch")]
'''
PROGRAM = """
import json, sys
from pathlib import Path
from assets.library import open_library
from assets.makehuman.model import load_default_model
from capture import CaptureInfo
from generator.asset_selection import assets_of, credits_of
from generator.attributes import attributes_of
from generator.distributions import Distributions
from generator.head import build_head
from generator.sampling import sample_spec
from generator.spec import COMPONENTS, HeadSpec
from generator.wear.assembly import assemble_outfit
from tests.assets.packs import write_asset

def attributes(spec):
    return attributes_of(CaptureInfo("head", spec.seed, spec.to_json(), {}, (), {}))

write_asset(Path("library"), "mine/skull", "eye")
library, model = open_library([Path("library")]), load_default_model()
drawn = sample_spec(3, model)
assert HeadSpec.from_json(json.loads(json.dumps(drawn.to_json()))) == drawn
overrides = {"patch": {"kind": "left", "width_mm": 44, "picture": "mine/skull"}, "hair": {"family": "none"}}
overridden = sample_spec(3, model, Distributions(overrides), library)
assert assets_of(overridden, library)["patch"].id == "mine/skull"
try:
    Distributions({"patches": {}})
except Exception as error:
    unknown = str(error)
json.dump({
    "components": list(COMPONENTS), "drawn": drawn.to_json(), "overridden": overridden.to_json()["patch"],
    "counted": attributes(drawn), "counted asset": attributes(overridden), "unknown": unknown,
    "worn": [mesh.name for mesh in assemble_outfit(overridden, build_head(model, overridden.shape)).meshes],
}, sys.stdout)
"""


def test_a_component_is_one_file_and_one_row(tmp_path: Path) -> None:
    """It is drawn, recorded, read again, overridden, replaced by an asset, worn and counted; all else stays."""
    for name in ("capture", "assets", "tests"):
        (tmp_path / name).symlink_to(REPO / name)
    shutil.copytree(REPO / "generator", tmp_path / "generator", ignore=shutil.ignore_patterns("__pycache__", "blender"))
    (tmp_path / "generator/components/patch.py").write_text(FILE)
    registry = tmp_path / "generator/spec.py"
    text = registry.read_text()
    start, end = text.index("from generator.components.sensor"), text.index("    overrides: ")
    line = "from generator.components.patch import PatchSpec, make_patch, sample_patch\n"
    registry.write_text(text[:start] + line + text[start:end] + ROW + text[end:])
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    patch = made["drawn"].pop("patch")
    assert made["components"] == [*COMPONENTS, "patch"]
    assert made["drawn"] == sample_spec(3, load_default_model()).to_json()
    assert patch["kind"] in ("none", "left", "right") and 30 <= patch["size"]["width_mm"] < 50
    assert made["overridden"] == {**patch, "kind": "left", "size": {"width_mm": 44.0}, "picture": "mine/skull"}
    assert (made["counted"]["patch"], made["counted"]["patch_mm"]) == (patch["kind"], patch["size"]["width_mm"])
    assert (made["counted asset"]["patch"], made["counted asset"]["patch_mm"]) == ("mine/skull", 44.0)
    assert "patch" in made["worn"] and made["unknown"].endswith("rig, patch")


@pytest.mark.parametrize("name", COMPONENTS)
def test_rows_fit_their_records(name: str) -> None:
    row, record = COMPONENTS[name], getattr(sample_spec(0, ToyModel()), name)
    assert isinstance(record, get_type_hints(HeadSpec)[name])
    assert replace(Person(), **row.told(record))
    for place in (row.kind_field, *row.attributes.values()):
        value = record
        for part in filter(None, place.split(".")):
            value = getattr(value, part)
        assert isinstance(value, str | int | float) or not place
    if row.asset is not None:
        assert row.asset.kind in KINDS and isinstance(getattr(record, row.asset.field), str)
        assert row.asset.hidden_by in ("", *COMPONENTS)


def test_every_family_of_hair_has_a_style() -> None:
    assert set(STYLES) == set(FAMILIES) - {"none"}


def test_streams_are_named_once() -> None:
    assert len(set(STREAMS)) == len(STREAMS) and set(COMPONENTS) < set(STREAMS)
