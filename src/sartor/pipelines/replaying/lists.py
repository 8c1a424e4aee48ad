"""The lists that each way to recommend makes for people, and what was known when they were made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sartor.pipelines.for_you import FeedOrder
from sartor.pipelines.report import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.evaluation.agreement import Indices
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
