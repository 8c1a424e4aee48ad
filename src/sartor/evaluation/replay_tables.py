"""What a replay found, for other programs: CSV with a line for each figure; JSON is as for any evaluation."""

from __future__ import annotations

import csv
import math
from io import StringIO
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sartor.evaluation.agreement import Interval
    from sartor.evaluation.replay import OffPolicyResult, Replay

    Row: TypeAlias = tuple[str, str, str, float, float | None, float | None, int | None]

COLUMNS = ("known", "method", "metric", "mean", "low", "high", "count")
RECORDED = "recorded answers"


def replay_csv(replay: Replay) -> str:
    """A line for each figure, with the columns of ``COLUMNS``; ``known`` is how many events of a person were.

    An empty field is what does not apply or is not defined. A difference is of for-you minus the method.
    """
    file = StringIO()
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows(tuple(map(_field, row)) for row in _rows(replay))
    return file.getvalue()


def _rows(replay: Replay) -> Iterator[Row]:
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


def _recorded(result: OffPolicyResult) -> Iterator[Row]:
    told = result.estimate
    yield RECORDED, result.method, "IPS", *_numbers(told.ips)
    yield RECORDED, result.method, "SNIPS", *_numbers(told.snips)
    yield RECORDED, result.method, "effective sample size", told.effective, None, None, told.impressions
    yield RECORDED, result.method, "support", told.support, None, None, told.impressions


def _numbers(interval: Interval) -> tuple[float, float, float, int]:
    return interval.mean, interval.low, interval.high, interval.count


def _field(value: str | float | None) -> str | float:
    return "" if value is None or (isinstance(value, float) and not math.isfinite(value)) else value
