"""What a report shows: its sections, in order, with the plots that belong to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.report import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sartor.evaluation.agreement import Interval
    from sartor.evaluation.results import (
        CatalogHealth,
        CategoryResult,
        Comparison,
        Confusion,
        Evaluation,
        ModelResult,
    )

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
        verdict=words.verdict(evaluation),
        sections=tuple(section for section, shown in _sections(evaluation) if shown),
        evaluation=evaluation,
        health=evaluation.health,
        metric=words.main_metric(evaluation),
    )


def health_view(health: CatalogHealth) -> View:
    """What the report of a catalog's health shows."""
    return View(
        title="Health of a catalog",
        subtitle=_about(health),
        verdict=words.health_verdict(health),
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
    best = words.number(max(known)) if len(known) > 1 and max(known) > min(known) else ""
    return Line(name=name, values=values, best=best)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names) or "no model"
