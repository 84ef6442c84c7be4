"""The boundary between skin and the rest."""

import numpy as np

from scans.meshes.boundary import boundary_distance_mm


def test_distance_to_the_boundary_on_a_grid() -> None:
    x, y = np.meshgrid(np.arange(9), np.arange(4))
    vertices = np.stack([x, y, 0 * x], axis=-1).reshape(-1, 3) * 0.002
    first = (np.arange(3)[:, None] * 9 + np.arange(8)).ravel()
    faces = np.concatenate([np.stack([first, first + 1, first + 10], 1), np.stack([first, first + 10, first + 9], 1)])
    skin = vertices[:, 0] < 0.007  # the edge lies between columns 3 and 4, at 7 mm
    distance_mm = boundary_distance_mm(vertices, faces, skin)
    np.testing.assert_allclose(distance_mm, np.abs(vertices[:, 0] * 1000 - 7), atol=0.3)
    assert np.isinf(boundary_distance_mm(vertices, faces, np.ones(len(vertices), bool))).all()
