"""The pages by address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from sartor.service.context import Context, Engine, needs
from sartor.service.keys import Scope
from sartor.service.problems import NotFound
from sartor.service.storefront.addresses import Browse, Search
from sartor.service.storefront.browsing import home_view
from sartor.service.storefront.product_pages import product_view
from sartor.service.storefront.rendering import Pages
from sartor.service.storefront.results import results_view
from sartor.service.storefront.static_files import StaticFiles

if TYPE_CHECKING:
    from collections.abc import Mapping

router = APIRouter(include_in_schema=False, dependencies=[needs(Scope.READ)])
open_router = APIRouter(include_in_schema=False)

_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable", "Cross-Origin-Resource-Policy": "same-origin"}
_ELSEWHERE = {
    "Cache-Control": "public, max-age=600",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
COMPONENT = "sartor-similar.js"


def pages_of(request: Request) -> Pages:
    """What renders the pages of the app that a request came to."""
    pages: Pages = request.app.state.pages
    return pages


def static_of(request: Request) -> StaticFiles:
    """The static files of that app."""
    static: StaticFiles = request.app.state.static
    return static


Rendered = Annotated[Pages, Depends(pages_of)]
Static = Annotated[StaticFiles, Depends(static_of)]


@router.get("/")
async def home(request: Request, engine: Engine, pages: Rendered) -> Response:
    """A place to drop a photo, and the catalog."""
    browse = Browse.parse(request.query_params)
    if _is_written_otherwise(request, browse.pairs):
        return RedirectResponse(browse.address, 307)
    text = await engine.desk.run(lambda: pages.html("home.html", view=home_view(engine.shop, browse)))
    return pages.response(text)


@router.get("/results")
async def results(request: Request, engine: Engine, pages: Rendered) -> Response:
    """What looks like photos, products or a color."""
    asked = Search.parse(request.query_params)
    skipped = request.query_params.get("skipped", "")
    if not asked:
        return RedirectResponse("/", 307)
    if not skipped and _is_written_otherwise(request, asked.pairs):
        return RedirectResponse(asked.address, 307)
    number = int(skipped) if skipped.isascii() and skipped.isdigit() and len(skipped) < len("100") else 0
    text, status = await engine.desk.run(lambda: _results(engine, pages, asked, skipped=number))
    return pages.response(text, status=status)


@router.get("/product/{product_id:path}")
async def product(product_id: str, engine: Engine, pages: Rendered) -> Response:
    """One product, what is like it, and what goes with it."""
    text = await engine.desk.run(lambda: pages.html("product.html", view=product_view(engine.shop, product_id)))
    return pages.response(text)


@open_router.get("/static/{digest}/{name}")
async def static_file(digest: str, name: str, static: Static) -> Response:
    """A stylesheet, module or picture; what is under an address never changes."""
    if digest != static.digest or name not in static.named:
        raise NotFound(f"there is no file {name[:100]!r}")
    return _sent(static, name, _FOREVER)


@open_router.get(f"/{COMPONENT}")
async def component(static: Static) -> Response:
    """The web component, which pages of any origin may load."""
    return _sent(static, COMPONENT, _ELSEWHERE)


def _results(engine: Context, pages: Pages, asked: Search, *, skipped: int) -> tuple[str, int]:
    kept = {name: data for name in asked.photos if (data := engine.uploads.get(name)) is not None}
    if not kept and not (asked.products or asked.like or asked.color):
        return pages.html("expired.html"), 410
    return pages.html("results.html", view=results_view(engine.shop, asked, kept, skipped=skipped)), 200


def _is_written_otherwise(request: Request, pairs: list[tuple[str, str]]) -> bool:
    """Whether the address, as a form makes it, is another than the one that this page always has."""
    return parse_qsl(request.url.query, keep_blank_values=True) != pairs


def _sent(static: StaticFiles, name: str, headers: Mapping[str, str]) -> Response:
    file = static.named[name]
    return Response(file.data, media_type=file.media_type, headers=dict(headers))
