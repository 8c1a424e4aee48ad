"""What a report shows: its sections, in order, with the plots that belong to them."""

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
_LEAST_CHANCE = 0.001


def number(value: float | None, decimals: int = 3) -> str:
    """``0.875``; a dash for what is not known."""
    if value is None or not math.isfinite(value):
        return _NONE
    return f"{round(value, decimals) + 0.0:,.{decimals}f}".replace("-", _MINUS)  # + 0.0: no "-0.000"


def signed(value: float) -> str:
    """``+0.031``, with a minus sign if it is negative, or ``0.000``."""
    shown = number(value)
    return f"+{shown}" if value > 0 and shown != number(0.0) else shown


def chance(p_value: float) -> str:
    """A p-value, as far as it can be told."""
    return f"< {_LEAST_CHANCE}" if p_value < _LEAST_CHANCE else number(p_value)


def percent(share: float) -> str:
    """``12.5 %``."""
    return f"{number(100 * share, 1)} %" if math.isfinite(share) else _NONE


def thousands(count: int) -> str:
    """``12,345``."""
    return f"{count:,}"


def main_metric(evaluation: Evaluation) -> str:
    """The metric that a report speaks of first: one that the first criterion has."""
    setup = evaluation.setup
    wanted = (f"hit rate@{min(setup.ks, default=1)}", f"precision@{_main_k(evaluation)}")
    known = [name for model in evaluation.models for each in model.criteria[:1] for name in each.metrics]
    order = wanted if setup.task == "the same product" else wanted[::-1]
    return next((name for name in (*order, *known) if name in known), "")


def main_result(model: ModelResult, metric: str) -> Interval | None:
    """The metric by the model's first criterion; None where it is not known."""
    found = model.criteria[0].metrics.get(metric) if model.criteria else None
    return found if found is not None and math.isfinite(found.mean) else None


def verdict(evaluation: Evaluation) -> str:
    """What came out, in a sentence or two."""
    metric = main_metric(evaluation)
    known = [(found.mean, model) for model in evaluation.models if (found := main_result(model, metric))]
    if not known:
        return "Nothing could be measured: no query has what the criteria ask about."
    ranked = [model for _, model in sorted(known, key=lambda pair: -pair[0])]
    if len(ranked) == 1:
        return _alone(ranked[0], f"@{_main_k(evaluation)}")
    return _better(evaluation, ranked, metric)


def health_verdict(health: CatalogHealth) -> str:
    """How many of the things that were looked for were found."""
    found = [each for each in health.findings if each.count]
    if not found:
        return f"None of the {len(health.findings)} things that were looked for was found."
    first = max(found, key=lambda each: each.count / max(each.of, 1))
    return (
        f"{len(found)} of {len(health.findings)} things that were looked for were found. The most frequent: "
        f"{first.what}, {first.count:,} of {first.of:,}."
    )


def _alone(model: ModelResult, longest: str) -> str:
    first = model.criteria[0]
    known = [name for name, found in first.metrics.items() if math.isfinite(found.mean)]
    main = [name for name in known if name.endswith((longest, "@R"))] or known
    shown = ", ".join(f"{name} {_with_interval(first.metrics[name])}" for name in main)
    return f"{model.model} by {first.criterion}, over {first.queries:,} queries: {shown}."


def _with_interval(found: Interval) -> str:
    return f"{number(found.mean)} ({number(found.low)} to {number(found.high)})"


def _better(evaluation: Evaluation, ranked: list[ModelResult], metric: str) -> str:
    best, second = ranked[:2]
    first = evaluation.models[0]
    other = second if best is first else first  # each comparison is against the first one
    mine, theirs = main_result(best, metric), main_result(other, metric)
    if mine is None or theirs is None:
        shown = number(mine.mean if mine else None)
        return f"By {best.criteria[0].criterion}, {best.model} has the highest {metric}, {shown}."
    means = f"{metric} {number(mine.mean)} against {number(theirs.mean)}"
    if mine.mean <= theirs.mean:
        return f"By {best.criteria[0].criterion}, {best.model} and {other.model} are equally good: {means}."
    start = f"By {best.criteria[0].criterion}, {best.model} is better than {other.model}: {means}"
    found = _compared(evaluation, best, other, metric)
    if found is None:
        return f"{start}. Whether that is more than chance was not tested."
    sign = 1 if found.model == best.model else -1
    low, high = sorted((sign * found.test.low, sign * found.test.high))
    size = (
        f"a difference of {number(sign * found.test.difference)} (95 % interval {number(low)} to {number(high)})"
    )
    certain = "That is more than chance explains." if low > 0 else "Chance alone may explain that."
    return f"{start}, {size} over {found.test.count:,} queries. {certain}"


def _compared(evaluation: Evaluation, one: ModelResult, other: ModelResult, metric: str) -> Comparison | None:
    criterion, pair = one.criteria[0].criterion, {one.model, other.model}
    return next(
        (
            each
            for each in evaluation.comparisons
            if {each.model, each.against} == pair and (each.criterion, each.metric) == (criterion, metric)
        ),
        None,
    )


def _main_k(evaluation: Evaluation) -> int:
    """Length of the lists that were looked at more closely."""
    return next((model.lists.k for model in evaluation.models), 1)


_CONFUSED = 8  # pairs of categories that are named
_LEAST_CONFUSED = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page; its template has the name of its id."""

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a table with a column for each model.

    Attributes:
        name: What was measured.
        values: A mean with its interval for each model, or None.
        best: The highest mean as it is shown, where there are several; empty else.
    """

    name: str
    values: tuple[Interval | None, ...]
    best: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A report: of an evaluation, or of a catalog's health alone.

    Attributes:
        title: Of the page.
        subtitle: What it is about, in a few words.
        verdict: What came out.
        sections: What it has, in order.
        evaluation: What was found; None in a report of health alone.
        health: Of the catalog, if it was asked for.
        metric: The metric that the report speaks of first.
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
        """Names of the criteria by which something was measured."""
        return list(dict.fromkeys(each.criterion for model in self.models for each in model.criteria))

    def lines(self, criterion: str) -> list[Line]:
        """The main table by one criterion."""
        found = [
            {each.criterion: each.metrics for each in model.criteria}.get(criterion, {}) for model in self.models
        ]
        return _lines(found)

    def robustness(self, damage: str, level: str) -> list[Line]:
        """The table of one damage."""
        found = [
            {(each.damage, each.level): each.metrics for each in model.robustness}.get((damage, level), {})
            for model in self.models
        ]
        return _lines(found)

    def damages(self) -> list[tuple[str, str]]:
        """Each damage with each level."""
        return list(dict.fromkeys((each.damage, each.level) for model in self.models for each in model.robustness))

    def queries(self, criterion: str) -> tuple[int, int]:
        """How many queries a criterion has, and how many of them have nothing relevant."""
        found = (each for model in self.models for each in model.criteria if each.criterion == criterion)
        return next(((each.queries, each.without_relevant) for each in found), (0, 0))

    def comparisons(self, *, main: bool) -> list[Comparison]:
        """Those by the main metric, or the others."""
        known = self.evaluation.comparisons if self.evaluation else ()
        return [each for each in known if (each.metric == self.metric) is main]

    def categories(self) -> list[tuple[CategoryResult, tuple[float, ...]]]:
        """Each category, with its figures in the columns of the table."""
        by_model = [{each.category: each.metrics for each in model.categories} for model in self.models]
        first = {each.category: each for model in reversed(self.models) for each in model.categories}
        order = sorted(first.values(), key=lambda each: -each.queries)
        if len(self.models) == 1:
            names = self.category_columns()
            return [(each, tuple(each.metrics.get(name, np.nan) for name in names)) for each in order]
        return [
            (each, tuple(mine.get(each.category, {}).get(self.metric, np.nan) for mine in by_model))
            for each in order
        ]

    def category_columns(self) -> tuple[str, ...]:
        """Names of the models, or of the metrics of a single one."""
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
            shares[row, [place for place, other in enumerate(confusion.found) if other in {name, "other"}]] = 0
        places = np.argsort(-shares, axis=None, kind="stable")[:_CONFUSED]
        rows, columns = np.unravel_index(places, shares.shape)
        return [
            (confusion.categories[row], confusion.found[column], float(shares[row, column]))
            for row, column in zip(rows, columns, strict=True)
            if shares[row, column] >= _LEAST_CONFUSED
        ]

    def calibrated(self) -> list[str]:
        """What was predicted, by name."""
        return list(dict.fromkeys(each.name for model in self.models for each in model.calibration))

    def further_metric(self) -> str:
        """A second metric to draw, which looks at the order of neighbors; empty if there is none."""
        known = [name for model in self.models for each in model.criteria[:1] for name in each.metrics]
        return next((name for name in reversed(known) if name.startswith(("nDCG", "mAP"))), "")


def view_of(evaluation: Evaluation) -> View:
    """What the report of an evaluation shows."""
    setup = evaluation.setup
    return View(
        title=f"Evaluation of {_listed([model.model for model in evaluation.models])}",
        subtitle=f"{setup.task}, {setup.asked:,} queries, {setup.products:,} products, {setup.made_at}",
        verdict=verdict(evaluation),
        sections=tuple(section for section, shown in _sections(evaluation) if shown),
        evaluation=evaluation,
        health=evaluation.health,
        metric=main_metric(evaluation),
    )


def health_view(health: CatalogHealth) -> View:
    """What the report of a catalog's health shows."""
    return View(
        title="Health of a catalog",
        subtitle=_about(health),
        verdict=health_verdict(health),
        sections=(Section(id="health", title="Findings"),),
        health=health,
    )


def _sections(evaluation: Evaluation) -> Iterator[tuple[Section, bool]]:
    """Each section there is, and whether there is something to show in it."""
    models = evaluation.models
    yield Section(id="setup", title="Setup"), True
    yield Section(id="results", title="Results"), any(model.criteria for model in models)
    yield Section(id="comparisons", title="Comparisons"), bool(evaluation.comparisons)
    yield Section(id="categories", title="Categories"), any(model.categories for model in models)
    yield Section(id="confusion", title="Confusion"), any(model.confusion for model in models)
    yield Section(id="lists", title="Lists"), bool(models)
    yield Section(id="calibration", title="Calibration"), any(model.calibration for model in models)
    yield Section(id="robustness", title="Robustness"), any(model.robustness for model in models)
    yield (
        Section(id="approximate", title="Approximate search"),
        any(model.ann_recall is not None for model in models),
    )
    yield (
        Section(id="sheets", title="Contact sheets"),
        any(model.best or model.median or model.worst for model in models),
    )
    yield Section(id="map", title="Map"), any(model.map for model in models)
    yield Section(id="health", title="Health of the catalog"), evaluation.health is not None


def _about(health: CatalogHealth) -> str:
    return (
        f"{health.products:,} products with {health.photos:,} different photos, "
        f"judged by {health.model} with lists of {health.k}"
    )


def _lines(found: Sequence[Mapping[str, Interval]]) -> list[Line]:
    """A line for each metric, from the metrics of each model."""
    names = dict.fromkeys(name for each in found for name in each)
    return [_line(name, tuple(each.get(name) for each in found)) for name in names]


def _line(name: str, values: tuple[Interval | None, ...]) -> Line:
    known = [each.mean for each in values if each is not None and np.isfinite(each.mean)]
    best = number(max(known)) if len(known) > 1 and max(known) > min(known) else ""
    return Line(name=name, values=values, best=best)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names) or "no model"
