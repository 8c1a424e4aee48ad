"""The route that takes events: what shoppers did."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import from_json

from sartor.errors import BadEvent
from sartor.events.model import EventType, Taken, event_of
from sartor.service.context import Context, Engine, needs
from sartor.service.problems import BadRequest
from sartor.service.schemas import EventIn, EventRejection, EventsIn, EventsOut
from sartor.service.security import Scope
from sartor.service.uploads import JSON, read_json, validated

if TYPE_CHECKING:
    from sartor.events.model import Event

router = APIRouter(prefix="/v1", tags=["events"], dependencies=[needs(Scope.WRITE)])

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {
                    "anyOf": [{"$ref": f"#/components/schemas/{model.__name__}"} for model in (EventIn, EventsIn)]
                }
            }
        },
    }
}


@router.post("/events", openapi_extra=_BODY)
async def events(request: Request, engine: Engine) -> EventsOut:
    """Take one event, or up to 1,000; the answer comes when they are on disk.

    Each of several is taken or rejected alone. An event that comes again, by its id, changes nothing, so that
    what was not answered can be sent again.
    """
    body = await read_json(request)
    return await engine.desk.run(lambda: _take(engine, body, now_s=time.time()))


def _take(engine: Context, body: bytes, *, now_s: float) -> EventsOut:
    try:
        given = from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise BadRequest(f"this is no JSON: {error}") from error
    if not isinstance(given, dict) or "events" not in given:
        return _record(engine, [_single(engine, given, now_s=now_s)], rejected=[])
    taken: list[Event] = []
    rejected: list[EventRejection] = []
    for index, fields in enumerate(validated(EventsIn, given).events):
        try:
            taken.append(_event(EventIn.model_validate(fields), now_s=now_s))
        except (ValidationError, BadEvent) as error:
            engine.metrics.reject_event(_type_of(fields))
            rejected.append(EventRejection(index=index, reason=_reason_of(error)))
    return _record(engine, taken, rejected=rejected)


def _single(engine: Context, fields: object, *, now_s: float) -> Event:
    try:
        return _event(validated(EventIn, fields), now_s=now_s)
    except (RequestValidationError, BadEvent):
        engine.metrics.reject_event(_type_of(fields))
        raise


def _event(given: EventIn, *, now_s: float) -> Event:
    """What is said of an event, as an event.

    Raises:
        BadEvent: It cannot be.
    """
    return event_of({name: value for name, value in given if value is not None}, now_s=now_s)


def _record(engine: Context, taken: list[Event], *, rejected: list[EventRejection]) -> EventsOut:
    done = engine.shop.record(*taken) if taken else Taken()
    engine.metrics.take_events(Counter(event.type for event in taken), duplicates=done.duplicates)
    return EventsOut(
        accepted=done.added,
        duplicates=done.duplicates,
        unknown_products=done.unknown_products,
        rejected=rejected,
    )


def _reason_of(error: ValidationError | BadEvent) -> str:
    if isinstance(error, BadEvent):
        return error.reason
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return ": ".join((*map(str, first["loc"]), first["msg"]))


def _type_of(fields: object) -> EventType | None:
    named = fields.get("type") if isinstance(fields, dict) else None
    return EventType(named) if isinstance(named, str) and named in set(EventType) else None
