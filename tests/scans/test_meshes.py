"""Reading scans: OBJ files."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from capture import InputError
from scans.meshes.reading import read_scan


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no vertices"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\n", "no faces"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n", "not there"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 0 1 2\n", "not there"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2\n", "fewer than three corners"),
        ("v 0 0 0\nv 1 0\nv 0 1 0\nf 1 2 3\n", "coordinates"),
        ("v 0 0 x\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "damaged OBJ"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 a\n", "damaged OBJ"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 99999999999999999999\n", "damaged OBJ"),
    ],
)
def test_damaged_obj_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.obj").write_text(text)
    with pytest.raises(InputError, match=message) as info:
        read_scan(tmp_path / "a.obj")
    assert "a.obj" in str(info.value) and "\n" not in str(info.value)


def test_obj_polygons_negative_indices_and_colours(tmp_path: Path) -> None:
    path = tmp_path / "a.OBJ"
    corners = "v 0 0 0 1 0 0\nv 1 0 0 0 1 0\nv 1 1 0 0 0 1\nv 0 1 0 1 1 1\n"
    path.write_text(corners + "f 1//1 2//1 3//1 4//1\nf -4 -3 \\\n-1\n")
    scan = read_scan(path)
    assert sorted(map(tuple, scan.faces.tolist())) == [(0, 1, 2), (0, 1, 3), (0, 2, 3)]
    assert scan.colours is not None and scan.colours[0].tolist() == [255, 0, 0]


def test_obj_is_read_as_trimesh_reads_it(tmp_path: Path) -> None:
    ball = trimesh.creation.icosphere(2)
    (tmp_path / "a.obj").write_text(trimesh.exchange.obj.export_obj(ball, include_normals=True))
    scan = read_scan(tmp_path / "a.obj")
    np.testing.assert_allclose(scan.vertices, ball.vertices, atol=1e-6)
    np.testing.assert_array_equal(np.sort(scan.faces, axis=0), np.sort(ball.faces, axis=0))
