"""Recommendations for a person: candidates of each interest, of what others did and of what is new; blended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sartor.events import EventType
from sartor.pipelines.beginning import beginning
from sartor.pipelines.showing import Chosen, Shelf
from sartor.pipelines.standing import Newest, Scored, popular_lately, together_with
from sartor.pipelines.taste import taste_of
from sartor.recommend.blend import PARTS, Blend, Evidence, visual
from sartor.recommend.feed import Basis, Feed
from sartor.recommend.liking import liking_of
from sartor.recommend.similar import GROUP
from sartor.recommend.tuning import FEED_DIVERSITY, HISTORY_EVENTS
from sartor.types import EVERYTHING, Where

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sartor.events import Person
    from sartor.index.edge import EdgeIndex
    from sartor.pipelines.crowd import Crowd
    from sartor.pipelines.taste import Taste
    from sartor.recommend.similar import Model
    from sartor.store.events import EventStore
    from sartor.store.sqlite import SqliteStore
    from sartor.types import Hit, Neighbor, Vector

_OF_INTEREST, _OF_TOGETHER, _OF_POPULAR, _OF_NEW = 48, 96, 48, 24  # candidates
_POOL = 5  # products for each place, among which varied ones are chosen
_REASON = 0.3  # share of a score from which a part of it is a reason
_OPINIONS = (EventType.LIKE, EventType.DISLIKE)
_EVERY = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOrder:
    """What is wanted.

    Attributes:
        person: Whom it is for.
        k: How many products.
        now_s: Now, in seconds since 1970 UTC; later events do not count.
        where: Only products that pass this filter.
        context: What the person looks at now: of one without a history, products that pass come first.
        diversity: From 0, the best, to 1, only what differs.
        without: Ids of products to leave out.
        blend: How much each part counts.
        events: At most so many of the person's last events are looked at.
    """

    person: Person
    k: int
    now_s: float
    where: Where = EVERYTHING
    context: Where = EVERYTHING
    diversity: float = FEED_DIVERSITY
    without: frozenset[str] = frozenset()
    blend: Blend = field(default_factory=Blend)
    events: int = HISTORY_EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class ForYou:
    """Recommends products to people.

    Attributes:
        index: Where products are found by how they look.
        catalog: The products.
        events: What each person did.
        crowd: What all did; whoever asks has it follow.
        newest: What is new in the catalog.
        model: What is known of the model that embedded the catalog.
        sizes: Lengths of style and color in what the index compares.
    """

    index: EdgeIndex
    catalog: SqliteStore
    events: EventStore
    crowd: Crowd
    newest: Newest
    model: Model
    sizes: tuple[int, int]

    def feed(self, order: FeedOrder) -> Feed:
        """Products for a person, by the blend; for one without a history, by what is trending and new.

        Raises:
            ValueError: ``k`` is below 1, or the diversity not from 0 to 1.
        """
        if order.k < 1 or not 0 <= order.diversity <= 1:
            msg = f"k must be at least 1 and diversity from 0 to 1, not {order.k} and {order.diversity}"
            raise ValueError(msg)
        liking = liking_of(
            self.events.recent(order.person, limit=order.events, until_s=order.now_s),
            disliked=_disliked(self.events, order.person),
            bought=self.events.products_of(order.person, (EventType.PURCHASE,)),
        )
        taste = taste_of(liking, self.index, sizes=self.sizes)
        if taste is None:
            return beginning(self, order, without=order.without | liking.done)
        standing = _Standing(together_with(taste, self.crowd), popular_lately(self.crowd, now_s=order.now_s))
        found = self._candidates(order, taste, standing)
        return Feed(hits=self._ranked(order, taste, standing, found), based_on=Basis.HISTORY)

    def shelf(self, found: Sequence[Neighbor]) -> Shelf:
        """Products that may be shown."""
        return Shelf.of(found, catalog=self.catalog, model=self.model, sizes=self.sizes)

    def passing(self, product_ids: Collection[str], where: Where) -> list[Neighbor]:
        """What the index has of products, as far as they pass a filter, in their order."""
        there = {each.product_id: each for each in self.index.entries(product_ids, where=where)}
        return [there[product_id] for product_id in product_ids if product_id in there]

    def _candidates(self, order: FeedOrder, taste: Taste, standing: _Standing) -> list[Neighbor]:
        """Products that might be in the feed, each once."""
        without = taste.liking.done | order.without
        found: dict[str, Neighbor] = {}
        for query in taste.queries if order.blend.visual else ():
            for each in self.index.search(query, k=_OF_INTEREST, where=order.where, without=without):
                found.setdefault(each.product_id, each)
        more = [
            *(standing.together.best(_OF_TOGETHER) if order.blend.together else ()),
            *(standing.popular.best(_OF_POPULAR) if order.blend.popular else ()),
            *(list(self.newest.products())[:_OF_NEW] if order.blend.new else ()),
        ]
        wanted = [product_id for product_id in dict.fromkeys(more) if product_id not in found.keys() | without]
        return [*found.values(), *(self.passing(wanted, order.where) if wanted else ())]

    def _ranked(
        self, order: FeedOrder, taste: Taste, standing: _Standing, found: list[Neighbor]
    ) -> tuple[Hit, ...]:
        if not found:
            return ()
        parts = order.blend.parts(self._evidence(taste, standing, found))
        scores = parts.sum(axis=0)
        best = np.argsort(-scores, kind="stable")[: max(2 * _POOL, _POOL * order.k)]
        shelf = self.shelf([found[place] for place in best])
        groups = self._groups(taste.liking.disliked)
        chosen = shelf.choose(scores[best], k=order.k, diversity=order.diversity, no_groups=groups)
        reasons = _Reasons(taste, self.crowd, self._titles(taste))
        return shelf.hits(
            [
                Chosen(
                    place=place,
                    score=float(scores[best[place]]),
                    variants=variants,
                    reasons=reasons.of(shelf.found[place], parts[:, best[place]]),
                )
                for place, variants in chosen
            ]
        )

    def _evidence(self, taste: Taste, standing: _Standing, found: list[Neighbor]) -> Evidence:
        ids = [each.product_id for each in found]
        new = self.newest.products()
        closeness = taste.queries @ np.stack([each.vector for each in found]).T  # (i, n) @ (n, c) -> (i, c)
        return Evidence(
            visual=visual(closeness, taste.shares),
            together=standing.together.of(ids),
            popular=standing.popular.of(ids),
            new=np.array([new.get(product_id, 0.0) for product_id in ids], np.float32),
        )

    def _titles(self, taste: Taste) -> dict[str, str]:
        stored = self.catalog.products([each.product_id for each in taste.members])
        return {product_id: each.product.title for product_id, each in stored.items()}

    def _groups(self, product_ids: Collection[str]) -> frozenset[str]:
        """Item groups of products: what is disliked in one color is not shown in another."""
        stored = self.catalog.products(product_ids).values() if product_ids else ()
        return frozenset(
            str(each.product.attributes[GROUP]) for each in stored if GROUP in each.product.attributes
        )


@dataclass(frozen=True, slots=True)
class _Standing:
    """How products stand with what the person likes, and with all people."""

    together: Scored
    popular: Scored


@dataclass(frozen=True, slots=True)
class _Reasons:
    """Why a product is in a feed, in words that a shopper understands."""

    taste: Taste
    crowd: Crowd
    titles: Mapping[str, str]

    def of(self, hit: Neighbor, parts: Vector) -> tuple[str, ...]:
        """The parts that a score is mostly made of, the greatest first."""
        total = float(parts.sum()) or 1.0
        order = [PARTS[place] for place in np.argsort(-parts, kind="stable") if parts[place] >= _REASON * total]
        return tuple(self._word(part, hit) for part in order)

    def _word(self, part: str, hit: Neighbor) -> str:
        if part == "visual":
            return f"because you {self._deed(self.taste.nearest(hit.vector))}"
        if part == "together":
            return f"chosen by others who {self._deed(self._closest(hit.product_id))}"
        return "liked by many lately" if part == "popular" else "new in"

    def _deed(self, place: int) -> str:
        product_id = self.taste.members[place].product_id
        return f"{self.taste.liking.deed(product_id)} {self.titles.get(product_id) or product_id}"

    def _closest(self, product_id: str) -> int:
        closeness = self.crowd.closeness(product_id, [each.product_id for each in self.taste.members])
        return int((closeness * self.taste.weights).argmax())


def opinions(events: EventStore, person: Person) -> dict[str, EventType]:
    """What a person said last of each product, a like or a dislike; what was said last comes first."""
    said: dict[str, EventType] = {}
    for event in events.recent(person, limit=_EVERY, types=_OPINIONS):
        said.setdefault(event.product_id, event.type)
    return said


def _disliked(events: EventStore, person: Person) -> frozenset[str]:
    """Products that a person disliked, and has not liked since."""
    disliked = events.products_of(person, (EventType.DISLIKE,))
    if not disliked & events.products_of(person, (EventType.LIKE,)):
        return frozenset(disliked)
    return frozenset(product for product, said in opinions(events, person).items() if said is EventType.DISLIKE)
