"""Results for other programs: JSON with everything but pictures, and CSV with a line for each figure."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from sartor.evaluation.results import MapOfCatalog, ModelResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sartor.evaluation.intervals import Interval
    from sartor.evaluation.replay.results import OffPolicyResult, Replay
    from sartor.evaluation.results import Evaluation

    Row: TypeAlias = tuple[str, str, str, str, float | None, float | None, float | None, int | None]
    ReplayRow: TypeAlias = tuple[str, str, str, float, float | None, float | None, int | None]

COLUMNS = ("model", "criterion", "category", "metric", "mean", "low", "high", "count")
_REPLAY_COLUMNS = ("known", "method", "metric", "mean", "low", "high", "count")
_RECORDED = "recorded answers"
_SAME_PRODUCT = "the same product"
_PICTURES = ("best", "median", "worst")


def as_json(evaluation: Evaluation | Replay) -> dict[str, Any]:
    """Everything but pictures and the points of the map, in JSON's types; null for what is not defined."""
    content: dict[str, Any] = _plain(evaluation)
    return content


def as_csv(evaluation: Evaluation) -> str:
    """A line for each model, criterion, category and metric, with the columns of ``COLUMNS``.

    A field is empty if it does not apply or is not defined: the criterion of figures about all lists, the category
    of a mean over all, the interval of a figure without one. The category of robustness is the damage with its
    level.
    """
    rows: list[Row] = []
    for model in evaluation.models:
        main = model.criteria[0].criterion if model.criteria else ""
        rows += _rows(model, main)
    return _csv(COLUMNS, rows)


def replay_csv(replay: Replay) -> str:
    """A line for each figure of a replay; ``known`` is how many events of a person were known.

    A field is empty if it does not apply or is not defined. A difference is for-you minus the method.
    """
    return _csv(_REPLAY_COLUMNS, _replay_rows(replay))


def _csv(columns: tuple[str, ...], rows: Iterable[tuple[str | float | None, ...]]) -> str:
    file = StringIO()
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(columns)
    lines.writerows(tuple(map(_field, row)) for row in rows)
    return file.getvalue()


def _field(value: str | float | None) -> str | float:
    return "" if value is None or (isinstance(value, float) and not math.isfinite(value)) else value


def _rows(model: ModelResult, main: str) -> Iterator[Row]:
    name = model.model
    for each in model.criteria:
        yield from _with_intervals(name, each.criterion, "", each.metrics)
    for category in model.categories:
        for metric, value in category.metrics.items():
            yield name, main, category.category, metric, value, None, None, category.queries
    for metric, value in model.macro.items():
        yield name, main, "", f"macro {metric}", value, None, None, len(model.categories)
    for case in model.robustness:
        yield from _with_intervals(name, _SAME_PRODUCT, f"{case.damage} {case.level}", case.metrics)
    for metric, value, count in _list_figures(model):
        yield name, "", "", metric, value, None, None, count


def _with_intervals(model: str, criterion: str, category: str, metrics: Mapping[str, Interval]) -> Iterator[Row]:
    for metric, interval in metrics.items():
        yield model, criterion, category, metric, *_numbers(interval)


def _list_figures(model: ModelResult) -> Iterator[tuple[str, float, int | None]]:
    lists = model.lists
    yield "coverage", lists.coverage, None
    yield "never shown", lists.never_shown, None
    yield "hubness", lists.hubness, None
    yield "in most lists", lists.in_most_lists, None
    yield "copies", lists.copies, None
    for each in model.calibration:
        count = sum(part.count for part in each.bins)
        yield f"calibration error of {each.name}", each.error, count
        yield f"accuracy of {each.name}", each.accuracy, count
    if model.ann_recall is not None:
        yield f"ann recall@{lists.k}", model.ann_recall, None


def _replay_rows(replay: Replay) -> Iterator[ReplayRow]:
    for experiment in replay.experiments:
        known = str(experiment.history)
        for result in experiment.methods:
            for metric, interval in result.metrics.items():
                yield known, result.method, metric, *_numbers(interval)
            yield known, result.method, "coverage", result.coverage, None, None, None
        for each in experiment.comparisons:
            test = each.test
            metric = f"difference of {each.metric}"
            yield known, each.against, metric, test.difference, test.low, test.high, test.count
            yield known, each.against, f"p of {metric}", test.p_value, None, None, test.count
            yield known, each.against, f"logs ahead in {each.metric}", each.ahead, None, None, experiment.logs
    for policy in replay.off_policy:
        yield from _off_policy_rows(policy)


def _off_policy_rows(result: OffPolicyResult) -> Iterator[ReplayRow]:
    estimate = result.estimate
    yield _RECORDED, result.method, "IPS", *_numbers(estimate.ips)
    yield _RECORDED, result.method, "SNIPS", *_numbers(estimate.snips)
    yield _RECORDED, result.method, "effective sample size", estimate.effective, None, None, estimate.impressions
    yield _RECORDED, result.method, "support", estimate.support, None, None, estimate.impressions


def _numbers(interval: Interval) -> tuple[float, float, float, int]:
    return interval.mean, interval.low, interval.high, interval.count


def _plain(value: Any) -> Any:
    """The value in JSON's types."""
    if isinstance(value, MapOfCatalog):
        return {"attribute": value.attribute, "method": value.method, "points": len(value.points)}
    if is_dataclass(value) and not isinstance(value, type):
        left_out = _PICTURES if isinstance(value, ModelResult) else ()
        return {
            each.name: _plain(getattr(value, each.name)) for each in fields(value) if each.name not in left_out
        }
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
