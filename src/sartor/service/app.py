"""The app: routes, guards, and the life of the engine behind them."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from sartor import __version__
from sartor.service.context import BoundedExecutor, Context
from sartor.service.metrics import Measured, Metrics
from sartor.service.problems import MEDIA_TYPE, answer_problems
from sartor.service.routes import catalog as catalog_routes
from sartor.service.routes import events as event_routes
from sartor.service.routes import health as health_routes
from sartor.service.routes import recommend as recommend_routes
from sartor.service.routes import shoppers as shopper_routes
from sartor.service.schemas import EventIn, EventsIn, PhotoIn, ProblemOut, ProductIn, SimilarQueryIn
from sartor.service.security import ApiKeyAuth, RequestLimits
from sartor.service.uploads import Uploads
from sartor.storefront import add_storefront

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sartor.config import ServiceSettings
    from sartor.shop import Shop
    from sartor.store.base import CatalogStore


_REFERENCE = "#/components/schemas/{model}"
_PROBLEM = {
    "description": "A problem, as RFC 9457 has it",
    "content": {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model=ProblemOut.__name__)}}},
}


def complete(app: FastAPI) -> None:
    """Have an app give the whole document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(
        title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes
    )
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    for model in (SimilarQueryIn, ProductIn, PhotoIn, EventIn, EventsIn, ProblemOut):
        schema = model.model_json_schema(ref_template=_REFERENCE)
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    found["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, once the workspace has any."}
    }
    for path in found["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _PROBLEM
            operation["security"] = [{}, {"key": []}]
    return found


logger = logging.getLogger(__name__)


def create_app(shop: Shop, store: CatalogStore, settings: ServiceSettings) -> FastAPI:
    """The service of one workspace, as an ASGI app.

    Args:
        shop: The workspace; it stays open for as long as the app runs, and is the caller's to close.
        store: Its store, for API keys.
        settings: How the service answers.
    """
    metrics = Metrics()
    context = Context(
        shop=shop,
        settings=settings,
        desk=BoundedExecutor(workers=settings.workers, waiting=settings.waiting, timeout_s=settings.timeout_s),
        gate=ApiKeyAuth(store, read_needs_key=settings.read_needs_key),
        metrics=metrics,
        uploads=Uploads(shop.home / "uploads"),
    )
    app = FastAPI(
        title="Sartor",
        version=__version__,
        summary="Similar products, looks, attributes and recommendations for a fashion catalog and its shoppers.",
        description="Errors are problem details (RFC 9457) with a stable type.",
        lifespan=_life,
        docs_url=None,
        redoc_url=None,
        middleware=[
            Middleware(Measured, metrics=metrics),
            Middleware(RequestLimits, settings=settings, gate=context.gate),
            *_cors(settings),
        ],
    )
    app.state.context = context
    answer_problems(app)
    app.include_router(health_routes.router)
    # The routes of one product or person take ids with slashes, so that of more words come before that of one.
    app.include_router(event_routes.router)
    app.include_router(shopper_routes.reading)
    app.include_router(shopper_routes.merging)
    app.include_router(shopper_routes.writing)
    app.include_router(shopper_routes.interactions_router)
    app.include_router(recommend_routes.router)
    app.include_router(catalog_routes.writing)
    app.include_router(catalog_routes.reading)
    if settings.storefront and not settings.read_needs_key:
        add_storefront(app)
    complete(app)
    return app


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    context: Context = app.state.context
    warming = asyncio.create_task(_warm_up(context))
    try:
        yield
    finally:
        await asyncio.gather(warming, return_exceptions=True)
        await asyncio.to_thread(context.desk.close)


async def _warm_up(context: Context) -> None:
    await asyncio.to_thread(context.shop.warm_up)
    context.ready = True
    logger.info("ready: products=%d model=%s", context.shop.counts().products, context.shop.model.id)


def _cors(settings: ServiceSettings) -> list[Middleware]:
    if not settings.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"],
            max_age=600,
        )
    ]
