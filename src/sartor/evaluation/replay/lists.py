"""What the lists of each way to recommend are worth, in one log and over several."""

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
from sartor.recommend.personal.signals import Blend
from sartor.recommend.weights import FEED_DIVERSITY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from sartor.evaluation.intervals import Indices, Values
    from sartor.evaluation.splits import Case
    from sartor.events.model import Event, Person
    from sartor.ingest.photos import OnProgress
    from sartor.recommend.personal.for_you import ForYou
    from sartor.recommend.personal.interactions import Interactions
    from sartor.store.base import EventStore
    from sartor.types import Matrix


FOR_YOU, RANDOM = "for-you", "random"
DEFAULT_HISTORIES = (1, 5, 20)


# Opens the engine that answers, on other events than those of the workspace.
Engine: TypeAlias = "Callable[[EventStore, Interactions], ForYou]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to recommend: the same engine with other weights, so that all leave out the same products.

    Attributes:
        name: What it is called.
        blend: Its weights; None draws products at random.
        diversity: How much what it shows shall differ.
    """

    name: str
    blend: Blend | None
    diversity: float = 0.0


# The baselines are not varied, which would cost them accuracy. What people did says nothing of some products;
# what is popular then fills the list of the item-to-item baseline.
METHODS = (
    Method(name=FOR_YOU, blend=Blend(), diversity=FEED_DIVERSITY),
    Method(name="popularity", blend=Blend(visual=0.0, together=0.0, popular=1.0, new=0.0)),
    Method(name="item-to-item", blend=Blend(visual=0.0, together=1.0, popular=0.001, new=0.0)),
    Method(name="visual", blend=Blend(visual=1.0, together=0.0, popular=0.0, new=0.0)),
    Method(name=RANDOM, blend=None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """What is to be replayed.

    Attributes:
        k: Length of lists.
        people: At most so many people of a log are asked for, drawn at random, in each experiment.
        histories: How many of a person's last events are known, an experiment each.
        seed: Of all that is random.
        eta: How fast attention falls with the place in recorded answers.
        clip: Weights of recorded rewards are at most this; None for no bound.
        methods: What is compared, ``for-you`` first.
        model: Model that embedded the catalog.
        command: What asked for it, for a report.
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
            FeedRequest(
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
