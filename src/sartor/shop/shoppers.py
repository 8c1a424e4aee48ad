"""Shoppers and their events: record, read, merge, erase."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from sartor.errors import PersonNotFound
from sartor.events.model import EventCounts, EventType, Person, PersonRecord
from sartor.shop.backends import Lazy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sartor.events.model import Event, Taken
    from sartor.events.vocabulary import Vocabulary
    from sartor.ingest.events import EventImportReport, OnEvents
    from sartor.recommend.personal.interactions import Interactions
    from sartor.recommend.personal.published import SharedLearning
    from sartor.shop.backends import Backends
    from sartor.store.base import EventStore
    from sartor.types import StoredProduct

_LOOKED = (EventType.VIEW, EventType.CLICK)
_LOOKED_BACK = 500  # events that are read for the products viewed last


class Shoppers:
    """The people of a shop and their events. A ``str`` for a person is the id of a user."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._store = backends.store
        self._interactions = Lazy(self._open_interactions)

    @property
    def events(self) -> EventStore:
        """What shoppers did."""
        return self._backends.events()

    @property
    def interactions(self) -> Interactions:
        """What all shoppers did, up to now."""
        interactions = self._interactions()
        interactions.follow()
        return interactions

    def record(self, events: Sequence[Event]) -> Taken:
        """Take in what people did."""
        for event in events:
            event.person.identified()
        taken = self.events.add(events)
        known = self._store.known({event.product_id for event in events if event.product_id})
        unknown = sum(1 for event in events if event.product_id and event.product_id not in known)
        return replace(taken, unknown_products=unknown)

    def import_events(self, file: Path, vocabulary: Vocabulary, *, on_progress: OnEvents) -> EventImportReport:
        """Take in the events of a CSV or JSON Lines file."""
        from sartor.ingest.events import import_events

        return import_events(
            file,
            store=self.events,
            known=self._store.known,
            now_s=time.time(),
            vocabulary=vocabulary,
            on_progress=on_progress,
        )

    def merge(self, visitor_id: str, *, into: str) -> int:
        """Make a visitor a user; returns how many events moved."""
        visitor, user = Person.visitor(visitor_id).identified(), Person.user(into).identified()
        moved = self.events.merge(visitor.id, into=user.id)
        if moved:
            self._shared.clear()
        return moved

    def person(self, person: Person | str) -> PersonRecord:
        """All that is held about a person."""
        held = self._held(person)
        return PersonRecord(
            person=self.events.resolve(held),
            visitors=self.events.visitors(held),
            events=tuple(self.events.history(held)),
        )

    def forget(self, person: Person | str) -> int:
        """Erase all that is held about a person; returns how many events that were."""
        held = self._held(person)
        try:
            return self.events.forget(held)
        finally:
            self._shared.clear()  # it is made of these events, too

    def withdraw(self, person: Person | str, type: EventType, product_id: str) -> int:  # noqa: A002 - the field's word
        """Take back what a person did with a product; returns how many events are erased."""
        withdrawn = self.events.withdraw(person_of(person), type, product_id)
        if withdrawn:
            self._shared.clear()
        return withdrawn

    def recently_viewed(self, person: Person | str, *, k: int) -> tuple[StoredProduct, ...]:
        """Products that a person looked at, the last first."""
        events = self.events.recent(person_of(person).identified(), limit=_LOOKED_BACK, types=_LOOKED)
        ids = dict.fromkeys(event.product_id for event in events if not event.is_impression)
        return self._stored(list(ids))[:k]

    def favorites(self, person: Person | str) -> tuple[StoredProduct, ...]:
        """Products that a person likes, the last first."""
        return self._stored([id_ for id_, opinion in self.opinions(person).items() if opinion is EventType.LIKE])

    def opinions(self, person: Person | str) -> dict[str, EventType]:
        """What a person said last of each product, ``LIKE`` or ``DISLIKE``; the last said comes first."""
        from sartor.recommend.personal.profile import opinions

        return opinions(self.events, person_of(person).identified())

    def event_counts(self) -> EventCounts:
        """How many events there are, of how many people, and how many are about unknown products."""
        events, people = self.events.counts()
        counts = self.events.product_counts()
        known = self._store.known(counts)
        unknown = sum(count for product_id, count in counts.items() if product_id not in known)
        return EventCounts(events=events, people=people, unknown_products=unknown)

    def _held(self, person: Person | str) -> Person:
        someone = person_of(person)
        if not self.events.holds(someone):
            raise PersonNotFound(someone.id, kind=someone.kind)
        return someone

    def _stored(self, product_ids: Sequence[str]) -> tuple[StoredProduct, ...]:
        products = self._store.products(product_ids)
        return tuple(products[product_id] for product_id in product_ids if product_id in products)

    def _open_interactions(self) -> Interactions:
        from sartor.recommend.personal.interactions import Interactions

        return Interactions(self.events, shared=self._shared)

    @cached_property
    def _shared(self) -> SharedLearning:
        from sartor.recommend.personal.published import SharedLearning

        return SharedLearning(self._backends.learned, self._store.lease)


def person_of(person: Person | str) -> Person:
    """A person, given as such or as the id of a user."""
    return Person.user(person) if isinstance(person, str) else person
