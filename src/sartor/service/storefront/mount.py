"""The storefront as a part of an app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.service.storefront import privacy_routes, routes, uploading, visitor_routes
from sartor.service.storefront.problem_pages import ProblemPages, unexpected
from sartor.service.storefront.rendering import Pages
from sartor.service.storefront.static_files import StaticFiles

if TYPE_CHECKING:
    from fastapi import FastAPI


def add_storefront(app: FastAPI) -> None:
    """Serve the pages beside the API of an app, whose errors are answered already."""
    static = StaticFiles.read()
    pages = Pages(static)
    app.state.static, app.state.pages = static, pages
    app.include_router(routes.open_router)
    app.include_router(routes.router)
    app.include_router(uploading.router)
    app.include_router(visitor_routes.router)
    app.include_router(privacy_routes.router)
    app.add_middleware(ProblemPages, pages=pages)
    app.add_exception_handler(Exception, unexpected(pages))
