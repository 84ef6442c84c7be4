"""Heads with libraries: what is drawn, what stays as it was, what is recorded, and a tiny render of cards."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assets.library import Library, open_library
from assets.library.import_makehuman import Origin, import_makehuman
from assets.makehuman.model import load_default_model
from capture import Capture, InputError, PixelClass
from generator.asset_selection import MISFIT, asset_slots, assets_of, suits
from generator.components.hair_colour import HairColour
from generator.components.person import Person
from generator.components.skin import MakeUp
from generator.sampling import sample_spec
from generator.spec import HeadSpec
from generator.wear.library_meshes import pigment_colour
from tests.assets.packs import write_asset, write_image, write_pack, write_proxy
from tests.generator.toy_model import ToyModel, override

REPO = Path(__file__).resolve().parents[2]
MODEL = ToyModel()
MODEL.base_mesh = "hm08"  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("library")
    import_makehuman(write_pack(folder / "pack"), folder / "out", Origin())
    write_asset(folder / "out", "sky/noon", "hdri")
    write_asset(folder / "out", "mine/rare", weight=0.01)
    return open_library([folder / "out"])


def plain(spec: HeadSpec) -> dict[str, Any]:
    """The spec without what a library may change."""
    value = spec.to_json()
    for name, slot in asset_slots():
        value[name].pop(slot.field)
    value["skin"].pop("makeup")  # a texture is painted already
    return value


def test_a_library_leaves_everything_else_as_it_was(library: Library) -> None:
    seen: Counter[str] = Counter()
    for seed in range(150):
        with_it, without = sample_spec(seed, MODEL, None, library), sample_spec(seed, MODEL)
        assert plain(with_it) == plain(without)
        assert with_it.skin.makeup == (MakeUp() if with_it.skin.texture else without.skin.makeup)
        assert not assets_of(without, Library())
        assert HeadSpec.from_json(json.loads(json.dumps(with_it.to_json()))) == with_it
        seen.update(name for name in assets_of(with_it, library))
    assert 50 < seen["skin"] < 100 and 25 < seen["eyes"] < 70 and 25 < seen["brows"] < 70


def test_overrides_about_assets(library: Library) -> None:
    for seed in range(5):
        spec = sample_spec(
            seed, MODEL, override(skin={"textured": True}, brows={"library": 0.0}, hair={"family": "none"}), library
        )
        assert spec.skin.texture and not spec.brows.asset and not spec.hair.asset
        spec = sample_spec(
            seed, MODEL, override(skin={"texture": "mine/rare"}, hair={"asset": "makehuman/bob"}), library
        )
        assert (spec.skin.texture, spec.hair.asset) == ("mine/rare", "makehuman/bob")
        assert assets_of(spec, library)["skin"].id == "mine/rare"
        spec = sample_spec(
            seed, MODEL, override(headwear={"asset": "makehuman/topper"}, hair={"library": 1.0}), library
        )
        assert spec.headwear.asset and not spec.hair.asset


def test_other_head_models_take_what_fits_any(library: Library) -> None:
    other = ToyModel()
    specs = [sample_spec(seed, other, None, library) for seed in range(40)]
    assert not any(spec.skin.texture or spec.hair.asset for spec in specs) and any(spec.eyes.texture for spec in specs)


def test_mistakes_are_one_line(library: Library) -> None:
    with pytest.raises(InputError, match="no library has skin assets"):
        sample_spec(0, MODEL, override(skin={"texture": "x/y"}))
    with pytest.raises(InputError, match=r"skin\.texture: 'x/y'"):
        sample_spec(0, MODEL, override(skin={"texture": "x/y"}), library)
    spec = sample_spec(0, MODEL)
    named = dataclasses.replace(spec, skin=dataclasses.replace(spec.skin, texture="x/y"))
    with pytest.raises(InputError, match="no library has the skin asset 'x/y'"):
        assets_of(named, library)


def test_tags_speak_against_people() -> None:
    woman = Person(masculine=0.1, age=70, melanin=0.3)
    assert suits(("old", "female", "asian", "casual"), woman) == 1
    assert suits(("young", "male"), woman) == MISFIT**2


def test_pigments_have_the_colour_of_hair() -> None:
    black, brown, blond, red = (
        np.array(pigment_colour(HairColour(m, r, 0.0))) for m, r in ((0.97, 0.2), (0.75, 0.2), (0.2, 0.2), (0.4, 1.0))
    )
    assert black.max() < 0.03 < brown[0] < 0.2 < blond[0]
    assert red[0] > 1.5 * red[1] and (np.diff(blond) < 0).all()
    assert pigment_colour(HairColour(0.97, 0.2, 1.0))[0] > 0.5


@pytest.mark.slow
def test_cards_are_clear_where_their_image_is(tmp_path: Path) -> None:
    """A square before the face whose image is clear in its left half: the mask shows the other half of it alone."""
    pytest.importorskip("bpy")
    model = load_default_model()
    nose = int(model.source_vertex[model.landmarks["nose_tip"]])
    corners = [(-1, 1), (1, 1), (-1, -1), (1, -1)]  # decimetres about the nose's tip, as the strip of triangles runs
    bindings = [f"{nose} {nose} {nose} 1 0 0 {0.4 * x} {0.4 * y} 0.3" for x, y in corners]
    write_proxy(tmp_path / "pack/hair/card", "card", bindings)
    (tmp_path / "pack/hair/card/card.obj").write_text(
        "v -1 1 8\nv 1 1 8\nv -1 -1 8\nv 1 -1 8\nvt 0 1\nvt 1 1\nvt 0 0\nvt 1 0\nf 1/1 3/3 2/2\nf 2/2 3/3 4/4\n"
    )
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, 4:] = (200, 150, 100, 255)
    write_image(tmp_path / "pack/hair/card/map.png", pixels)
    import_makehuman(tmp_path / "pack", tmp_path / "library", Origin("mine"))
    (tmp_path / "overrides.json").write_text(json.dumps({"hair": {"asset": "mine/card"}}))
    command = [
        sys.executable,
        REPO / "blender_scripts/generate.py",
        "--seed",
        1,
        "--out",
        tmp_path / "head_1",
        "--library",
        tmp_path / "library",
        "--resolution",
        64,
        "--samples",
        1,
        "--neutral",
        "--distributions",
        tmp_path / "overrides.json",
    ]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-2000:]
    capture = Capture.read(tmp_path / "head_1")
    credit = next(asset for asset in capture.info.assets if asset["kind"] == "hair")
    assert (credit["id"], credit["licence"]) == ("mine/card", "CC0-1.0") and len(credit["sha256"]) == 64
    front = next(
        camera
        for camera in capture.cameras
        if abs(camera.rotation[2, 0]) < 0.1 and camera.centre[1] < -0.5 and abs(camera.centre[2]) < 0.2
    )
    classes = np.asarray(Image.open(tmp_path / "head_1" / "masks" / front.name))
    rows, columns = np.nonzero(classes == PixelClass.SCALP_HAIR)
    assert len(rows) > 50
    vertices = model.vertices(np.array(capture.info.spec["shape"]["identity"]), model.neutral_expression())  # type: ignore[index]
    tip = front.project(vertices[[model.landmarks["nose_tip"]]])[0][0]
    assert columns.min() > tip[0] - 4  # the subject's left half, the right of the image; the camera looks up or down
    left = classes[rows.min() : rows.max() + 1, : int(tip[0]) - 4]
    assert (left == PixelClass.SKIN).sum() > 20
