"""The people who shop, and what they do: taken in, told, and erased."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

from sartor.errors import PersonNotFound
from sartor.events.model import EventCounts, EventType, Person, PersonRecord
from sartor.shop.recommending import RecommendingSide

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sartor.events.model import Event, Taken
    from sartor.ingest.events import EventImportReport, OnEvents
    from sartor.store.sqlite.events import EventStore
    from sartor.types import StoredProduct

_LOOKED = (EventType.VIEW, EventType.CLICK)
_LOOKED_BACK = 500  # events, for what was viewed last


class PeopleSide(RecommendingSide):
    """A shop's people. A ``str`` for a person is the id of a user."""

    def record(self, *events: Event) -> Taken:
        """Take in what people did; it is on disk when this returns, and counts for the next feed.

        Events may come in any order, and again; those about products that the catalog does not have are kept.
        """
        taken = self._events.add(events)
        known = self._store.known({event.product_id for event in events if event.product_id})
        unknown = sum(1 for event in events if event.product_id and event.product_id not in known)
        return replace(taken, unknown_products=unknown)

    def import_events(self, file: str | Path, *, on_progress: OnEvents = lambda _: None) -> EventImportReport:
        """Take in events from a CSV or JSON Lines file; doing it again changes nothing.

        Raises:
            SourceError: The file cannot be read. Events that cannot be taken are in the report instead.
        """
        from pathlib import Path

        from sartor.ingest.events import import_events

        return import_events(
            Path(file),
            store=self._events,
            known=self._store.known,
            now_s=time.time(),
            on_progress=on_progress,
        )

    def merge(self, visitor_id: str, *, into: str) -> int:
        """Make a visitor a user, at login: what the visitor did and will do is the user's.

        Returns:
            How many events moved; 0 when it was done before.

        Raises:
            VisitorTaken: The visitor was merged into another user before.
        """
        return self._events.merge(visitor_id, into=into)

    def person(self, person: Person | str) -> PersonRecord:
        """All that is held about a person.

        Raises:
            PersonNotFound: Nothing is.
        """
        who = self._held(person)
        return PersonRecord(
            person=self._events.resolve(who),
            visitors=self._events.visitors(who),
            events=tuple(self._events.history(who)),
        )

    def forget(self, person: Person | str) -> int:
        """Erase all that is held about a person, with the visitors who were merged into it; no trace is left.

        Returns:
            How many events that were.

        Raises:
            PersonNotFound: Nothing is held.
        """
        return self._events.forget(self._held(person))

    def withdraw(self, person: Person | str, type: EventType, product_id: str) -> int:  # noqa: A002 - the field's word
        """Take back what a person did with a product, such as a like; returns how many events are erased."""
        return self._events.withdraw(person_of(person), type, product_id)

    def recently_viewed(self, person: Person | str, *, k: int = 12) -> tuple[StoredProduct, ...]:
        """Products of the catalog that a person looked at, the last first."""
        seen = self._events.recent(person_of(person), limit=_LOOKED_BACK, types=_LOOKED)
        ids = dict.fromkeys(event.product_id for event in seen if not event.is_impression)
        return self._stored(list(ids))[:k]

    def favorites(self, person: Person | str) -> tuple[StoredProduct, ...]:
        """Products of the catalog that a person likes, the last first."""
        return self._stored([product for product, said in self.opinions(person).items() if said is EventType.LIKE])

    def opinions(self, person: Person | str) -> dict[str, EventType]:
        """What a person said last of each product, ``LIKE`` or ``DISLIKE``; what was said last comes first."""
        from sartor.recommend.personal.for_you import opinions

        return opinions(self._events, person_of(person))

    def event_counts(self) -> EventCounts:
        """How many events there are, of how many people, and how many are about unknown products."""
        events, people = self._events.counts()
        counts = self._events.product_counts()
        known = self._store.known(counts)
        unknown = sum(count for product_id, count in counts.items() if product_id not in known)
        return EventCounts(events=events, people=people, unknown_products=unknown)

    def _held(self, person: Person | str) -> Person:
        who = person_of(person)
        if not self._events.holds(who):
            raise PersonNotFound(who.id, kind=who.kind)
        return who

    def _stored(self, product_ids: Sequence[str]) -> tuple[StoredProduct, ...]:
        there = self._store.products(product_ids)
        return tuple(there[product_id] for product_id in product_ids if product_id in there)

    @property
    def _events(self) -> EventStore:
        with self._opening:
            return self._first._opened_events  # noqa: SLF001 - of its own class

    @property
    def _first(self) -> Self:
        """The shop that was opened, of all that see the same workspace through their models."""
        first = self._family[0]
        assert isinstance(first, type(self))  # noqa: S101 - only such are opened
        return first

    @cached_property
    def _opened_events(self) -> EventStore:
        return self._backends.open_events()


def person_of(person: Person | str) -> Person:
    """Who is meant."""
    return Person.user(person) if isinstance(person, str) else person
