"""What a report shows: its sections in order, the rows of its tables, its verdict, and how numbers are written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sartor.evaluation.intervals import Interval
    from sartor.evaluation.results import (
        CatalogHealth,
        CategoryResult,
        Comparison,
        Confusion,
        Evaluation,
        ModelResult,
    )

_NONE = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
_MIN_CHANCE = 0.001
_MAX_CONFUSED = 8  # pairs of categories that are named
_MIN_CONFUSED = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page; its template has the name of its id."""

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of a table with a column for each model.

    Attributes:
        name: What was measured.
        values: A mean with its interval for each model, or None.
        best: The highest mean as it is shown, if there are several; else empty.
    """

    name: str
    values: tuple[Interval | None, ...]
    best: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A report of an evaluation, or of a catalog's health alone.

    Attributes:
        title: Of the page.
        subtitle: What it is about, in a few words.
        verdict: The result.
        sections: Its sections, in order.
        evaluation: None in a report of health alone.
        health: Of the catalog, if it was asked for.
        metric: The metric that the report mentions first.
    """

    title: str
    subtitle: str
    verdict: str
    sections: tuple[Section, ...]
    evaluation: Evaluation | None = None
    health: CatalogHealth | None = None
    metric: str = ""

    @property
    def models(self) -> tuple[ModelResult, ...]:
        """The models, in their order."""
        return self.evaluation.models if self.evaluation else ()

    def criteria(self) -> list[str]:
        """Names of the criteria."""
        return list(dict.fromkeys(each.criterion for model in self.models for each in model.criteria))

    def lines(self, criterion: str) -> list[Line]:
        """The main table for one criterion."""
        return _lines(
            [{each.criterion: each.metrics for each in model.criteria}.get(criterion, {}) for model in self.models]
        )

    def robustness(self, damage: str, level: str) -> list[Line]:
        """The table of one kind of damage."""
        return _lines(
            [
                {(each.damage, each.level): each.metrics for each in model.robustness}.get((damage, level), {})
                for model in self.models
            ]
        )

    def damages(self) -> list[tuple[str, str]]:
        """Each kind of damage with each level."""
        return list(dict.fromkeys((each.damage, each.level) for model in self.models for each in model.robustness))

    def queries(self, criterion: str) -> tuple[int, int]:
        """Number of queries of a criterion, and of those to which nothing is relevant."""
        results = (each for model in self.models for each in model.criteria if each.criterion == criterion)
        return next(((each.queries, each.without_relevant) for each in results), (0, 0))

    def comparisons(self, *, main: bool) -> list[Comparison]:
        """Those by the main metric, or the others."""
        known = self.evaluation.comparisons if self.evaluation else ()
        return [each for each in known if (each.metric == self.metric) is main]

    def categories(self) -> list[tuple[CategoryResult, tuple[float, ...]]]:
        """Each category, with its figures in the columns of the table."""
        by_model = [{each.category: each.metrics for each in model.categories} for model in self.models]
        first = {each.category: each for model in reversed(self.models) for each in model.categories}
        ordered = sorted(first.values(), key=lambda each: -each.queries)
        if len(self.models) == 1:
            names = self.category_columns()
            return [(each, tuple(each.metrics.get(name, np.nan) for name in names)) for each in ordered]
        return [
            (each, tuple(metrics.get(each.category, {}).get(self.metric, np.nan) for metrics in by_model))
            for each in ordered
        ]

    def category_columns(self) -> tuple[str, ...]:
        """Names of the models, or of the metrics if there is only one model."""
        if len(self.models) > 1:
            return tuple(model.model for model in self.models)
        names = dict.fromkeys(name for each in self.models[0].categories for name in each.metrics)
        return tuple(name for name in names if name.endswith((self.metric.rpartition("@")[2], "R")))

    def macro(self) -> list[tuple[str, tuple[float, ...]]]:
        """Means over categories by metric, for each model."""
        names = dict.fromkeys(name for model in self.models for name in model.macro)
        return [(name, tuple(model.macro.get(name, np.nan) for model in self.models)) for name in names]

    def confused(self, confusion: Confusion) -> list[tuple[str, str, float]]:
        """Which categories are mistaken for which, the most often first, with the share of neighbors."""
        shares = confusion.shares.copy()
        for row, name in enumerate(confusion.categories):
            shares[row, [number for number, other in enumerate(confusion.found) if other in {name, "other"}]] = 0
        cells = np.argsort(-shares, axis=None, kind="stable")[:_MAX_CONFUSED]
        rows, columns = np.unravel_index(cells, shares.shape)
        return [
            (confusion.categories[row], confusion.found[column], float(shares[row, column]))
            for row, column in zip(rows, columns, strict=True)
            if shares[row, column] >= _MIN_CONFUSED
        ]

    def calibrated(self) -> list[str]:
        """What was predicted, by name."""
        return list(dict.fromkeys(each.name for model in self.models for each in model.calibration))

    def further_metric(self) -> str:
        """A second metric to draw, one that depends on the order of neighbors; empty if there is none."""
        known = [name for model in self.models for each in model.criteria[:1] for name in each.metrics]
        return next((name for name in reversed(known) if name.startswith(("nDCG", "mAP"))), "")


def view_of(evaluation: Evaluation) -> View:
    """What the report of an evaluation shows."""
    setup = evaluation.setup
    names = [model.model for model in evaluation.models]
    listed = ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names) or "no model"
    return View(
        title=f"Evaluation of {listed}",
        subtitle=f"{setup.task}, {setup.asked:,} queries, {setup.products:,} products, {setup.made_at}",
        verdict=verdict(evaluation),
        sections=tuple(section for section, shown in _sections(evaluation) if shown),
        evaluation=evaluation,
        health=evaluation.health,
        metric=_main_metric(evaluation),
    )


def health_view(health: CatalogHealth) -> View:
    """What the report of a catalog's health shows."""
    return View(
        title="Health of a catalog",
        subtitle=f"{health.products:,} products with {health.photos:,} different photos, "
        f"judged by {health.model} with lists of {health.k}",
        verdict=_health_verdict(health),
        sections=(Section(id="health", title="Findings"),),
        health=health,
    )


def _sections(evaluation: Evaluation) -> Iterator[tuple[Section, bool]]:
    """Each section, and whether it has something to show."""
    models = evaluation.models
    yield Section(id="setup", title="Setup"), True
    yield Section(id="results", title="Results"), any(model.criteria for model in models)
    yield Section(id="comparisons", title="Comparisons"), bool(evaluation.comparisons)
    yield Section(id="categories", title="Categories"), any(model.categories for model in models)
    yield Section(id="confusion", title="Confusion"), any(model.confusion for model in models)
    yield Section(id="lists", title="Lists"), bool(models)
    yield Section(id="calibration", title="Calibration"), any(model.calibration for model in models)
    yield Section(id="robustness", title="Robustness"), any(model.robustness for model in models)
    has_ann_recall = any(model.ann_recall is not None for model in models)
    yield Section(id="approximate", title="Approximate search"), has_ann_recall
    has_sheets = any(model.best or model.median or model.worst for model in models)
    yield Section(id="sheets", title="Contact sheets"), has_sheets
    yield Section(id="map", title="Map"), any(model.map for model in models)
    yield Section(id="health", title="Health of the catalog"), evaluation.health is not None


def _lines(metrics_of_models: Sequence[Mapping[str, Interval]]) -> list[Line]:
    """A row for each metric."""
    names = dict.fromkeys(name for metrics in metrics_of_models for name in metrics)
    lines = []
    for name in names:
        values = tuple(metrics.get(name) for metrics in metrics_of_models)
        known = [each.mean for each in values if each is not None and np.isfinite(each.mean)]
        best = number(max(known)) if len(known) > 1 and max(known) > min(known) else ""
        lines.append(Line(name=name, values=values, best=best))
    return lines


def verdict(evaluation: Evaluation) -> str:
    """The result, in a sentence or two."""
    metric = _main_metric(evaluation)
    known = [(mean.mean, model) for model in evaluation.models if (mean := _main_result(model, metric))]
    if not known:
        return "Nothing could be measured: no query has what the criteria ask about."
    ranked = [model for _, model in sorted(known, key=lambda pair: -pair[0])]
    if len(ranked) == 1:
        return _alone(ranked[0], f"@{_main_k(evaluation)}")
    return _better(evaluation, ranked, metric)


def _alone(model: ModelResult, longest: str) -> str:
    first = model.criteria[0]
    known = [name for name, interval in first.metrics.items() if math.isfinite(interval.mean)]
    main = [name for name in known if name.endswith((longest, "@R"))] or known
    shown = ", ".join(
        f"{name} {number(interval.mean)} ({number(interval.low)} to {number(interval.high)})"
        for name, interval in first.metrics.items()
        if name in main
    )
    return f"{model.model} by {first.criterion}, over {first.queries:,} queries: {shown}."


def _better(evaluation: Evaluation, ranked: list[ModelResult], metric: str) -> str:
    best, second = ranked[:2]
    first = evaluation.models[0]
    other = second if best is first else first  # each comparison is against the first one
    criterion = best.criteria[0].criterion
    of_best, of_other = _main_result(best, metric), _main_result(other, metric)
    if of_best is None or of_other is None:
        shown = number(of_best.mean if of_best else None)
        return f"By {criterion}, {best.model} has the highest {metric}, {shown}."
    means = f"{metric} {number(of_best.mean)} against {number(of_other.mean)}"
    if of_best.mean <= of_other.mean:
        return f"By {criterion}, {best.model} and {other.model} are equally good: {means}."
    start = f"By {criterion}, {best.model} is better than {other.model}: {means}"
    comparison = _comparison(evaluation, best, other, metric)
    if comparison is None:
        return f"{start}. Whether that is more than chance was not tested."
    test, sign = comparison.test, 1 if comparison.model == best.model else -1
    low, high = sorted((sign * test.low, sign * test.high))
    size = f"a difference of {number(sign * test.difference)} (95 % interval {number(low)} to {number(high)})"
    certain = "That is more than chance explains." if low > 0 else "Chance alone may explain that."
    return f"{start}, {size} over {test.count:,} queries. {certain}"


def _comparison(evaluation: Evaluation, one: ModelResult, other: ModelResult, metric: str) -> Comparison | None:
    criterion, pair = one.criteria[0].criterion, {one.model, other.model}
    return next(
        (
            each
            for each in evaluation.comparisons
            if {each.model, each.against} == pair and (each.criterion, each.metric) == (criterion, metric)
        ),
        None,
    )


def _main_metric(evaluation: Evaluation) -> str:
    """The metric that a report mentions first: one that the first criterion has."""
    setup = evaluation.setup
    preferred = (f"hit rate@{min(setup.ks, default=1)}", f"precision@{_main_k(evaluation)}")
    known = [name for model in evaluation.models for each in model.criteria[:1] for name in each.metrics]
    ordered = preferred if setup.task == "the same product" else preferred[::-1]
    return next((name for name in (*ordered, *known) if name in known), "")


def _main_result(model: ModelResult, metric: str) -> Interval | None:
    """The metric by the model's first criterion; None if it is not known."""
    interval = model.criteria[0].metrics.get(metric) if model.criteria else None
    return interval if interval is not None and math.isfinite(interval.mean) else None


def _main_k(evaluation: Evaluation) -> int:
    """Length of the lists that were looked at more closely."""
    return next((model.lists.k for model in evaluation.models), 1)


def _health_verdict(health: CatalogHealth) -> str:
    """How many of the things that were looked for were found."""
    findings = [each for each in health.findings if each.count]
    if not findings:
        return f"None of the {len(health.findings)} things that were looked for was found."
    first = max(findings, key=lambda each: each.count / max(each.of, 1))
    return (
        f"{len(findings)} of {len(health.findings)} things that were looked for were found. The most frequent: "
        f"{first.what}, {first.count:,} of {first.of:,}."
    )


def number(value: float | None, decimals: int = 3) -> str:
    """``0.875``; a dash for None and NaN."""
    if value is None or not math.isfinite(value):
        return _NONE
    return f"{round(value, decimals) + 0.0:,.{decimals}f}".replace("-", _MINUS)  # + 0.0: no "-0.000"


def signed(value: float, decimals: int = 3) -> str:
    """``+0.031``, with a minus sign if it is negative, or ``0.000``."""
    shown = number(value, decimals)
    return f"+{shown}" if value > 0 and shown != number(0.0, decimals) else shown


def chance(p_value: float) -> str:
    """A p-value; small ones only as ``< 0.001``."""
    return f"< {_MIN_CHANCE}" if p_value < _MIN_CHANCE else number(p_value)


def percent(share: float) -> str:
    """``12.5 %``."""
    return f"{number(100 * share, 1)} %" if math.isfinite(share) else _NONE


def thousands(count: int) -> str:
    """``12,345``."""
    return f"{count:,}"
