"""The evaluation as one HTML file without anything beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from evaluation import paper
from evaluation.comparison.rows import BEST, OWN, TableRow
from evaluation.comparison.summary import MethodSummary
from evaluation.page import charts
from evaluation.page.conclusions import conclude
from evaluation.page.figures import SHOWN_MM, ComparisonFigures
from evaluation.page.tables import COLUMNS, LEGEND, TITLES, table_rows
from scans.pictures import colours
from scans.pictures.encoding import jpeg_url, png_url

_CURVES = 7  # methods in a plot at most


def render(
    value: Mapping[str, Any],
    rows: Sequence[TableRow],
    synthetic: Mapping[str, MethodSummary],
    figures: ComparisonFigures,
) -> str:
    """The page: `value` has the contents of `evaluation.json`, the summaries of the data set's heads are by row."""
    calibrations = {name: s.calibration for name, s in synthetic.items() if s.calibration is not None}
    labelled = {name: s.boundary for name, s in synthetic.items() if s.scores is not None and name not in _PLAIN}
    curve = [(point["heads"], point["miou"]) for point in value["size_curve"]["ours"]]
    return _template().render(
        value=value,
        conclusions=conclude(value),
        tables=[
            {"number": number, "title": title, "rows": table_rows(number, value["rows"])}
            for number, title in TITLES.items()
        ],
        others=[row for row in value["rows"] if not row["tables"]],
        better=paper.BETTER_THAN,
        classes=[row for row in value["rows"] if row["synthetic"] and row["synthetic"]["labels"]],
        groups=value["groups"],
        shown=[row for row in value["rows"] if row["synthetic"]],
        calibration=_chart(charts.calibration, _some(calibrations, rows, synthetic)),
        boundary=_chart(charts.boundary, _some(labelled, rows, synthetic)),
        kinds=list(dict.fromkeys(kind for s in synthetic.values() for kind in s.seen)),
        paper=paper.TABLE,
        columns=COLUMNS,
        legend=LEGEND,
        most_curves=_CURVES,
        curve=png_url(charts.size_curve(curve, paper.SIZE_CURVE)) if len(curve) > 1 else None,
        figures=[
            {
                "name": figure.name,
                "images": [jpeg_url(image) for image in figure.images],
                "view": figure.view,
                "panels": [
                    {
                        "title": panel.title,
                        "text": panel.text,
                        "pictures": {caption: jpeg_url(image) for caption, image in panel.pictures.items()},
                    }
                    for panel in figure.panels
                ],
            }
            for figure in figures.made
        ],
        shown_mm=SHOWN_MM,
        key={
            "skin": _css(colours.SKIN),
            "other": _css(colours.OTHER),
            "false": _css(colours.FALSE_SKIN),
            "missed": _css(colours.MISSED_SKIN),
        },
    )


_PLAIN = ("none", "truth")  # rows whose errors say nothing


def _some(
    curves: Mapping[str, Any], rows: Sequence[TableRow], synthetic: Mapping[str, MethodSummary]
) -> dict[str, Any]:
    """A few by title, as more lines can't be told apart: the full model, the best row of each group, others."""

    def worth(name: str) -> float:
        scores = synthetic[name].scores
        return -1.0 if scores is None else scores.miou

    by_group: dict[str, list[str]] = {}
    for row in rows:
        if row.name in curves:
            by_group.setdefault(row.group, []).append(row.name)
    best = [max(names, key=worth) for names in by_group.values()]
    chosen = list(dict.fromkeys([*(name for name in (OWN, BEST) if name in curves), *best, *curves]))[:_CURVES]
    return {row.title: curves[row.name] for row in rows if row.name in chosen}


def _chart(draw: Any, curves: Mapping[str, Any]) -> str | None:
    return png_url(draw(curves)) if curves else None


def _css(colour: Any) -> str:
    return "#{:02x}{:02x}{:02x}".format(*(round(float(c)) for c in colour))


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{100 * value:.{digits}f}"


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"number": _number, "percent": _percent}
    return environment.get_template("page.html")
