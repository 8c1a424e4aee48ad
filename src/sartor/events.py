"""The nouns of behavior: who did what with which product, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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


class Occasion(StrEnum):
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
