"""What every route works with: the workspace, its keys, its figures, and an executor for calls that block."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, get_origin

from fastapi import Depends, Header, Request, params
from fastapi.routing import APIRoute

from sartor.limits import REVISION_WAIT_S
from sartor.service.problems import BadRequest, NotFollowed, OtherSite, Starting
from sartor.service.schemas import REVISION
from sartor.service.security import ApiKeyAuth, Scope

if TYPE_CHECKING:
    from collections.abc import Collection

    from sartor.config import ServiceSettings
    from sartor.service.executor import BoundedExecutor
    from sartor.service.group import WorkerGroup
    from sartor.service.imports import Imports
    from sartor.service.monitoring import Metrics
    from sartor.service.rates import RequestRates
    from sartor.shop import Shop

_MAX_DIGITS = 18
_CACHE_BUSTER = "_"  # which scripts add so that no cache answers
_FOLLOW_POLL_S = 0.005
_READING = frozenset({"GET", "HEAD"})


@dataclass(slots=True, kw_only=True)
class Context:
    """The parts of one service.

    Attributes:
        imports: Jobs that read feeds.
        rates: Counts the requests of each client; None lets all pass.
        group: The workers that this process is one of; None if it is alone.
        ready: Whether the model and the index are loaded.
    """

    shop: Shop
    settings: ServiceSettings
    executor: BoundedExecutor
    auth: ApiKeyAuth
    metrics: Metrics
    imports: Imports
    rates: RequestRates | None = None
    group: WorkerGroup | None = None
    ready: bool = False


def context_of(request: Request) -> Context:
    """The context of the app that got a request."""
    context = request.app.state.context
    assert isinstance(context, Context)  # noqa: S101 - create_app puts it there
    return context


# Dependencies are coroutines though none of them waits: FastAPI has a thread call each that is a plain function.
async def _context(request: Request) -> Context:
    return context_of(request)


Service = Annotated[Context, Depends(_context)]
SentRevision = Annotated[
    str | None,
    Header(
        alias=REVISION,
        description="Revision that a write answered with: this read knows of that write, or answers 503.",
    ),
]


def needs(scope: Scope, *, personal: bool = False) -> params.Depends:
    """A dependency that refuses requests without a key for a scope, and requests before the service is ready.

    Args:
        scope: Scope that the key needs.
        personal: Whether the route is about a person. Such a route needs a key even where reading needs none.
    """

    async def check(request: Request) -> None:
        context = context_of(request)
        if not context.ready and scope is not Scope.ADMIN:
            raise Starting
        route = request.scope.get("route")
        is_page = not (isinstance(route, APIRoute) and route.include_in_schema)
        context.auth.require(scope, request.headers, personal=personal, is_page=is_page)
        if scope is Scope.WRITE and request.method not in _READING and context.auth.is_open:
            _refuse_other_sites(request, allowed=context.settings.cors_origins)
        _check_query(request)

    async def check_and_follow(request: Request, revision: SentRevision = None) -> None:
        await check(request)
        shop, state = context_of(request).shop, request.scope.setdefault("state", {})
        state["revision"] = await _followed(shop, revision)
        state["stale_since"] = shop.stale_since

    return params.Depends(check_and_follow if scope is Scope.READ else check)


def _refuse_other_sites(request: Request, *, allowed: Collection[str]) -> None:
    """Refuse a write that a page of another site lets a browser send, where no key is asked for.

    A browser asks before it sends JSON to another site, but not before a form or a file.

    Raises:
        OtherSite: The request comes from such a page, and its origin is not among those that may read answers.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if origin in allowed or "*" in allowed:
        return
    if site is not None:  # no page can set it
        is_other = site not in {"same-origin", "none"}
    else:
        is_other = origin is not None and origin.partition("://")[2] != request.url.netloc
    if is_other:
        raise OtherSite


def _check_query(request: Request) -> None:
    """Refuse a query whose parameters would be ignored. Pages read their addresses themselves.

    Raises:
        BadRequest: The API has no such parameter there, or a parameter that is one value comes more than once.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not route.include_in_schema:
        return
    known = {
        field.alias: get_origin(field.field_info.annotation) is list for field in route.dependant.query_params
    }
    for name in request.query_params:
        if name == _CACHE_BUSTER:
            continue
        if name not in known:
            detail = f"there is no parameter {name[:100]!r} here; there are: {', '.join(sorted(known)) or 'none'}"
            raise BadRequest(detail, status=422, kind="invalid-request")
        if not known[name] and len(request.query_params.getlist(name)) > 1:
            detail = f"the parameter {name!r} comes more than once; give it one value"
            raise BadRequest(detail, status=422, kind="invalid-request")


async def _followed(shop: Shop, sent: str | None) -> int:
    """Wait until this process has followed to the revision that a read sent; returns to which it has.

    Raises:
        BadRequest: What was sent is no number.
        NotFollowed: It takes longer than a read waits.
    """
    if sent is None:
        return shop.revision
    if not (sent.isascii() and sent.isdigit() and len(sent) <= _MAX_DIGITS):
        raise BadRequest(f"{REVISION} is a number that an answer of this service had, not {sent[:40]!r}")
    deadline_s = time.monotonic() + REVISION_WAIT_S
    while (revision := shop.revision) < int(sent):
        if time.monotonic() > deadline_s:
            raise NotFollowed(revision=revision, asked=int(sent))
        await asyncio.sleep(_FOLLOW_POLL_S)
    return revision
