"""The storefront as a part of an app."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse, RedirectResponse

from sartor.errors import PersonNotFound
from sartor.service.context import Context, Engine, needs
from sartor.service.problems import BadRequest, NotFound, Problem
from sartor.service.security import Scope
from sartor.storefront import uploads as uploading
from sartor.storefront.addresses import Browse, Search, product_address
from sartor.storefront.own_pages import favorites_view, held_data, held_view
from sartor.storefront.pages import home_view, product_view, results_view
from sartor.storefront.personal import attempt, home_rows, recent_row, shopper_of, together_row
from sartor.storefront.rendering import Pages, ProblemPages, StaticFiles, unexpected, wants_page
from sartor.storefront.views import Card, stored_card
from sartor.storefront.visitor import (
    LONGEST_S,
    OPINIONS,
    PRIVATE,
    Via,
    Visiting,
    Visitor,
    from_here,
    is_from_here,
    is_prefetch,
    leave_alone,
    local,
    new_id,
    record_click,
    record_view,
    remember,
    set_opinion,
    unknow,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI

    from sartor.shop import Shop


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


opinions_router = APIRouter(include_in_schema=False, dependencies=[needs(Scope.READ)])


_KINDS = (*OPINIONS, "undo")
_FIELDS = 8
_MAX_ADDRESS_CHARS = 2048


class NeedsConsent(Problem):
    """An opinion of somebody who did not agree to be remembered."""

    def __init__(self) -> None:
        super().__init__(403, "needs-consent", "this shop has to ask first whether it may remember that")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody thinks of a product: ``like``, ``dislike``, or ``undo`` for neither; empty for nothing.

    Attributes:
        kind: Which of these.
        product_id: The product.
    """

    kind: str = ""
    product_id: str = ""

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> Wish:
        """Read it from the fields of a form or an address.

        Raises:
            BadRequest: The id is longer than one can be.
        """
        kind = next((each for each in _KINDS if fields.get(each)), "")
        product_id = fields.get(kind, "")
        if len(product_id) > _MAX_ADDRESS_CHARS:
            detail = "there is no product with such an id"
            raise BadRequest(detail, status=422)
        return cls(kind=kind, product_id=product_id)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The fields of a form, or of an address."""
        return [(self.kind, self.product_id)] if self.kind else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the page that asks shows: the wish that led to it, its product, and where to go on."""

    wish: Wish
    card: Card | None
    back: str


@opinions_router.post("/opinion", dependencies=[Depends(from_here)])
async def opinion(request: Request, engine: Engine, visitor: Visiting) -> Response:
    """Like a product, dislike it, or take that back; asks first where nobody was remembered."""
    fields = await _fields(request)
    wish, back = Wish.read(fields), local(fields.get("back", ""))
    if not wish.kind:
        detail = "nothing was liked or disliked"
        raise BadRequest(detail, status=422)
    if not visitor.id:
        if not wants_page(request.scope):
            raise NeedsConsent
        return RedirectResponse(f"/remember?{urlencode([*wish.pairs, ('back', back)])}", 303)
    said = await engine.desk.run(lambda: _wished(engine.shop, visitor, wish))
    return _answered(request, back, said)


@opinions_router.get("/remember")
async def question(request: Request, engine: Engine, pages: Rendered, visitor: Visiting) -> Response:
    """The question, with what is kept and for how long."""
    wish, back = Wish.read(request.query_params), local(request.query_params.get("back", ""))
    if visitor.id:
        return RedirectResponse(back, 303, headers=PRIVATE)

    def ask() -> str:
        card = stored_card(engine.shop.product(wish.product_id)) if wish.kind else None
        asked = Question(wish=wish, card=card, back=back)
        return pages.html("remember.html", view=asked, shopper=shopper_of(engine.shop, visitor))

    return pages.response(await engine.desk.run(ask))


@opinions_router.post("/remember", dependencies=[Depends(from_here)])
async def answer(request: Request, engine: Engine, visitor: Visiting) -> Response:
    """Take the answer; a yes makes the number and does what was wished for."""
    fields = await _fields(request)
    wish, back = Wish.read(fields), local(fields.get("back", ""))
    if fields.get("answer") not in ("yes", "no"):
        detail = "the answer is yes or no"
        raise BadRequest(detail, status=422)
    if fields["answer"] == "no":
        response = _answered(request, back, {"remembered": bool(visitor.id)})
        if not visitor.id:
            leave_alone(response, request)
        return response
    known = visitor if visitor.id else replace(visitor, id=new_id())
    said = await engine.desk.run(lambda: _wished(engine.shop, known, wish)) if wish.kind else {}
    response = _answered(request, back, {"remembered": True, **said})
    if not visitor.id:
        remember(response, request, known.id)
    return response


def _wished(shop: Shop, visitor: Visitor, wish: Wish) -> dict[str, object]:
    person = visitor.person
    assert person is not None  # noqa: S101 - who wishes has a number
    set_opinion(shop, person, wish.product_id, wish.kind)
    shopper = shopper_of(shop, visitor)
    return {"opinion": shopper.opinion_of(wish.product_id), "favorites": shopper.favorites}


async def _fields(request: Request) -> dict[str, str]:
    async with request.form(max_files=0, max_fields=_FIELDS) as form:
        return {name: value for name, value in form.multi_items() if isinstance(value, str)}


def _answered(request: Request, back: str, said: dict[str, object]) -> Response:
    if wants_page(request.scope):
        return RedirectResponse(back, 303, headers=PRIVATE)
    return JSONResponse(said, headers=PRIVATE)


privacy_router = APIRouter(include_in_schema=False, dependencies=[needs(Scope.READ)])


_OWN = {**PRIVATE, "Cross-Origin-Resource-Policy": "same-origin"}
_NAME = "what-this-shop-knows-about-me.json"
_DIGITS = 9


@privacy_router.get("/favorites")
async def favorites(engine: Engine, pages: Rendered, visitor: Visiting) -> Response:
    """What they like, and what is not for them."""
    shop = engine.shop
    text = await engine.desk.run(
        lambda: pages.html(
            "favorites.html", view=favorites_view(shop, visitor.person), shopper=shopper_of(shop, visitor)
        )
    )
    return pages.response(text, headers=_OWN)


@privacy_router.get("/privacy")
async def privacy(request: Request, engine: Engine, pages: Rendered, visitor: Visiting) -> Response:
    """What is held, how to have a copy of it, and how to have it erased."""
    shop, asked = engine.shop, request.query_params.get("forgotten", "")
    is_done = asked.isascii() and asked.isdigit() and len(asked) <= _DIGITS and not visitor.id
    text = await engine.desk.run(
        lambda: pages.html(
            "privacy.html",
            view=held_view(shop, visitor.person),
            shopper=shopper_of(shop, visitor),
            forgotten=int(asked) if is_done else None,
            days=LONGEST_S // 86_400,
        )
    )
    return pages.response(text, headers=_OWN)


@privacy_router.get("/privacy/data.json")
async def download(engine: Engine, visitor: Visiting) -> Response:
    """All that is held about them, as a file."""
    held = await engine.desk.run(lambda: held_data(engine.shop, visitor.person))
    text = json.dumps(held, ensure_ascii=False, indent=2) + "\n"
    headers = {**_OWN, "Content-Disposition": f'attachment; filename="{_NAME}"'}
    return Response(text, media_type="application/json", headers=headers)


@privacy_router.post("/privacy/forget", dependencies=[Depends(from_here)])
async def forget(request: Request, engine: Engine, visitor: Visiting) -> Response:
    """Erase all that is held about them, and the number that it was held under."""
    person = visitor.person

    def erase() -> int:
        if person is None:
            return 0
        try:
            return engine.shop.forget(person)
        except PersonNotFound:
            return 0

    erased = await engine.desk.run(erase)
    response = RedirectResponse(f"/privacy?forgotten={erased}", 303, headers=_OWN)
    unknow(response, request)
    return response


def add_storefront(app: FastAPI) -> None:
    """Serve the pages beside the API of an app, whose errors are answered already."""
    static = StaticFiles.read()
    pages = Pages(static)
    app.state.static, app.state.pages = static, pages
    app.include_router(open_router)
    app.include_router(router)
    app.include_router(uploading.router)
    app.include_router(opinions_router)
    app.include_router(privacy_router)
    app.add_middleware(ProblemPages, pages=pages)
    app.add_exception_handler(Exception, unexpected(pages))
