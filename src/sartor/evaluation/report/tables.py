"""What a replay found, for other programs: CSV with a line for each figure; JSON is as for any evaluation."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
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


SAME_PRODUCT = "the same product"


_PICTURES = ("best", "median", "worst")


def as_json(evaluation: Evaluation | Replay) -> dict[str, Any]:
    """All but the pictures and the points of the map, of types that JSON has; null for what is not defined."""
    found: dict[str, Any] = _plain(evaluation)
    return found


def as_csv(evaluation: Evaluation) -> str:
    """A line for each model, criterion, category and metric, with the columns of ``COLUMNS``.

    An empty field is what does not apply or is not defined: a criterion for what concerns all lists, a category
    for a mean over all, an interval for what has none. The category of robustness is the damage with its level.
    """
    file = StringIO()
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(COLUMNS)
    for model in evaluation.models:
        main = model.criteria[0].criterion if model.criteria else ""
        lines.writerows(tuple(map(_field, row)) for row in _rows(model, main))
    return file.getvalue()


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
        yield from _with_intervals(name, SAME_PRODUCT, f"{case.damage} {case.level}", case.metrics)
    for metric, value, count in _of_lists(model):
        yield name, "", "", metric, value, None, None, count


def _with_intervals(model: str, criterion: str, category: str, metrics: Mapping[str, Interval]) -> Iterator[Row]:
    for metric, found in metrics.items():
        yield model, criterion, category, metric, found.mean, found.low, found.high, found.count


def _of_lists(model: ModelResult) -> Iterator[tuple[str, float, int | None]]:
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


def _field(value: str | float | None) -> str | float:
    return "" if value is None or (isinstance(value, float) and not math.isfinite(value)) else value


def _plain(value: Any) -> Any:
    """The value as JSON has it."""
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


REPLAY_COLUMNS = ("known", "method", "metric", "mean", "low", "high", "count")
RECORDED = "recorded answers"


def replay_csv(replay: Replay) -> str:
    """A line for each figure, with the columns of ``COLUMNS``; ``known`` is how many events of a person were.

    An empty field is what does not apply or is not defined. A difference is of for-you minus the method.
    """
    file = StringIO()
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(REPLAY_COLUMNS)
    lines.writerows(tuple(map(_field, row)) for row in _replay_rows(replay))
    return file.getvalue()


def _replay_rows(replay: Replay) -> Iterator[ReplayRow]:
    for experiment in replay.experiments:
        known = str(experiment.history)
        for result in experiment.methods:
            for metric, found in result.metrics.items():
                yield known, result.method, metric, *_numbers(found)
            yield known, result.method, "coverage", result.coverage, None, None, None
        for each in experiment.comparisons:
            test = each.test
            metric = f"difference of {each.metric}"
            yield known, each.against, metric, test.difference, test.low, test.high, test.count
            yield known, each.against, f"p of {metric}", test.p_value, None, None, test.count
            yield known, each.against, f"logs ahead in {each.metric}", each.ahead, None, None, experiment.logs
    for policy in replay.off_policy:
        yield from _recorded(policy)


def _recorded(result: OffPolicyResult) -> Iterator[ReplayRow]:
    told = result.estimate
    yield RECORDED, result.method, "IPS", *_numbers(told.ips)
    yield RECORDED, result.method, "SNIPS", *_numbers(told.snips)
    yield RECORDED, result.method, "effective sample size", told.effective, None, None, told.impressions
    yield RECORDED, result.method, "support", told.support, None, None, told.impressions


def _numbers(interval: Interval) -> tuple[float, float, float, int]:
    return interval.mean, interval.low, interval.high, interval.count
