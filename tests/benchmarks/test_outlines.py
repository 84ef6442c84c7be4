"""Agreement with outlined skin, on photographs whose pixels are counted by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.outlines import Agreement, observe
from capture import Camera
from scans.visibility import Views

SIZE = 20


def cameras() -> list[Camera]:
    return [Camera.pinhole(name, (SIZE, SIZE), (20, 20), (10, 10), np.eye(3), np.zeros(3)) for name in ("a", "b", "c")]


def views(*pixels: tuple[float, float]) -> Views:
    """A vertex at each pixel of all photographs; the last photograph doesn't see them."""
    where = np.repeat(np.array(pixels, np.float32)[None] / SIZE, 3, axis=0)
    weights = np.ones(where.shape[:2])
    weights[2] = 0
    return Views(where, np.ones(where.shape[:2], bool), weights)


def square(x: float, y: float, side: float) -> list[list[float]]:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side]]


def written(folder: Path, **outlines: object) -> Path:
    path = folder / "outlines.json"
    path.write_text(json.dumps({"about": "by hand", "band": 1, **outlines}))
    return path


SKIN, HOLE, OUTSIDE, BORDER, OPEN, STUBBLE = range(6)
PLACES = ((3.5, 3.5), (8.5, 8.5), (17.5, 3.5), (13.5, 8.5), (12.5, 4.5), (3.5, 12.5))
WHOLE = {"skin": [square(0, 0, SIZE)]}
FACE = {
    "skin": [square(0, 0, 14)],
    "holes": [square(6, 6, 5)],
    "ambiguous": [square(11, 3, 2)],
    "stubble": [square(2, 11, 3)],
    "regions": {"cheek": [[2, 2, 5, 5]], "nowhere": [[18, 18, 19, 19]]},
}


def test_what_nobody_can_tell_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, a=FACE, c=FACE)  # nothing is seen in c
    seen = observe(path, cameras(), views(*PLACES))
    assert dict(zip(seen.vertex, seen.skin, strict=True)) == {SKIN: True, HOLE: False, OUTSIDE: False}
    seen = observe(path, cameras(), views(*PLACES), stubble=True)
    assert dict(zip(seen.vertex, seen.skin, strict=True)) == {SKIN: True, HOLE: False, OUTSIDE: False, STUBBLE: True}


def test_a_vertex_counts_for_each_photograph_that_shows_it(tmp_path: Path) -> None:
    seen = observe(written(tmp_path, a=FACE, b=WHOLE), cameras(), views(*PLACES))
    skin, known = seen.majority(6)
    assert list(known) == [True, False, False, True, True, True]  # a and b contradict one another at two
    assert skin[known].all()
    labels = np.array([True, True, False, False, True, True])
    found = Agreement.of(labels, seen)
    hits, extra, missed, rest = 1 + 4, 1, 2, 1
    assert found.skin_iou == pytest.approx(hits / (hits + extra + missed))
    assert found.rest_iou == pytest.approx(rest / (rest + extra + missed))
    assert found.mean_iou == pytest.approx((found.skin_iou + found.rest_iou) / 2)
    assert found.precision == pytest.approx(hits / (hits + extra))
    assert found.recall == pytest.approx(hits / (hits + missed))
    assert found.regions["cheek"] == 1 and np.isnan(found.regions["nowhere"])


def test_outlines_of_other_photographs_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="outlines none of a, b, c"):
        observe(written(tmp_path, x={"skin": []}), cameras(), views((3.5, 3.5)))
