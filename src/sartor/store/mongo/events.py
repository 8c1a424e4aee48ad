"""The event store in MongoDB: many processes add events without waiting for each other at one counter.

Events are numbered in lanes, all but impressions. A transaction that adds events takes their numbers from the
counter of one lane. Two transactions on one lane conflict at its counter, and one of them begins again; so the
numbers of a lane become visible in their order, and a follower that has seen one has seen all before it. Lanes do
not wait for each other.

People and baskets have numbers too, and every transaction that uses one marks its document. So an erasure
conflicts with an event of the same person that is being added, and no event stays behind without its person.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import numpy as np
from pymongo import ASCENDING, DESCENDING, ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError

from sartor.errors import VisitorTaken, WorkspaceBusy
from sartor.events.model import Event, EventType, Person, PersonKind, Taken
from sartor.limits import SERVER_CALL_S
from sartor.store.base import EventPage, EventRows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from pymongo.client_session import ClientSession
    from pymongo.collection import Collection as MongoCollection

    from sartor.store.base import EventPosition
    from sartor.store.mongo.database import Document, MongoDatabase

T = TypeVar("T")

LANES: Final = 16  # more than the writers of most shops; each costs a follower a query where it has news
_CHANGES = LANES  # the lane of merges and erasures, which add no events
_STRIDE = LANES + 1  # between two numbers of people that one lane gives
_CHUNK = 100  # events of a transaction, with as many people and baskets; MongoDB advises 1,000 documents at most
_PAGE = 10_000  # events of one answer, which has to come within the time of a call
_WINDOW = 1_000
_MANY = 500  # people: from here on, all merges are read at once instead of those of these people
_ERASED = 100  # events that a transaction erases: short, as it conflicts with events that are added meanwhile
_DUPLICATE_KEY = 11000
_TYPES = {str(type_): number for number, type_ in enumerate(EventType)}
_ARRIVED = "arrived_us"  # what the log is read by, which has impressions too
# Numbers come from ``number``, ``people`` and ``baskets``, so these never fall.
_TOTALS = {"number": 0, "events": 0, "people": 0, "forgotten": 0, "baskets": 0, "merges": 0, "erasures": 0}
_COLUMNS = {
    "_id": 0,
    "number": 1,
    "person": 1,
    "product": 1,
    "type": 1,
    "at_s": 1,
    "basket_number": 1,
    "arrived_us": 1,
}


class _Outdated(Exception):
    """What a transaction was prepared from has changed."""


class _Named(NamedTuple):
    """Numbers of names that are known, and the names that are new."""

    known: dict[str, int]
    new: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """New events, and what is known of the people and baskets in them."""

    events: list[Event]
    people: _Named
    baskets: _Named


class _Names:
    """Names in one collection, each with a number that is never given again."""

    def __init__(self, collection: MongoCollection[Document]) -> None:
        self._collection = collection

    def find(self, names: Iterable[str]) -> _Named:
        """Which names are known."""
        ordered = list(dict.fromkeys(names))
        if not ordered:
            return _Named({}, [])
        found = self._collection.find({"_id": {"$in": ordered}}, {"number": 1})
        known: dict[str, int] = {document["_id"]: document["number"] for document in found}
        return _Named(known, [name for name in ordered if name not in known])

    def mark(self, numbers: Collection[int], session: ClientSession) -> None:
        """Make the transaction conflict with others that use or erase the names with these numbers.

        Raises:
            _Outdated: One of them was erased.
        """
        if numbers:
            query = {"number": {"$in": list(numbers)}}
            marked = self._collection.update_many(query, {"$inc": {"uses": 1}}, session=session)
            if marked.matched_count != len(numbers):
                raise _Outdated

    def add(self, numbers: Mapping[str, int], session: ClientSession, *, arrived_us: int) -> None:
        """Add new names with their numbers; the first came at ``arrived_us``.

        Raises:
            _Outdated: One of them was added before.
        """
        if numbers:
            documents: list[Document] = [
                {"_id": name, "number": number, "seen_us": arrived_us + rank, "uses": 1}
                for rank, (name, number) in enumerate(numbers.items())
            ]
            _insert(self._collection, documents, session)


class MongoEventStore:
    """The ``EventStore`` of a workspace on a MongoDB server.

    ``add`` takes more than 100 events in several transactions: if it fails, the first ones may be stored, and are
    recognized when they come again. ``forget`` erases many events in several transactions, and the person in the
    last one. It erases from the collections; ``docs/reference/mongodb.md`` says how long the server's journal, its
    oplog and its backups may keep what was in them.

    Args:
        database: The workspace's database; who opened it closes it.
    """

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        self._events = database.collection("events")
        self._people = database.collection("event_people")
        self._baskets = database.collection("event_baskets")
        self._lanes = database.collection("event_lanes")
        self._person_names, self._basket_names = _Names(self._people), _Names(self._baskets)
        self._lane = secrets.randbelow(LANES)
        self._adding = Lock()  # two threads on one lane would only make each other begin again
        self._clock = _Clock()

    # Reading

    def resolve(self, person: Person) -> Person:
        with self._database.calling():
            numbers = self._who(person)
        return _person(numbers[0]["_id"]) if numbers else person

    def holds(self, person: Person) -> bool:
        with self._database.calling():
            return self._people.find_one({"_id": _name(person)}, {"_id": 1}) is not None

    def visitors(self, person: Person) -> tuple[str, ...]:
        with self._database.calling():
            return tuple(_person(document["_id"]).id for document in self._who(person)[1:])

    def history(self, person: Person) -> list[Event]:
        with self._database.calling():
            who = self._who(person)
            found = list(self._events.find({"person": {"$in": _numbers(who)}}))
        found.sort(key=lambda document: (document["at_s"], document["arrived_us"]))
        return [_event(document, _person(who[0]["_id"])) for document in found]

    def recent(
        self,
        person: Person,
        *,
        limit: int,
        until_s: float | None = None,
        types: Collection[EventType] | None = None,
    ) -> list[Event]:
        if limit < 1:  # which means all in MongoDB
            return []
        with self._database.calling():
            who = self._who(person)
            query: Document = {"person": {"$in": _numbers(who)}}
            if until_s is not None:
                query["at_s"] = {"$lte": until_s}
            if types is not None:
                query["type"] = {"$in": [str(type_) for type_ in types]}
            order = [("at_s", DESCENDING), ("arrived_us", DESCENDING)]
            found = list(self._events.find(query).sort(order).limit(limit))
        return [_event(document, _person(who[0]["_id"])) for document in found]

    def products_of(self, person: Person, types: Collection[EventType]) -> set[str]:
        with self._database.calling():
            query = {
                "person": {"$in": _numbers(self._who(person))},
                "type": {"$in": [str(type_) for type_ in types]},
                "product": {"$exists": True},
            }
            return {document["product"] for document in self._events.find(query, {"_id": 0, "product": 1})}

    def counts(self) -> tuple[int, int]:
        totals = self._totals()
        return totals["events"], totals["people"] - totals["forgotten"] - totals["merges"]

    def product_counts(self) -> dict[str, int]:
        with self._database.calling():
            groups = self._events.aggregate(
                [
                    {"$match": {"product": {"$exists": True}}},
                    {"$group": {"_id": "$product", "events": {"$sum": 1}}},
                ]
            )
            return {group["_id"]: group["events"] for group in groups}

    def after(self, position: EventPosition, *, limit: int) -> EventRows:
        with self._database.calling():
            news = self._news(position)
            rows: list[Document] = []
            reached = dict(position)
            for rank, (lane, read, last) in enumerate(news):
                share = -(-(min(limit, _PAGE) - len(rows)) // (len(news) - rank))  # rounded up
                found = self._read(lane, read, last, limit=share)
                if found:
                    reached[str(lane)] = found[-1]["number"]
                    rows += _never_earlier(found)
            users = self._users({row["person"] for row in rows})
        rows.sort(key=lambda row: row["arrived_us"])  # keeps the order within a lane
        return _columns(rows, users, reached if rows else position)

    def log(self, position: EventPosition, *, limit: int) -> EventPage:
        with self._database.calling():
            later = {"arrived_us": {"$gt": position.get(_ARRIVED, 0)}}
            rows = list(self._events.find(later).sort("arrived_us", ASCENDING).limit(limit))
            if rows:  # two processes may give events the same time
                last_us = rows[-1]["arrived_us"]
                rows = [row for row in rows if row["arrived_us"] < last_us]
                rows += self._events.find({"arrived_us": last_us})
            numbers = {"number": {"$in": list({row["person"] for row in rows})}}
            people = {one["number"]: _person(one["_id"]) for one in self._people.find(numbers, {"number": 1})}
        # A person that is not there was forgotten between the two reads, with these events.
        events = tuple(_event(row, people[row["person"]]) for row in rows if row["person"] in people)
        return EventPage(events=events, position={_ARRIVED: rows[-1]["arrived_us"]} if rows else position)

    def merges(self) -> tuple[tuple[str, str], ...]:
        with self._database.calling():
            visitors = list(self._people.find({"user": {"$exists": True}}).sort("seen_us", ASCENDING))
            numbers = {"number": {"$in": list({visitor["user"] for visitor in visitors})}}
            users = {one["number"]: _person(one["_id"]).id for one in self._people.find(numbers, {"number": 1})}
        return tuple((_person(one["_id"]).id, users[one["user"]]) for one in visitors if one["user"] in users)

    def erasures(self) -> int:
        return self._totals()["erasures"]

    # Writing

    def add(self, events: Sequence[Event]) -> Taken:
        by_id: dict[str, Event] = {}
        for event in events:
            by_id.setdefault(event.id, event)
        distinct = list(by_id.values())
        with self._adding:
            added = sum(
                self._again(partial(self._add, distinct[start : start + _CHUNK]))
                for start in range(0, len(distinct), _CHUNK)
            )
        return Taken(added=added, duplicates=len(events) - added)

    def merge(self, visitor_id: str, *, into: str) -> int:
        merged = partial(self._merge, Person.visitor(visitor_id), Person.user(into))
        return self._again(lambda: self._database.transaction(merged))

    def withdraw(self, person: Person, type: EventType, product_id: str) -> int:  # noqa: A002 - the field's word
        query = {"type": str(type), "product": product_id}
        return self._erase_all(person, query, forget=False)

    def forget(self, person: Person) -> int:
        return self._erase_all(person, {}, forget=True)

    def close(self) -> None:
        """Nothing to do: who opened the database closes it."""

    def _who(self, person: Person, session: ClientSession | None = None) -> list[Document]:
        """The user that a person is, or the person, then the visitors that were merged; empty if unknown."""
        own = self._people.find_one({"_id": _name(person)}, session=session)
        if own is None:
            return []
        user = self._people.find_one({"number": own["user"]}, session=session) if "user" in own else own
        if user is None:  # erased meanwhile
            return []
        visitors = list(self._people.find({"user": user["number"]}, session=session))
        return [user, *sorted(visitors, key=lambda visitor: (visitor["seen_us"], visitor["number"]))]

    def _totals(self) -> Counter[str]:
        with self._database.calling():
            totals = Counter(_TOTALS)
            for lane in self._lanes.find({}):
                totals.update({name: lane.get(name, 0) for name in _TOTALS})
        return totals

    def _news(self, position: EventPosition) -> list[tuple[int, int, int]]:
        """Lanes with news, with the number that was read last and the last there is; the one with fewest first."""
        numbers = ((lane["_id"], lane.get("number", 0)) for lane in self._lanes.find({}))
        lanes = [(lane, position.get(str(lane), 0), last) for lane, last in numbers]
        return sorted((one for one in lanes if one[2] > one[1]), key=lambda one: one[2] - one[1])

    def _read(self, lane: int, after: int, last: int, *, limit: int) -> list[Document]:
        """Events of a lane in their order, numbered from above ``after`` up to ``last``, as many as ``limit``."""
        rows: list[Document] = []
        width = max(
            limit, _WINDOW
        )  # numbers of a query, so that a server that sorts what it finds does not sort all
        while len(rows) < limit and after < last:
            until = min(after + width, last)
            query = {"lane": lane, "number": {"$gt": after, "$lte": until}}
            rows += self._events.find(query, _COLUMNS).sort("number", ASCENDING).limit(limit - len(rows))
            after, width = until, 2 * width  # wider: many were erased
        return rows

    def _users(self, numbers: set[int]) -> dict[int, int]:
        """The users of merged visitors, by the visitors' numbers."""
        query: Document = {"user": {"$exists": True}}
        if len(numbers) < _MANY:
            query["number"] = {"$in": list(numbers)}
        merged = self._people.find(query, {"_id": 0, "number": 1, "user": 1})
        return {document["number"]: document["user"] for document in merged}

    def _add(self, events: list[Event]) -> int:
        """Add the events with new ids; returns how many."""
        with self._database.calling():
            known = self._events.find({"_id": {"$in": [event.id for event in events]}}, {"_id": 1})
            there = {document["_id"] for document in known}
            new = [event for event in events if event.id not in there]
            if not new:
                return 0
            batch = _Batch(
                events=new,
                people=self._person_names.find(_name(event.person) for event in new),
                baskets=self._basket_names.find(event.basket_id for event in new if event.basket_id),
            )
        others = (secrets.randbelow(LANES) for _ in repeat(None))
        lanes = chain([self._lane], others)  # a writer that was killed may keep a lane for a minute
        self._database.transaction(lambda session: self._write(batch, next(lanes), session))
        return len(new)

    def _write(self, batch: _Batch, lane: int, session: ClientSession) -> None:
        events, people, baskets = batch.events, batch.people, batch.baskets
        numbered = sum(not event.is_impression for event in events)  # followers read no impressions
        count = Counter(number=numbered, events=len(events), people=len(people.new), baskets=len(baskets.new))
        after = self._count(lane, count, session)
        self._person_names.mark(people.known.values(), session)
        self._basket_names.mark(baskets.known.values(), session)
        new_people = _numbered(people.new, lane, last=after["people"])
        new_baskets = _numbered(baskets.new, lane, last=after["baskets"])
        arrived_us = self._clock.take(len(events))
        self._person_names.add(new_people, session, arrived_us=arrived_us)
        self._basket_names.add(new_baskets, session, arrived_us=arrived_us)
        numbers = iter(range(after["number"] - numbered + 1, after["number"] + 1))
        documents = [
            _document(event, people.known | new_people, baskets.known | new_baskets)
            | {"arrived_us": arrived_us + rank}
            | ({} if event.is_impression else {"lane": lane, "number": next(numbers)})
            for rank, event in enumerate(events)
        ]
        _insert(self._events, documents, session)

    def _merge(self, visitor: Person, user: Person, session: ClientSession) -> int:
        names = [_name(user), _name(visitor)]
        found = {one["_id"]: one for one in self._people.find({"_id": {"$in": names}}, session=session)}
        numbers = {name: document["number"] for name, document in found.items()}
        before = found.get(names[1], {}).get("user")
        if before is not None:
            if before == numbers.get(names[0]):
                return 0
            raise VisitorTaken(visitor.id, user_id=user.id)
        self._person_names.mark(numbers.values(), session)  # at once: it does not wait, others may use them often
        moved = self._events.count_documents({"person": numbers.get(names[1], 0)}, session=session)
        new = [name for name in names if name not in found]
        count = Counter(people=len(new), merges=1, erasures=int(moved > 0))
        added = _numbered(new, _CHANGES, last=self._count(_CHANGES, count, session)["people"])
        self._person_names.add(added, session, arrived_us=self._clock.take(len(new)))
        user_number = (numbers | added)[names[0]]
        self._people.update_one({"_id": names[1]}, {"$set": {"user": user_number}}, session=session)
        return moved

    def _erase_all(self, person: Person, query: Document, *, forget: bool) -> int:
        """Erase the events of a person that match, and then the person if it is to be forgotten."""
        erased = 0
        while (count := self._again(lambda: self._erase_some(person, query, forget=forget))) == _ERASED:
            erased += count
        return erased + count

    def _erase_some(self, person: Person, query: Document, *, forget: bool) -> int:
        with self._database.calling():
            numbers = _numbers(self._who(person))
        if not numbers:
            return 0
        return self._database.transaction(partial(self._erase, person, numbers, query, forget=forget))

    def _erase(
        self, person: Person, numbers: list[int], query: Document, session: ClientSession, *, forget: bool
    ) -> int:
        """Erase up to ``_ERASED`` events of a person, and with the last of them the person; returns how many."""
        self._person_names.mark(numbers, session)  # at first, so that events that are added meanwhile begin again
        who = self._who(person, session)
        query = {"person": {"$in": _numbers(who)}, **query}
        found = list(self._events.find(query, {"basket_number": 1}, session=session).limit(_ERASED))
        count = Counter(events=-len(found), erasures=int(bool(found)))
        if found:
            self._events.delete_many({"_id": {"$in": [document["_id"] for document in found]}}, session=session)
            self._drop_baskets({one["basket_number"] for one in found if "basket_number" in one}, session)
        if forget and len(found) < _ERASED:
            self._people.delete_many({"_id": {"$in": [document["_id"] for document in who]}}, session=session)
            count.update(forgotten=len(who), merges=1 - len(who))
        if any(count.values()):
            self._count(_CHANGES, count, session)
        return len(found)

    def _drop_baskets(self, numbers: set[int], session: ClientSession) -> None:
        """Erase the baskets that no event is of any more."""
        if numbers:
            used = self._events.distinct(
                "basket_number", {"basket_number": {"$in": list(numbers)}}, session=session
            )
            self._baskets.delete_many({"number": {"$in": list(numbers.difference(used))}}, session=session)

    def _count(self, lane: int, count: Mapping[str, int], session: ClientSession) -> Document:
        """Add to the counters of a lane; returns what they are then."""
        counters = self._lanes.find_one_and_update(
            {"_id": lane}, {"$inc": count}, upsert=True, return_document=ReturnDocument.AFTER, session=session
        )
        return _TOTALS | (counters or {})

    def _again(self, call: Callable[[], T]) -> T:
        """Call until nobody else changes what the call depends on."""
        deadline_s = time.monotonic() + SERVER_CALL_S
        while time.monotonic() < deadline_s:
            try:
                return call()
            except (DuplicateKeyError, _Outdated):
                continue
        raise WorkspaceBusy(self._database.shown, waited_s=SERVER_CALL_S)


class _Clock:
    """Times of arrival in microseconds since 1970, each given once, and never an earlier one after a later one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last_us = 0

    def take(self, count: int) -> int:
        """The first of so many times."""
        with self._lock:
            first_us = max(self._last_us + 1, time.time_ns() // 1_000)
            self._last_us = first_us + count
        return first_us


def _insert(collection: MongoCollection[Document], documents: list[Document], session: ClientSession) -> None:
    """Insert documents.

    Raises:
        _Outdated: Another transaction inserted one of them.
    """
    try:
        collection.insert_many(documents, session=session)
    except BulkWriteError as error:
        if any(each["code"] == _DUPLICATE_KEY for each in error.details["writeErrors"]):
            raise _Outdated from error
        raise


def _numbered(names: Sequence[str], lane: int, *, last: int) -> dict[str, int]:
    """Numbers, from 1, of the people or baskets that a lane counted up to ``last``; no two lanes give the same."""
    first = last - len(names)
    return {name: (first + rank) * _STRIDE + lane + 1 for rank, name in enumerate(names)}


def _name(person: Person) -> str:
    return f"{person.kind}:{person.id}"


def _person(name: str) -> Person:
    kind, _, person_id = name.partition(":")
    return Person(PersonKind(kind), person_id)


def _numbers(people: Iterable[Document]) -> list[int]:
    return [document["number"] for document in people]


def _document(event: Event, people: Mapping[str, int], baskets: Mapping[str, int]) -> Document:
    """An event without its lane; what it does not have is left out."""
    optional = {
        "product": event.product_id,
        "recommendation": event.recommendation_id,
        "basket": event.basket_id,
        "basket_number": baskets.get(event.basket_id),
        "query": event.query,
        "position": event.position,
        "price": event.price,
    }
    return {
        "_id": event.id,
        "type": str(event.type),
        "person": people[_name(event.person)],
        "at_s": event.at_s,
        "quantity": event.quantity,
        **{name: value for name, value in optional.items() if value is not None and value != ""},
    }


def _event(document: Document, person: Person) -> Event:
    return Event(
        id=document["_id"],
        type=EventType(document["type"]),
        person=person,
        at_s=document["at_s"],
        product_id=document.get("product", ""),
        recommendation_id=document.get("recommendation", ""),
        position=document.get("position"),
        quantity=document["quantity"],
        price=document.get("price"),
        basket_id=document.get("basket", ""),
        query=document.get("query", ""),
    )


def _never_earlier(rows: list[Document]) -> list[Document]:
    """Rows of a lane with times of arrival that never fall: two writers of one lane may have two clocks."""
    latest_us = 0
    for row in rows:
        latest_us = row["arrived_us"] = max(latest_us, row["arrived_us"])
    return rows


def _columns(rows: list[Document], users: Mapping[int, int], position: EventPosition) -> EventRows:
    names = sorted({row["product"] for row in rows if "product" in row})
    places: dict[Any, int] = {name: place for place, name in enumerate(names)}
    return EventRows(
        position=position,
        people=np.array([users.get(row["person"], row["person"]) for row in rows], np.int64),
        products=np.array([places.get(row.get("product"), -1) for row in rows], np.int64),
        product_ids=tuple(names),
        types=np.array([_TYPES[row["type"]] for row in rows], np.int8),
        at_s=np.array([row["at_s"] for row in rows], np.float64),
        baskets=np.array([row.get("basket_number", 0) for row in rows], np.int64),
    )
