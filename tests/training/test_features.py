"""Lifting, visibility and geometry features against plain computations."""

import numpy as np
import pytest
import scipy.linalg
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from capture import InputError, vertex_normals
from scans.ray_casting import RayCaster
from scans.visibility import Views, project_views
from tests.training.toy import toy_camera, toy_mesh
from training.data.shards import read_heads, read_splits
from training.features import FEATURES, BackboneConfig, FeatureConfig, input_channels
from training.features.geometry import heat_kernel_signature, surface_variation
from training.features.lifting import lift
from training.operators import compute_operators
from training.operators.compute import LENGTH_UNIT
from training.preparation.prepare import prepare_head
from training.preparation.settings import Preparation


def _brute_force_bilinear(image, where):
    height, width, _ = image.shape
    x = np.clip(where[0] * width - 0.5, 0, width - 1)
    y = np.clip(where[1] * height - 0.5, 0, height - 1)
    left, top = min(int(x), max(width - 2, 0)), min(int(y), max(height - 2, 0))
    total = np.zeros(image.shape[2])
    for row in range(height):
        for column in range(width):
            total += max(0, 1 - abs(x - column)) * max(0, 1 - abs(y - row)) * image[row, column]
    assert left <= x and top <= y
    return total


def _sampled(image: np.ndarray, where: np.ndarray) -> np.ndarray:
    """One view's map at (P, 2)."""
    everywhere = np.ones((1, len(where)))
    return lift([image], Views(where[None], everywhere > 0, everywhere), "mean")


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**31))
def test_bilinear_sampling_equals_a_sum_of_tents(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    image, where = rng.normal(size=(height, width, 2)), rng.random((7, 2))
    np.testing.assert_allclose(
        _sampled(image, where), [_brute_force_bilinear(image, place) for place in where], atol=1e-5
    )


def test_sampling_a_ramp_gives_the_position() -> None:
    ramp = (np.arange(8)[None, :, None] + 0.5) / 8 * np.ones((4, 1, 1))
    where = np.stack([np.linspace(0.1, 0.9, 20), np.full(20, 0.5)], axis=1)
    np.testing.assert_allclose(_sampled(ramp, where)[:, 0], where[:, 0], atol=1e-6)


@pytest.mark.parametrize("fusion", ["mean", "mean_variance", "weighted_mean", "weighted_mean_variance"])
def test_fusion_equals_the_formulas(fusion: str) -> None:
    rng = np.random.default_rng(1)
    maps = [rng.normal(size=(3, 4, 5)) + 100 for _ in range(6)]  # an offset: variances that cancel would show
    where, inside = rng.random((6, 40, 2)), rng.random((6, 40)) > 0.3
    weights = rng.random((6, 40)) * inside * (rng.random((6, 40)) > 0.4)
    inside[:, 0] = weights[:, 0] = 0  # nowhere
    inside[:, 1], weights[:, 1] = 1, 0  # covered, but seen by none
    ours = lift(maps, Views(where, inside, weights), fusion)
    for i in range(40):
        w = weights[:, i] if fusion.startswith("weighted") and weights[:, i].any() else inside[:, i].astype(float)
        f = np.stack([_brute_force_bilinear(image, where[n, i]) for n, image in enumerate(maps)])
        mean = (w[:, None] * f).sum(0) / max(w.sum(), 1e-12)
        variance = (w[:, None] * (f - mean) ** 2).sum(0) / max(w.sum(), 1e-12)
        expected = np.concatenate([mean, variance]) if fusion.endswith("variance") else mean
        np.testing.assert_allclose(ours[i], expected, atol=2e-3, rtol=1e-5)


def test_surface_variation_of_plane_line_and_cloud() -> None:
    rng = np.random.default_rng(0)
    flat = np.concatenate([rng.random((500, 2)), np.zeros((500, 1))], axis=1)
    assert surface_variation(flat).max() < 1e-9
    assert surface_variation(rng.normal(size=(800, 3)), 800)[0] == pytest.approx(1 / 3, abs=0.04)
    assert surface_variation(np.zeros((10, 3))).max() == 0


def test_surface_variation_equals_its_definition() -> None:
    ball = trimesh.creation.icosphere(4).vertices
    values = surface_variation(ball, 30)
    near = np.linalg.norm(ball[:, None] - ball[None, :50], axis=2).argsort(axis=0)[:30]
    expected = []
    for i in range(50):
        spectrum = np.linalg.eigvalsh(np.cov(ball[near[:, i]].T, bias=True))
        expected.append(spectrum[0] / spectrum.sum())
    np.testing.assert_allclose(values[:50], expected, rtol=1e-3)
    np.testing.assert_array_equal(surface_variation(ball, 30, np.arange(50)), values[:50])


def test_hks_is_constant_on_a_sphere() -> None:
    mesh = trimesh.creation.icosphere(3, radius=LENGTH_UNIT)
    hks = heat_kernel_signature(compute_operators(mesh.vertices, mesh.faces, 36), 4)
    assert hks.shape == (len(mesh.vertices), 4)
    assert (hks.std(axis=0) / hks.mean(axis=0)).max() < 0.05
    levels = np.arange(6)
    expected = ((2 * levels + 1) * np.exp(-levels * (levels + 1))).sum() / (4 * np.pi)
    assert hks[:, -1].mean() == pytest.approx(expected, rel=0.02)


def test_channels_follow_the_names() -> None:
    config = FeatureConfig(["surface_variation", "image", "colour"], fusion="weighted_mean_variance")
    names = input_channels(config)  # of a ViT-S: two layers of 384, mean and variance
    assert names == ["surface_variation", *["image"] * 1536, *["colour"] * 3]
    assert FeatureConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FeatureConfig(["nose"]), "unknown feature 'nose'"),
        (lambda: FeatureConfig([]), "one or more"),
        (lambda: FeatureConfig(["hks", "hks"]), "each once"),
        (lambda: FeatureConfig(fusion="max"), "unknown fusion"),
        (lambda: BackboneConfig(resolution=0), "`resolution` must be positive"),
        (lambda: BackboneConfig(layers=[]), "layers"),
        (lambda: FeatureConfig.from_json({"names": ["hks"]}), "not a feature configuration"),
    ],
)
def test_wrong_configurations_are_named(make, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_toy_bump_is_seen() -> None:
    vertices, faces, bump = toy_mesh(0)
    views = project_views([toy_camera(1, 3)], vertices, vertex_normals(vertices, faces), RayCaster(vertices, faces))
    assert views.weights[0][vertices[:, 1] > 0.03].max() == 0
    assert views.weights[0][vertices[:, 1] < -0.09].min() > 0.5
    assert bump.any()


def _dense_laplacian(vertices, faces):
    """Cotangent weights and thirds of areas, face by face."""
    stiffness, mass = np.zeros((len(vertices),) * 2), np.zeros(len(vertices))
    for face in faces:
        for k in range(3):
            i, j, o = face[k], face[(k + 1) % 3], face[(k + 2) % 3]
            a, b = vertices[i] - vertices[o], vertices[j] - vertices[o]
            twice_area = np.linalg.norm(np.cross(a, b))
            weight = (a @ b) / twice_area / 2
            stiffness[[i, j], [i, j]] += weight
            stiffness[[i, j], [j, i]] -= weight
            mass[o] += twice_area / 6
    return stiffness, mass


def test_hks_equals_the_diagonal_of_the_heat_kernel() -> None:
    """The heat that stays at a vertex, from the matrix exponential of a Laplacian of our own, on an ellipsoid."""
    mesh = trimesh.creation.icosphere(2)
    vertices = mesh.vertices * [1, 0.8, 1.1]
    hks = heat_kernel_signature(compute_operators(LENGTH_UNIT * vertices, mesh.faces, 48), 16)
    assert hks.shape == (162, 16)
    stiffness, mass = _dense_laplacian(vertices, mesh.faces)
    for column, time in list(enumerate(np.geomspace(0.01, 1, 16)))[-5:]:  # for early times 48 eigenpairs are few
        heat = scipy.linalg.expm(-time * stiffness / mass[:, None]) / mass
        np.testing.assert_allclose(hks[:, column], np.diagonal(heat), rtol=5e-3)


def test_any_combination_of_features(dataset, tiny_dinov2) -> None:
    """Columns follow the names, whatever their order and company."""
    head = next(iter(read_heads(read_splits(dataset)["train"].shards[0])))
    backbone = BackboneConfig(str(tiny_dinov2), [1, 3], 56)

    def columns(names: list[str]) -> dict[str, np.ndarray]:
        config = FeatureConfig(names, backbone=backbone)
        prepared = prepare_head(head, Preparation(config, 300, 16), None)
        channels = np.array(input_channels(config))
        assert prepared.features.shape == (len(prepared.mesh.vertices), len(channels))
        assert list(dict.fromkeys(channels)) == names
        return {name: prepared.features[:, channels == name] for name in names} | {"at": prepared.mesh.vertices}

    every = columns(list(FEATURES))
    sizes = {"image": 96, "colour": 3, "visibility": 2, "surface_variation": 1, "hks": 16, "position": 3, "normal": 3}
    assert {name: every[name].shape[1] for name in sizes} == sizes
    np.testing.assert_allclose(every["position"], every["at"] / LENGTH_UNIT, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(every["normal"].astype(float), axis=1), 1, atol=2e-3)
    assert every["colour"].min() >= 0 and every["colour"].max() <= 1 and every["colour"].std() > 0.05
    for names in (["hks", "colour", "surface_variation"], ["position"], ["normal", "image"]):
        some = columns(names)
        for name in names:
            np.testing.assert_array_equal(some[name], every[name])
