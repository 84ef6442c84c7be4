"""Plots of an evaluation, as PNG bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from evaluation.metrics.boundary import EDGES_MM, BoundaryErrors
from scans.pictures.plots import MARK, new_figure, png
from scans.reliability_curve import ReliabilityCurve

_WIDE = (8.6, 3.4)


def calibration(curves: Mapping[str, ReliabilityCurve]) -> bytes:
    """Reliability curves: frequency of skin over the predicted probability, a line a method."""
    figure, axes = new_figure(8.6, 4.2)
    axes.set_box_aspect(1)
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle="--")
    for title, each in curves.items():
        axes.plot(*each.curve(), marker="o", markersize=3, linewidth=1.2, label=f"{title} ({each.error:.3f})")
    axes.set_xlabel("predicted probability of skin")
    axes.set_ylabel("fraction of these vertices that is skin")
    beside = {"loc": "upper left", "bbox_to_anchor": (1.02, 1.0)}  # curves are everywhere
    axes.legend(fontsize=7, title="expected calibration error", title_fontsize=7, **beside)
    return png(figure)


def boundary(curves: Mapping[str, BoundaryErrors]) -> bytes:
    """Wrong labels over the distance to the true boundary of the skin, a line a method."""
    figure, axes = new_figure(*_WIDE)
    places = np.arange(len(EDGES_MM))
    names = [f"{low:g} to {high:g}" for low, high in pairwise(EDGES_MM)]
    for title, each in curves.items():
        axes.plot(places, 100 * each.share(), marker="o", markersize=3, linewidth=1.2, label=title)
    axes.set_xticks(places, [*names, f"beyond {EDGES_MM[-1]:g}"])
    axes.set_xlabel("distance of a vertex to the true boundary of the skin, mm")
    axes.set_ylabel("wrong labels, %")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=7)
    return png(figure)


def size_curve(ours: Sequence[tuple[int, float]], theirs: Mapping[int, float]) -> bytes:
    """mIoU over the number of training heads: ours, and the paper's."""
    figure, axes = new_figure(*_WIDE)
    axes.plot(list(theirs), list(theirs.values()), marker="s", color="#777777", label="paper, its own data")
    axes.plot(*zip(*ours, strict=True), marker="o", color=MARK, label="ours, our data")
    axes.set_xscale("log")
    axes.set_xlabel("training heads")
    axes.set_ylabel("mIoU")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return png(figure)
