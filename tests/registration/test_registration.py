from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from assets.head_models.registry import load_head_model
from assets.parameter_sampler import ParameterSampler
from capture import InputError, Mesh
from capture.geometry import rotation_matrix, vertex_areas
from registration.coefficients import fit
from registration.errors import SurfaceError, face_error, region_errors, skin_fit
from registration.nonrigid import Stiffness, cotangent_laplacian, deform
from registration.pipeline import RegistrationSettings, register
from registration.plausibility import Plausibility
from registration.regions import NAMES, face_regions
from registration.rigid import align, from_landmarks, rigid_motion
from registration.target import Target
from registration.template import Coefficients, Template, axis_angle
from registration.weights import confidence_of
from scans.distance import surface_distance_mm
from scans.meshes.reading import read_scan
from tests.helpers import SHARED, needs_shared

JAMES = SHARED / "data" / "james" / "james.obj"
vectors = st.lists(st.floats(-3, 3), min_size=3, max_size=3).map(np.array)


@pytest.fixture(scope="module")
def template() -> Template:
    return Template(load_head_model())


@pytest.fixture(scope="module")
def somebody(template: Template) -> Coefficients:
    """A head that is not the mean: another person, who smiles, with the head turned."""
    sampler = ParameterSampler(np.random.default_rng(3))
    model = template.model
    return replace(
        template.mean,
        identity=np.asarray(model.sample_identity(sampler)),
        expression=0.6 * np.asarray(model.sample_expression(sampler)),
        neck=np.array([0.05, -0.08, 0.1]),
        turn=np.array([0.03, -0.05, 0.06]),
        shift=np.array([0.004, -0.006, 0.003]),
    )


@pytest.fixture(scope="module")
def truth(template: Template, somebody: Coefficients) -> Mesh:
    return Mesh(template.surface(somebody).astype(np.float32), template.faces)


@pytest.fixture(scope="module")
def scan(template: Template, truth: Mesh) -> tuple[Mesh, np.ndarray]:
    """The truth as stereo sees it: 0.1 mm of noise, a cap of hair, a lump of beard; and what of it is skin."""
    rng = np.random.default_rng(0)
    vertices = truth.vertices + rng.normal(0, 1e-4, truth.vertices.shape)
    normals = trimesh.Trimesh(truth.vertices, truth.faces, process=False).vertex_normals
    top = truth.vertices[:, 2] > 0.055
    beard = np.linalg.norm(truth.vertices - truth.vertices[template.face_mask].min(axis=0), axis=1) < 0.05
    lump = np.where(top, 0.02, np.where(beard, 0.006, 0.0))
    return Mesh((vertices + lump[:, None] * normals).astype(np.float32), truth.faces), ~(top | beard)


@given(vectors)
def test_turns_agree_with_scipy(turn: np.ndarray) -> None:
    np.testing.assert_allclose(rotation_matrix(turn), Rotation.from_rotvec(turn).as_matrix(), atol=1e-9)
    if np.linalg.norm(turn) < 3:
        np.testing.assert_allclose(axis_angle(rotation_matrix(turn)), turn, atol=1e-6)


@given(vectors, vectors, st.integers(0, 1000))
def test_a_rigid_motion_is_found(turn: np.ndarray, shift: np.ndarray, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(20, 3))
    rotation, moved = rigid_motion(points, points @ rotation_matrix(turn).T + shift)
    np.testing.assert_allclose(rotation, rotation_matrix(turn), atol=1e-8)
    np.testing.assert_allclose(moved, shift, atol=1e-8)


def test_the_laplacian_of_a_sphere_is_known() -> None:
    vertices, faces = _sphere(4)
    laplacian, areas = cotangent_laplacian(vertices, faces)
    assert abs(areas.sum() - 4 * np.pi) < 0.03
    np.testing.assert_allclose(laplacian @ np.ones(len(vertices)), 0, atol=1e-12)
    for axis in range(3):  # coordinates are eigenfunctions of the eigenvalue 2
        x = vertices[:, axis]
        assert abs((x @ laplacian @ x) / (areas @ x**2) - 2) < 0.01


def test_landmarks_draw_features_along_the_surface(template: Template, somebody: Coefficients) -> None:
    truth = template.surface(somebody)
    names = ("left_mouth_corner", "right_mouth_corner", "upper_lip", "lower_lip")
    places = {name: np.asarray(template.landmark(truth, name)) for name in names}
    scan, weights = Mesh(truth.astype(np.float32), template.faces), template.shown.astype(float)
    target = Target(scan, weights)
    start = align(template, template.mean, target, scan, weights)[0]

    def apart(marks: dict[str, np.ndarray]) -> float:
        surface = template.surface(fit(template, start, target, steps=6, landmarks=marks))
        return float(np.mean([np.linalg.norm(template.landmark(surface, name) - places[name]) for name in names]))

    without = apart({})
    assert apart(places) < 0.8 * without
    assert apart({"jaw_0": np.zeros(3)}) == without  # contours have no place of their own


def test_a_surface_follows_what_is_there_and_only_that() -> None:
    """A sphere of 80 mm onto one of 82 mm whose top is missing, and which has a lump that isn't skin."""
    vertices, faces = _sphere(4)
    grown = vertices * 0.082
    lump = np.linalg.norm(vertices - np.array([1.0, 0, 0]), axis=1) < 0.3
    grown[lump] *= 1.05
    skin = ~lump & (vertices[:, 2] < 0.9)
    target = Target(Mesh(grown.astype(np.float32), faces), skin.astype(float))
    deformed = deform(vertices * 0.08, faces, np.ones(len(vertices), bool), target, Stiffness())
    radius = 1000 * np.linalg.norm(deformed, axis=1)
    assert abs(radius[skin] - 82).max() < 0.1
    assert abs(radius[~skin] - 82).max() < 0.6  # goes on smoothly where nothing is known


def test_corners_of_its_own_for_each_face_are_no_borders() -> None:
    vertices, faces = _sphere(3)
    apart = np.arange(faces.size, dtype=np.int32).reshape(-1, 3)
    soup = Mesh((0.1 * vertices[faces.ravel()]).astype(np.float32), apart)
    assert (Target(soup).weights == 1).all()
    front = vertices[:, 1] < 0
    halves = [Target(Mesh((0.1 * vertices).astype(np.float32), faces), front), Target(soup, front[faces.ravel()])]
    whole, split = (dict(zip(map(tuple, each.vertices.round(6)), each.weights, strict=True)) for each in halves)
    assert whole.keys() == split.keys() and min(whole.values()) == 0
    np.testing.assert_allclose([split[place] for place in whole], list(whole.values()), atol=1e-9)


def test_pieces_too_small_to_say_anything_are_refused() -> None:
    vertices, faces = _sphere(4)
    alone = np.zeros(len(vertices), bool)
    for face in faces[::40]:
        alone[face] = True
    with pytest.raises(InputError, match="pieces too small to register to"):
        Target(Mesh((0.1 * vertices).astype(np.float32), faces), alone)
    doubtful = Target(
        Mesh((0.1 * vertices).astype(np.float32), faces),
        np.ones(len(vertices)),
        confidence=np.where(vertices[:, 0] > 0, np.nan, 1.0),
    )
    assert np.isfinite(doubtful.weights).all()


def test_vertices_that_lie_off_the_skin_say_less() -> None:
    """A sphere of 82 mm with a swelling that is called skin, whose predicted distance tells it."""
    vertices, faces = _sphere(4)
    swollen = np.linalg.norm(vertices - np.array([1.0, 0, 0]), axis=1) < 0.5
    radius_mm = np.where(swollen, 84.5, 82.0)
    scan = Mesh((vertices * radius_mm[:, None] / 1000).astype(np.float32), faces)
    everywhere = np.ones(len(vertices), bool)
    errors = []
    for confidence in (None, confidence_of(np.where(swollen, 8.0, 0.0))):
        target = Target(scan, np.ones(len(vertices)), confidence=confidence)
        assert len(target.vertices) == len(vertices)  # it leaves nothing out
        deformed = deform(vertices * 0.08, faces, everywhere, target, Stiffness())
        errors.append(abs(1000 * np.linalg.norm(deformed[swollen], axis=1) - 82).mean())
    assert errors[1] < 0.8 * errors[0], errors
    np.testing.assert_allclose(confidence_of(np.array([0.0, 1.5, 1e9])), [1, 0.5, 0], atol=1e-9)


def test_waves_are_damped_by_their_length() -> None:
    """A plane onto a corrugated one: waves of the chosen length are followed by half, longer ones wholly."""
    for length_mm, low, high in ((40.0, 0.85, 1.02), (20.0, 0.4, 0.6), (10.0, 0.0, 0.12)):
        grid = np.linspace(-0.05, 0.05, 101)
        x, y = np.meshgrid(grid, grid, indexing="ij")
        flat = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
        number = np.arange(x.size).reshape(x.shape)
        a, b, c, d = (n.ravel() for n in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
        faces = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]).astype(np.int32)
        wave = np.cos(2 * np.pi * flat[:, 0] / (length_mm / 1000))
        waved = flat + 1e-4 * wave[:, None] * np.array([0, 0, 1])
        target = Target(Mesh(waved.astype(np.float32), faces), margin=0.0)
        stiffness = Stiffness(wavelengths_mm=(20.0,), repeats=2)
        deformed = deform(flat, faces, np.ones(len(flat), bool), target, stiffness)[:, 2]
        inner = (abs(flat[:, :2]) < 0.03).all(axis=1)
        gain = (deformed[inner] @ wave[inner]) / (1e-4 * (wave[inner] @ wave[inner]))
        assert low < gain < high, (length_mm, gain)


def test_the_head_is_found_wherever_it_is(template: Template, scan: tuple[Mesh, np.ndarray]) -> None:
    mesh, skin = scan
    rotation = rotation_matrix(np.array([1.2, -0.7, 2.0]))
    moved = Mesh((mesh.vertices @ rotation.T + np.array([0.3, -0.2, 0.5])).astype(np.float32), mesh.faces)
    weights = skin.astype(float)
    head = align(template, template.mean, Target(moved, weights), moved, weights)[0]
    surface = Mesh(template.surface(head).astype(np.float32), template.faces)
    assert face_error(surface, template.face_mask, moved).mean < 4  # another face, but it lies on it
    turned = head.rotation @ rotation.T
    assert np.degrees(np.arccos((np.trace(turned) - 1) / 2)) < 18  # this one turns the head by 12


def test_the_whole_scan_speaks_against_a_head_upside_down(
    template: Template, somebody: Coefficients, truth: Mesh
) -> None:
    """A chin fits on a bare forehead; what of the scan is hair or beard then lies below the skin."""
    nose = template.landmark(truth.vertices, "nose_tip")
    forehead = (truth.vertices[:, 2] > nose[2]) & template.shown
    judge = Plausibility(template, template.mean, truth, forehead.astype(float))
    right = judge.of(somebody.rotation, somebody.shift)
    assert right.explained > 0.5 and right.impossible < 0.2 and right.floating < 0.2 and right.tight > 0.4
    over = np.diag([-1.0, 1.0, -1.0])  # about the axis through the nose
    shift = somebody.shift + nose - over @ nose + np.array([0, 0, 0.09])
    wrong = judge.of(over @ somebody.rotation, shift)
    assert wrong.tight < right.tight - 0.3
    assert wrong.worth < right.worth - 0.5
    lifted = judge.of(somebody.rotation, somebody.shift + np.array([0, -0.02, 0]))
    assert lifted.floating > right.floating + 0.2 and lifted.worth < right.worth
    below = judge.of(somebody.rotation, somebody.shift + np.array([0, 0.0, 0.03]))
    assert below.worth < right.worth


@needs_shared(JAMES, "a scan of a real man")
def test_a_real_man_whose_lower_face_is_not_skin_is_put_upright(template: Template) -> None:
    """Stubble and neck left out, the face was once found upside down on the forehead."""
    scan = read_scan(JAMES)
    rotation = rotation_matrix(np.array([2.2, 0.4, -1.0]))
    mesh = Mesh(0.001 * scan.vertices.astype(float) @ rotation.T, scan.faces)
    upright = align(template, template.mean, Target(mesh), mesh)[0]
    above = ((mesh.vertices - template.landmark(template.surface(upright), "nose_tip")) @ upright.rotation)[:, 2]
    for skin in (above > -0.012, above > 0.02, (above > -0.012) & (above < 0.07)):
        weights = skin.astype(float)
        head = align(template, template.mean, Target(mesh, weights), mesh, weights)[0]
        moved = np.linalg.norm(template.surface(head) - template.surface(upright), axis=1)
        assert moved[template.face_mask].max() < 0.02


def test_the_fit_is_measured_where_there_is_skin() -> None:
    """A face above a patch that ends below half of it: the far half tells nothing."""
    plane = trimesh.creation.box((1.0, 1.0, 1e-4))
    for _ in range(6):
        plane = plane.subdivide()
    top = plane.vertices[:, 2] > 0
    face = Mesh(np.asarray(plane.vertices), np.asarray(plane.faces[top[plane.faces].all(axis=1)]))
    half = face.faces[(face.vertices[face.faces][:, :, 0] <= 1e-9).all(axis=1)]
    skin = Mesh(face.vertices - np.array([0, 0, 0.002]), half)
    fit, covered = skin_fit(face, top, skin)
    assert covered == pytest.approx(0.48, abs=0.03)  # not quite half without the faces at its border
    assert fit.p90 == pytest.approx(2, abs=0.05)
    assert face_error(face, top, skin).p90 > 300
    rim = np.abs(face.vertices[:, 0]) < 1e-9
    curled = Mesh(
        skin.vertices - np.where(rim, 0.1, 0.0)[:, None] * np.array([0, 0, 1]), half
    )  # it faces what lies beyond
    fit, covered = skin_fit(face, top, curled)
    assert covered == pytest.approx(0.47, abs=0.03) and fit.p90 == pytest.approx(2, abs=0.05)
    nowhere = Mesh(face.vertices + np.array([3.0, 0, 0]), half)
    assert skin_fit(face, top, nowhere)[1] < 0.01 and skin_fit(face, top, nowhere)[0].median > 1000


def test_a_head_far_from_the_origin_is_registered_as_at_it(
    template: Template, scan: tuple[Mesh, np.ndarray], truth: Mesh
) -> None:
    mesh, skin = scan
    template, far = Template(template.model, 0), np.array([5e5, 5e6, 100.0])
    plain = RegistrationSettings(coefficients=False)
    there = register(template, Mesh(mesh.vertices + far, mesh.faces), skin.astype(float), plain)
    here = register(template, mesh, skin.astype(float), plain)
    registered = there.mesh(template)
    assert registered.vertices.dtype == np.float64
    face = template.face_mask
    assert np.linalg.norm(there.vertices - far - here.vertices, axis=1)[face].max() < 2e-4
    np.testing.assert_allclose(there.head.rotation, here.head.rotation, atol=1e-3)
    np.testing.assert_allclose(there.head.shift - far, here.head.shift, atol=1e-3)
    moved = Mesh(truth.vertices + far, truth.faces)
    errors = face_error(registered, face, moved).mean, face_error(here.mesh(template), face, truth).mean
    assert errors[0] == pytest.approx(errors[1], abs=0.01)


def test_a_longer_nose_is_reached_and_one_that_is_missed_is_named(template: Template, truth: Mesh) -> None:
    """The tip of the template's nose lies within the scan's: nothing that it is near to looks its way."""
    coarse = Template(template.model, 0)
    tip = template.landmark(truth.vertices.astype(float), "nose_tip")
    away = np.linalg.norm((truth.vertices - tip) * [1.3, 0.6, 1], axis=1)
    longer = truth.vertices + 0.008 * np.exp(-((away / 0.018) ** 2))[:, None] * np.array([0, -1, -0.25])
    scan = Mesh(longer, truth.faces)
    face = Mesh(longer, truth.faces[template.face_mask[truth.faces].all(axis=1)])
    done = register(coarse, scan).mesh(coarse)
    assert surface_distance_mm(template.landmark(longer, "nose_tip")[None], done)[0] < 1.0
    assert region_errors(done, face_regions(coarse), face)["nose"]["from_scan"]["p90"] < 1.0
    missed = region_errors(truth, face_regions(template), face)  # as if it had been registered without its nose
    assert set(missed) == set(NAMES)
    assert missed["nose"]["from_scan"]["p90"] > 2
    assert max(missed[name]["from_scan"]["p90"] for name in ("chin", "brow", "left cheek", "right cheek")) < 0.2


def test_landmarks_put_the_head_in_its_place(template: Template, somebody: Coefficients) -> None:
    names = ("nose_tip", "left_eye_outer", "right_eye_outer", "chin")
    from assets.head_models.head_model import Pose

    vertices = template.model.vertices(template.mean.identity, template.mean.expression, Pose())
    rotation, shift = rotation_matrix(np.array([0.2, 2.0, -1.0])), np.array([1.0, 2.0, 3.0])
    points = {name: rotation @ vertices[template.model.landmarks[name]] + shift for name in names}
    head = from_landmarks(template, template.mean, points | {"a wart": np.zeros(3)})
    np.testing.assert_allclose(head.rotation, rotation, atol=1e-9)
    np.testing.assert_allclose(head.shift, shift, atol=1e-9)
    with pytest.raises(InputError, match="2 of them are known; three are needed"):
        from_landmarks(template, template.mean, {name: points[name] for name in names[:2]})
    on_a_line = {name: np.array([0.0, 0.0, 0.01 * i]) for i, name in enumerate(names)}
    with pytest.raises(InputError, match="lie on a line"):
        from_landmarks(template, template.mean, on_a_line)


@pytest.mark.slow
def test_skin_brings_the_head_nearer(template: Template, scan: tuple[Mesh, np.ndarray], truth: Mesh) -> None:
    """A beard of 3 mm on all of the lower face is near enough to be taken for it, where nobody says what is skin."""
    mesh, skin = scan
    height = truth.vertices[:, 2] - template.landmark(truth.vertices, "nose_tip")[2]
    lower = np.clip(-(height + 0.015) / 0.01, 0, 1)
    normals = trimesh.Trimesh(truth.vertices, truth.faces, process=False).vertex_normals
    mesh = Mesh((mesh.vertices + 0.003 * lower[:, None] * normals).astype(np.float32), mesh.faces)
    skin = skin & (lower == 0)
    coarse = Template(template.model, 0)
    fits = [(template, register(template, mesh, skin.astype(float))), (coarse, register(coarse, mesh))]
    errors = [face_error(done.mesh(used), used.face_mask, truth).mean for used, done in fits]
    assert errors[0] < 0.2 and 2 * errors[0] < errors[1] < 1
    plain, again = (
        register(coarse, mesh, skin.astype(float), RegistrationSettings(coefficients=False)) for _ in range(2)
    )
    np.testing.assert_array_equal(plain.vertices, again.vertices)
    assert errors[0] < face_error(plain.mesh(coarse), coarse.face_mask, truth).mean < 1.5


def test_a_fit_stays_where_it_has_come_to(template: Template, scan: tuple[Mesh, np.ndarray], truth: Mesh) -> None:
    """Neck and whole head once turned against one another, farther with each step, and the face lost the scan."""
    mesh, skin = scan
    rng = np.random.default_rng(1)
    rough = Mesh((mesh.vertices + rng.normal(0, 3e-4, mesh.vertices.shape)).astype(np.float32), mesh.faces)
    weights = skin.astype(float)
    target = Target(rough, weights)
    head = align(template, template.mean, target, rough, weights)[0]
    for steps in (8, 16):
        fitted = Mesh(template.surface(fit(template, head, target, steps=steps)), template.faces)
        assert face_error(fitted, template.face_mask, truth).mean < 0.4


def test_the_head_is_found_on_a_body_of_which_all_counts(template: Template, truth: Mesh) -> None:
    """The middle of such a scan lies in the chest."""
    coarse = Template(template.model, 0)
    body = trimesh.creation.cylinder(0.18, 1.2, sections=60).subdivide().subdivide()
    below = body.vertices + np.array([0, 0.06, truth.vertices[:, 2].min() - 0.6])
    faces = np.concatenate([truth.faces, body.faces + len(truth.vertices)])
    scan = Mesh(np.concatenate([truth.vertices, below]), faces)
    rotation = rotation_matrix(np.array([0.0, 0.0, 2.0]))
    turned = Mesh(scan.vertices @ rotation.T, scan.faces)
    done = register(coarse, turned, settings=RegistrationSettings(coefficients=False)).mesh(coarse)
    assert face_error(done, coarse.face_mask, Mesh(truth.vertices @ rotation.T, truth.faces)).mean < 1.5


def test_landmarks_of_another_place_are_told_from_a_scan_of_another_frame(
    template: Template, scan: tuple[Mesh, np.ndarray]
) -> None:
    mesh, _ = scan
    names = ("nose_tip", "left_eye_outer", "right_eye_outer", "chin")
    wrong = {name: template.landmark(template.surface(template.mean), name) + 3.0 for name in names}
    with pytest.raises(InputError, match="look at the names, places and unit of the landmarks"):
        register(template, mesh, landmarks=wrong)


def test_what_nobody_knows_speaks_neither_for_nor_against_a_place(template: Template, truth: Mesh) -> None:
    tip = template.landmark(truth.vertices, "nose_tip")
    nose = template.face_mask & (np.linalg.norm(truth.vertices - tip, axis=1) < 0.03)
    skin = np.where(nose, 0.0, 1.0)
    still = np.eye(3), np.zeros(3)
    against = Plausibility(template, template.mean, truth, skin).of(*still)
    unknown = Plausibility(template, template.mean, truth, np.where(nose, np.nan, 1.0)).of(*still)
    assert against.impossible > 0.3 and unknown.impossible == 0
    assert unknown.explained == against.explained


def test_what_does_not_fit_is_named(template: Template, scan: tuple[Mesh, np.ndarray]) -> None:
    mesh, skin = scan
    template = Template(template.model, 0)
    with pytest.raises(InputError, match=r"100 labels for .* these labels are of another scan"):
        register(template, mesh, skin[:100].astype(float))
    with pytest.raises(InputError, match=r"0 of .* vertices are skin; nothing to register to"):
        register(template, mesh, np.zeros(len(skin)))
    with pytest.raises(InputError, match="is no head; it looks like mm: give `unit` mm"):
        register(template, Mesh(1000 * mesh.vertices, mesh.faces), skin.astype(float))
    ball = trimesh.creation.icosphere(4, radius=0.6)
    with pytest.raises(InputError, match=r"only \d+% of the template's face comes to lie on the scan"):
        register(template, Mesh(ball.vertices, ball.faces))

    class Faceless:
        def __getattr__(self, name: str) -> object:
            regions = {key: mask for key, mask in template.model.regions.items() if key != "face"}
            return regions if name == "regions" else getattr(template.model, name)

    with pytest.raises(InputError, match="it has no face mask"):
        Template(Faceless())  # type: ignore[arg-type]


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(2, 40))
def test_errors_weigh_by_area(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    distance, repeats = rng.uniform(0, 5, count), rng.integers(1, 5, count)
    error, plain = SurfaceError.of(distance, repeats.astype(float)), np.repeat(distance, repeats)
    assert error.mean == pytest.approx(plain.mean()) and error.std == pytest.approx(plain.std())
    assert distance.min() <= error.median <= error.p90 <= distance.max()


def test_distances_to_a_known_surface() -> None:
    vertices, faces = _sphere(5)
    ball = Mesh((0.1 * vertices).astype(np.float32), faces)
    points = np.random.default_rng(1).normal(size=(500, 3))
    points *= 0.103 / np.linalg.norm(points, axis=1, keepdims=True)
    assert abs(surface_distance_mm(points, ball) - 3).max() < 0.05
    shell = Mesh((0.102 * vertices).astype(np.float32), faces)
    error = face_error(shell, vertices[:, 1] < 0, ball)
    assert abs(error.mean - 2) < 0.02 and error.std < 0.02
    area = trimesh.Trimesh(ball.vertices, ball.faces).area
    assert vertex_areas(ball.vertices, ball.faces).sum() == pytest.approx(area, rel=1e-5)


def _sphere(level: int) -> tuple[np.ndarray, np.ndarray]:
    ball = trimesh.creation.icosphere(level)
    return np.asarray(ball.vertices), np.asarray(ball.faces, np.int32)
