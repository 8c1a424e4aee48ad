"""Recommendations for a person: candidates of each interest, of what others did and of what is new; blended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.events.model import EventType
from sartor.recommend.base import GROUP, Basis, Feed, FeedRequest
from sartor.recommend.personal.cold_start import cold_start
from sartor.recommend.personal.profile import user_preferences, user_profile
from sartor.recommend.personal.signals import (
    PARTS,
    Evidence,
    ItemScores,
    NewProducts,
    cooccurrence_scores,
    popularity_scores,
    visual,
)
from sartor.recommend.rank import CandidateSet, RankedItem

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sartor.events.model import Person
    from sartor.index.base import VectorIndex
    from sartor.recommend.base import Model
    from sartor.recommend.personal.interactions import Interactions
    from sartor.recommend.personal.profile import MainPhotos, UserProfile
    from sartor.store.base import CatalogStore, EventStore
    from sartor.types import Hit, Neighbor, Vector, Where


_OF_INTEREST, _OF_TOGETHER, _OF_POPULAR, _OF_NEW = 32, 64, 32, 16  # candidates
_POOL, _LEAST_POOL = 2, 12  # products for each place and beside, among which varied ones are chosen
_REASON = 0.2  # share of a score from which a part of it is a reason
_OPINIONS = (EventType.LIKE, EventType.DISLIKE)
_EVERY = 1 << 30
_PERSONAL = ("visual", "together")  # parts of a score that are about the person


@dataclass(frozen=True, slots=True, kw_only=True)
class ForYou:
    """Recommends products to people.

    Attributes:
        index: Where products are found by how they look.
        photos: What they look like.
        catalog: The products.
        events: What each person did.
        crowd: What all did; whoever asks has it follow.
        newest: What is new in the catalog.
        model: What is known of the model that embedded the catalog.
        sizes: Lengths of style and color in what the index compares.
    """

    index: VectorIndex
    photos: MainPhotos
    catalog: CatalogStore
    events: EventStore
    crowd: Interactions
    newest: NewProducts
    model: Model
    sizes: tuple[int, int]

    def feed(self, order: FeedRequest) -> Feed:
        """Products for a person, by the blend; for one without a history, by what is trending and new.

        Raises:
            ValueError: ``k`` is below 1, or the diversity not from 0 to 1.
        """
        if order.k < 1 or not 0 <= order.diversity <= 1:
            msg = f"k must be at least 1 and diversity from 0 to 1, not {order.k} and {order.diversity}"
            raise ValueError(msg)
        liking = user_preferences(
            self.events.recent(order.person, limit=order.events, until_s=order.now_s),
            disliked=_disliked(self.events, order.person),
            bought=self.events.products_of(order.person, (EventType.PURCHASE,)),
        )
        taste = user_profile(liking, self.photos, sizes=self.sizes)
        if taste is None:
            return cold_start(self, order, without=order.without | liking.done)
        standing = _Standing(
            cooccurrence_scores(taste, self.crowd), popularity_scores(self.crowd, now_s=order.now_s)
        )
        found = self._candidates(order, taste, standing)
        return Feed(hits=self._ranked(order, taste, standing, found), based_on=Basis.HISTORY)

    def shelf(self, found: Sequence[Neighbor]) -> CandidateSet:
        """Products that may be shown."""
        return CandidateSet.of(found, catalog=self.catalog, model=self.model, sizes=self.sizes)

    def passing(self, product_ids: Sequence[str], where: Where) -> list[Neighbor]:
        """What the index has of products, as far as they pass a filter, in their order."""
        if where:
            there = self.index.passing(where, of=product_ids)
            product_ids = [product_id for product_id in product_ids if product_id in there]
        return self.photos.of(product_ids)

    def _candidates(self, order: FeedRequest, taste: UserProfile, standing: _Standing) -> list[Neighbor]:
        """Products that might be in the feed, each once."""
        without = taste.liking.done | order.without
        queries = taste.queries if order.blend.visual else taste.queries[:0]
        found = self.index.find(queries, k=_OF_INTEREST, where=order.where, without=without)
        more = [
            *(standing.together.best(_OF_TOGETHER) if order.blend.together else ()),
            *(standing.popular.best(_OF_POPULAR) if order.blend.popular else ()),
            *(list(self.newest.products())[:_OF_NEW] if order.blend.new else ()),
        ]
        left_out = without.union(found)
        others = [product_id for product_id in dict.fromkeys(more) if product_id not in left_out]
        return self.photos.of(found) + self.passing(others, order.where)

    def _ranked(
        self, order: FeedRequest, taste: UserProfile, standing: _Standing, found: list[Neighbor]
    ) -> tuple[Hit, ...]:
        if not found:
            return ()
        parts = order.blend.parts(self._evidence(taste, standing, found))
        scores = parts.sum(axis=0)
        best = np.argsort(-scores, kind="stable")[: _POOL * order.k + _LEAST_POOL]
        shelf = self.shelf([found[place] for place in best])
        groups = self._groups(taste.liking.disliked)
        chosen = shelf.choose(scores[best], k=order.k, diversity=order.diversity, no_groups=groups)
        because = _Because(taste, self.crowd)
        parts_of = {place: because.of(shelf.found[place], parts[:, best[place]]) for place, _ in chosen}
        titles = self._titles({reason.product_id for reasons in parts_of.values() for reason in reasons})
        return shelf.hits(
            [
                RankedItem(
                    place=place,
                    score=float(scores[best[place]]),
                    variants=variants,
                    reasons=tuple(reason.words(titles) for reason in parts_of[place]),
                )
                for place, variants in chosen
            ]
        )

    def _evidence(self, taste: UserProfile, standing: _Standing, found: list[Neighbor]) -> Evidence:
        ids = [each.product_id for each in found]
        new = self.newest.products()
        vectors = np.stack([each.vector for each in found])
        # Not a matrix product: for so little, its threads wait for each other longer than they compute.
        closeness = np.einsum("in,cn->ic", taste.queries, vectors)
        return Evidence(
            visual=visual(closeness, taste.shares),
            together=standing.together.of(ids),
            popular=standing.popular.of(ids),
            new=np.array([new.get(product_id, 0.0) for product_id in ids], np.float32),
        )

    def _titles(self, product_ids: Collection[str]) -> dict[str, str]:
        stored = self.catalog.products(product_ids) if product_ids else {}
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

    together: ItemScores
    popular: ItemScores


@dataclass(frozen=True, slots=True)
class _Reason:
    """Why a product is in a feed: words, and the product of the person that they are about, if any."""

    said: str
    product_id: str = ""

    def words(self, titles: Mapping[str, str]) -> str:
        return f"{self.said} {titles.get(self.product_id) or self.product_id}".rstrip()


@dataclass(frozen=True, slots=True)
class _Because:
    """Finds the reasons, from what a person likes and what others did."""

    taste: UserProfile
    crowd: Interactions

    def of(self, hit: Neighbor, parts: Vector) -> tuple[_Reason, ...]:
        """The parts that a score is mostly made of: those of the person first, of these the greatest."""
        share = parts / (float(parts.sum()) or 1.0)
        order = np.lexsort((-share, np.array([part not in _PERSONAL for part in PARTS])))
        return tuple(self._reason(PARTS[place], hit) for place in order if share[place] >= _REASON)

    def _reason(self, part: str, hit: Neighbor) -> _Reason:
        if part == "visual":
            return self._deed("because you", self.taste.nearest(hit.vector))
        if part == "together":
            ids = [each.product_id for each in self.taste.members]
            near = self.crowd.closeness(hit.product_id, ids) * self.taste.weights
            return self._deed("chosen by others who", int(near.argmax()))
        return _Reason("liked by many lately" if part == "popular" else "new in")

    def _deed(self, start: str, place: int) -> _Reason:
        product_id = self.taste.members[place].product_id
        return _Reason(f"{start} {self.taste.liking.deed(product_id)}", product_id)


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
