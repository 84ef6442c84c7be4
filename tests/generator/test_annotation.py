"""The meaning of painted colours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.jobs.annotation import COLOURS, Paint, colours_of, how_to, read_colours

paints = st.sampled_from(list(Paint))


@given(st.lists(paints, min_size=1))
def test_colours_come_back(paint: list[Paint]) -> None:
    np.testing.assert_array_equal(read_colours(colours_of(np.array(paint))), paint)


@given(paints, paints, st.floats(0, 1))
def test_a_soft_edge_is_cut_in_the_middle(before: Paint, after: Paint, share: float) -> None:
    """Between any two paints, in bytes as Blender keeps them, and never through the third."""
    mixed = ((1 - share) * COLOURS[before].astype(float) + share * COLOURS[after]).round()
    paint = read_colours(mixed[None])[0]
    assert paint in (before, after)
    if abs(share - 0.5) > 0.01:  # of a byte's rounding
        assert paint == (after if share > 0.5 else before)


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1))
def test_any_colour_is_the_nearest_paint(colours: list[tuple[int, int, int]]) -> None:
    paint = read_colours(np.array(colours, np.uint8))
    apart = np.linalg.norm(np.array(colours)[:, None] - COLOURS.astype(float), axis=2)
    np.testing.assert_allclose(apart[np.arange(len(paint)), paint], apart.min(axis=1))


def test_skin_and_other_look_as_in_segmented_meshes() -> None:
    colours = pytest.importorskip("scans.pictures.colours")
    np.testing.assert_array_equal(COLOURS[Paint.SKIN], colours.SKIN)
    np.testing.assert_array_equal(COLOURS[Paint.OTHER], colours.OTHER)


def test_the_how_to_says_what_there_is() -> None:
    whole, plain = how_to("a", "a.blend", True, True), how_to("a", "a.blend", False, False)
    for words in ("arrow keys", "scan's own colours"):
        assert words in whole and words not in plain
    assert "--import a.blend" in plain
