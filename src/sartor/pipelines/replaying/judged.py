"""What the lists of each way to recommend are worth, in one log and over several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.intervals import intervals, paired_tests
from sartor.evaluation.list_quality import coverage, diversity, novelty
from sartor.evaluation.metrics import hit_rate_at_k, ndcg_at_k, recall_at_k
from sartor.evaluation.replay import MethodResult, ReplayComparison, ReplayExperiment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sartor.evaluation.agreement import Indices, Values
    from sartor.evaluation.time_split import Case
    from sartor.pipelines.replaying.lists import Known, Stage


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Judged:
    """The lists that were made in one log, person by person.

    Attributes:
        targets: How many products each person turned out to want, ``(p,)``.
        scores: By way and metric, ``(p,)`` each; the first way is compared with the others.
        coverage: Share of the catalog that each way shows.
    """

    targets: Values
    scores: Mapping[str, Mapping[str, Values]]
    coverage: Mapping[str, float]


def judge(
    lists: Mapping[str, Sequence[Indices]], cases: Sequence[Case], stage: Stage, known: Known, *, k: int
) -> Judged:
    """Measure lists against what people turned out to want.

    Args:
        lists: Rows of products for each case, by way.
        cases: The people.
        stage: The catalog.
        known: What people did.
        k: Length of the lists.
    """
    targets = [frozenset(stage.rows[product] for product in case.targets) for case in cases]
    return Judged(
        targets=np.array([len(each) for each in targets], np.float64),
        scores={name: _scores(each, targets, stage, known, k=k) for name, each in lists.items()},
        coverage={name: coverage(each, products=len(stage.catalog)) for name, each in lists.items()},
    )


def experiment(judged: Sequence[Judged], *, history: int, seed: int) -> ReplayExperiment:
    """All people of all logs together, each counting the same.

    Args:
        judged: Each log in which somebody was asked for; at least one.
        history: How many events are known of a person.
        seed: Of intervals and tests.
    """
    scores = {name: _together([each.scores[name] for each in judged]) for name in judged[0].scores}
    results = tuple(
        MethodResult(
            method=name,
            metrics=intervals(values, rng=np.random.default_rng(seed)),
            coverage=float(np.mean([each.coverage[name] for each in judged])),
        )
        for name, values in scores.items()
    )
    targets = np.concatenate([each.targets for each in judged])
    return ReplayExperiment(
        history=history,
        people=len(targets),
        logs=len(judged),
        targets=float(targets.mean()),
        methods=results,
        comparisons=tuple(_comparisons(results, scores, judged, seed=seed)),
    )


def _scores(
    lists: Sequence[Indices], targets: Sequence[Collection[int]], stage: Stage, known: Known, *, k: int
) -> dict[str, Values]:
    relevant = np.zeros((len(lists), k), np.bool_)  # what a short list lacks is not relevant
    for row, (found, wanted) in enumerate(zip(lists, targets, strict=True)):
        relevant[row, : len(found)] = [int(product) in wanted for product in found]
    totals = np.array([len(wanted) for wanted in targets], np.int64)
    return {
        f"nDCG@{k}": ndcg_at_k(relevant, totals, k=k),
        f"recall@{k}": recall_at_k(relevant, totals, k=k),
        f"hit rate@{k}": hit_rate_at_k(relevant, totals, k=k),
        "novelty": novelty(lists, known.people, total=known.total),
        "diversity": diversity(lists, stage.styles),
    }


def _together(logs: Sequence[Mapping[str, Values]]) -> dict[str, Values]:
    return {metric: np.concatenate([each[metric] for each in logs]) for metric in logs[0]}


def _comparisons(
    results: Sequence[MethodResult],
    scores: Mapping[str, Mapping[str, Values]],
    judged: Sequence[Judged],
    *,
    seed: int,
) -> Iterator[ReplayComparison]:
    mine, *others = results
    for other in others:
        tests = paired_tests(scores[mine.method], scores[other.method], rng=np.random.default_rng(seed))
        for metric, test in tests.items():
            pairs = [(log.scores[mine.method][metric], log.scores[other.method][metric]) for log in judged]
            yield ReplayComparison(
                against=other.method,
                metric=metric,
                test=test,
                apart=mine.metrics[metric].low > other.metrics[metric].high,
                ahead=sum(bool(np.nansum(ours - theirs) > 0) for ours, theirs in pairs),
            )
