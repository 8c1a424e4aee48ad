"""Routes about shoppers: what is recommended to one, what is held and erased, and what all of them turn to.

Routes about one person need a key once there is one: a shopper's preferences are private.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match

from sartor.events.model import Person, PersonKind, RelationType
from sartor.limits import MAX_FILTER_CHARS, MAX_FILTERS, MAX_ID_BYTES, MAX_K, MAX_OPINIONS, MAX_WINDOW_DAYS
from sartor.recommend.filters import parse_where
from sartor.service.context import Service, needs
from sartor.service.present import feed_out, person_out, product_out, timed
from sartor.service.problems import BadRequest
from sartor.service.routes.recommend import Filters, IncludeUnavailable
from sartor.service.schemas import FeedOut, MergeIn, MergeOut, PersonOut, ProductId, ViewedOut
from sartor.service.security import Scope

if TYPE_CHECKING:
    from starlette.types import Scope as AsgiScope

_DAY_S = 86_400


class WordRoute(APIRoute):
    """A route whose path ends in an id and a word, such as ``users/a/viewed``.

    It does not match if the last slash is written ``%2F``: ``users/a%2Fviewed`` is the person ``a/viewed``.
    """

    def matches(self, scope: AsgiScope) -> tuple[Match, Any]:
        """Match the path if its last slash came as it is."""
        last = scope.get("raw_path", b"").partition(b"?")[0].rpartition(b"/")[2]
        return (Match.NONE, {}) if b"%2f" in last.lower() else super().matches(scope)


reading = APIRouter(
    prefix="/v1", tags=["shoppers"], route_class=WordRoute, dependencies=[needs(Scope.READ, personal=True)]
)
merging = APIRouter(
    prefix="/v1", tags=["shoppers"], route_class=WordRoute, dependencies=[needs(Scope.WRITE, personal=True)]
)
writing = APIRouter(prefix="/v1", tags=["shoppers"], dependencies=[needs(Scope.WRITE, personal=True)])
everybody = APIRouter(prefix="/v1", tags=["recommendations"], dependencies=[needs(Scope.READ)])


async def person_of(
    request: Request,
    person_id: Annotated[str, Path(min_length=1, max_length=MAX_ID_BYTES, description="Their id.")],
) -> Person:
    """The person that a path names.

    Raises:
        BadRequest: The id is too long or has control characters.
    """
    _check_id(person_id)
    is_user = request.scope["route"].path.startswith("/v1/users/")
    return Person(PersonKind.USER if is_user else PersonKind.VISITOR, person_id)


Whose = Annotated[Person, Depends(person_of)]


@reading.get("/users/{person_id:path}/recommendations", response_model=FeedOut)
@reading.get("/visitors/{person_id:path}/recommendations", response_model=FeedOut)
async def recommendations(
    person: Whose,
    service: Service,
    where: Filters = [],  # noqa: B006 - FastAPI copies it
    context: Annotated[
        list[Annotated[str, Query(max_length=MAX_FILTER_CHARS)]],
        Query(
            max_length=MAX_FILTERS,
            description="What the shopper looks at now, written as filters are; it counts while little is known.",
        ),
    ] = [],  # noqa: B006
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 12,
    diversity: Annotated[float | None, Query(ge=0, le=1)] = None,
    exclude: Annotated[
        list[ProductId], Query(max_length=MAX_OPINIONS, description="Ids that are never hits.")
    ] = [],  # noqa: B006
    include_unavailable: IncludeUnavailable = None,
) -> Response:
    """Products for a person: by what they did, and while that is nothing, by what others do."""
    shop, filters, now = service.shop, parse_where(where), parse_where(context)
    return await service.executor.run(
        lambda: timed(
            lambda: shop.for_user(
                person,
                k=k,
                where=filters,
                context=now,
                diversity=diversity,
                exclude=exclude,
                include_unavailable=include_unavailable,
            ),
            feed_out,
            model=shop.model.id,
        )
    )


@reading.get("/users/{person_id:path}/viewed")
@reading.get("/visitors/{person_id:path}/viewed")
async def viewed(person: Whose, service: Service, k: Annotated[int, Query(ge=1, le=MAX_K)] = 12) -> ViewedOut:
    """Products that a person looked at, the last first, each once; those that left the catalog are left out."""
    products = await service.executor.run(lambda: service.shop.recently_viewed(person, k=k))
    return ViewedOut(products=[product_out(stored) for stored in products])


@merging.post("/users/{person_id:path}/merge")
async def merge(person: Whose, visitor: MergeIn, service: Service) -> MergeOut:
    """Make what a visitor did a user's, past and to come, as at login; doing it again changes nothing."""
    _check_id(visitor.visitor_id)
    return MergeOut(
        moved=await service.executor.run(lambda: service.shop.merge(visitor.visitor_id, into=person.id))
    )


@writing.get("/users/{person_id:path}", response_model_exclude_none=True)
@writing.get("/visitors/{person_id:path}", response_model_exclude_none=True)
async def held(person: Whose, service: Service) -> PersonOut:
    """All that is held about a person. A visitor who was merged into a user is that user."""
    return await service.executor.run(lambda: person_out(service.shop.person(person)))


@writing.delete("/users/{person_id:path}", status_code=204)
@writing.delete("/visitors/{person_id:path}", status_code=204)
async def forget(person: Whose, service: Service) -> None:
    """Erase all that is held about a person; the answer comes when no trace is left.

    A visitor who was merged into a user is that user, who is erased with all visitors.
    """
    await service.executor.run(lambda: service.shop.forget(person))


@everybody.get("/trending", response_model=FeedOut)
async def trending(
    service: Service,
    where: Filters = [],  # noqa: B006 - FastAPI copies it
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 12,
    window_days: Annotated[float, Query(gt=0, le=MAX_WINDOW_DAYS, description="How far back it looks.")] = 7.0,
    include_unavailable: IncludeUnavailable = None,
) -> Response:
    """Trending products."""
    shop, filters, window_s = service.shop, parse_where(where), _DAY_S * window_days
    return await service.executor.run(
        lambda: timed(
            lambda: shop.trending(k=k, window_s=window_s, where=filters, include_unavailable=include_unavailable),
            feed_out,
            model=shop.model.id,
        )
    )


@everybody.get("/products/{product_id:path}/together", response_model=FeedOut)
async def together(
    product_id: str,
    service: Service,
    where: Filters = [],  # noqa: B006
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 12,
    by: Annotated[
        Literal["any", "bought", "seen", "liked"],
        Query(description="In one basket, in one session, by one person, or any of these."),
    ] = "any",
    include_unavailable: IncludeUnavailable = None,
) -> Response:
    """Products that shoppers buy, look at or like together with one of the catalog."""
    shop, filters, relation = service.shop, parse_where(where), None if by == "any" else RelationType(by)
    return await service.executor.run(
        lambda: timed(
            lambda: shop.together(
                product_id, by=relation, k=k, where=filters, include_unavailable=include_unavailable
            ),
            feed_out,
            model=shop.model.id,
        )
    )


def _check_id(text: str) -> None:
    if len(text.encode()) > MAX_ID_BYTES or not text.isprintable():
        raise BadRequest(f"an id has 1 to {MAX_ID_BYTES} bytes and no control characters")
