"""Proxies on heads: they follow the vertices that they are bound to, and what they cover is out of reach."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.head_models.head_model import Pose
from assets.library.fit import Fitted, fit_proxy
from assets.library.mhclo import ObjMesh, Proxy, read_obj, read_proxy
from assets.makehuman import fitting as makehuman_fitting
from assets.makehuman.fitting import FittingMesh, bake_fitting, load_fitting_mesh
from assets.makehuman.head import MakeHumanHead
from assets.makehuman.model import find_data, load_default_model
from assets.parameter_sampler import ParameterSampler
from capture.errors import InputError
from capture.geometry import vertex_normals
from generator.geometry.distance import distance_field
from generator.hair.strands import Strands
from generator.hair.under_library_hat import press_under_hat
from generator.head import Part
from generator.wear.library_meshes import keep_off, split
from tests.assets.packs import write_proxy


@pytest.fixture(scope="module")
def model() -> MakeHumanHead:
    try:
        return load_default_model()
    except InputError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def fitting(model: MakeHumanHead) -> FittingMesh:
    return load_fitting_mesh(model)


def drawn(model: MakeHumanHead, seed: int) -> tuple[np.ndarray, np.ndarray, Pose]:
    sampler = ParameterSampler(np.random.default_rng(seed))
    return model.sample_identity(sampler), model.sample_expression(sampler), model.sample_pose(sampler)


def bound_to(vertices: np.ndarray) -> tuple[Proxy, ObjMesh]:
    count = len(vertices)
    bound = np.repeat(vertices[:, None], 3, axis=1)
    weights = np.tile([1.0, 0.0, 0.0], (count, 1))
    proxy = Proxy("p", "", "", (), bound, weights, np.zeros((count, 3)), {}, frozenset())
    triangles = np.stack([np.arange(count - 2), np.arange(1, count - 1), np.arange(2, count)], axis=1)
    return proxy, ObjMesh(np.zeros((count, 3)), triangles, np.zeros((len(triangles), 3, 2)))


@pytest.mark.parametrize("seed", [0, 1])
def test_a_vertex_bound_to_one_lies_on_it(seed: int, model: MakeHumanHead, fitting: FittingMesh) -> None:
    identity, expression, pose = drawn(model, seed)
    rows = np.flatnonzero(model.source_vertex >= 0)
    fitted = fit_proxy(*bound_to(model.source_vertex[rows].astype(np.int64)), fitting, identity, expression, pose)
    assert np.allclose(fitted.vertices, model.vertices(identity, expression, pose)[rows], atol=1e-9)


def test_helper_geometry_is_shaped_and_posed_as_the_body(model: MakeHumanHead, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bake vertices of the skin as if they were helpers: they must come out where the head model has them."""
    try:
        data = find_data()
    except InputError as error:
        pytest.skip(str(error))
    lids = np.maximum(model.regions["eyelids"], model.regions["lid_margin"])  # kept off the eyeballs, helpers are not
    own = (model.source_vertex >= 0) & (model.source_vertex < 13380) & (lids == 0)
    own[np.flatnonzero(model._seal_moves.any(axis=1))] = False  # nor are they moved with lips that are sealed
    free = np.flatnonzero(own)[::40]
    source = model.source_vertex[free]
    monkeypatch.setattr(makehuman_fitting, "_near_helpers", lambda base, shown: source)
    probe = FittingMesh(model, bake_fitting(data, model))
    for seed in range(3):
        identity, expression, pose = drawn(model, seed)
        expected = model.vertices(identity, expression, pose)[free]
        placed = probe.posed(
            probe.rest(identity, expression)[-len(free) :], probe.weights[-len(free) :], identity, pose
        )
        away = np.linalg.norm(placed - expected, axis=1)
        assert away.max() < 2e-5


def test_helpers_hug_the_head(model: MakeHumanHead, fitting: FittingMesh) -> None:
    for seed in range(3):
        identity, expression, pose = drawn(model, seed)
        vertices = model.vertices(identity, expression, pose)
        lashes = np.arange(14742, 14992)
        fitted = fit_proxy(*bound_to(lashes), fitting, identity, expression, pose)
        lids = vertices[np.concatenate([chain for name, chain in model.chains.items() if name.startswith("lash")])]
        gap = np.linalg.norm(fitted.vertices[:, None] - lids, axis=2).min(axis=1)
        assert np.median(gap) < 0.006 and gap.max() < 0.02


def test_offsets_grow_with_the_head(model: MakeHumanHead, fitting: FittingMesh, tmp_path: Path) -> None:
    """Once along MakeHuman's axes (x, y up, z to the front) by reference distances measured here independently."""
    path = write_proxy(tmp_path, "hat", ["881", "962 5320 791 0.2 0.3 0.5 1.0 2.0 3.0", "791"])
    proxy, mesh = read_proxy(path), read_obj(tmp_path / "hat.obj")
    index = {int(source): row for row, source in enumerate(model.source_vertex)}
    identity, expression, _ = drawn(model, 5)
    placed = fit_proxy(proxy, mesh, fitting, identity, expression, Pose()).vertices[1]
    vertices = model.vertices(identity, expression, Pose())
    at = {number: vertices[row] for number, row in index.items()}
    x = abs(at[5399][0] - at[11998][0]) / 0.148
    up, front = abs(at[791][2] - at[881][2]) / 0.23298, abs(at[962][1] - at[5320][1]) / 0.19221
    mean = 0.2 * at[962] + 0.3 * at[5320] + 0.5 * at[791]
    assert np.allclose(placed, mean + 0.1 * np.array([x, -3.0 * front, 2.0 * up]), atol=1e-9)
    assert 0.8 < x < 1.3 and 0.8 < up < 1.3


def test_faces_on_what_is_cut_off_are_dropped(model: MakeHumanHead, fitting: FittingMesh) -> None:
    shown = model.source_vertex[model.source_vertex >= 0][:4].astype(np.int64)
    knee = int(np.flatnonzero(fitting.row[:13380] < 0)[-1])
    fitted = fit_proxy(*bound_to(np.array([*shown, knee])), fitting, *drawn(model, 0))
    assert len(fitted.triangles) == 2 and len(fitted.vertices) == 4 and fitted.triangles.max() == 3


def test_a_damaged_cache_is_baked_again(model: MakeHumanHead, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "fitting.npz"
    path.write_bytes(b"no zip")
    try:
        data = find_data()
    except InputError as error:
        pytest.skip(str(error))
    fresh = load_fitting_mesh(model, data, path)
    assert "baking it again" in caplog.text
    again = load_fitting_mesh(model, Path("/nowhere"), path)
    values = drawn(model, 2)[:2]
    assert np.array_equal(fresh.rest(*values), again.rest(*values))
    shutil.rmtree(tmp_path)


def sphere(radius: float) -> np.ndarray:
    theta, phi = np.meshgrid(np.linspace(0.02, np.pi - 0.02, 90), np.linspace(0, 2 * np.pi, 180), indexing="ij")
    points = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)
    return radius * points.reshape(-1, 3)


def test_what_covers_keeps_off_and_layers_stay_in_order() -> None:
    skin = sphere(0.1)
    field = distance_field(skin, skin / 0.1)
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(300, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    depths = np.linspace(-0.008, 0.02, 8)
    moved = np.array([keep_off(directions * (0.1 + d), field, 0.0026, 0.012) for d in depths])
    height = np.linalg.norm(moved, axis=2) - 0.1
    assert height.min() > 0.0025 - 0.0003  # what the grid of 5 mm leaves on a sphere of 10 cm
    assert (np.diff(np.median(height, axis=1)) > 0).all()
    assert np.allclose(height[-1], depths[-1], atol=1e-9)  # what is far is left where it was


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_splitting_keeps_surface_and_texture(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vertices, triangles = rng.random((6, 3)), np.array([[0, 1, 2], [2, 1, 3], [3, 4, 5]])
    uvs = vertices[triangles][..., :2]  # texture = position, so that it must be so after
    after = split(Fitted(vertices, triangles, uvs))
    corners = after.vertices[after.triangles]
    assert np.allclose(corners[..., :2], after.corner_uvs)
    area = [np.cross(c[:, 1] - c[:, 0], c[:, 2] - c[:, 0]).sum(axis=0) for c in (vertices[triangles], corners)]
    assert np.allclose(*area) and len(after.triangles) == 12
    assert len(after.vertices) == 6 + 8  # of nine edges one is shared
    assert np.isfinite(vertex_normals(after.vertices, after.triangles)).all()


def test_hair_lies_close_under_a_hat_and_free_below() -> None:
    skin = sphere(0.1)
    normals = skin / 0.1
    part = Part(skin, np.zeros((0, 3), np.int32), normals, {}, skin, skin[:, :2], np.zeros((0, 3, 2)))
    hat = sphere(0.112)
    hat = hat[hat[:, 2] > 0.03]  # a bowl 12 mm over the upper half
    rng = np.random.default_rng(0)
    out = rng.normal(size=(400, 3))
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    points = out[:, None] * (0.1 + np.linspace(0, 0.025, 6))[None, :, None]
    strands = Strands(points, np.full((400, 6), 1e-4), np.zeros(400))
    tucked = press_under_hat(strands, hat, hat / 0.112, part, distance_field(skin, normals))
    height = np.linalg.norm(tucked.points, axis=2) - 0.1
    under, free = tucked.points[:, 0, 2] > 0.045, tucked.points[:, 0, 2] < 0.01
    assert under.sum() > 50 and height[under].max() < 0.004
    assert free.sum() > 100 and np.allclose(tucked.points[free], points[points[:, 0, 2] < 0.01])
