"""The report of a fine-tuning run as one HTML file that needs no other: apart from what measures the run."""

from __future__ import annotations

import math
import os
import secrets
from dataclasses import dataclass
from html import escape
from itertools import zip_longest
from typing import TYPE_CHECKING

from sartor.evaluation.report.curves import svg_curve
from sartor.evaluation.report.sheets import rows_html

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sartor.evaluation.intervals import Interval
    from sartor.evaluation.report.curves import Series
    from sartor.evaluation.report.sheets import SheetRow

_EXTREMES = 3
_NONE = "\N{EN DASH}"

_STYLE = """
:root { --ground: #fff; --ink: #1d2126; --faint: #5b6470; --rule: #d5dae0; --panel: #f4f6f8; --mark: #b3472d;
  font: 15px/1.5 system-ui, sans-serif; }
@media screen { :root { color-scheme: light dark; } }
@media screen and (prefers-color-scheme: dark) { :root { --ground: #15181c; --ink: #e6e9ed; --faint: #a2abb6;
  --rule: #3a424c; --panel: #1e2328; --mark: #e07a5c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 80rem; padding: 1rem 1rem 3rem; background: var(--ground); color: var(--ink);
  overflow-wrap: break-word; -webkit-text-size-adjust: 100%; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1rem 0 .75rem; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0 0 .5rem; }
p { max-width: 46rem; }
.verdict { font-size: 1.1rem; white-space: pre-line; border-left: 4px solid var(--mark); background: var(--panel);
  margin: 0 0 1.5rem; padding: .75rem 1rem; }
.note, .range, .empty { color: var(--faint); }
.range { display: block; font-size: .85em; font-weight: 400; }
.outcome { display: block; font-weight: 600; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr));
  gap: .75rem 1.5rem; margin: 0; }
dt { color: var(--faint); font-size: .87rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 1.5rem; }
.charts svg { display: block; max-width: 34rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .75rem .45rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--rule); }
thead th { color: var(--faint); font-size: .87rem; font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 600; overflow-wrap: anywhere; }
.extremes, .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr));
  gap: 1.5rem 2.5rem; }
details { margin-top: 1.5rem; }
summary { cursor: pointer; padding: .5rem 0; font-weight: 600; }
.pair { padding: 1rem 0; border-top: 1px solid var(--rule); }
.pair section { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.25rem, 1fr)); gap: .75rem; }
figure { margin: 0; min-width: 0; }
.pair img { display: block; width: 100%; aspect-ratio: 3 / 4; object-fit: contain; background: #fff;
  border-radius: 4px; }
.query img { outline: 3px solid var(--mark); }
figcaption { font-size: .8rem; line-height: 1.35; margin-top: .35rem; }
figcaption span { display: block; overflow-wrap: anywhere; }
figcaption span:first-child { font-weight: 600; }
@media screen and (max-width: 40rem) {
  dl > div { display: grid; grid-template-columns: 5.5rem 1fr; gap: .75rem; }
  table, thead, tbody { display: block; }
  tr { display: grid; column-gap: .5rem; padding: .5rem 0; border-bottom: 1px solid var(--rule); }
  .figures tr { grid-template-columns: 1.1fr 1.1fr .85fr .95fr; }
  .categories tr { grid-template-columns: repeat(4, 1fr); }
  th, td { padding: 0; border: 0; min-width: 0; }
  td { font-size: .87rem; }
  thead th { font-size: .75rem; }
  th:first-child { grid-column: 1 / -1; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  details::details-content { content-visibility: visible; display: block; block-size: auto; }
  h2, h3, thead, .note { break-after: avoid; }
  tr, figure, svg, .verdict, .extremes, .pair { break-inside: avoid; }
  .charts, .extremes, .pair { grid-template-columns: 1fr 1fr; }
  .query img { outline-width: 2px; }
}
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A line chart of the run, such as its loss over its steps."""

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured number before and after training, higher being better; None where it was not measured."""

    name: str
    base: Interval | None
    new: Interval | None
    target: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryFigure:
    """A measured number before and after training, over the `count` cases that have this value of an attribute."""

    attribute: str
    value: str
    count: int
    base: float
    new: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a report tells, from top to bottom; the two sheets have their rows in the same order of queries."""

    title: str
    verdict: str
    facts: tuple[tuple[str, str], ...]
    curves: tuple[Chart, ...]
    figures: tuple[Figure, ...]
    categories: tuple[CategoryFigure, ...]
    sheets_before: tuple[SheetRow, ...]
    sheets_after: tuple[SheetRow, ...]


def write_report(path: Path, report: RunReport) -> None:
    """Write the report so that the file holds all of it, or what it held before."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(html_report(report))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def html_report(report: RunReport) -> str:
    """A page that needs no other file and no script: charts and pictures are in it."""
    body = (
        f'<p class="verdict">{escape(report.verdict)}</p>',
        _facts(report.facts),
        _part("Figures", _figures(report.figures)),
        _part("Curves", _charts(report.curves)),
        _part("Categories", _categories(report.categories)),
        _part("Contact sheets", _sheets(report.sheets_before, report.sheets_after)),
    )
    return _PAGE.format(title=escape(report.title), style=_STYLE, body="\n".join(body))


def _part(heading: str, content: str) -> str:
    shown = content or '<p class="empty">None in this run.</p>'
    return f"<h2>{heading}</h2>\n{shown}"


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    pairs = (f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in facts)
    return f"<dl>{''.join(pairs)}</dl>" if facts else ""


def _charts(charts: Sequence[Chart]) -> str:
    drawn = (
        svg_curve(chart.series, title=chart.title, x_label=chart.x_label, y_label=chart.y_label)
        for chart in charts
    )
    return f'<div class="charts">{"".join(drawn)}</div>' if charts else ""


def _figures(figures: Sequence[Figure]) -> str:
    if not figures:
        return ""
    note = (
        "Each figure is a mean with its 95 % interval and the number n of values behind it; higher is better. "
        "A target is reached where the new mean is not below it."
    )
    heads = ("Figure", "Base", "New", "Difference", "Target")
    table = _table("figures", heads, [_figure_row(figure) for figure in figures])
    return f'<p class="note">{note}</p>\n{table}'


def _figure_row(figure: Figure) -> tuple[str, ...]:
    base = math.nan if figure.base is None else figure.base.mean
    new = math.nan if figure.new is None else figure.new.mean
    decimals = _decimals(base, new)
    return (
        escape(figure.name),
        _interval(figure.base, decimals),
        _interval(figure.new, decimals),
        _difference(base, new, decimals),
        _target(new, figure.target, decimals),
    )


def _interval(interval: Interval | None, decimals: int) -> str:
    if interval is None or math.isnan(interval.mean):
        return "not measured"
    low, high = _number(interval.low, decimals), _number(interval.high, decimals)
    return (
        f'{_number(interval.mean, decimals)}<span class="range">{low} to {high}</span>'
        f'<span class="range">n = {interval.count:,}</span>'
    )


def _target(new: float, target: float | None, decimals: int) -> str:
    if target is None:
        return "no target"
    verdict = "not measured" if math.isnan(new) else "reached" if new >= target else "not reached"
    return f'{_number(target, decimals)}<span class="outcome">{verdict}</span>'


def _categories(categories: Sequence[CategoryFigure]) -> str:
    if not categories:
        return ""
    ranked = sorted(
        (category for category in categories if math.isfinite(category.new - category.base)),
        key=lambda category: category.base - category.new,
    )
    best = ranked[: min(_EXTREMES, (len(ranked) + 1) // 2)]
    worst = ranked[len(best) :][-_EXTREMES:][::-1]
    return (
        '<p class="note">Best and worst are by the difference between new and base.</p>\n'
        f'<div class="extremes">{_extreme("Best", best)}{_extreme("Worst", worst)}</div>\n'
        f"<details><summary>All {len(categories):,} categories</summary>{_category_table(categories)}</details>"
    )


def _extreme(word: str, categories: Sequence[CategoryFigure]) -> str:
    table = _category_table(categories) if categories else '<p class="empty">Too few categories.</p>'
    return f"<div><h3>{word}</h3>{table}</div>"


def _category_table(categories: Iterable[CategoryFigure]) -> str:
    rows = (
        (
            f'{escape(category.value)} <span class="range">{escape(category.attribute)}</span>',
            f"{category.count:,}",
            _number(category.base, _decimals(category.base, category.new)),
            _number(category.new, _decimals(category.base, category.new)),
            _difference(category.base, category.new, _decimals(category.base, category.new)),
        )
        for category in categories
    )
    return _table("categories", ("Category", "Count", "Base", "New", "Difference"), rows)


def _table(kind: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already; the first cell of a row is its heading."""
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "\n".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    return f'<table class="{kind}">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>'


def _sheets(before: Sequence[SheetRow], after: Sequence[SheetRow]) -> str:
    """A line for each query, so that the two answers to it stand beside each other, or one above the other."""
    return "\n".join(
        f'<div class="pair">{_side("Before", old)}{_side("After", new)}</div>'
        for old, new in zip_longest(before, after)
    )


def _side(word: str, row: SheetRow | None) -> str:
    content = rows_html([row]) if row is not None else '<p class="empty">No row.</p>'
    return f"<div><h3>{word}</h3>{content}</div>"


def _decimals(*values: float) -> int:
    """As many as leave about four digits in the largest value: 0.612, 48.3, 1,204."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return 3 if largest < 10 else 1 if largest < 1000 else 0  # noqa: PLR2004 - powers of ten


def _difference(base: float, new: float, decimals: int) -> str:
    return _number(new - base, decimals, sign="+")


def _number(value: float, decimals: int, *, sign: str = "-") -> str:
    if not math.isfinite(value):
        return _NONE
    shown = round(value, decimals) + 0.0  # no "-0.000"
    return f"{shown:{sign if shown else '-'},.{decimals}f}".replace("-", "\N{MINUS SIGN}")
