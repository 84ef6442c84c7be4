"""Strands and garments: they stay outside the head, are where they belong, and come out the same twice."""

from __future__ import annotations

import dataclasses
from functools import cache

import igl
import numpy as np
import pytest

from assets.makehuman.model import load_default_model
from generator.components.beard import FAMILIES as BEARDS
from generator.components.beard import BeardSpec
from generator.components.hair import FAMILIES, HairSpec
from generator.geometry.distance import DistanceField, distance_field
from generator.hair.beard import grow_beard
from generator.hair.brows import grow_brows
from generator.hair.lashes import grow_lashes
from generator.hair.obstacle import Obstacle, hair_obstacle
from generator.hair.scalp import grow_scalp, scalp_density
from generator.hair.strands import Strands
from generator.head import HeadGeometry, build_head
from generator.sampling import sample_spec
from generator.spec import HeadSpec
from generator.wear.clothing.garment import make_garment
from tests.generator.toy_model import override

MODEL = load_default_model()
Case = tuple[HeadSpec, HeadGeometry, DistanceField, Obstacle]
GARMENTS = {0: "hoodie", 2: "scarf"}
SEEDS = tuple(GARMENTS)


@cache
def case_of(seed: int) -> Case:
    spec = sample_spec(seed, MODEL, override(garment={"kind": GARMENTS[seed]}))
    head = build_head(MODEL, spec.shape)
    field = distance_field(head.skin.vertices, head.skin.normals)
    return spec, head, field, hair_obstacle(head, field, make_garment(spec.garment, head, field))


@pytest.fixture(params=SEEDS)
def case(request: pytest.FixtureRequest) -> Case:
    return case_of(request.param)


@cache
def grown(family: str) -> tuple[Case, HairSpec, Strands]:
    """Hair of a family, on one of the heads: they take turns."""
    seed = SEEDS[list(FAMILIES).index(family) % 2]
    case = case_of(seed)
    spec = sample_spec(seed, MODEL, override(hair={"family": family})).hair
    spec = dataclasses.replace(spec, strands=1500)
    strands = grow_scalp(spec, case[1], case[3])
    assert strands is not None
    return case, spec, strands


def signed(points: np.ndarray, head: HeadGeometry) -> np.ndarray:
    """(N,) exact signed distance to the skin, from libigl (pseudonormals: the bust is open below)."""
    kind = igl.SIGNED_DISTANCE_TYPE_PSEUDONORMAL
    signed = igl.signed_distance(points, head.skin.vertices, head.skin.triangles.astype(np.int64), sign_type=kind)
    return np.asarray(signed[0])


def some(points: np.ndarray, count: int = 4000) -> np.ndarray:
    flat = points.reshape(-1, 3)
    return flat[np.random.default_rng(0).integers(0, len(flat), count)]


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "none"])
def test_scalp_hair_stays_outside(family: str) -> None:
    (_, head, _, _), _, strands = grown(family)
    assert np.isfinite(strands.points).all()
    points = strands.points[:, 2:].reshape(-1, 3)
    bust = points[points[:, 2] > -0.18]  # farther down the bust is open, and has no inside
    depth = signed(some(bust), head)
    assert (depth > -0.0005).mean() > 0.99
    assert np.percentile(depth, 0.1) > -0.003
    away = np.abs(signed(some(strands.points[:, 0]), head))
    assert away.max() < 0.001  # nothing floats: every strand starts on the skin


@pytest.mark.parametrize("family", ["buzz", "crop", "slicked", "curly", "afro", "long_wavy"])
def test_length_is_that_of_the_strand(family: str) -> None:
    _, spec, strands = grown(family)
    steps = np.linalg.norm(np.diff(strands.points, axis=1), axis=2).sum(axis=1) * 1000
    assert 0.6 < np.percentile(steps, 98) / spec.length_mm < 1.25


def test_balding_bares_temples_and_crown(case: Case) -> None:
    head = case[1]
    full = dataclasses.replace(
        sample_spec(0, MODEL, override(hair={"family": "balding"})).hair, recession=0.0, crown=0.0
    )
    rng = np.random.default_rng
    before = scalp_density(full, head, rng(0))
    some_, most = (scalp_density(dataclasses.replace(full, recession=r, crown=r), head, rng(0)) for r in (0.4, 0.9))
    assert before.sum() > 1.05 * some_.sum() > 1.1 * most.sum() > 0
    sides = np.abs(head.skin.base[:, 0]) > 0.068
    assert most[sides].sum() > 0.9 * before[sides].sum()  # the wreath stays


def test_a_low_hairline_leaves_the_face_bare(case: Case) -> None:
    head = case[1]
    for seed in range(5):
        spec = sample_spec(seed, MODEL, override(hair={"family": "crop", "hairline_mm": -6})).hair
        density = scalp_density(spec, head, np.random.default_rng(seed))
        assert not density[head.skin.masks["scalp"] == 0].any()


def test_tied_hair_meets_in_its_tie(case: Case) -> None:
    """All strands of a ponytail pass one narrow place, well behind the face."""
    spec = dataclasses.replace(
        sample_spec(1, MODEL, override(hair={"family": "ponytail"})).hair, strands=2000, frizz=0.0
    )
    strands = grow_scalp(spec, case[1], case[3])
    assert strands is not None
    spread = np.linalg.norm(strands.points - np.median(strands.points, axis=0), axis=2)
    assert np.percentile(spread, 90, axis=0).min() < 0.02


@pytest.mark.parametrize("family", ["bob", "long_straight", "long_wavy", "ponytail"])
def test_hanging_hair_leaves_the_face_free(family: str) -> None:
    (_, head, _, _), _, strands = grown(family)
    eyes = [head.landmarks[f"{side}_eye_{i}"] for side in ("left", "right") for i in range(6)]
    mouth = [head.landmarks[f"mouth_outer_{i}"] for i in range(12)]
    low, high = np.min(eyes + mouth, axis=0), np.max(eyes + mouth, axis=0)
    flat = strands.points.reshape(-1, 3)
    before = (flat[:, 1] < high[1]) & (flat[:, 0] > low[0]) & (flat[:, 0] < high[0])
    before &= (flat[:, 2] > low[2]) & (flat[:, 2] < high[2])
    assert before.mean() < 0.002


def test_none_is_none(case: Case) -> None:
    spec = sample_spec(case[0].seed, MODEL, override(hair={"family": "none"}, beard={"family": "none"}))
    assert grow_scalp(spec.hair, case[1], case[3]) is None
    assert grow_beard(spec.beard, case[1], case[3]) is None


@pytest.mark.parametrize("family", [name for name in BEARDS if name != "none"])
def test_beards(case: Case, family: str) -> None:
    spec: BeardSpec = sample_spec(case[0].seed, MODEL, override(beard={"family": family})).beard
    strands = grow_beard(dataclasses.replace(spec, strands=2000), case[1], case[3])
    assert strands is not None
    assert (signed(some(strands.points[:, 1:]), case[1]) > -0.0007).mean() > 0.95
    assert (strands.points[:, 0, 2] < case[1].landmarks["left_eye_outer"][2]).all()


def test_brows_and_lashes_lie_where_they_belong(case: Case) -> None:
    spec, head, _, _ = case
    brows, lashes = grow_brows(spec.brows, head), grow_lashes(spec.lashes, head)
    assert len(brows) > 300 and len(lashes) > 100
    assert (signed(brows.points[:, 1:].reshape(-1, 3), head) > -0.0006).mean() > 0.93
    eyes = np.array([head.landmarks[f"{side}_eye_{i}"] for side in ("left", "right") for i in range(6)])
    gap = np.linalg.norm(lashes.points[:, 0, None] - eyes[None], axis=2).min(axis=1)
    assert gap.max() < 0.012
    lid = np.abs(signed(lashes.points[:, 0], head))
    assert np.percentile(lid, 95) < 0.001
