"""The surface of a head: what is rendered, what `head.ply` holds, and where landmarks lie on it."""

from __future__ import annotations

from pathlib import Path

import igl
import numpy as np
import pytest

from assets.makehuman.model import load_default_model
from capture import HeadSurface
from generator.head import HeadGeometry, build_head
from generator.sampling import sample_spec

MODEL = load_default_model()


@pytest.fixture(scope="module")
def head() -> HeadGeometry:
    return build_head(MODEL, sample_spec(1, MODEL).shape)


def test_the_file_holds_the_rendered_numbers(head: HeadGeometry, tmp_path: Path) -> None:
    head.surface().write(tmp_path / "head.ply")
    read = HeadSurface.read(tmp_path / "head.ply")
    rendered = [head.parts[name] for name in HeadSurface.PARTS]
    assert np.array_equal(read.vertices, np.concatenate([part.vertices for part in rendered]))
    first = np.cumsum([0, *(len(part.vertices) for part in rendered)])
    assert np.array_equal(read.faces, np.concatenate([p.triangles + s for p, s in zip(rendered, first, strict=False)]))
    assert [int((read.parts == i).sum()) for i in range(4)] == [len(part.triangles) for part in rendered]


def test_the_face_mask_is_skin_of_the_front(head: HeadGeometry) -> None:
    surface = head.surface()
    assert surface.face_mask is not None
    skin = np.unique(surface.faces[surface.part("skin")])
    assert set(np.flatnonzero(surface.face_mask)) <= set(skin)
    masked = surface.vertices[surface.face_mask]
    chin, brow = head.landmarks["chin"], head.landmarks["left_brow_2"]
    assert masked[:, 2].min() > chin[2] - 0.02 and masked[:, 2].max() > brow[2] + 0.01
    for hole in ("eye_sockets", "inner_mouth", "nostrils"):
        inside = head.skin.masks[hole] > 0.5
        assert inside.any() and not (head.skin.masks["face"][inside] >= 0.5).any(), hole


def test_subdivision_stays_close_to_the_model(head: HeadGeometry) -> None:
    shape = sample_spec(1, MODEL).shape
    vertices = MODEL.vertices(np.array(shape.identity), np.array(shape.expression), shape.pose)
    shown = np.unique(MODEL.polygons[MODEL.polygon_parts == 0])
    outside = MODEL.regions["ears"][shown] + MODEL.regions["inner_mouth"][shown] + MODEL.regions["nostrils"][shown]
    squares, *_ = igl.point_mesh_squared_distance(
        vertices[shown[outside == 0]], head.skin.vertices, head.skin.triangles.astype(np.int64)
    )
    assert np.sqrt(np.percentile(squares, 99)) < 0.002
    assert np.median(np.sqrt(squares)) < 0.0003


def test_landmarks_and_lash_lines_lie_on_the_surface(head: HeadGeometry) -> None:
    points = np.concatenate([np.stack(list(head.landmarks.values())), *head.chains.values()])
    squares, *_ = igl.point_mesh_squared_distance(points, head.skin.vertices, head.skin.triangles.astype(np.int64))
    assert np.sqrt(squares).max() < 1e-6


def test_the_frame_holds_the_head_from_chin_to_crown(head: HeadGeometry) -> None:
    for name in ("chin", "vertex", "nose_tip", "left_tragus", "right_tragus"):
        assert np.linalg.norm(head.landmarks[name] - head.centre) < head.radius + 0.004, name
    assert 0.11 < head.radius < 0.19


def test_texture_coordinates_of_corners_keep_the_seams(head: HeadGeometry) -> None:
    skin, own = head.skin, MODEL.polygon_parts == 0
    assert skin.corner_uvs.shape == (len(skin.triangles), 3, 2)
    corners = skin.corner_uvs.reshape(len(MODEL.polygons[own]), -1, 2)  # of what each of the model's quads became
    given = MODEL.uvs[MODEL.polygon_uvs[own]]
    assert np.allclose(corners.min(axis=1), given.min(axis=1)) and np.allclose(corners.max(axis=1), given.max(axis=1))
    by_vertex = skin.uvs[skin.triangles]
    away_from_seams = np.abs(by_vertex - skin.corner_uvs).max(axis=(1, 2)) < 1e-6
    assert 0.9 < away_from_seams.mean() < 1.0
