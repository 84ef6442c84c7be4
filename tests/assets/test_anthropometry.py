"""The faces that are drawn differ as people do."""

from __future__ import annotations

import pytest

from assets.makehuman.model import load_default_model
from benchmarks.anthropometry import PUBLISHED, measure


def test_means_and_spreads_are_those_of_people() -> None:
    measured = measure(load_default_model(), 250)
    for name, sexes in PUBLISHED.items():
        for sex, (mean, spread) in sexes.items():
            values = measured[sex][name]
            assert values.mean() == pytest.approx(mean, abs=spread), (name, sex)
            assert 0.6 < values.std() / spread < 1.7, (name, sex, values.std())
