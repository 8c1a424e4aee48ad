"""Numbers and sentences of a report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sartor.evaluation.agreement import Interval
    from sartor.evaluation.results import CatalogHealth, Comparison, Evaluation, ModelResult

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
