"""What is recommended to the people who shop, and what others do."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

from sartor.errors import ProductNotFound
from sartor.events.model import Person, RelationType
from sartor.recommend.filters import require_attributes, require_values, where_of
from sartor.recommend.outfit.candidates import StoredWardrobe
from sartor.recommend.weights import FEED_DIVERSITY, TREND_WINDOW_S
from sartor.shop.people import PeopleSide, person_of
from sartor.types import EVERYTHING, Where

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.recommend.base import Feed
    from sartor.recommend.filters import FilterValue
    from sartor.recommend.outfit.complements import Complements, ComplementsLearner
    from sartor.recommend.personal.for_you import ForYou
    from sartor.recommend.personal.interactions import Interactions
    from sartor.recommend.personal.profile import MainPhotos
    from sartor.recommend.personal.signals import NewProducts
    from sartor.store.sqlite.events import EventStore


class ShopperSide(PeopleSide):
    """What a shop recommends to its people. A ``str`` for a person is the id of a user."""

    def for_user(  # noqa: PLR0913 - each is a keyword of its own
        self,
        user: str | Person,
        *,
        k: int = 12,
        where: Mapping[str, FilterValue] | Where | None = None,
        context: Mapping[str, FilterValue] | Where | None = None,
        diversity: float | None = None,
        exclude: Sequence[str] = (),
        now_s: float | None = None,
    ) -> Feed:
        """Recommend products to a person, by what the person did up to now and what others did.

        What the person bought or dislikes is never among them, nor what was looked at lately. Of somebody of whom
        nothing is known, it is what others like and what is new, other products for each person.

        Args:
            user: Id of a user, or a ``Person``: also a visitor.
            k: How many products.
            where: Only products with these attributes.
            context: What the person looks at now, such as ``{"gender": "Women"}``; without a history, products
                that have it come first.
            diversity: From 0, the best, to 1, only what differs from each other; None is the default.
            exclude: Ids of products that are left out.
            now_s: Now, in seconds since 1970 UTC; None asks the clock.

        Raises:
            QueryError: The catalog is empty, or a filter asks for what it does not have.
            ModelMismatch: The catalog was embedded with another model.
        """
        from sartor.recommend.base import FeedRequest

        order = FeedRequest(
            person=person_of(user),
            k=k,
            now_s=_now(now_s),
            where=self._filter(where),
            context=self._filter(context),
            diversity=FEED_DIVERSITY if diversity is None else diversity,
            without=frozenset(exclude),
        )
        feed = self._for_you.feed(order)
        if not feed.hits:
            require_values(order.where, self._index)
        return feed

    def trending(
        self,
        *,
        k: int = 12,
        window_s: float = TREND_WINDOW_S,
        where: Mapping[str, FilterValue] | Where | None = None,
        now_s: float | None = None,
    ) -> Feed:
        """What people like most lately; each person counts once a product.

        Args:
            k: How many products, at most.
            window_s: Only what was done within so many seconds; half of a liking is left after half of them.
            where: Only products with these attributes.
            now_s: Now, in seconds since 1970 UTC; None asks the clock.

        Raises:
            QueryError: The catalog is empty, or the filter asks for what it does not have.
        """
        from sartor.recommend.personal.trending import trending

        return trending(self._for_you, k=k, window_s=window_s, where=self._filter(where), now_s=_now(now_s))

    def together(
        self,
        product_id: str,
        *,
        by: RelationType | str | None = None,
        k: int = 12,
        where: Mapping[str, FilterValue] | Where | None = None,
    ) -> Feed:
        """What people bought or looked at together with a product, the closest first.

        Args:
            product_id: The product.
            by: ``bought``, in one basket; ``seen``, in one session; ``liked``, by one person within a month; None
                takes all of them.
            k: How many products, at most.
            where: Only products with these attributes.

        Raises:
            ProductNotFound: There is no such product.
            QueryError: The filter asks for what the catalog does not have.
        """
        from sartor.recommend.personal.trending import together

        if not self._store.known([product_id]):
            raise ProductNotFound(product_id)
        occasion = None if by is None else RelationType(by)
        return together(self._for_you, product_id, by=occasion, k=k, where=self._filter(where))

    @property
    def _complements(self) -> Complements | None:
        """What people buy together, for looks; None where too little is known of it."""
        if not self._backends.has_events():
            return None
        crowd = self._crowd
        return self._complements_learner.now(crowd.learned, crowd.baskets)

    @cached_property
    def _complements_learner(self) -> ComplementsLearner:
        from sartor.recommend.outfit.complements import ComplementsLearner

        return ComplementsLearner(self._store, StoredWardrobe(self._store, self._composer))

    def warm_up(self) -> None:
        """Load the model, the index and what all people did, so that the first query is as fast as the next."""
        super().warm_up()
        if self._backends.has_events():
            self._crowd.catch_up()
            self._main_photos.warm_up(self._store.product_ids())

    def _filter(self, where: Mapping[str, FilterValue] | Where | None) -> Where:
        if not where:
            return EVERYTHING
        found = where if isinstance(where, Where) else where_of(where)
        require_attributes(found, self._knowledge.attributes)
        return found

    @property
    def _crowd(self) -> Interactions:
        """What all people did, up to now."""
        with self._opening:
            crowd = self._first._opened_crowd  # noqa: SLF001 - of its own class
        crowd.follow()
        return crowd

    @cached_property
    def _opened_crowd(self) -> Interactions:
        from sartor.recommend.personal.interactions import Interactions

        return Interactions(self._events)

    @cached_property
    def _main_photos(self) -> MainPhotos:
        from sartor.recommend.personal.profile import MainPhotos

        return MainPhotos(self._index)

    @cached_property
    def _newest(self) -> NewProducts:
        from sartor.recommend.personal.signals import NewProducts

        return NewProducts(self._store)

    @property
    def _for_you(self) -> ForYou:
        self._require_embeddings()
        return self._engine(self._events, self._crowd)

    def _engine(self, events: EventStore, crowd: Interactions) -> ForYou:
        """What recommends to people, by what these events tell."""
        from sartor.recommend.features import COLOR_DIMENSION
        from sartor.recommend.personal.for_you import ForYou

        return ForYou(
            index=self._index,
            photos=self._main_photos,
            catalog=self._store,
            events=events,
            crowd=crowd,
            newest=self._newest,
            model=self._knowledge,
            sizes=(self._card.dimension, COLOR_DIMENSION),
        )


def _now(now_s: float | None) -> float:
    return time.time() if now_s is None else now_s
