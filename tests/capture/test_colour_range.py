"""Colours whose files don't say what white is."""

from __future__ import annotations

import numpy as np

from capture.colour_range import to_bytes, white_level


def test_white_is_found_where_the_file_doesnt_say_it() -> None:
    rng = np.random.default_rng(0)
    shares = rng.random((5000, 3))
    assert white_level(shares) == 1
    assert white_level(shares * 1.02) == 1  # sharpened
    assert white_level(np.where(rng.random((5000, 1)) < 0.03, shares * 40, shares)) == 1  # highlights
    assert white_level(1 + shares / 10) == 1  # a white head, exposed too long
    assert white_level(shares * 255) == 255
    assert white_level(np.where(rng.random((5000, 1)) < 0.6, shares / 5, shares * 200)) == 255  # mostly black
    assert white_level(np.rint(shares * 3)) == 255  # very dark, of bytes
    assert white_level(shares * 65535) == 65535
    assert white_level(np.zeros((4, 3))) == 1 and white_level(np.zeros((0, 3))) == 1
    assert to_bytes(np.array([[np.nan, np.inf, -np.inf, -1, 1.02, 0.5]])).tolist() == [[0, 255, 0, 0, 255, 128]]


def test_a_dark_scan_of_bytes_is_not_brightened() -> None:
    assert to_bytes(np.array([[0, 1, 3]], np.int32)).tolist() == [[0, 1, 3]]
    assert to_bytes(np.array([[0.0, 1.0, 3.0]])).tolist() == [[0, 1, 3]]
    assert to_bytes(np.array([[0, 1, 0]], np.uint16)).tolist() == [[0, 1, 0]]
