"""What goes in and out as JSON about people: what they did, what is held, what they are recommended."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, StringConstraints

from sartor.catalog.event_fields import (
    MAX_COUNT,
    MAX_ID_BYTES,
    MAX_LINK_LETTERS,
    MAX_PRODUCT_ID_BYTES,
    MAX_QUERY_LETTERS,
)
from sartor.events import EventType, PersonKind
from sartor.recommend.feed import Basis
from sartor.service.schemas import Given, HitOut, ProductOut

MAX_EVENTS = 1000
MAX_WINDOW_DAYS = 90
ID_BYTES = MAX_ID_BYTES

_Id = Annotated[str, StringConstraints(max_length=MAX_ID_BYTES)]
_Link = Annotated[str, StringConstraints(max_length=MAX_LINK_LETTERS)]
_Count = Annotated[int, Field(ge=1, le=MAX_COUNT)]


class EventIn(Given):
    """Something that a shopper did. Who did it is a user or a visitor; all but a search name a product."""

    model_config = ConfigDict(strict=True)

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
    position: _Count | None = Field(default=None, description="Its place there, from 1.")
    quantity: _Count | None = None
    price: Annotated[float, Field(ge=0)] | None = Field(default=None, description="Of one.")
    basket_id: _Link | None = Field(default=None, description="What was bought together has the same.")
    query: Annotated[str, StringConstraints(max_length=MAX_QUERY_LETTERS)] | None = Field(
        default=None, description="What was searched for."
    )


class EventsIn(Given):
    """Several events at once, each taken or rejected alone."""

    events: list[Annotated[EventIn | Any, SkipValidation]] = Field(
        min_length=1, max_length=MAX_EVENTS, description="What is no event is rejected, alone."
    )


class EventRejection(BaseModel):
    """An event that cannot be taken."""

    index: int = Field(description="Its place in the batch, from 0.")
    reason: str


class EventsOut(BaseModel):
    """What became of events; it is sent when those that were taken are on disk."""

    accepted: int = Field(description="How many are new.")
    duplicates: int = Field(description="How many were there.")
    unknown_products: int = Field(
        description="How many of the new ones are about products that the catalog does not have; they are kept."
    )
    rejected: list[EventRejection]


class MergeIn(Given):
    """The visitor whom a user turned out to be."""

    visitor_id: Annotated[str, StringConstraints(min_length=1, max_length=ID_BYTES)]


class MergeOut(BaseModel):
    """What a merge did."""

    moved: int = Field(description="How many events are the user's now.")


class EventOut(BaseModel):
    """An event as it is held; ``POST /v1/events`` takes it as it is."""

    event_id: str
    type: EventType
    user_id: str | None = None
    visitor_id: str | None = None
    product_id: str | None = None
    timestamp: str = Field(description="ISO 8601, in UTC.")
    recommendation_id: str | None = None
    position: int | None = None
    quantity: int
    price: float | None = None
    basket_id: str | None = None
    query: str | None = None


class PersonOut(BaseModel):
    """All that is held about a person."""

    kind: PersonKind
    id: str
    visitors: list[str] = Field(description="Visitors who were merged into the user.")
    events: list[EventOut] = Field(description="The oldest first.")


class FeedOut(BaseModel):
    """Products for a person, or for everybody."""

    recommendation_id: str = Field(description="Send it back with events about these products.")
    model: str
    based_on: Basis = Field(
        description="What they were chosen by: what the person did, what others do (in the context, or at all), "
        "what others did with the same product, or only the catalog."
    )
    hits: list[HitOut]
    took_ms: float


class ViewedOut(BaseModel):
    """Products that somebody looked at."""

    products: list[ProductOut] = Field(description="The last first.")
