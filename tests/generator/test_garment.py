"""Clothes keep their distance from the skin, whatever the body, and come out the same twice."""

from __future__ import annotations

import dataclasses
from functools import cache

import igl
import numpy as np
import pytest

from assets.makehuman.model import load_default_model
from capture import InputError
from generator.components.garment import FABRICS, KINDS, PATTERNS, GarmentSpec
from generator.geometry.distance import DistanceField, distance_field
from generator.hair.obstacle import hair_obstacle
from generator.head import HeadGeometry, build_head
from generator.sampling import sample_spec
from generator.wear.clothing.garment import make_garment
from tests.generator.toy_model import ToyModel, override

MODEL = load_default_model()
Case = tuple[int, HeadGeometry, DistanceField]


POSES = {
    "drawn": {},
    "at rest": {"strength": 0},
    "turned": {"turn": 20, "nod": 12, "tilt": 8},  # the farthest that is drawn
    "raised": {"turn": -20, "nod": -12, "tilt": 8},
}


@cache
def fielded(seed: int, pose: str) -> Case:
    """A head whose neck is turned."""
    shape = sample_spec(seed, MODEL, override(pose=POSES[pose])).shape
    head = build_head(MODEL, shape)
    return seed, head, distance_field(head.skin.vertices, head.skin.normals)


CASES = [(0, "drawn"), (2, "at rest"), (3, "turned"), (4, "raised")]


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    return fielded(*request.param)


# Each kind on the heads that are turned the most, and on one of the others.
PAIRS = [(case, kind) for i, kind in enumerate(KINDS) for case in (CASES[i % 2], *CASES[2:])]


@pytest.mark.parametrize(("case", "kind"), PAIRS, indirect=["case"])
def test_clothes_keep_their_distance(case: Case, kind: str) -> None:
    seed, head, field = case
    spec = sample_spec(seed, MODEL, override(garment={"kind": kind})).garment
    pieces = make_garment(spec, head, field)
    assert pieces
    points = np.concatenate([piece.vertices for piece in pieces])
    centres = np.concatenate([piece.vertices[piece.triangles].mean(axis=1) for piece in pieces])
    assert np.isfinite(points).all()
    sign = igl.SIGNED_DISTANCE_TYPE_PSEUDONORMAL
    skin = (head.skin.vertices, head.skin.triangles.astype(np.int64))
    everywhere = np.concatenate([points, centres])
    chosen = everywhere[np.random.default_rng(0).random(len(everywhere)) < 0.04]  # exact distances take their time
    close = everywhere[np.argsort(field.distance(everywhere))[:1500]]
    depth = igl.signed_distance(np.concatenate([chosen, close]), *skin, sign_type=sign)[0]
    assert depth.min() > 0.0025
    for piece in pieces:
        assert len(piece.fabric) == len(piece.collar) == len(piece.vertices) > piece.triangles.max()
    if seed == 2:
        again = make_garment(spec, head, field)
        assert all(np.array_equal(a.vertices, b.vertices) for a, b in zip(pieces, again, strict=True))


def test_hair_keeps_clear_of_collars(case: Case) -> None:
    seed, head, field = case
    spec = sample_spec(seed, MODEL, override(garment={"kind": "scarf"})).garment
    thick = hair_obstacle(head, field, make_garment(spec, head, field)).cover
    plain = make_garment(dataclasses.replace(spec, kind="tshirt"), head, field)
    thin = hair_obstacle(head, field, plain).cover
    neck = (head.skin.masks["neck"] > 0.5) & (head.skin.base[:, 2] < -0.13)
    assert np.median(thick[neck]) > np.median(thin[neck]) + 0.005
    assert (thick[head.skin.base[:, 2] > -0.02] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_without_chest_goes_bare(kind: str) -> None:
    model = ToyModel()
    head = build_head(model, sample_spec(0, model).shape)
    field = distance_field(head.skin.vertices, head.skin.normals)
    assert not make_garment(GarmentSpec(kind=kind), head, field)


def test_every_kind_is_drawn_and_bounds_are_kept() -> None:
    drawn = [sample_spec(seed, ToyModel()).garment for seed in range(150)]
    for name, options in (("kind", KINDS), ("pattern", PATTERNS), ("fabric", FABRICS)):
        assert {getattr(garment, name) for garment in drawn} == set(options)
    with pytest.raises(InputError, match="looseness"):
        GarmentSpec(looseness=2.0)
    with pytest.raises(InputError, match="tshirt"):
        GarmentSpec(kind="toga")
