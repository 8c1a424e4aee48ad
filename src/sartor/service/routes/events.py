"""The route that takes events."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import from_json

from sartor.errors import BadEvent
from sartor.events.model import EventIn, EventType, Taken
from sartor.service.bodies import JSON, read_json, validate
from sartor.service.context import Context, Service, needs
from sartor.service.problems import BadRequest
from sartor.service.schemas import EventRejection, EventsIn, EventsOut
from sartor.service.security import Scope

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
async def events(request: Request, service: Service) -> EventsOut:
    """Take one event, or up to 1,000; the answer comes when they are on disk.

    Each of several is taken or rejected alone. An event that comes again, by its id, changes nothing, so that
    what was not answered can be sent again.
    """
    body = await read_json(request)
    return await service.executor.run(lambda: _take(service, body, now_s=time.time()))


def _take(service: Context, body: bytes, *, now_s: float) -> EventsOut:
    try:
        content = from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise BadRequest(f"this is no JSON: {error}") from error
    if not isinstance(content, dict) or "events" not in content:
        event, has_placeholder = _single(service, content, now_s=now_s)
        return _record(service, [event], placeholders=int(has_placeholder), rejected=[])
    taken: list[Event] = []
    rejected: list[EventRejection] = []
    placeholders = 0
    for index, fields in enumerate(validate(EventsIn, content).events):
        try:
            given = EventIn.model_validate(fields)
            taken.append(given.event(now_s=now_s))
            placeholders += bool(given.placeholders)
        except (ValidationError, BadEvent) as error:
            service.metrics.reject_event(_type_of(fields))
            rejected.append(EventRejection(index=index, reason=_reason(error)))
    return _record(service, taken, placeholders=placeholders, rejected=rejected)


def _single(service: Context, fields: object, *, now_s: float) -> tuple[Event, bool]:
    """The only event of a request, and whether an id in it was a placeholder."""
    try:
        given = validate(EventIn, fields)
        return given.event(now_s=now_s), bool(given.placeholders)
    except (RequestValidationError, BadEvent):
        service.metrics.reject_event(_type_of(fields))
        raise


def _record(
    service: Context, taken: list[Event], *, placeholders: int, rejected: list[EventRejection]
) -> EventsOut:
    outcome = service.shop.record(*taken) if taken else Taken()
    service.metrics.take_events(Counter(event.type for event in taken), duplicates=outcome.duplicates)
    return EventsOut(
        accepted=outcome.added,
        duplicates=outcome.duplicates,
        unknown_products=outcome.unknown_products,
        placeholders=placeholders,
        rejected=rejected,
    )


def _reason(error: ValidationError | BadEvent) -> str:
    if isinstance(error, BadEvent):
        return error.reason
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return ": ".join((*map(str, first["loc"]), first["msg"]))


def _type_of(fields: object) -> EventType | None:
    name = fields.get("type") if isinstance(fields, dict) else None
    return EventType(name) if isinstance(name, str) and name in set(EventType) else None
