"""Colours of labels in pictures."""

from __future__ import annotations

import numpy as np

from scans.pictures.colours import agreement_colours, label_colours


def test_what_was_left_open_is_neither_skin_nor_other_nor_an_error() -> None:
    true = np.array([True, True, False, False, True, False])
    predicted = np.array([True, False, True, False, False, True])
    known = np.array([True, True, True, True, False, False])
    for whole, part in (
        (label_colours(true), label_colours(true, known)),
        (agreement_colours(predicted, true), agreement_colours(predicted, true, known)),
    ):
        np.testing.assert_array_equal(part[:4], whole[:4])
        assert (part[4] == part[5]).all() and np.ptp(part[4]) == 0
        assert not (part[4] == whole).all(axis=1).any()
    assert len(np.unique(agreement_colours(predicted, true, known), axis=0)) == 5
