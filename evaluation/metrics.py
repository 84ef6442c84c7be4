"""Measures of a binary labelling against the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class BinaryScores:
    """Intersection over union per class, their mean, and the share of equal labels; NaN for a class nobody has."""

    iou_skin: float
    iou_other: float
    miou: float
    accuracy: float


def binary_scores(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> BinaryScores:
    """Scores of (V,) predicted labels against (V,) true ones; raises `ValueError` where the lengths differ."""
    predicted, true = np.asarray(predicted, bool), np.asarray(true, bool)
    if predicted.shape != true.shape:
        raise ValueError(f"{predicted.shape} predictions for {true.shape} labels")
    skin, other = _iou(predicted, true), _iou(~predicted, ~true)
    present = [value for value in (skin, other) if not np.isnan(value)]
    mean = float(np.mean(present)) if present else float("nan")
    accuracy = float((predicted == true).mean()) if true.size else float("nan")
    return BinaryScores(skin, other, mean, accuracy)


def _iou(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    union = int((predicted | true).sum())
    return float((predicted & true).sum() / union) if union else float("nan")
