"""Operators against analytic shapes, the authors' own, and messy meshes."""

import numpy as np
import pytest
import trimesh

from capture import InputError
from tests.helpers import SHARED, needs_shared
from training.operators import Operators, compute_operators, load_operators, save_operators, weld
from training.operators.compute import LENGTH_UNIT, compute_or_load
from training.operators.gradients import gradient_operators, tangent_frames

PARITY = SHARED / "data" / "diffusion_net_parity" / "case.npz"


@pytest.fixture(scope="module")
def sphere() -> tuple[np.ndarray, np.ndarray, Operators]:
    mesh = trimesh.creation.icosphere(4, radius=LENGTH_UNIT)
    return mesh.vertices, mesh.faces, compute_operators(mesh.vertices, mesh.faces, 25)


def test_sphere_has_the_eigenvalues_l_l_plus_1(sphere) -> None:
    expected = np.concatenate([[n * (n + 1)] * (2 * n + 1) for n in range(5)])
    np.testing.assert_allclose(sphere[2].eigenvalues, expected, rtol=0.01, atol=1e-5)


def test_eigenvectors_are_orthonormal_and_mass_is_the_area(sphere) -> None:
    operators = sphere[2]
    gram = operators.eigenvectors.T @ (operators.eigenvectors * operators.mass[:, None])
    np.testing.assert_allclose(gram, np.eye(25), atol=1e-5)
    assert operators.mass.sum() == pytest.approx(4 * np.pi, rel=0.01)


def test_gradient_of_height_on_a_sphere(sphere) -> None:
    """|∇z| = sin(polar angle), in units of the length unit."""
    vertices, _, operators = sphere
    height = vertices[:, 2] / LENGTH_UNIT
    length = np.hypot(operators.gradient_x @ height, operators.gradient_y @ height)
    np.testing.assert_allclose(length, np.sqrt(1 - height**2), atol=0.02)


def test_frames_are_orthonormal_and_keep_the_normal() -> None:
    normals = np.random.default_rng(0).normal(size=(100, 3))
    normals = np.concatenate([normals, [[0, 0, -1], [0, 0, 1], [1, 0, 0]]])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    frames = tangent_frames(normals)
    np.testing.assert_allclose(frames @ frames.transpose(0, 2, 1), np.broadcast_to(np.eye(3), frames.shape), atol=1e-12)
    np.testing.assert_allclose(frames[:, 2], normals)
    assert (np.linalg.det(frames) > 0).all()


@needs_shared(PARITY, "the authors' operators")
def test_operators_of_the_authors_mesh() -> None:
    with np.load(PARITY, allow_pickle=False) as file:
        case = dict(file)
    x, y = gradient_operators(case["vertices"], case["faces"], case["frames"])
    signal = np.sin(case["vertices"] @ [3.0, 2.0, 1.0])
    for ours, axis in ((x, "x"), (y, "y")):
        theirs = np.zeros(len(signal))
        rows, columns = case[f"grad_{axis}_indices"]
        np.add.at(theirs, rows, case[f"grad_{axis}_values"] * signal[columns])
        np.testing.assert_allclose(ours @ signal, theirs, atol=0.03 * np.abs(theirs).max())
    operators = compute_operators(case["vertices"] * LENGTH_UNIT, case["faces"], 64)
    np.testing.assert_allclose(operators.eigenvalues, case["eigenvalues"], rtol=1e-3, atol=1e-3)
    assert operators.mass.sum() == pytest.approx(case["mass"].sum(), rel=1e-4)  # shared out on flipped edges in ours


def _messy() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Two spheres, one cut open along duplicated vertices, with loose vertices, slivers and bad faces."""
    ball = trimesh.creation.icosphere(3, radius=0.1)
    small = trimesh.creation.icosphere(1, radius=0.01)
    count = len(ball.vertices)
    aside = small.vertices + np.array([0.3, 0, 0])
    vertices = np.concatenate([ball.vertices, aside, np.zeros((3, 3)), ball.vertices[:40]])
    faces = np.concatenate([ball.faces, small.faces + count])
    loose = np.arange(3) + count + len(small.vertices)
    doubles = np.arange(40) + loose[-1] + 1
    cut = faces[: 2 * len(ball.faces) // 3]
    cut[cut < 40] += doubles[0]
    a, b = ball.edges[0]
    vertices = np.concatenate([vertices, [(ball.vertices[a] + ball.vertices[b]) / 2]])
    faces = np.concatenate([faces, [[a, b, len(vertices) - 1], [5, 5, 9], faces[100]]])
    return vertices, faces, {"loose": loose, "doubles": doubles, "count": np.array(count)}


def test_messy_mesh_gives_the_spectrum_of_its_surface() -> None:
    vertices, faces, where = _messy()
    operators = compute_operators(vertices, faces, 12)
    for array in (operators.mass, operators.eigenvalues, operators.eigenvectors, operators.gradient_x.data):
        assert np.isfinite(array).all()
    assert (operators.mass[where["loose"]] == 0).all()
    assert (operators.eigenvectors[where["loose"]] == 0).all()
    np.testing.assert_allclose(operators.eigenvalues[:2], 0, atol=1e-4)  # two pieces
    np.testing.assert_allclose(operators.eigenvalues[2:5], 2, rtol=0.05)
    np.testing.assert_array_equal(operators.eigenvectors[where["doubles"]], operators.eigenvectors[:40])
    gram = operators.eigenvectors.T @ (operators.eigenvectors * operators.mass[:, None])
    np.testing.assert_allclose(gram, np.eye(12), atol=1e-4)


def test_gradients_reach_across_duplicates() -> None:
    vertices, faces, where = _messy()
    operators = compute_operators(vertices, faces, 12)
    signal = vertices[:, 2] / LENGTH_UNIT
    whole = np.hypot(operators.gradient_x @ signal, operators.gradient_y @ signal)
    np.testing.assert_allclose(whole[where["doubles"]], whole[:40], atol=1e-5)
    assert np.abs(operators.gradient_x @ np.ones(len(vertices))).max() < 1e-3


def test_weld_drops_what_is_not_surface() -> None:
    vertices, faces, where = _messy()
    clean = weld(vertices, faces)
    assert (clean.index[where["loose"]] == -1).all()
    np.testing.assert_array_equal(clean.index[where["doubles"]], clean.index[:40])
    assert np.unique(clean.faces).tolist() == list(range(len(clean.vertices)))


@pytest.mark.parametrize(
    ("vertices", "faces", "message"),
    [(np.eye(3), np.array([[0, 0, 1]]), "no face"), (np.full((3, 3), np.nan), np.array([[0, 1, 2]]), "finite")],
)
def test_hopeless_meshes_are_refused(vertices, faces, message) -> None:
    with pytest.raises(InputError, match=message):
        compute_operators(vertices, faces, 4)


def test_tiny_mesh_has_as_many_pairs_as_vertices() -> None:
    mesh = trimesh.creation.icosahedron()
    assert compute_operators(mesh.vertices, mesh.faces, 128).eigenvectors.shape == (12, 12)


def test_cache_round_trip(tmp_path, sphere) -> None:
    vertices, faces, operators = sphere
    save_operators(tmp_path / "a.npz", operators)
    read = load_operators(tmp_path / "a.npz")
    np.testing.assert_array_equal(read.eigenvectors, operators.eigenvectors)
    assert abs(read.gradient_x - operators.gradient_x).max() == 0
    first = compute_or_load(tmp_path / "cache", vertices, faces, 8)
    (path,) = (tmp_path / "cache").iterdir()
    stamp = path.stat().st_mtime_ns
    assert np.array_equal(compute_or_load(tmp_path / "cache", vertices, faces, 8).mass, first.mass)
    assert path.stat().st_mtime_ns == stamp
    compute_or_load(tmp_path / "cache", vertices * 1.01, faces, 8)
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_damaged_cache_is_named(tmp_path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"PK nothing")
    with pytest.raises(InputError, match=r"damaged operators.*bad\.npz"):
        load_operators(tmp_path / "bad.npz")
