"""The default model's own head, deformed, must get its own annotation back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assets.geometry import surface
from assets.head_models.annotation_transfer import Annotation, annotate
from assets.makehuman.head import MakeHumanHead
from assets.makehuman.model import load_default_model
from capture.errors import InputError

GIVEN = ("jaw_8", "nose_bridge_0", "nose_bridge_3", "right_eye_0", "right_eye_3", "left_eye_0", "left_eye_3",
         "mouth_outer_0", "mouth_outer_3", "mouth_outer_6", "mouth_outer_9", "nose_base_0", "nose_base_4",
         "left_tragus", "right_tragus")  # fmt: skip


def deformed(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scaled, turned, moved, and bent by waves of some millimetres."""
    turn = 0.15
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    waves = 0.004 * np.sin(points[:, [1, 2, 0]] * 28.0 + np.array([0.3, 1.1, 2.0]))
    return np.asarray((1.07 * points + waves) @ rotation.T + np.array([0.02, -0.05, 1.6]))


class Case:
    def __init__(self, folder: Path) -> None:
        self.model: MakeHumanHead = load_default_model()
        self.mean = np.asarray(self.model.vertices(self.model.mean_identity, self.model.neutral_expression()))
        self.faces = self.model.faces[self.model.face_parts == 0]
        self.skin = np.unique(self.faces)
        self.vertices = deformed(self.mean)
        self.landmarks = {name: self.vertices[self.model.landmarks[name]] for name in GIVEN}
        self.folder = folder
        self.annotation = self.annotate()

    def annotate(self) -> Annotation:
        return annotate(self.vertices, self.faces, self.landmarks, self.folder)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("annotations"))


def test_places_on_face_and_scalp_are_found_again(case: Case) -> None:
    off = np.linalg.norm(case.annotation.base - case.mean, axis=1)
    # A smooth scalp has little that would hold a place along it; its outline holds (see the regions).
    for name, least in (("face", 0.002), ("scalp", 0.004)):
        assert np.median(off[case.model.regions[name] > 0.5]) < least, name


def test_landmarks_are_found_again_also_those_not_given(case: Case) -> None:
    assert set(case.annotation.landmarks) == set(case.model.landmarks)
    off = {
        name: np.linalg.norm(case.vertices[case.annotation.landmarks[name]] - case.vertices[vertex])
        for name, vertex in case.model.landmarks.items()
    }
    assert max(off[name] for name in GIVEN) == 0.0
    assert np.median(list(off.values())) < 0.003
    assert off["vertex"] < 0.012  # far from all landmarks, and the scalp's vertices are coarse


@pytest.mark.parametrize("name", ["face", "scalp", "ears", "lips", "beard"])
def test_regions_cover_what_they_covered(case: Case, name: str) -> None:
    was, now = case.model.regions[name][case.skin] > 0.5, case.annotation.regions[name][case.skin] > 0.5
    assert now.dtype == bool and case.annotation.regions[name].dtype == np.float32
    assert (was & now).sum() / (was | now).sum() > 0.85


def test_chains_and_eyes_follow(case: Case) -> None:
    for name, line in case.model.chains.items():
        gap = np.linalg.norm(case.vertices[case.annotation.chains[name]][:, None] - case.vertices[line], axis=2)
        assert gap.min(axis=1).max() < 0.003, name
        assert (np.diff(case.annotation.chains[name]) != 0).all()
    assert case.annotation.eye_centres is not None
    middle = deformed(np.zeros((1, 3)))[0]
    assert np.linalg.norm(case.annotation.eye_centres.mean(axis=0) - middle) < 0.004


def test_the_cache_gives_the_same_and_is_mended_where_damaged(case: Case) -> None:
    (file,) = case.folder.glob("annotation-*.npz")
    again = case.annotate()
    assert np.array_equal(again.base, case.annotation.base) and again.landmarks == case.annotation.landmarks
    assert again.eye_centres is not None and list(again.chains) == list(case.annotation.chains)
    file.write_bytes(file.read_bytes()[:1000])
    mended = case.annotate()
    assert np.array_equal(mended.base, case.annotation.base)  # computed twice, the same bits
    assert len(file.read_bytes()) > 1000


@pytest.mark.parametrize("drop", [slice(0, 0), slice(0, 3)])
def test_too_few_landmarks_are_refused(case: Case, drop: slice) -> None:
    few = {name: case.landmarks[name] for name in GIVEN[drop]}
    with pytest.raises(InputError, match="landmarks with names that are known"):
        annotate(case.vertices, case.faces, few, case.folder)


def test_closest_points_of_a_triangle_match_dense_sampling() -> None:
    rng = np.random.default_rng(3)
    triangles, points = rng.standard_normal((30, 3, 3)), 2.0 * rng.standard_normal((30, 3))
    weights = surface.closest_weights(points, triangles)
    steps = np.array([(i, j, 60 - i - j) for i in range(61) for j in range(61 - i)]) / 60.0
    dense = np.linalg.norm(steps @ triangles - points[:, None], axis=2).min(axis=1)
    distance = np.linalg.norm(np.einsum("nc,ncx->nx", weights, triangles) - points, axis=1)
    assert weights.min() >= -1e-9 and np.allclose(weights.sum(axis=1), 1.0)
    assert (distance <= dense + 1e-9).all() and (distance > dense - 0.05).all()


def test_smoothing_solves_its_equation() -> None:
    rng = np.random.default_rng(5)
    edges = np.array([(i, i + 1) for i in range(19)])
    values, weights = rng.standard_normal((20, 3)), rng.random(20)
    laplacian = np.zeros((20, 20))
    for i, j in edges:
        laplacian[[i, j], [i, j]] += 1.0
        laplacian[[i, j], [j, i]] -= 1.0
    expected = np.linalg.solve(np.diag(weights) + 2.0 * laplacian, weights[:, None] * values)
    assert np.allclose(surface.smooth(values, weights, edges, 2.0), expected, atol=1e-6)


def test_similarity_is_recovered() -> None:
    points = np.random.default_rng(1).standard_normal((9, 3))
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    scale, rotation, shift = surface.similarity(points, 1.3 * points @ turn.T + [1, 2, 3], np.ones(9))
    assert np.isclose(scale, 1.3) and np.allclose(rotation, turn) and np.allclose(shift, [1, 2, 3])
