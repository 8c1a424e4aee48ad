"""Routes about one person: what is held, what is recommended, and how it is erased.

All of them need a key once there is one: what somebody likes is nobody else's.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.routing import APIRoute
from starlette.routing import Match

from sartor.events.model import Person, PersonKind, RelationType
from sartor.recommend.filters import parse_where
from sartor.service.context import Context, Engine, needs
from sartor.service.present import feed_out, person_out, product_out
from sartor.service.problems import BadRequest
from sartor.service.routes.recommend import Filters
from sartor.service.schemas import (
    ID_BYTES,
    MAX_K,
    MAX_WINDOW_DAYS,
    FeedOut,
    MergeIn,
    MergeOut,
    PersonOut,
    ProductId,
    ViewedOut,
)
from sartor.service.security import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope as AsgiScope

    from sartor.recommend.base import Feed


interactions_router = APIRouter(prefix="/v1", tags=["recommendations"], dependencies=[needs(Scope.READ)])


_DAY_S = 86_400


@interactions_router.get("/trending")
async def trending(
    engine: Engine,
    where: Filters = [],  # noqa: B006 - FastAPI copies it
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 12,
    window_days: Annotated[float, Query(gt=0, le=MAX_WINDOW_DAYS, description="How far back it looks.")] = 7.0,
) -> FeedOut:
    """Products that shoppers turn to now."""
    shop, wanted, window_s = engine.shop, parse_where(where), _DAY_S * window_days
    return await engine.desk.run(
        lambda: timed(engine, lambda: shop.trending(k=k, window_s=window_s, where=wanted))
    )


@interactions_router.get("/products/{product_id:path}/together")
async def together(
    product_id: str,
    engine: Engine,
    where: Filters = [],  # noqa: B006
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 12,
    by: Annotated[
        Literal["any", "bought", "seen", "liked"],
        Query(description="In one basket, in one session, by one person, or any of these."),
    ] = "any",
) -> FeedOut:
    """Products that shoppers buy, look at or like together with one of the catalog."""
    shop, wanted, occasion = engine.shop, parse_where(where), None if by == "any" else RelationType(by)
    return await engine.desk.run(
        lambda: timed(engine, lambda: shop.together(product_id, by=occasion, k=k, where=wanted))
    )


def timed(engine: Context, find: Callable[[], Feed]) -> FeedOut:
    """A feed as it goes out, with how long it took to find."""
    start = time.perf_counter()
    feed = find()
    return feed_out(feed, model=engine.shop.model.id, took_ms=1000 * (time.perf_counter() - start))


class WordRoute(APIRoute):
    """A route of an id and a word after it, told apart from an id that ends so by how its last slash is written.

    ``users/a/viewed`` is what ``a`` viewed, ``users/a%2Fviewed`` is the person ``a/viewed``.
    """

    def matches(self, scope: AsgiScope) -> tuple[Match, Any]:
        """Whether the last part of the path is the word, as it came."""
        last = scope.get("raw_path", b"").partition(b"?")[0].rpartition(b"/")[2]
        return (Match.NONE, {}) if b"%2f" in last.lower() else super().matches(scope)


reading = APIRouter(
    prefix="/v1", tags=["shoppers"], route_class=WordRoute, dependencies=[needs(Scope.READ, personal=True)]
)
merging = APIRouter(
    prefix="/v1", tags=["shoppers"], route_class=WordRoute, dependencies=[needs(Scope.WRITE, personal=True)]
)
writing = APIRouter(prefix="/v1", tags=["shoppers"], dependencies=[needs(Scope.WRITE, personal=True)])


def person_of(
    request: Request, person_id: Annotated[str, Path(min_length=1, max_length=ID_BYTES, description="Their id.")]
) -> Person:
    """Whom a path is about.

    Raises:
        BadRequest: Nobody can have this id.
    """
    _check_id(person_id)
    is_user = request.scope["route"].path.startswith("/v1/users/")
    return Person(PersonKind.USER if is_user else PersonKind.VISITOR, person_id)


Whose = Annotated[Person, Depends(person_of)]


@reading.get("/users/{person_id:path}/recommendations")
@reading.get("/visitors/{person_id:path}/recommendations")
async def recommendations(
    person: Whose,
    engine: Engine,
    where: Filters = [],  # noqa: B006 - FastAPI copies it
    context: Annotated[
        list[Annotated[str, Query(max_length=1000)]],
        Query(
            max_length=50,
            description="What the shopper looks at now, written as filters are; it counts while little is known.",
        ),
    ] = [],  # noqa: B006
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 12,
    diversity: Annotated[float | None, Query(ge=0, le=1)] = None,
    exclude: Annotated[list[ProductId], Query(max_length=200, description="Ids that are never hits.")] = [],  # noqa: B006
) -> FeedOut:
    """Products for a person: by what they did, and while that is nothing, by what others do."""
    shop, wanted, now = engine.shop, parse_where(where), parse_where(context)
    return await engine.desk.run(
        lambda: timed(
            engine,
            lambda: shop.for_user(person, k=k, where=wanted, context=now, diversity=diversity, exclude=exclude),
        )
    )


@reading.get("/users/{person_id:path}/viewed")
@reading.get("/visitors/{person_id:path}/viewed")
async def viewed(person: Whose, engine: Engine, k: Annotated[int, Query(ge=1, le=MAX_K)] = 12) -> ViewedOut:
    """Products that a person looked at, the last first, each once, as far as the catalog still has them."""
    found = await engine.desk.run(lambda: engine.shop.recently_viewed(person, k=k))
    return ViewedOut(products=[product_out(stored) for stored in found])


@merging.post("/users/{person_id:path}/merge")
async def merge(person: Whose, given: MergeIn, engine: Engine) -> MergeOut:
    """Make what a visitor did a user's, past and to come, as at login; doing it again changes nothing."""
    _check_id(given.visitor_id)
    return MergeOut(moved=await engine.desk.run(lambda: engine.shop.merge(given.visitor_id, into=person.id)))


@writing.get("/users/{person_id:path}", response_model_exclude_none=True)
@writing.get("/visitors/{person_id:path}", response_model_exclude_none=True)
async def held(person: Whose, engine: Engine) -> PersonOut:
    """All that is held about a person. A visitor who was merged into a user is that user."""
    return await engine.desk.run(lambda: person_out(engine.shop.person(person)))


@writing.delete("/users/{person_id:path}", status_code=204)
@writing.delete("/visitors/{person_id:path}", status_code=204)
async def forget(person: Whose, engine: Engine) -> None:
    """Erase all that is held about a person; the answer comes when no trace is left."""
    await engine.desk.run(lambda: engine.shop.forget(person))


def _check_id(text: str) -> None:
    if len(text.encode()) > ID_BYTES or not text.isprintable():
        raise BadRequest(f"an id has 1 to {ID_BYTES} bytes and no control characters")
