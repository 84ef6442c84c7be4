"""OBJ files as head models: brought to our frame by named vertices, and refused in one line where they can't be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assets.head_models.obj_template import read_obj_template
from assets.head_models.registry import load_head_model
from assets.makehuman.model import load_default_model
from capture import InputError
from capture.geometry import rotation_matrix

NAMES = (
    "nose_tip", "chin", "nasion", "left_eye_outer", "right_eye_outer", "left_mouth_corner", "right_mouth_corner",
    "left_tragus", "right_tragus",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default head's skin in inches, turned, as an OBJ file of quads, with its landmarks."""
    folder = tmp_path_factory.mktemp("template")
    model = load_default_model()
    quads = model.polygons[model.polygon_parts == 0]
    used = np.unique(quads)
    turned = model.base[used] / 0.0254 @ rotation_matrix([1.2, -0.4, 2.0]).T + [3.0, -2.0, 7.0]
    lines = ["# a head", *(f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in turned.tolist())]
    lines += ["f " + " ".join(f"{corner + 1}//1" for corner in face) for face in np.searchsorted(used, quads).tolist()]
    (folder / "head.obj").write_text("\n".join(lines))
    numbers = {name: int(np.searchsorted(used, model.landmarks[name])) for name in NAMES}
    (folder / "head.landmarks.json").write_text(json.dumps(numbers))
    return folder


def test_landmarks_bring_it_to_our_frame_and_size(folder: Path) -> None:
    model = load_default_model()
    data = read_obj_template(folder / "head.obj")
    used = np.unique(model.polygons[model.polygon_parts == 0])
    np.testing.assert_allclose(data.template, model.base[used], atol=1e-6)
    assert data.polygons.shape[1] == 4 and len(data.polygons) == (model.polygon_parts == 0).sum()
    np.testing.assert_allclose(data.landmarks["chin"], model.base[model.landmarks["chin"]], atol=1e-6)
    assert data.identity_names == ("width", "depth", "height")
    np.testing.assert_allclose(data.identity[2][:, 2], data.template[:, 2])


def test_polygons_of_any_size_and_texture_points_are_kept(tmp_path: Path, folder: Path) -> None:
    text = (folder / "head.obj").read_text()
    (tmp_path / "head.obj").write_text(text + "\nvt 0 0\nvt 1 0\nvt 1 1\nf 1/1 2/2 3/3 4/1 5/2\nf -3/-1 -2/-2 -1/-3\n")
    (tmp_path / "head.landmarks.json").write_text((folder / "head.landmarks.json").read_text())
    data, before = read_obj_template(tmp_path / "head.obj"), read_obj_template(folder / "head.obj")
    assert data.version != before.version and len(data.uvs) == 1  # some faces have no texture points
    added = data.polygons[len(before.polygons) :]
    count = len(data.template)
    assert added.tolist() == [
        [0, 1, 2, -1], [0, 2, 3, -1], [0, 3, 4, -1], [count - 3, count - 2, count - 1, -1],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("landmarks", "message"),
    [
        (None, "has to stand in head.landmarks.json beside it"),
        ({"nose_tip": 1}, "1 landmarks; six or more"),
        ({"wart": 1}, "landmarks wart are not known"),
        ({"nose_tip": -1}, "an object of vertex numbers is needed"),
        ({"nose_tip": 10**7}, "an object of vertex numbers is needed"),
        (dict.fromkeys(NAMES, 7), "mm (median) from those of an average head"),
    ],
)
def test_landmarks_that_cannot_be_used_are_one_line(
    landmarks: dict[str, int] | None, message: str, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "head.obj").write_text((folder / "head.obj").read_text())
    if landmarks is not None:
        (tmp_path / "head.landmarks.json").write_text(json.dumps(landmarks))
    with pytest.raises(InputError) as error:
        read_obj_template(tmp_path / "head.obj")
    assert message in str(error.value) and "\n" not in str(error.value)


def test_damaged_meshes_are_one_line(tmp_path: Path) -> None:
    for text, message in (
        ("v 0 0 0\nf 1 2 x", "line 2 is no part"),
        ("v 0 0 0", "no mesh"),
        ("v 0 0 0\nf 1 2 3", "not there"),
    ):
        (tmp_path / "a.obj").write_text(text)
        with pytest.raises(InputError, match=message):
            read_obj_template(tmp_path / "a.obj")
    with pytest.raises(InputError, match="can't be read"):
        read_obj_template(tmp_path / "none.obj")


@pytest.mark.slow
def test_it_is_a_head_model_with_regions(folder: Path) -> None:
    model = load_head_model(folder / "head.obj")
    default = load_default_model()
    used = np.unique(default.polygons[default.polygon_parts == 0])
    face, own = default.regions["face"][used] > 0.5, model.regions["face"] > 0.5
    assert (face & own).sum() / (face | own).sum() > 0.9
    nose = model.landmarks["nose_tip"]
    assert np.linalg.norm(model.base[nose] - default.base[default.landmarks["nose_tip"]]) < 0.003
