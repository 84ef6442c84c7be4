"""Polygons of .obj files and their texture points."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets.geometry.obj_polygons import read_polygons
from capture import InputError

VERTICES = ["v 0 0 0", "v 1 0 0", "v 0 1 0"]
FORMS = ("f 1/1 2/2 3/3", "f 1/1/1 2/2/1 3/3/1", "f -3/-3 -2/-2 -1/-1", "f 1/1 2/2 -1/-1")


@pytest.mark.parametrize("face", FORMS)
def test_texture_points_count_where_there_are_any(face: str) -> None:
    """A file that has none, and faces that name some, is one without."""
    bare = read_polygons([*VERTICES, face], Path("a.obj"))
    assert bare.polygons == (((0, -1), (1, -1), (2, -1)),) and not bare.textured and bare.points.shape == (0, 2)
    mesh = read_polygons([*VERTICES, "vt 0 0", "vt 1 0", "vt 1 1", face], Path("a.obj"))
    assert mesh.polygons == (((0, 0), (1, 1), (2, 2)),) and mesh.textured


@pytest.mark.parametrize("face", FORMS)
def test_texture_points_that_are_missing_among_others_are_damage(face: str) -> None:
    for lines in (["vt 0 0", face], [face, "vt 0 0"]):
        with pytest.raises(InputError, match=r"^a\.obj: .*is no(t there| part)"):
            read_polygons([*VERTICES, *lines], Path("a.obj"))
