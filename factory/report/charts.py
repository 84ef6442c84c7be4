"""Plots, as PNG bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scans.pictures.plots import BAR, MARK, new_figure, png

CATEGORIES_SHOWN = 14
_SMALL = (4.2, 2.4)  # inches
_WIDE = (8.6, 3.0)


def histogram(
    values: Sequence[float],
    label: str,
    limits: tuple[float, float] | None = None,
    colour: Callable[[float], tuple[float, ...]] | None = None,
) -> bytes:
    """The distribution of values, with their median; `colour` gives RGB 0 to 1 of a bin from its middle.

    Values beyond the `limits` are counted in the bins at the ends.
    """
    figure, axes = new_figure(*_SMALL)
    numbers = np.asarray(values, float)
    low, high = limits or (float(numbers.min()), float(np.percentile(numbers, 99.5)))
    if high <= low:
        low, high = low - 0.5, low + 0.5
    edges = np.linspace(low, high, 21 if len(numbers) < 1000 else 41)
    counts, _ = np.histogram(np.clip(numbers, low, high), edges)
    middles = (edges[1:] + edges[:-1]) / 2
    colours = [colour(middle) for middle in middles] if colour else BAR
    axes.bar(middles, counts, width=np.diff(edges), color=colours, edgecolor="white", linewidth=0.4)
    median = float(np.median(numbers))
    axes.axvline(float(np.clip(median, low, high)), color=MARK, linewidth=1.2)
    title = f"median {median:,.0f}" if abs(median) >= 1000 else f"median {median:.3g}"
    axes.set_title(title, fontsize=8, color=MARK, loc="right")
    axes.set_xlabel(label)
    _counts_of_heads(axes)
    return png(figure)


def bars(counts: Mapping[str, int], label: str) -> bytes:
    """The number of heads of each category, the most frequent first; the rare ones together."""
    ranked = Counter(counts).most_common()
    shown, rest = ranked[:CATEGORIES_SHOWN], ranked[CATEGORIES_SHOWN:]
    if rest:
        shown.append((f"{len(rest)} more", sum(count for _, count in rest)))
    figure, axes = new_figure(_SMALL[0], 0.6 + 0.2 * len(shown))
    names = [name for name, _ in shown]
    drawn = axes.barh(names, [count for _, count in shown], color=BAR)
    axes.bar_label(drawn, fontsize=7, padding=2)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.tick_params(axis="y", labelsize=8)
    axes.set_title(label, fontsize=9, loc="left")
    axes.xaxis.get_major_locator().set_params(integer=True)
    return png(figure)


def distances(counts: NDArray[np.integer], edges_mm: Sequence[float], thresholds_mm: Sequence[float]) -> bytes:
    """Density of the vertices' distances to the true surface, from counts in bins, and the share beyond them."""
    figure, axes = new_figure(*_WIDE)
    edges = np.asarray(edges_mm, float)
    total = max(int(counts.sum()), 1)
    axes.stairs(counts[:-1] / np.diff(edges) / total, edges, fill=True, color=BAR)
    for threshold_mm in thresholds_mm:
        axes.axvline(threshold_mm, color=MARK, linestyle="--", linewidth=1)
        where = {"xy": (1.04 * threshold_mm, 0.92), "xycoords": ("data", "axes fraction")}
        axes.annotate(f"skin: below {threshold_mm:g} mm", **where)
    axes.set_xscale("symlog", linthresh=0.5)
    ticks = [0, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 20]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xlim(0, edges[-1])
    axes.set_yscale("log")
    beyond = 100 * int(counts[-1]) / total
    axes.set_xlabel(f"distance of a scan vertex to the true surface, mm ({beyond:.1f} % lie beyond {edges[-1]:g})")
    axes.set_ylabel("density, per mm")
    return png(figure)


def stage_times(seconds: Mapping[str, Sequence[float]]) -> bytes:
    """A box per stage: seconds of its heads (box: the middle half, whiskers: 5 to 95 %)."""
    figure, axes = new_figure(_WIDE[0], 0.9 + 0.35 * len(seconds))
    values = [list(each) for each in seconds.values()]
    box = axes.boxplot(values, orientation="horizontal", whis=(5, 95), showfliers=False, patch_artist=True, widths=0.6)
    for patch in box["boxes"]:
        patch.set_facecolor("#c8d2de")
    for median in box["medians"]:
        median.set_color(MARK)
    axes.set_yticks(range(1, len(seconds) + 1), list(seconds))
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds a head")
    return png(figure)


def learning_curve(epochs: Mapping[str, Sequence[tuple[int, float]]]) -> bytes:
    """Metrics over the epochs: name -> (epoch, value) pairs."""
    figure, axes = new_figure(*_WIDE)
    for name, pairs in epochs.items():
        if pairs:
            axes.plot(*zip(*pairs, strict=True), label=name)
    axes.set_xlabel("epoch")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return png(figure)


def _counts_of_heads(axes: Any) -> None:
    axes.set_ylabel("heads")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.tick_params(labelsize=8)
