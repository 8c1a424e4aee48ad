"""An event from its fields, as a file or a request gives them: checked, and told in one line what is wrong.

Every way in goes through here, so that an event means the same whichever it took.
"""

from __future__ import annotations

import json
import math
import re
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING

from sartor.errors import BadEvent

if TYPE_CHECKING:
    from collections.abc import Mapping


class EventType(StrEnum):
    """What a shopper did; of ``VIEW`` and the rest all but ``SEARCH`` name a product."""

    VIEW = "view"
    CLICK = "click"
    LIKE = "like"
    DISLIKE = "dislike"
    ADD_TO_CART = "add_to_cart"
    PURCHASE = "purchase"
    SEARCH = "search"


class PersonKind(StrEnum):
    """Whether somebody is known to the shop, or by a browser alone."""

    USER = "user"
    VISITOR = "visitor"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who shops: a user with an account, or an anonymous visitor; their ids are apart.

    Attributes:
        kind: Which of the two.
        id: Id that the shop gave, 1 to 256 bytes of printable text.
    """

    kind: PersonKind
    id: str

    @classmethod
    def user(cls, user_id: str) -> Person:
        """A user."""
        return cls(PersonKind.USER, user_id)

    @classmethod
    def visitor(cls, visitor_id: str) -> Person:
        """A visitor."""
        return cls(PersonKind.VISITOR, visitor_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that a person did.

    Attributes:
        id: By which the same event is known when it comes again.
        type: What was done.
        person: Who did it.
        at_s: When, in seconds since 1970 UTC.
        product_id: The product, whether or not the catalog has it; empty for a search.
        recommendation_id: The answer of Sartor that the product was shown in; empty where it was not.
        position: Its place there, from 1. A view with both says that the product was shown in a list; one without
            that its page was looked at.
        quantity: How many, at least 1.
        price: Of one, in the catalog's currency.
        basket_id: What was bought together; empty where it is not known.
        query: What was searched for; empty unless it is a search.
    """

    id: str
    type: EventType
    person: Person
    at_s: float
    product_id: str = ""
    recommendation_id: str = ""
    position: int | None = None
    quantity: int = 1
    price: float | None = None
    basket_id: str = ""
    query: str = ""

    @property
    def is_impression(self) -> bool:
        """Whether it says no more than that a product was shown in a list."""
        return self.type is EventType.VIEW and bool(self.recommendation_id) and self.position is not None


class RelationType(StrEnum):
    """On what two products meet."""

    BOUGHT = "bought"  # in one basket
    SEEN = "seen"  # in one session
    LIKED = "liked"  # by one person, within a month


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of events that were handed in; those that were there already change nothing.

    Attributes:
        added: How many are new, and on disk.
        duplicates: How many were there.
        unknown_products: How many, new or not, are about products that the catalog does not have; they are kept,
            and count once it does.
    """

    added: int = 0
    duplicates: int = 0
    unknown_products: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCounts:
    """How much an event store holds.

    Attributes:
        events: Of all people.
        people: Users, and visitors who were not merged into one.
        unknown_products: Events about products that the catalog does not have.
    """

    events: int
    people: int
    unknown_products: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRecord:
    """All that is held about a person.

    Attributes:
        person: Who it is by now.
        visitors: Ids of the visitors who were merged into this user.
        events: What was done, the oldest first.
    """

    person: Person
    visitors: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()


FIELDS = (
    "event_id",
    "type",
    "user_id",
    "visitor_id",
    "product_id",
    "timestamp",
    "recommendation_id",
    "position",
    "quantity",
    "price",
    "basket_id",
    "query",
)
MAX_ID_BYTES = 256
MAX_PRODUCT_ID_BYTES = 512
MAX_LINK_LETTERS = 128  # of the id of a recommendation or a basket
MAX_QUERY_LETTERS = 500
MAX_COUNT = 10_000  # of a quantity, and of a place in a list


_TYPES = {type_.value: type_ for type_ in EventType}
_OLDEST_S = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_DAY_S = 86_400.0
_SHOWN_LETTERS = 60  # of a value, in a message
_LONG_NUMBER = 10**18  # an id has fewer digits
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # with halves of surrogate pairs, which no file can hold


def event_of(fields: Mapping[str, object], *, now_s: float) -> Event:
    """The event that fields tell.

    An event without an id gets one from all that it tells, if that includes its time: the same line read twice is
    then one event. Without a time either, every one is another.

    Args:
        fields: By the names in ``FIELDS``; empty text and None are missing, others are not looked at. Numbers may
            be text, and ids whole numbers.
        now_s: Now, in seconds since 1970 UTC; what an event without a time happened at.

    Raises:
        BadEvent: They tell none, or more than can be kept.
    """
    type_ = _type(fields.get("type"))
    timestamp = fields.get("timestamp")
    is_dated = not _is_missing(timestamp)
    event = Event(
        id=_id(fields, "event_id"),
        type=type_,
        person=_person(fields),
        at_s=_time(timestamp, now_s=now_s) if is_dated else now_s,
        product_id=_product(fields, type_),
        recommendation_id=_link(fields, "recommendation_id"),
        position=_count(fields, "position"),
        quantity=_count(fields, "quantity") or 1,
        price=_price(fields.get("price")),
        basket_id=_link(fields, "basket_id"),
        query=_query(fields, type_),
    )
    return event if event.id else _named(event, is_dated=is_dated)


def _type(value: object) -> EventType:
    found = _TYPES.get(value) if isinstance(value, str) else None
    if found is None:
        told = "it has no type" if _is_missing(value) else f"there is no type {_shown(value)}"
        raise BadEvent(reason=f"{told}; types are {', '.join(_TYPES)}")
    return found


def _person(fields: Mapping[str, object]) -> Person:
    user = _id(fields, "user_id")
    if user:
        return Person.user(user)  # who is known is no longer a visitor
    visitor = _id(fields, "visitor_id")
    if not visitor:
        raise BadEvent(reason="it does not say who did it; give user_id, or visitor_id where there is no account")
    return Person.visitor(visitor)


def _id(fields: Mapping[str, object], name: str) -> str:
    text = _text(fields, name)
    if text and (len(text.encode("utf-8", "replace")) > MAX_ID_BYTES or not text.isprintable()):
        raise BadEvent(reason=f"{name} {_shown(text)} is not 1 to {MAX_ID_BYTES} bytes of printable text")
    return text


def _link(fields: Mapping[str, object], name: str) -> str:
    text = _text(fields, name)
    if text and (len(text) > MAX_LINK_LETTERS or not text.isprintable()):
        raise BadEvent(reason=f"{name} {_shown(text)} is not up to {MAX_LINK_LETTERS} printable letters")
    return text


def _product(fields: Mapping[str, object], type_: EventType) -> str:
    text = _text(fields, "product_id")
    if type_ is EventType.SEARCH:
        if text:
            raise BadEvent(reason=f"a search names no product, and this one names {_shown(text)}")
        return ""
    if not text:
        raise BadEvent(reason=f"it does not say of which product; a {type_} needs product_id")
    if _CONTROL.search(text) or len(text.encode()) > MAX_PRODUCT_ID_BYTES:
        reason = f"product_id {_shown(text)} is not 1 to {MAX_PRODUCT_ID_BYTES} bytes of text"
        raise BadEvent(reason=reason)
    return text


def _query(fields: Mapping[str, object], type_: EventType) -> str:
    text = _text(fields, "query")
    if text and type_ is not EventType.SEARCH:
        raise BadEvent(reason=f"a {type_} has no query; what was searched for is a search of its own")
    if len(text) > MAX_QUERY_LETTERS or _CONTROL.search(text):
        raise BadEvent(reason=f"query {_shown(text)} is not up to {MAX_QUERY_LETTERS} letters of one line")
    return text


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LONG_NUMBER:
        return str(value)
    raise BadEvent(reason=f"{name} {_shown(value)} is no text")


def _count(fields: Mapping[str, object], name: str) -> int | None:
    value = fields.get(name)
    if _is_missing(value):
        return None
    number = _number(value)
    if number is None or not number.is_integer() or not 1 <= number <= MAX_COUNT:
        raise BadEvent(reason=f"{name} {_shown(value)} is no whole number from 1 to {MAX_COUNT:,}")
    return int(number)


def _price(value: object) -> float | None:
    if _is_missing(value):
        return None
    number = _number(value)
    if number is None or number < 0:
        raise BadEvent(reason=f"price {_shown(value)} is no number from 0")
    return number


def _time(value: object, *, now_s: float) -> float:
    at_s = _number(value)
    if at_s is None and isinstance(value, str):
        at_s = _iso(value)
    if at_s is None:
        raise BadEvent(reason=f"timestamp {_shown(value)} is neither ISO 8601 nor seconds since 1970")
    if at_s < _OLDEST_S:
        reason = f"timestamp {_shown(value)} is before the year 2000; give ISO 8601 or seconds since 1970"
        raise BadEvent(reason=reason)
    if at_s > now_s + _DAY_S:
        hint = "; give seconds, not milliseconds" if _OLDEST_S < at_s / 1000 <= now_s + _DAY_S else ""
        raise BadEvent(reason=f"timestamp {_shown(value)} is more than a day in the future{hint}")
    return at_s


def _iso(text: str) -> float | None:
    """Seconds since 1970 of a time in ISO 8601; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _number(value: object) -> float | None:
    """A finite number, or the one that a text tells; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and "_" in value:  # Python reads 1_000 as a number
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _named(event: Event, *, is_dated: bool) -> Event:
    told = [
        event.type,
        event.person.kind,
        event.person.id,
        event.at_s,
        event.product_id,
        event.recommendation_id,
        event.position,
        event.quantity,
        event.price,
        event.basket_id,
        event.query,
    ]
    digest = blake2b(json.dumps(told).encode(), digest_size=16).hexdigest()
    return replace(event, id=digest if is_dated else uuid.uuid4().hex)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value)


def _shown(value: object) -> str:
    """A value in a message: on one line, and not all of a long one."""
    if isinstance(value, str):
        text = repr(value[:_SHOWN_LETTERS])
        return text if len(value) <= _SHOWN_LETTERS else f"{text[:-1]}…{text[-1]}"
    if isinstance(value, (bool, float)):
        return str(value)
    if isinstance(value, int):
        return str(value) if abs(value) < _LONG_NUMBER else "of a very long number"
    return f"of {type(value).__name__}"
