"""The lists of each recommendation method, and what they are worth, in one log and over several."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sartor.evaluation.intervals import intervals, paired_tests
from sartor.evaluation.metrics import coverage, diversity, hit_rate_at_k, ndcg_at_k, novelty, recall_at_k
from sartor.evaluation.replay.results import MethodResult, ReplayComparison, ReplayExperiment
from sartor.ingest.photos import Progress
from sartor.recommend.base import FeedRequest
from sartor.recommend.weights import FEED_DIVERSITY, Blend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sartor.evaluation.intervals import Values
    from sartor.evaluation.ranking import Indices
    from sartor.evaluation.splits import Case
    from sartor.events.model import Event, Person
    from sartor.ingest.photos import OnProgress
    from sartor.recommend.personal.for_you import ForYou
    from sartor.recommend.personal.interactions import Interactions
    from sartor.store.base import EventStore
    from sartor.types import Matrix

DEFAULT_HISTORIES = (1, 5, 20)

# Makes the engine that recommends, on other events than those of the workspace.
Engine: TypeAlias = "Callable[[EventStore, Interactions], ForYou]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to recommend: the same engine with other weights, so that all leave out the same products.

    Attributes:
        name: What it is called.
        blend: Its weights; None draws products at random.
        diversity: From 0 to 1, as in a feed.
    """

    name: str
    blend: Blend | None
    diversity: float = 0.0


# The baselines are not diversified, which would cost them accuracy. Products without interactions have no
# item-to-item score; popularity then fills the list.
METHODS = (
    Method(name="for-you", blend=Blend(), diversity=FEED_DIVERSITY),
    Method(name="popularity", blend=Blend(visual=0.0, together=0.0, popular=1.0, new=0.0)),
    Method(name="item-to-item", blend=Blend(visual=0.0, together=1.0, popular=0.001, new=0.0)),
    Method(name="visual", blend=Blend(visual=1.0, together=0.0, popular=0.0, new=0.0)),
    Method(name="random", blend=None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """What to replay.

    Attributes:
        k: Length of lists.
        people: Number of people of a log for whom lists are made; more are sampled, in each experiment.
        histories: How many of a person's last events are known, an experiment each.
        seed: For everything random.
        eta: How fast attention falls with the rank in recorded answers.
        clip: Largest weight of a recorded reward; None for no bound.
        methods: What is compared, ``for-you`` first.
        model: Model that embedded the catalog.
        command: The command that asked for it.
    """

    k: int = 10
    people: int = 1000
    histories: tuple[int, ...] = DEFAULT_HISTORIES
    seed: int = 0
    eta: float = 1.0
    clip: float | None = None
    methods: tuple[Method, ...] = METHODS
    model: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """A list to make: for whom, how long, and which products every method leaves out."""

    person: Person
    k: int
    without: frozenset[str] = frozenset()


class EngineAtSplit:
    """The engine with what it knows at the time of the split.

    Args:
        engine: Recommends.
        catalog: Ids of the products that can be recommended, in order.
        now_s: The time of the split.
    """

    def __init__(self, engine: ForYou, catalog: Sequence[str], *, now_s: float) -> None:
        self._engine, self._now_s = engine, now_s
        self.catalog = catalog
        self.row_of = {product_id: row for row, product_id in enumerate(catalog)}

    def lists(
        self, method: Method, requests: Sequence[ListRequest], *, seed: int, on_progress: OnProgress
    ) -> list[Indices]:
        """Rows of the products that a method recommends for each request, the best first.

        Args:
            method: The method.
            requests: The lists to make.
            seed: For a method that draws at random.
            on_progress: Called after each list.
        """
        rng = np.random.default_rng(seed)
        lists = []
        for done, request in enumerate(requests, 1):
            if method.blend is None:
                lists.append(self._drawn(request, rng))
            else:
                lists.append(self._recommended(method.blend, method.diversity, request))
            on_progress(Progress(products=done, total=len(requests), photos=0, committed=()))
        return lists

    @cached_property
    def styles(self) -> Matrix:
        """Embeddings of all products of the catalog, ``(n, d)`` of unit norm, 0 for those not in the index."""
        dimension = self._engine.candidates.sizes[0]
        styles = np.zeros((len(self.catalog), dimension), np.float32)
        for photo in self._engine.candidates.photos.of(self.catalog):
            styles[self.row_of[photo.product_id]] = photo.vector[:dimension]
        return styles

    def _recommended(self, blend: Blend, diversity: float, request: ListRequest) -> Indices:
        feed = self._engine.feed(
            FeedRequest(
                person=request.person,
                k=request.k,
                now_s=self._now_s,
                blend=blend,
                diversity=diversity,
                without=request.without,
            )
        )
        rows = (self.row_of.get(hit.product_id) for hit in feed.hits)
        return np.array([row for row in rows if row is not None], np.int64)

    def _drawn(self, request: ListRequest, rng: np.random.Generator) -> Indices:
        left_out = [self.row_of[product] for product in request.without if product in self.row_of]
        drawn = rng.permutation(len(self.catalog))[: request.k + len(left_out)]
        return np.asarray(drawn[~np.isin(drawn, left_out)][: request.k], np.int64)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LogScores:
    """The lists that were made in one log, person by person.

    Attributes:
        targets: How many products each person wanted afterwards, ``(p,)``.
        scores: By method and metric, ``(p,)`` each; the first method is compared with the others.
        coverage: Share of the catalog that each method shows.
    """

    targets: Values
    scores: Mapping[str, Mapping[str, Values]]
    coverage: Mapping[str, float]


def score_lists(
    lists: Mapping[str, Sequence[Indices]],
    cases: Sequence[Case],
    engine: EngineAtSplit,
    before: Sequence[Event],
    *,
    k: int,
) -> LogScores:
    """Measure lists against what people wanted afterwards.

    Args:
        lists: Rows of products for each case, by method.
        cases: The people.
        engine: Knows the catalog.
        before: All events before the split; novelty counts the people who did something with a product.
        k: Length of the lists.
    """
    targets = [frozenset(engine.row_of[product] for product in case.targets) for case in cases]
    totals = np.array([len(rows) for rows in targets], np.int64)
    counts = Counter(product_id for _, product_id in {(event.person, event.product_id) for event in before})
    known_by = np.array([counts[product_id] for product_id in engine.catalog], np.int64)
    people = len({event.person for event in before})
    scores = {}
    for name, rows_of in lists.items():
        relevant = np.zeros((len(rows_of), k), np.bool_)  # what a short list lacks is not relevant
        for number, (rows, products) in enumerate(zip(rows_of, targets, strict=True)):
            relevant[number, : len(rows)] = [int(row) in products for row in rows]
        scores[name] = {
            f"nDCG@{k}": ndcg_at_k(relevant, totals, k=k),
            f"recall@{k}": recall_at_k(relevant, totals, k=k),
            f"hit rate@{k}": hit_rate_at_k(relevant, totals, k=k),
            "novelty": novelty(rows_of, known_by, total=people),
            "diversity": diversity(rows_of, engine.styles),
        }
    return LogScores(
        targets=totals.astype(np.float64),
        scores=scores,
        coverage={name: coverage(rows, products=len(engine.catalog)) for name, rows in lists.items()},
    )


def experiment(logs: Sequence[LogScores], *, history: int, seed: int) -> ReplayExperiment:
    """All people of all logs together, each counting the same.

    Args:
        logs: Each log that has such people; at least one.
        history: How many events of a person are known.
        seed: For intervals and tests.
    """
    scores = {
        method: {metric: np.concatenate([log.scores[method][metric] for log in logs]) for metric in metrics}
        for method, metrics in logs[0].scores.items()
    }
    results = tuple(
        MethodResult(
            method=name,
            metrics=intervals(values, rng=np.random.default_rng(seed)),
            coverage=float(np.mean([log.coverage[name] for log in logs])),
        )
        for name, values in scores.items()
    )
    targets = np.concatenate([log.targets for log in logs])
    return ReplayExperiment(
        history=history,
        people=len(targets),
        logs=len(logs),
        targets=float(targets.mean()),
        methods=results,
        comparisons=tuple(_comparisons(results, scores, logs, seed=seed)),
    )


def _comparisons(
    results: Sequence[MethodResult],
    scores: Mapping[str, Mapping[str, Values]],
    logs: Sequence[LogScores],
    *,
    seed: int,
) -> Iterator[ReplayComparison]:
    first, *others = results
    for other in others:
        tests = paired_tests(scores[first.method], scores[other.method], rng=np.random.default_rng(seed))
        for metric, test in tests.items():
            gains = [log.scores[first.method][metric] - log.scores[other.method][metric] for log in logs]
            yield ReplayComparison(
                against=other.method,
                metric=metric,
                test=test,
                apart=first.metrics[metric].low > other.metrics[metric].high,
                ahead=sum(bool(np.nansum(gain) > 0) for gain in gains),
            )
