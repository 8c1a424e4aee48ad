"""What goes in and out as JSON about people: what they did, what is held, what they are recommended."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sartor.events import EventType, PersonKind
from sartor.recommend.feed import Basis
from sartor.service.schemas import Given, HitOut, ProductOut

MAX_EVENTS = 1000
MAX_WINDOW_DAYS = 90
ID_BYTES = 256

_EventId = Annotated[str, StringConstraints(min_length=1, max_length=ID_BYTES)]
_OtherId = Annotated[str, StringConstraints(max_length=ID_BYTES)]


class EventIn(Given):
    """Something that a shopper did. Who did it is a user or a visitor; all but a search name a product."""

    model_config = ConfigDict(strict=True)

    event_id: _EventId = Field(description="The same event, sent again, changes nothing.")
    type: Literal["view", "click", "like", "dislike", "add_to_cart", "purchase", "search"]
    user_id: _OtherId | None = None
    visitor_id: _OtherId | None = None
    product_id: Annotated[str, StringConstraints(max_length=512)] | None = None
    timestamp: str | float | None = Field(
        default=None, description="ISO 8601, or seconds since 1970 UTC; without it, now."
    )
    recommendation_id: _OtherId | None = Field(default=None, description="The answer that it was shown in.")
    position: Annotated[int, Field(ge=1)] | None = Field(default=None, description="Its place there, from 1.")
    quantity: Annotated[int, Field(ge=1)] | None = None
    price: Annotated[float, Field(ge=0)] | None = Field(default=None, description="Of one.")
    basket_id: _OtherId | None = Field(default=None, description="What was bought together has the same.")
    query: str | None = Field(default=None, description="What was searched for.")


class EventsIn(Given):
    """Several events at once, each taken or rejected alone."""

    events: list[Any] = Field(
        min_length=1,
        max_length=MAX_EVENTS,
        json_schema_extra={
            "items": {
                "anyOf": [
                    {"$ref": "#/components/schemas/EventIn"},
                    {"description": "Anything else is rejected, alone."},
                ]
            }
        },
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
