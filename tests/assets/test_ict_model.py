"""ICT-FaceKit from a part of its official folder, behind the same interface as the default model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from assets.head_models.head_model import HeadModel, Pose
from assets.head_models.ict_facekit import read_ict
from assets.head_models.registry import load_head_model
from capture import InputError
from generator.head import build_head
from generator.sampling import sample_spec
from generator.spec import HeadSpec
from generator.wear.assembly import assemble_outfit
from tests.generator.toy_model import override
from tests.helpers import SHARED, needs_shared

FOLDER = SHARED / "data" / "ict_facekit"
pytestmark = needs_shared(FOLDER, "part of ICT-FaceKit")


@pytest.fixture(scope="module")
def model() -> HeadModel:
    try:
        return load_head_model(FOLDER)
    except InputError as error:
        pytest.skip(str(error))


def test_the_mesh_is_that_of_the_file() -> None:
    ours = read_ict(FOLDER)
    path = FOLDER / "FaceXModel" / "generic_neutral_mesh.obj"
    theirs = np.array([line.split()[1:4] for line in path.read_text().splitlines() if line.startswith("v ")], float)
    face = theirs[:6706] / 100  # the narrow face, centimetres, Y up
    turned = np.stack([face[:, 0], -face[:, 2], face[:, 1]], axis=1)
    off = ours.template[:6706] - turned
    assert np.allclose(off, off[0], atol=1e-6)  # another origin
    assert len(ours.identity) == 8 and len(ours.expression) == 5
    assert 0.055 < np.linalg.norm(ours.eye_centres[0] - ours.eye_centres[1]) < 0.070


def test_regions_lie_where_they_belong(model: HeadModel) -> None:
    rest = model.vertices(model.mean_identity, np.zeros(len(model.expression_names)), Pose())
    brows = rest[[model.landmarks[f"left_brow_{i}"] for i in range(5)], 2].mean()
    for name, test in {
        "scalp": lambda p: p[:, 2].mean() > brows,
        "lips": lambda p: abs(p[:, 2].mean() - rest[model.landmarks["upper_lip"], 2]) < 0.012,
        "ears": lambda p: np.abs(p[:, 0]).mean() > 0.055,
        "face": lambda p: np.ptp(p[:, 2]) > 0.12,
    }.items():
        chosen = rest[model.regions[name] > 0.5]
        assert len(chosen) > 50 and test(chosen), name
    assert {f"lash_{where}_{side}" for where in ("upper", "lower") for side in ("left", "right")} <= set(model.chains)


def test_a_head_builds_and_is_dressed(model: HeadModel) -> None:
    overrides = override(hair={"family": "crop"}, headwear={"kind": "none"}, garment={"kind": "tshirt"})
    spec = sample_spec(3, model, overrides)
    assert HeadSpec.from_json(spec.to_json()) == spec and spec.shape.model == "ict_facekit"
    head = build_head(model, spec.shape)
    outfit = assemble_outfit(spec, head)
    roots = outfit.strands["scalp hair"].points[:, 0]
    skin = trimesh.Trimesh(head.skin.vertices, head.skin.triangles, process=False)
    near = skin.vertices[skin.kdtree.query(roots)[1]]
    assert np.percentile(np.linalg.norm(near - roots, axis=1), 99) < 0.002
    assert (roots[:, 2] > head.landmarks["chin"][2]).all()
    assert len(outfit.strands["brows"]) > 100


def test_a_folder_without_the_mesh_is_named(tmp_path: Path) -> None:
    (tmp_path / "FaceXModel").mkdir()
    with pytest.raises(InputError, match="generic_neutral_mesh"):
        load_head_model(tmp_path)
