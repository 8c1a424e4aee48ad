"""What shoppers do: events, the people behind them, and how an event's fields are checked.

``EventIn`` checks an event whichever way it comes in: JSON over HTTP as it is, lines of a file by ``event_of``.
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
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from sartor.errors import BadEvent, NoIdentity
from sartor.limits import MAX_EVENT_COUNT, MAX_ID_BYTES, MAX_LINK_CHARS, MAX_PRODUCT_ID_BYTES, MAX_QUERY_CHARS

if TYPE_CHECKING:
    from collections.abc import Mapping


class EventType(StrEnum):
    """What a shopper did. Every type but ``SEARCH`` names a product."""

    VIEW = "view"
    CLICK = "click"
    LIKE = "like"
    DISLIKE = "dislike"
    ADD_TO_CART = "add_to_cart"
    PURCHASE = "purchase"
    SEARCH = "search"


class RelationType(StrEnum):
    """What relates two products."""

    BOUGHT = "bought"  # in one basket
    SEEN = "seen"  # in one session
    LIKED = "liked"  # by one person, within a month


class PersonKind(StrEnum):
    """Whether a person has an account, or is known by a browser alone."""

    USER = "user"
    VISITOR = "visitor"


PLACEHOLDERS = frozenset(  # what programs write for a missing value; all who send it would be one person
    ("undefined", "null", "(null)", "nil", "none", "nan", "true", "false", "[object object]", "[object undefined]")
)
_ZERO_ID = re.compile(r"0{8}-?0{4}-?0{4}-?0{4}-?0{12}")  # a UUID that a device gives to hide its own
_QUOTES = "'\"` \t"


def is_placeholder(text: str) -> bool:
    """Whether a text is no id, but what a program writes for a missing one: one of ``PLACEHOLDERS``, or blank.

    Case, and quotes and spaces around it, do not matter. An id that only contains such a word is an id; so is
    ``0``, which data sets begin to count with.

    Example:
        >>> is_placeholder("undefined"), is_placeholder(" NaN"), is_placeholder("undefined-7"), is_placeholder("0")
        (True, True, False, False)
    """
    bare = text.strip(_QUOTES).casefold()
    return not bare or bare in PLACEHOLDERS or _ZERO_ID.fullmatch(bare) is not None


@dataclass(frozen=True, slots=True)
class Person:
    """A user with an account, or an anonymous visitor. The same id as a user and as a visitor is two people.

    An id that is a placeholder for a missing one, see ``is_placeholder``, is nobody's: nothing is recommended to
    it or recorded of it. What was recorded before can still be read and erased.

    Attributes:
        kind: Which of the two.
        id: Id that the shop gave, 1 to 256 bytes of printable text.

    Example:
        >>> Person.user("ann").kind.value
        'user'
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

    def identified(self) -> Person:
        """This person.

        Raises:
            NoIdentity: The id is a placeholder for a missing one.
        """
        if is_placeholder(self.id):
            raise NoIdentity(self.id, kind=self.kind)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that a person did.

    Attributes:
        id: An event that comes again is recognized by it.
        at_s: Time in seconds since 1970 UTC.
        product_id: The product, whether the catalog has it or not; empty for a search.
        recommendation_id: The answer of Sartor that the product was shown in; empty if it was in none.
        position: Rank in that answer, from 1. A view with both says that the product was shown in a list; a view
            without them, that its page was looked at.
        quantity: At least 1.
        price: Of one piece, in the catalog's currency.
        basket_id: Products bought together share it; empty if unknown.
        query: Words that were searched for; empty unless the event is a search.

    Example:
        >>> event = Event(id="e1", type=EventType.LIKE, person=Person.user("ann"), at_s=1.75e9, product_id="p1")
        >>> event.is_impression
        False
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
        """Whether it only says that a product was shown in a list."""
        return self.type is EventType.VIEW and bool(self.recommendation_id) and self.position is not None


@dataclass(frozen=True, slots=True)
class Taken:
    """How many events an event store took. Events that it had already change nothing.

    Attributes:
        added: New events, now on disk.
        duplicates: Events that it had already.
        unknown_products: Events, new or not, about products that the catalog does not have. They are kept, and
            count once it does.
    """

    added: int = 0
    duplicates: int = 0
    unknown_products: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCounts:
    """How much an event store holds.

    Attributes:
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
        person: The user that a merged visitor became, else the person who was asked for.
        visitors: Ids of the visitors who were merged into this user.
        events: Oldest first.
    """

    person: Person
    visitors: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()


OLDEST_S = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_DAY_S = 86_400.0
_SHOWN_CHARS = 60  # of a value, in a message
_LONG_NUMBER = 10**18  # an id has fewer digits
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_Id = Annotated[str, StringConstraints(max_length=MAX_ID_BYTES)]
_Link = Annotated[str, StringConstraints(max_length=MAX_LINK_CHARS)]
_Count = Annotated[int, Field(ge=1, le=MAX_EVENT_COUNT)]


class EventIn(BaseModel):
    """Something that a shopper did. Who did it is a user or a visitor; all but a search name a product.

    An id that is a placeholder for a missing one, see ``is_placeholder``, counts as missing.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True, strict=True)

    event_id: _Id | None = Field(
        default=None,
        description="The same event, sent again, changes nothing. Without an id, one that tells all the same, "
        "its time included, is the same.",
    )
    type: Literal["view", "click", "like", "dislike", "add_to_cart", "purchase", "search"]
    user_id: _Id | None = Field(default=None, description="Somebody with an account.")
    visitor_id: _Id | None = Field(default=None, description="Somebody without; not looked at beside a user.")
    product_id: Annotated[str, StringConstraints(max_length=MAX_PRODUCT_ID_BYTES)] | None = None
    timestamp: str | float | None = Field(
        default=None, description="ISO 8601, or seconds since 1970 UTC; without it, now."
    )
    recommendation_id: _Link | None = Field(default=None, description="The answer that it was shown in.")
    position: _Count | None = Field(default=None, description="Its rank there, from 1.")
    quantity: _Count | None = None
    price: Annotated[float, Field(ge=0)] | None = Field(default=None, description="Of one.")
    basket_id: _Link | None = Field(default=None, description="What was bought together has the same.")
    query: Annotated[str, StringConstraints(max_length=MAX_QUERY_CHARS)] | None = Field(
        default=None, description="What was searched for."
    )

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The fields whose id is a placeholder, and is left out."""
        return tuple(name for name in _IDS if (text := getattr(self, name)) and is_placeholder(text))

    def event(self, *, now_s: float) -> Event:
        """The event that these fields describe.

        An event without an id gets one from all its other fields if it has a time: the same line read twice is
        then one event. Without a time, each is a new event.

        Args:
            now_s: Now, in seconds since 1970 UTC; the time of an event without one.

        Raises:
            BadEvent: The fields contradict each other, or a value cannot be kept.
        """
        event = Event(
            id=_printable("event_id", self._given("event_id"), max_bytes=MAX_ID_BYTES),
            type=EventType(self.type),
            person=self._person(),
            at_s=_seconds(self.timestamp, now_s=now_s) if self.timestamp not in (None, "") else now_s,
            product_id=self._product_id(),
            recommendation_id=_printable("recommendation_id", self._given("recommendation_id")),
            position=self.position,
            quantity=self.quantity or 1,
            price=self.price,
            basket_id=_printable("basket_id", self._given("basket_id")),
            query=self._query(),
        )
        if event.id:
            return event
        return replace(event, id=uuid.uuid4().hex if self.timestamp in (None, "") else _digest(event))

    def _person(self) -> Person:
        if user_id := self._given("user_id"):  # a visitor who is known is the user
            return Person.user(_printable("user_id", user_id, max_bytes=MAX_ID_BYTES))
        if visitor_id := self._given("visitor_id"):
            return Person.visitor(_printable("visitor_id", visitor_id, max_bytes=MAX_ID_BYTES))
        given = next(((name, text) for name in ("user_id", "visitor_id") if (text := getattr(self, name))), None)
        if given:
            name, text = given
            raise BadEvent(reason=f"{name} {_shown(text)} is what a script writes for a missing id, and nobody's")
        raise BadEvent(reason="it does not say who did it; give user_id, or visitor_id where there is no account")

    def _given(self, name: str) -> str | None:
        """An id, if it is one."""
        text: str | None = getattr(self, name)
        return None if text and is_placeholder(text) else text

    def _product_id(self) -> str:
        if self.type == "search":
            if self.product_id:
                raise BadEvent(reason=f"a search names no product, and this one names {_shown(self.product_id)}")
            return ""
        if not self.product_id:
            raise BadEvent(reason=f"it does not say of which product; a {self.type} needs product_id")
        if _CONTROL.search(self.product_id) or len(self.product_id.encode()) > MAX_PRODUCT_ID_BYTES:
            raise BadEvent(reason=_broken("product_id", self.product_id))
        return self.product_id

    def _query(self) -> str:
        if self.query and self.type != "search":
            raise BadEvent(reason=f"a {self.type} has no query; what was searched for is a search of its own")
        if self.query and _CONTROL.search(self.query):
            raise BadEvent(reason=_broken("query", self.query))
        return self.query or ""


FIELDS = tuple(EventIn.model_fields)
_IDS = ("event_id", "user_id", "visitor_id", "recommendation_id", "basket_id")
_NUMBERS = frozenset({"position", "quantity", "price"})
_ID_RULE = f"is not 1 to {MAX_ID_BYTES} bytes of printable text"
_LINK_RULE = f"is not up to {MAX_LINK_CHARS} printable letters"
_COUNT_RULE = f"is no whole number from 1 to {MAX_EVENT_COUNT:,}"
_RULES = {  # what is said of a value that breaks the rule of its field
    "event_id": _ID_RULE,
    "user_id": _ID_RULE,
    "visitor_id": _ID_RULE,
    "product_id": f"is not 1 to {MAX_PRODUCT_ID_BYTES} bytes of text",
    "timestamp": "is neither ISO 8601 nor seconds since 1970",
    "recommendation_id": _LINK_RULE,
    "position": _COUNT_RULE,
    "quantity": _COUNT_RULE,
    "price": "is no number from 0",
    "basket_id": _LINK_RULE,
    "query": f"is not up to {MAX_QUERY_CHARS} letters of one line",
}


def event_of(fields: Mapping[str, object], *, now_s: float) -> Event:
    """An event from fields that are less strict than JSON over HTTP, such as a line of a file.

    Args:
        fields: Values by the names in ``FIELDS``, as for ``event_in``.
        now_s: Now, in seconds since 1970 UTC; the time of an event without one.

    Raises:
        BadEvent: The fields are no event, or a value cannot be kept.
    """
    return event_in(fields).event(now_s=now_s)


def event_in(fields: Mapping[str, object]) -> EventIn:
    """Fields that are less strict than JSON over HTTP, in their types.

    Numbers may be text and ids whole numbers. Empty text and None count as missing. Unknown fields are ignored.

    Raises:
        BadEvent: A value is not of its type.
    """
    typed = {
        name: value if type(value) is str and name not in _NUMBERS else _typed(name, value)
        for name in FIELDS
        if (value := fields.get(name)) is not None and value != ""
    }
    try:
        return EventIn.model_validate(typed)
    except ValidationError as error:
        raise BadEvent(reason=_reason(error)) from error


def _typed(name: str, value: object) -> object:
    """A value in the type of its field if it can be read so; the model refuses what is left as it was."""
    if name in _NUMBERS:
        number = number_of(value)
        if number is None:
            return value
        return number if name == "price" else int(number) if number.is_integer() else value
    if isinstance(value, str):
        return str(value)  # a strict model takes no subclass of str, such as an enumeration
    is_id = isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LONG_NUMBER
    return str(value) if is_id and name not in ("type", "timestamp") else value


def _reason(error: ValidationError) -> str:
    """The first error in a line."""
    first = error.errors(include_url=False, include_context=False)[0]
    name, value = str(first["loc"][0]), first["input"]
    if name == "type":
        cause = "it has no type" if first["type"] == "missing" else f"there is no type {_shown(value)}"
        return f"{cause}; types are {', '.join(EventType)}"
    if first["type"] == "string_type" and name != "timestamp":
        return f"{name} {_shown(value)} is no text"
    return _broken(name, value)


def _broken(name: str, value: object) -> str:
    return f"{name} {_shown(value)} {_RULES[name]}"


def _printable(name: str, text: str | None, *, max_bytes: int | None = None) -> str:
    """The text of an id, empty if it is missing.

    Raises:
        BadEvent: It is too long, or has control characters.
    """
    if text and (not text.isprintable() or (max_bytes and len(text.encode()) > max_bytes)):
        raise BadEvent(reason=_broken(name, text))
    return text or ""


def _seconds(value: str | float | None, *, now_s: float) -> float:
    """A time in seconds since 1970 UTC.

    Raises:
        BadEvent: It is no time, before 2000, or more than a day after now.
    """
    if isinstance(value, str) and "-" in value[1:]:  # most likely a date, and a wrong guess costs an exception
        at_s = _iso(value)
        at_s = number_of(value) if at_s is None else at_s
    else:
        at_s = number_of(value)
        at_s = _iso(value) if at_s is None and isinstance(value, str) else at_s
    if at_s is None:
        raise BadEvent(reason=_broken("timestamp", value))
    if at_s < OLDEST_S:
        reason = f"timestamp {_shown(value)} is before the year 2000; give ISO 8601 or seconds since 1970"
        raise BadEvent(reason=reason)
    if at_s > now_s + _DAY_S:
        hint = "; give seconds, not milliseconds" if OLDEST_S < at_s / 1000 <= now_s + _DAY_S else ""
        raise BadEvent(reason=f"timestamp {_shown(value)} is more than a day in the future{hint}")
    return at_s


def _iso(text: str) -> float | None:
    """Seconds since 1970 of a time in ISO 8601; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def number_of(value: object) -> float | None:
    """A finite number, or the one that a text spells; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and "_" in value:  # Python reads 1_000 as a number
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _digest(event: Event) -> str:
    """An id from all that an event says; changing it would make imported events new."""
    what = [event.type, event.person.kind, event.person.id, event.at_s, event.product_id]
    where = [event.recommendation_id, event.position, event.quantity, event.price, event.basket_id, event.query]
    return blake2b(json.dumps([*what, *where]).encode(), digest_size=16).hexdigest()


def _shown(value: object) -> str:
    """A value in a message: on one line, and not all of a long one."""
    if isinstance(value, str):
        text = repr(value[:_SHOWN_CHARS])
        return text if len(value) <= _SHOWN_CHARS else f"{text[:-1]}…{text[-1]}"
    if isinstance(value, (bool, float)):
        return str(value)
    if isinstance(value, int):
        return str(value) if abs(value) < _LONG_NUMBER else "of a very long number"
    return f"of {type(value).__name__}"
