"""Linear head models from files: GNM's layout and our own, made of the default model's mean head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assets.head_models.head_model import HeadModel, Pose
from assets.head_models.linear_file import frame, read_linear
from assets.head_models.registry import load_head_model
from assets.makehuman.model import load_default_model
from assets.parameter_sampler import ParameterSampler
from capture import InputError
from generator.head import build_head
from generator.sampling import sample_spec
from tests.generator.toy_model import override

TO_Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # from Z up, face -Y to Y up, face +Z


@pytest.fixture(scope="module")
def default() -> HeadModel:
    try:
        return load_default_model()
    except InputError as error:
        pytest.skip(str(error))


def shape_arrays(default: HeadModel) -> dict[str, np.ndarray]:
    """The mean head without teeth and tongue, with two identities and three expressions."""
    rng = np.random.default_rng(5)
    smooth = np.sin(default.base[None] * rng.uniform(10, 40, (5, 1, 3)) + rng.uniform(0, 6, (5, 1, 3)))
    return {"vertices": default.base, "identity": 0.002 * smooth[:2], "expression": 0.001 * smooth[2:]}


def groups(default: HeadModel) -> tuple[np.ndarray, np.ndarray]:
    members = np.zeros((4, len(default.base)))
    names = ("left_eyeball", "right_eyeball", "teeth", "tongue")
    for row, prefix in enumerate(("eye_left", "eye_right", "teeth", "tongue")):
        parts = [i for i, name in enumerate(default.part_names) if name.startswith(prefix)]
        members[row, np.unique(default.polygons[np.isin(default.polygon_parts, parts)])] = 1
    return members, np.array(names)


@pytest.fixture(scope="module")
def gnm(default: HeadModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small file of GNM Head's layout."""
    shapes, (members, names) = shape_arrays(default), groups(default)
    eyes = np.array([[0.031, -0.0, 0.0], [-0.031, 0.0, 0.0]])
    joints = np.concatenate([[[0.0, 0.07, -0.12], [0.0, 0.06, -0.05]], eyes]) @ TO_Y_UP.T
    path = tmp_path_factory.mktemp("gnm") / "gnm_head.npz"
    np.savez(
        path,
        template_vertex_positions=shapes["vertices"] @ TO_Y_UP.T,
        vertex_identity_basis=shapes["identity"] @ TO_Y_UP.T,
        expression_basis=shapes["expression"] @ TO_Y_UP.T,
        triangles=default.faces,
        quads=default.polygons[:2000],
        triangle_uvs=default.uvs[default.face_uvs],
        skinning_weights=np.full((4, len(default.base)), 0.25),
        template_joint_positions=joints,
        joint_parent_indices=np.array([-1, 0, 1, 1]),
        vertex_groups=members,
        vertex_group_names=names,
    )
    return path


@pytest.fixture(scope="module")
def ours(default: HeadModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our layout, in centimetres, triangles only, with landmarks."""
    shapes, (members, names) = shape_arrays(default), groups(default)
    path = tmp_path_factory.mktemp("ours") / "mine.npz"
    np.savez(
        path, vertices=100 * shapes["vertices"] @ TO_Y_UP.T, metres_per_unit=0.01, up="+Y", forward="+Z",
        triangles=default.faces, uvs=default.uvs, triangle_uvs=default.face_uvs,
        identity_basis=100 * shapes["identity"] @ TO_Y_UP.T, identity_deviation=np.array([0.5, 2.0]),
        expression_basis=100 * shapes["expression"] @ TO_Y_UP.T,
        expression_names=np.array(["jawOpen", "mouthSmileLeft", "mouthSmileRight"]),
        vertex_groups=members, vertex_group_names=names,
        landmark_names=np.array(list(default.landmarks)), landmark_vertices=np.array(list(default.landmarks.values())),
    )  # fmt: skip
    return path


@pytest.mark.parametrize("layout", ["gnm", "ours"])
def test_another_model_is_aligned_and_builds(layout: str, default: HeadModel, request: pytest.FixtureRequest) -> None:
    model = load_head_model(request.getfixturevalue(layout))
    assert isinstance(model, HeadModel)
    rest = model.vertices(model.mean_identity, np.zeros(3), Pose())
    assert np.abs(rest - default.base).max() < 0.003  # the origin is between the eyes: those of the file, not ours
    skin = np.unique(default.faces[default.face_parts == 0])
    face = skin[default.regions["face"][skin] > 0.5]
    off = np.linalg.norm(model.base - default.base, axis=1)
    assert np.median(off[face]) < 0.002
    for name in ("face", "scalp", "ears"):
        mine, true = model.regions[name][skin] > 0.5, default.regions[name][skin] > 0.5
        least = 0.8 if layout == "ours" else 0.65  # without landmarks it begins with a guess
        assert (mine & true).sum() / (mine | true).sum() > least, name
    spec = sample_spec(3, model, override(eyewear={"kind": "round"}))
    head = build_head(model, spec.shape)
    assert {"skin", "eyes", "teeth", "tongue"} <= set(head.parts)
    assert 0.1 < head.radius < 0.2 and abs(head.landmarks["nose_tip"][0]) < 0.008
    assert len(head.skin.vertices) > 20_000
    assert np.isfinite(head.skin.corner_uvs).all()


def test_gnm_keeps_its_quads_and_texture(gnm: Path, default: HeadModel) -> None:
    data = read_linear(gnm)
    assert (data.polygons[:, 3] >= 0).sum() == 2000
    assert (data.polygons >= 0).sum() == 4 * 2000 + 3 * (len(default.faces) - 4000)
    corner = data.uvs[data.polygon_uvs[0]]
    assert np.allclose(corner, default.uvs[default.polygon_uvs[0]])
    assert np.allclose(data.eye_centres[:, 0], [0.031, -0.031])


def test_coefficients_and_pose_move_the_head(ours: Path) -> None:
    model = load_head_model(ours)
    rest = model.vertices(np.zeros(2), np.zeros(3), Pose())
    for identity, expression in (([1.0, 0.0], np.zeros(3)), (np.zeros(2), [0.0, 1.0, 0.0])):
        moved = model.vertices(np.array(identity), np.array(expression), Pose())
        assert 0.0005 < np.linalg.norm(moved - rest, axis=1).max() < 0.01
    turned = model.vertices(np.zeros(2), np.zeros(3), Pose(neck=(0.0, 0.0, 0.5))) - rest
    size = np.linalg.norm(turned, axis=1)
    assert size[model.landmarks["nose_tip"]] > 0.03 and size[rest[:, 2].argmin()] < 1e-9
    spun = model.vertices(np.zeros(2), np.zeros(3), Pose(left_eye=(0.0, 0.0, 0.3))) - rest
    only = np.unique(model.faces[model.face_parts == model.part_names.index("eye_left")])
    still = np.setdiff1d(np.arange(len(rest)), only)
    assert np.linalg.norm(spun[only], axis=1).max() > 0.002 and not spun[still].any()
    spread = np.std([model.sample_identity(ParameterSampler(np.random.default_rng(i))) for i in range(300)], axis=0)
    assert np.allclose(spread, [0.5, 2.0], rtol=0.15)


@pytest.mark.parametrize(("up", "forward"), [("+Y", "+Z"), ("+Z", "-Y"), ("+Z", "+X"), ("-Y", "-Z")])
def test_frames_are_rotations(up: str, forward: str) -> None:
    turn = frame(up, forward, Path("model.npz"))
    assert np.allclose(turn @ turn.T, np.eye(3)) and np.linalg.det(turn) == pytest.approx(1)
    axes = {"X": [1, 0, 0], "Y": [0, 1, 0], "Z": [0, 0, 1]}
    for name, ours_ in ((up, [0, 0, 1]), (forward, [0, -1, 0])):
        assert np.allclose(turn @ np.array(axes[name[1]]) * (1 if name[0] == "+" else -1), ours_)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda a: a.pop("identity_basis"), "without identity_basis"),
        (lambda a: a.pop("triangles"), "without faces"),
        (lambda a: a.update(up="sideways"), "sideways"),
        (lambda a: a.update(forward="-Y"), "two different axes"),
        (lambda a: a.update(identity_basis=a["identity_basis"][:, :9]), "identity offsets don't fit"),
        (lambda a: a["triangles"].__setitem__((0, 1), 10**6), "faces name vertices"),
        (lambda a: a["vertices"].__setitem__((0, 0), np.nan), "not all finite"),
        (lambda a: a["triangles"].__setitem__((0, 0), 10**6), "don't fit together"),
        (lambda a: a.pop("vertex_groups"), "neither eyeballs"),
        (lambda a: a.update(identity_deviation=np.ones(5)), "deviations"),
    ],
)
def test_files_that_do_not_fit_are_named(ours: Path, tmp_path: Path, change, match: str) -> None:  # type: ignore[no-untyped-def]
    with np.load(ours) as file:
        arrays = {name: file[name].copy() for name in file.files}
    change(arrays)
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=match):
        read_linear(path)


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.npz").write_bytes(b"nothing")
    for which, match in (
        (tmp_path / "model.npz", "damaged head model"),
        (tmp_path / "none.npz", "no such head model"),
        ("flame", "ICT-FaceKit folder or an .obj file with its landmarks or an .npz"),
        (tmp_path, "FaceXModel|ICT"),
    ):
        with pytest.raises(InputError, match=match):
            load_head_model(which)


def test_the_command_line_names_what_it_can_not_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from factory.cli.main import main

    assert main(["generate", "--out", str(tmp_path), "--head-model", str(tmp_path / "gnm_head.npz")]) == 2
    assert "no such head model" in capsys.readouterr().err
