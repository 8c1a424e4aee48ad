"""The pages by address."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from sartor.service.context import Context, Engine, needs
from sartor.service.keys import Scope
from sartor.service.problems import NotFound
from sartor.service.storefront.addresses import Browse, Search, product_address
from sartor.service.storefront.behavior import Via, record_click, record_view
from sartor.service.storefront.browsing import home_view
from sartor.service.storefront.personal import attempt, home_rows, recent_row, shopper_of, together_row
from sartor.service.storefront.product_pages import product_view
from sartor.service.storefront.rendering import Pages
from sartor.service.storefront.results import results_view
from sartor.service.storefront.static_files import StaticFiles
from sartor.service.storefront.visitor import Visiting, Visitor, is_from_here, is_prefetch

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
async def home(request: Request, engine: Engine, pages: Rendered, visitor: Visiting) -> Response:
    """A place to drop a photo, what is for who looks, and the catalog."""
    browse = Browse.parse(request.query_params)
    if _is_written_otherwise(request, browse.pairs):
        return RedirectResponse(browse.address, 307)
    text = await engine.desk.run(lambda: _home(engine, pages, browse, visitor))
    return pages.response(text, headers=visitor.headers)


@router.get("/results")
async def results(request: Request, engine: Engine, pages: Rendered, visitor: Visiting) -> Response:
    """What looks like photos, products or a color."""
    asked = Search.parse(request.query_params)
    skipped = request.query_params.get("skipped", "")
    if not asked:
        return RedirectResponse("/", 307)
    if not skipped and _is_written_otherwise(request, asked.pairs):
        return RedirectResponse(asked.address, 307)
    number = int(skipped) if skipped.isascii() and skipped.isdigit() and len(skipped) < len("100") else 0
    text, status = await engine.desk.run(lambda: _results(engine, pages, asked, visitor, skipped=number))
    return pages.response(text, status=status, headers=visitor.headers)


@router.get("/product/{product_id:path}")
async def product(
    product_id: str, request: Request, engine: Engine, pages: Rendered, visitor: Visiting
) -> Response:
    """One product, what is like it, and what goes with it; its address never says where it was followed from."""
    person, via = visitor.person, request.query_params.get("via")
    if via is not None:
        place = Via.parse(via)
        if person and place and is_from_here(request):
            click = partial(record_click, engine.shop, person, product_id, place)
            await engine.desk.run(lambda: attempt(click, "click"))
        return RedirectResponse(product_address(product_id), 303, headers=visitor.headers)
    is_seen = not is_prefetch(request)
    text = await engine.desk.run(lambda: _product(engine, pages, product_id, visitor, is_seen=is_seen))
    return pages.response(text, headers=visitor.headers)


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


def _home(engine: Context, pages: Pages, browse: Browse, visitor: Visitor) -> str:
    view, shopper = home_view(engine.shop, browse), shopper_of(engine.shop, visitor)
    rows = home_rows(engine.shop, visitor) if view.size and not browse.pairs else ()
    return pages.html("home.html", view=view, rows=rows, shopper=shopper)


def _results(engine: Context, pages: Pages, asked: Search, visitor: Visitor, *, skipped: int) -> tuple[str, int]:
    kept = {name: data for name in asked.photos if (data := engine.uploads.get(name)) is not None}
    shopper = shopper_of(engine.shop, visitor)
    if not kept and not (asked.products or asked.like or asked.color):
        return pages.html("expired.html", shopper=shopper), 410
    view = results_view(engine.shop, asked, kept, skipped=skipped)
    return pages.html("results.html", view=view, shopper=shopper), 200


def _product(engine: Context, pages: Pages, product_id: str, visitor: Visitor, *, is_seen: bool) -> str:
    shop, person = engine.shop, visitor.person
    view = product_view(shop, product_id)
    if person and is_seen:
        attempt(lambda: record_view(shop, person, product_id), "view")
    return pages.html(
        "product.html",
        view=view,
        together=together_row(shop, product_id),
        recent=recent_row(shop, visitor, but=product_id),
        shopper=shopper_of(shop, visitor),
    )


def _is_written_otherwise(request: Request, pairs: list[tuple[str, str]]) -> bool:
    """Whether the address, as a form makes it, is another than the one that this page always has."""
    return parse_qsl(request.url.query, keep_blank_values=True) != pairs


def _sent(static: StaticFiles, name: str, headers: Mapping[str, str]) -> Response:
    file = static.named[name]
    return Response(file.data, media_type=file.media_type, headers=dict(headers))
