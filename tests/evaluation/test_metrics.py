from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture import Labels
from evaluation.metrics.boundary import EDGES_MM, BoundaryErrors
from evaluation.metrics.label_scores import LabelScores
from scans.label_counts import Counts, FlagCounts, binary_scores
from scans.reliability_curve import BINS, ReliabilityCurve

seeds = st.integers(0, 2**32 - 1)


def labels(seed: int, size: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random(size) < 0.4, rng.random(size) < rng.random()


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_scores_agree_with_torchmetrics(seed: int) -> None:
    import torch
    from torchmetrics.functional.classification import binary_precision, binary_recall, multiclass_jaccard_index

    predicted, true = labels(seed)
    scores = binary_scores(predicted, true)
    p, t = torch.from_numpy(predicted).long(), torch.from_numpy(true).long()
    for value, expected in (
        (scores.precision_skin, binary_precision(p, t)),
        (scores.recall_skin, binary_recall(p, t)),
        (scores.precision_other, binary_precision(1 - p, 1 - t)),
        (scores.recall_other, binary_recall(1 - p, 1 - t)),
        (scores.iou_skin, multiclass_jaccard_index(p, t, 2, average="none")[1]),
        (scores.iou_other, multiclass_jaccard_index(p, t, 2, average="none")[0]),
    ):
        if not np.isnan(value):
            assert value == pytest.approx(float(expected), abs=1e-6)


@given(seeds, seeds)
def test_counts_of_parts_add_up(one: int, other: int) -> None:
    first, second = labels(one), labels(other, 77)
    whole = Counts.of(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))
    assert Counts.total([Counts.of(*first), Counts.of(*second)]) == whole
    assert Counts.total([]) == Counts()


def test_classes_that_nobody_has_are_not_counted() -> None:
    scores = binary_scores(np.ones(3, bool), np.ones(3, bool))
    assert scores.miou == scores.iou_skin == 1 and np.isnan(scores.iou_other) and np.isnan(scores.precision_other)
    with pytest.raises(ValueError, match="3"):
        Counts.of(np.ones(3, bool), np.ones(4, bool))


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_right_probabilities_are_calibrated_and_wrong_ones_are_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probability = rng.random(200_000)
    true = rng.random(len(probability)) < probability
    right = ReliabilityCurve.of(probability, true)
    assert right.error < 0.02
    assert ReliabilityCurve.of(np.clip(probability + 0.3, 0, 1), true).error == pytest.approx(0.255, abs=0.02)
    halves = [ReliabilityCurve.of(probability[part], true[part]) for part in (slice(0, 999), slice(999, None))]
    assert ReliabilityCurve.total(halves).error == pytest.approx(right.error, abs=1e-9)
    again = ReliabilityCurve.from_json(right.to_json())
    assert again.error == pytest.approx(right.error, abs=1e-6) and len(again.curve()[0]) == BINS


def test_probabilities_at_the_ends_are_counted() -> None:
    calibration = ReliabilityCurve.of(np.array([0.0, 1.0]), np.array([False, True]))
    assert calibration.count.sum() == 2 and calibration.error == 0
    assert np.isnan(ReliabilityCurve.total([]).error)


def test_flags_and_the_mistakes_among_them_add_up() -> None:
    flagged, wrong = np.array([True, True, False, False, False]), np.array([True, False, True, True, False])
    whole = FlagCounts.of(flagged, wrong)
    assert whole.share == pytest.approx(0.4) and whole.mistakes == pytest.approx(1 / 3)
    parts = [FlagCounts.of(flagged[part], wrong[part]) for part in (slice(0, 2), slice(2, None))]
    assert FlagCounts.total(parts) == whole
    assert np.isnan(FlagCounts.total([]).share) and np.isnan(FlagCounts.of(flagged, flagged & ~flagged).mistakes)


def test_scores_with_flags_survive_their_file() -> None:
    skin = np.array([True, True, False, False])
    truth = Labels(np.where(skin, 0.5, 9).astype(np.float32), skin)
    probability, boundary = np.array([0.9, 0.4, 0.2, 0.6]), np.ones(4)
    scores = LabelScores.of(probability, truth, boundary, True, np.array([False, True, False, True]))
    assert scores.flags == FlagCounts(4, 2, 2, 2)
    assert LabelScores.from_json(scores.to_json()).flags == scores.flags
    assert LabelScores.from_json(LabelScores.of(probability, truth, boundary, True).to_json()).flags is None


def test_mistakes_are_counted_where_they_are() -> None:
    boundary = np.array([0.5, 1.0, 4.9, 5.0, 30.0, np.inf])
    true = np.array([True, True, False, False, True, True])
    predicted = np.array([False, True, True, False, False, True])
    errors = BoundaryErrors.of(predicted, true, boundary)
    assert errors.count.tolist() == [1, 1, 0, 1, 1, 0, 0, 0, 2]
    assert errors.within(5.0) == pytest.approx(2 / 3) and errors.within(1.0) == 1
    assert errors.share()[-1] == 0.5 and np.isnan(errors.share()[2])
    assert BoundaryErrors.total([errors, errors]).share()[-1] == 0.5
    assert BoundaryErrors.from_json(errors.to_json()).wrong.tolist() == errors.wrong.tolist()
    assert len(errors.count) == len(EDGES_MM)
