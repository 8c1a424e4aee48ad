"""The report of a fine-tuning run as one HTML file, made of figures, curves and photos."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from markupsafe import Markup

from sartor.evaluation.report.page import environment, marked, template_file, write_whole
from sartor.evaluation.report.plots import Series, curve_plot
from sartor.evaluation.sheets import SheetRow, rows_html

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sartor.evaluation.intervals import Interval

_EXTREMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A line chart of the run, such as its loss over its steps."""

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured number before and after training, higher being better; None if it was not measured."""

    name: str
    base: Interval | None
    new: Interval | None
    target: float | None = None

    @property
    def decimals(self) -> int:
        """Decimals to show."""
        return _decimals(_mean(self.base), _mean(self.new))

    @property
    def difference(self) -> float:
        """New minus base; NaN if one was not measured."""
        return _mean(self.new) - _mean(self.base)

    @property
    def outcome(self) -> str:
        """Whether the target is reached, in words."""
        new = _mean(self.new)
        if self.target is None or math.isnan(new):
            return "not measured"
        return "reached" if new >= self.target else "not reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryFigure:
    """A measured number before and after training, over the ``count`` cases with this value of an attribute."""

    attribute: str
    value: str
    count: int
    base: float
    new: float

    @property
    def decimals(self) -> int:
        """Decimals to show."""
        return _decimals(self.base, self.new)

    @property
    def difference(self) -> float:
        """New minus base."""
        return self.new - self.base


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a report shows, from top to bottom; the two sheets have their rows in the same order of queries."""

    title: str
    verdict: str
    facts: tuple[tuple[str, str], ...]
    curves: tuple[Chart, ...]
    figures: tuple[Figure, ...]
    categories: tuple[CategoryFigure, ...]
    sheets_before: tuple[SheetRow, ...]
    sheets_after: tuple[SheetRow, ...]


def write_report(path: Path, report: RunReport) -> None:
    """Write the report; the file holds either all of it, or what it held before."""
    write_whole(path, html_report(report))


def html_report(report: RunReport) -> str:
    """A page that needs no other file and no script: charts and pictures are in it."""
    best, worst = _extremes(report.categories)
    return (
        environment()
        .get_template("training.html")
        .render(
            report=report,
            best=best,
            worst=worst,
            pairs=list(zip_longest(report.sheets_before, report.sheets_after)),
            curve_plot=marked(curve_plot),
            rows_html=marked(rows_html),
            style=Markup(template_file("training.css")),  # noqa: S704 - our own file
        )
    )


def _extremes(categories: Sequence[CategoryFigure]) -> tuple[list[CategoryFigure], list[CategoryFigure]]:
    """The categories that gained most and those that gained least, none in both."""
    known = (category for category in categories if math.isfinite(category.difference))
    ranked = sorted(known, key=lambda category: -category.difference)
    best = ranked[: min(_EXTREMES, (len(ranked) + 1) // 2)]
    return best, ranked[len(best) :][-_EXTREMES:][::-1]


def _mean(interval: Interval | None) -> float:
    return math.nan if interval is None else interval.mean


def _decimals(*values: float) -> int:
    """As many as leave about four digits in the largest value: 0.612, 48.3, 1,204."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return 3 if largest < 10 else 1 if largest < 1000 else 0  # noqa: PLR2004 - powers of ten
