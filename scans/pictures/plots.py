"""Figures of matplotlib as PNG bytes, for reports and the evaluation's page."""

from __future__ import annotations

import io
from typing import Any

BAR = "#466082"
MARK = "#b0502c"


def new_figure(width: float, height: float) -> Any:
    """A figure of so many inches, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def png(figure: Any) -> bytes:
    """A figure as PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
