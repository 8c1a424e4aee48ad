"""The lists that each way to recommend makes for people, and what these lists are worth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.intervals import intervals, paired_tests
from sartor.evaluation.list_quality import coverage, diversity, novelty
from sartor.evaluation.metrics import hit_rate_at_k, ndcg_at_k, recall_at_k
from sartor.evaluation.replay import MethodResult, ReplayComparison, ReplayExperiment
from sartor.pipelines.for_you import FeedOrder
from sartor.pipelines.report import Progress

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sartor.evaluation.agreement import Indices, Values
    from sartor.evaluation.time_split import Case
    from sartor.events import Event, Person
    from sartor.pipelines.for_you import ForYou
    from sartor.pipelines.replaying.order import Method
    from sartor.pipelines.report import OnProgress
    from sartor.types import Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody for whom a list is made.

    Attributes:
        person: Who.
        k: How many products.
        without: Products that are left out, whichever way recommends.
    """

    person: Person
    k: int
    without: frozenset[str] = frozenset()


class Stage:
    """The engine at the time of the split, with what it knows then.

    Args:
        engine: Answers.
        catalog: Ids of the products that can be recommended, in order.
        now_s: The time of the split.
    """

    def __init__(self, engine: ForYou, catalog: Sequence[str], *, now_s: float) -> None:
        self._engine, self._now_s = engine, now_s
        self.catalog = catalog
        self.rows = {product_id: row for row, product_id in enumerate(catalog)}

    def lists(
        self, method: Method, asked: Sequence[Asked], *, seed: int, on_progress: OnProgress
    ) -> list[Indices]:
        """Rows of the products that a way recommends to each, the best first.

        Args:
            method: The way.
            asked: Whom to recommend to.
            seed: Of what is drawn at random.
            on_progress: Told after each list.
        """
        rng = np.random.default_rng(seed)
        found = []
        for done, each in enumerate(asked, 1):
            found.append(self._recommended(method, each) if method.blend else self._drawn(each, rng))
            on_progress(Progress(products=done, total=len(asked), photos=0, committed=()))
        return found

    @cached_property
    def styles(self) -> Matrix:
        """Embeddings of all products of the catalog, ``(n, d)`` of norm 1, 0 for what the index lacks."""
        dimension = self._engine.sizes[0]
        styles = np.zeros((len(self.catalog), dimension), np.float32)
        for each in self._engine.photos.of(self.catalog):
            styles[self.rows[each.product_id]] = each.vector[:dimension]
        return styles

    def _recommended(self, method: Method, asked: Asked) -> Indices:
        assert method.blend is not None  # noqa: S101 - the caller has looked
        feed = self._engine.feed(
            FeedOrder(
                person=asked.person,
                k=asked.k,
                now_s=self._now_s,
                blend=method.blend,
                diversity=method.diversity,
                without=asked.without,
            )
        )
        return np.array([self.rows[hit.product_id] for hit in feed.hits if hit.product_id in self.rows], np.int64)

    def _drawn(self, asked: Asked, rng: np.random.Generator) -> Indices:
        left_out = [self.rows[each] for each in asked.without if each in self.rows]
        drawn = rng.permutation(len(self.catalog))[: asked.k + len(left_out)]
        return np.asarray(drawn[~np.isin(drawn, left_out)][: asked.k], np.int64)


class Known:
    """How many people did something with each product before the split, by which novelty is judged."""

    def __init__(self, before: Sequence[Event], rows: Mapping[str, int]) -> None:
        pairs = {(event.person, event.product_id) for event in before}
        counts = Counter(product_id for _, product_id in pairs)
        self.people = np.zeros(len(rows), np.int64)
        for product_id, row in rows.items():
            self.people[row] = counts[product_id]
        self.total = len({event.person for event in before})


def judge(  # noqa: PLR0913 - each is a keyword of its own
    lists: Mapping[str, Sequence[Indices]],
    cases: Sequence[Case],
    stage: Stage,
    known: Known,
    *,
    history: int,
    k: int,
    seed: int,
) -> ReplayExperiment:
    """Measure lists against what people turned out to want.

    Args:
        lists: Rows of products for each case, by way; the first way is compared with the others.
        cases: The people.
        stage: The catalog.
        known: What people did.
        history: How many events are known of a person.
        k: Length of the lists.
        seed: Of intervals and tests.
    """
    targets = [frozenset(stage.rows[product] for product in case.targets) for case in cases]
    scores = {name: _scores(each, targets, stage, known, k=k) for name, each in lists.items()}
    results = tuple(
        MethodResult(
            method=name,
            metrics=intervals(values, rng=np.random.default_rng(seed)),
            coverage=coverage(lists[name], products=len(stage.catalog)),
        )
        for name, values in scores.items()
    )
    return ReplayExperiment(
        history=history,
        people=len(cases),
        targets=float(np.mean([len(each) for each in targets])),
        methods=results,
        comparisons=tuple(_comparisons(results, scores, seed=seed)),
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


def _comparisons(
    results: Sequence[MethodResult], scores: Mapping[str, Mapping[str, Values]], *, seed: int
) -> list[ReplayComparison]:
    mine, *others = results
    return [
        ReplayComparison(
            against=other.method,
            metric=metric,
            test=test,
            apart=mine.metrics[metric].low > other.metrics[metric].high,
        )
        for other in others
        for metric, test in paired_tests(
            scores[mine.method], scores[other.method], rng=np.random.default_rng(seed)
        ).items()
    ]
