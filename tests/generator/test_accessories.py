"""Hats, spectacles and earrings: closed, clear of the skin, over the hair."""

from __future__ import annotations

import igl
import numpy as np
import pytest
import trimesh

from assets.makehuman.model import load_default_model
from capture import InputError
from generator.components import eyewear, headwear, jewellery
from generator.geometry.distance import DistanceField, distance_field
from generator.geometry.head_frame import HeadFrame, head_frame
from generator.hair.strands import Strands
from generator.hair.under_headwear import press_under_headwear
from generator.head import HeadGeometry, build_head
from generator.sampling import sample_spec
from generator.spec import HeadSpec
from generator.wear.eyewear.frames import make_eyewear
from generator.wear.headwear.chart import interpolated, polar
from generator.wear.headwear.hats import make_headwear
from generator.wear.jewellery import make_jewellery
from tests.generator.toy_model import ToyModel, override

MODEL = load_default_model()
WORN = [
    (name, kind)
    for name, module in (("headwear", headwear), ("eyewear", eyewear), ("jewellery", jewellery))
    for kind in module.KINDS
    if kind != "none"
]

Dressed = tuple[HeadGeometry, HeadFrame, DistanceField]


@pytest.fixture(scope="module", params=[0, 5])
def dressed(request: pytest.FixtureRequest) -> Dressed:
    head = build_head(MODEL, sample_spec(request.param, MODEL).shape)
    frame = head_frame(head)
    assert frame is not None
    return head, frame, distance_field(head.skin.vertices, head.skin.normals)


def pieces_of(spec: HeadSpec, head: HeadGeometry, frame: HeadFrame | None, field: DistanceField) -> list:
    hats, _ = make_headwear(spec.headwear, head, frame, None, [])
    return hats + make_eyewear(spec.eyewear, head, frame, field) + make_jewellery(spec.jewellery, head, frame, field)


@pytest.mark.parametrize(("name", "kind"), WORN)
def test_pieces_are_closed_and_keep_off_the_skin(name: str, kind: str, dressed: Dressed) -> None:
    head, frame, field = dressed
    nothing = {"headwear": {"kind": "none"}, "eyewear": {"kind": "none"}, "jewellery": {"kind": "none"}}
    spec = sample_spec(2, MODEL, override(**{**nothing, name: {"kind": kind}}))
    pieces = pieces_of(spec, head, frame, field)
    assert pieces
    for piece in pieces:
        mesh = trimesh.Trimesh(piece.vertices, piece.triangles, process=False)
        assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0, piece.name
        if not piece.touches:
            points = np.concatenate([piece.vertices, mesh.triangles_center])
            squares, *_ = igl.point_mesh_squared_distance(
                points, head.skin.vertices, head.skin.triangles.astype(np.int64)
            )
            assert np.sqrt(squares.min()) >= 0.0025, piece.name


@pytest.mark.parametrize("kind", [kind for kind in headwear.KINDS if kind != "none"])
def test_no_strand_comes_through_a_hat(kind: str, dressed: Dressed) -> None:
    head, frame, _ = dressed
    spec = sample_spec(3, MODEL, override(headwear={"kind": kind})).headwear
    roots = np.flatnonzero(head.skin.masks["scalp"] > 0.5)[::40]
    out = np.linspace(0, 0.12, 20)[None, :, None] * head.skin.normals[roots][:, None]
    afro = Strands(
        head.skin.vertices[roots][:, None] + out,
        np.ones((len(roots), 20)),
        np.zeros(len(roots)),
        np.linspace(0, 1, len(roots)),
    )
    _, cover = make_headwear(spec, head, frame, afro, [])
    assert cover is not None
    tucked = press_under_headwear(afro, cover)
    assert tucked.tone is not None and len(tucked.tone) == len(tucked)
    points = tucked.points.reshape(-1, 3)
    azimuth, elevation, radius = polar(frame.local(points))
    covered = cover.outside(azimuth, elevation) < 0
    assert covered.any()
    assert (radius < interpolated(cover.inner, azimuth, elevation) + 1e-6)[covered].all()


def test_angles_are_the_same_wherever_in_memory_the_points_lie() -> None:
    rng = np.random.default_rng(0)
    points, made = rng.standard_normal((1716, 3)), set()
    for _ in range(300):
        junk = [np.zeros(size) for size in rng.integers(1, 20000, 4)]
        made.add(np.concatenate(polar(points.copy())).tobytes())
        del junk
    assert len(made) == 1


def test_an_override_for_the_colour_of_a_hat_leaves_its_accent() -> None:
    plain, black = (
        sample_spec(1, MODEL, override(headwear={"kind": "cap", **more})).headwear for more in ({}, {"dye": "black"})
    )
    assert black.colour != plain.colour and max(black.colour) < 0.05 and black.accent == plain.accent


def test_a_model_without_landmarks_wears_nothing() -> None:
    model = ToyModel()
    worn = {"headwear": {"kind": "cap"}, "eyewear": {"kind": "round"}, "jewellery": {"kind": "hoop"}}
    spec = sample_spec(0, model, override(**worn))
    head = build_head(model, spec.shape)
    field = distance_field(head.skin.vertices, head.skin.normals, 0.02)
    assert pieces_of(spec, head, head_frame(head), field) == []


def test_records_refuse_nonsense() -> None:
    with pytest.raises(InputError, match=r"2\.5 mm"):
        headwear.HeadwearSpec("cap", gap_mm=1.0)
    with pytest.raises(InputError, match="lens_mm"):
        eyewear.EyewearSpec("round", lens_mm=500.0)
    with pytest.raises(InputError, match="jewellery"):
        jewellery.JewellerySpec("hoop", size_mm=500.0)
