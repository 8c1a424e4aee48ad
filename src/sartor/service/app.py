"""The service as an ASGI app: its routes, its middleware, its OpenAPI document, and when it is ready."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from sartor import __version__
from sartor.events.model import EventIn
from sartor.service.context import Context
from sartor.service.executor import BoundedExecutor
from sartor.service.forwarding import ForwardedRequests, HeadRequests
from sartor.service.imports import Imports
from sartor.service.monitoring import REQUEST_ID, Metrics, RequestObserver
from sartor.service.problems import MEDIA_TYPE, answer_problems
from sartor.service.rates import RequestRates
from sartor.service.routes import catalog, events, health, imports, recommend, shoppers
from sartor.service.schemas import (
    REVISION,
    STALE,
    EventsIn,
    LooksIn,
    PhotoIn,
    ProblemOut,
    ProductIn,
    SimilarQueryIn,
)
from sartor.service.security import ApiKeyAuth, RequestLimits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sartor.config import ServiceSettings
    from sartor.service.group import WorkerGroup
    from sartor.shop import Shop
    from sartor.store.base import CatalogStore

logger = logging.getLogger(__name__)

_STALE = {
    "description": "Seconds for which the server that holds the workspace has not answered; else absent.",
    "schema": {"type": "integer"},
}
_REFERENCE = "#/components/schemas/{model}"
_PROBLEM = {
    "description": "A problem, as RFC 9457 has it",
    "content": {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model=ProblemOut.__name__)}}},
}
# Ids may have slashes, so a router with "…/{id}/word" is searched before the one with "…/{id}".
_ROUTERS = (
    health.router,
    events.router,
    shoppers.reading,
    shoppers.merging,
    shoppers.writing,
    shoppers.everybody,
    recommend.router,
    imports.router,
    catalog.writing,
    catalog.reading,
)


def create_app(
    shop: Shop,
    store: CatalogStore,
    settings: ServiceSettings,
    *,
    pages: Callable[[FastAPI], None] | None = None,
    group: WorkerGroup | None = None,
    on_ready: Callable[[], None] = lambda: None,
    on_failure: Callable[[Exception], None] | None = None,
) -> FastAPI:
    """The service of one workspace, as an ASGI app.

    Args:
        shop: The workspace. It has to stay open while the app runs; the caller closes it.
        store: Its store, for API keys.
        settings: How the service answers.
        pages: Adds pages for people, such as ``sartor.storefront.add_storefront``. They are left out if the
            settings say so, or if reading needs a key.
        group: The workers that this process is one of; None if it is alone.
        on_ready: Called when the model and the index are loaded.
        on_failure: Called if they cannot be loaded; by default the log says so, and every route answers 503.
    """
    metrics = Metrics(group)
    context = Context(
        shop=shop,
        settings=settings,
        executor=BoundedExecutor(
            concurrency=settings.concurrency,
            waiting=settings.waiting,
            timeout_s=settings.timeout_s,
            on_change=metrics.show_busy,
        ),
        auth=ApiKeyAuth(store, read_needs_key=settings.read_needs_key),
        metrics=metrics,
        imports=Imports(shop),
        rates=RequestRates(
            settings.rate_per_minute,
            counts=None if group is None else group.request_counts,
            server=settings.rate_store,
        )
        if settings.rate_per_minute
        else None,
        group=group,
    )
    app = FastAPI(
        title="Sartor",
        version=__version__,
        summary="Similar products, looks, attributes and recommendations for a fashion catalog and its shoppers.",
        description="Errors are problem details (RFC 9457) with a stable type.",
        lifespan=partial(_lifespan, on_ready=on_ready, on_failure=on_failure),
        docs_url=None,
        redoc_url=None,
        middleware=[
            Middleware(RequestObserver, metrics=context.metrics),
            *_cors(settings),  # outside of all that refuses, so that a page's script can read why
            Middleware(
                RequestLimits,
                settings=settings,
                auth=context.auth,
                rates=context.rates,
                executor=context.executor,
            ),
        ],
    )
    app.state.context = context
    answer_problems(app)
    for router in _ROUTERS:
        app.include_router(router)
    if pages is not None and settings.storefront and not settings.read_needs_key:
        pages(app)
    app.add_middleware(HeadRequests)
    app.add_middleware(ForwardedRequests, settings=settings)  # outermost, as each is added outside of those before
    document_api(app)
    return app


def document_api(app: FastAPI) -> None:
    """Complete the OpenAPI document of an app with request bodies, problems and API keys."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (SimilarQueryIn, LooksIn, ProductIn, PhotoIn, EventIn, EventsIn, ProblemOut):
        schema = model.model_json_schema(ref_template=_REFERENCE)
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    document["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, once the workspace has any."}
    }
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _PROBLEM
            operation["security"] = [{}, {"key": []}]
            _document_revision(operation)
    return document


def _document_revision(operation: dict[str, Any]) -> None:
    """Add the revision's header to the answers of routes that take or give one."""
    reads = any(parameter["name"] == REVISION for parameter in operation.get("parameters", ()))
    if not reads and "catalog" not in operation["tags"]:
        return
    told = "that the answer knows of" if reads else "that has what was written; a read may send it"
    header = {"description": f"Revision of the catalog {told}.", "schema": {"type": "integer"}}
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            answer.setdefault("headers", {})[REVISION] = header
            if reads:
                answer["headers"][STALE] = _STALE


@asynccontextmanager
async def _lifespan(
    app: FastAPI, *, on_ready: Callable[[], None], on_failure: Callable[[Exception], None] | None
) -> AsyncIterator[None]:
    context: Context = app.state.context
    warming = asyncio.create_task(_warm_up(context, on_ready, on_failure))
    if context.group is not None and context.group.is_ready:  # others answer; this one accepts when it can, too
        await asyncio.wait([warming])
    try:
        yield
    finally:
        await asyncio.gather(warming, return_exceptions=True)
        if context.rates is not None:
            await context.rates.close()
        await asyncio.to_thread(context.imports.close)
        await asyncio.to_thread(context.executor.close)


async def _warm_up(
    context: Context, on_ready: Callable[[], None], on_failure: Callable[[Exception], None] | None
) -> None:
    try:
        await asyncio.to_thread(context.shop.warm_up)
    except Exception as error:
        if on_failure is None:
            logger.exception("not ready: home=%s", context.shop.home)
            raise
        on_failure(error)
        return
    context.ready = True
    logger.info("ready: products=%d model=%s", context.shop.counts().products, context.shop.model.id)
    on_ready()


def _cors(settings: ServiceSettings) -> list[Middleware]:
    if not settings.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key", REVISION],
            expose_headers=[REVISION, STALE, REQUEST_ID, "Retry-After", "Location"],
            max_age=600,
        )
    ]
