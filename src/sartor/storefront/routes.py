"""The routes of the pages, and how an app gets them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse, RedirectResponse

from sartor.errors import PersonNotFound
from sartor.limits import MAX_FORM_FIELDS, MAX_FORM_ID_CHARS
from sartor.service.context import Context, Service, needs
from sartor.service.problems import BadRequest, NotFound, Problem
from sartor.service.security import Scope
from sartor.storefront import uploads
from sartor.storefront.addresses import Browse, Search, product_address
from sartor.storefront.pages import home_view, product_view, results_view
from sartor.storefront.personal import (
    attempt,
    favorites_view,
    held_data,
    held_view,
    home_rows,
    recent_row,
    shopper_of,
    together_row,
)
from sartor.storefront.rendering import Pages, ProblemPages, StaticFiles, unexpected, wants_page
from sartor.storefront.uploads import Kept, Uploads
from sartor.storefront.views import Card, stored_card
from sartor.storefront.visitor import (
    OPINIONS,
    PRIVATE,
    Referral,
    Visiting,
    Visitor,
    delete_visitor_cookie,
    is_same_origin,
    local_path,
    new_visitor_id,
    record_click,
    record_view,
    require_same_origin,
    set_opinion,
    set_refusal_cookie,
    set_visitor_cookie,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI

    from sartor.shop import Shop

router = APIRouter(include_in_schema=False, dependencies=[needs(Scope.READ)])
static_router = APIRouter(include_in_schema=False)  # answers before the model is loaded

_COMPONENT = "sartor-similar.js"
_IMMUTABLE = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ANY_ORIGIN = {
    "Cache-Control": "public, max-age=600",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_PERSONAL = {**PRIVATE, "Cross-Origin-Resource-Policy": "same-origin"}
_DOWNLOAD_NAME = "what-this-shop-knows-about-me.json"
_MAX_SKIPPED_DIGITS = 2
_MAX_FORGOTTEN_DIGITS = 9


def add_storefront(app: FastAPI) -> None:
    """Serve the pages beside the API of an app that ``create_app`` made."""
    static = StaticFiles.read()
    pages = Pages(static)
    context: Context = app.state.context
    app.state.static, app.state.pages = static, pages
    app.state.uploads = Uploads(context.shop.derived / "uploads")
    app.include_router(static_router)
    app.include_router(router)
    app.include_router(uploads.router)
    app.add_middleware(ProblemPages, pages=pages)
    app.add_exception_handler(Exception, unexpected(pages))


async def pages_of(request: Request) -> Pages:
    """What renders the pages of the app that got a request."""
    pages: Pages = request.app.state.pages
    return pages


async def static_of(request: Request) -> StaticFiles:
    """The static files of the app that got a request."""
    static: StaticFiles = request.app.state.static
    return static


Rendered = Annotated[Pages, Depends(pages_of)]
Static = Annotated[StaticFiles, Depends(static_of)]


@router.get("/")
async def home(request: Request, service: Service, pages: Rendered, visitor: Visiting) -> Response:
    """Upload a photo, rows for the visitor, and the catalog."""
    browse = Browse.parse(request.query_params)
    if not browse.filters.unclear and not _is_canonical(request, browse.pairs):
        return RedirectResponse(visitor.root + browse.address, 307)

    def render() -> str:
        shop = service.shop
        view, shopper = home_view(shop, browse), shopper_of(shop, visitor)
        rows = home_rows(shop, visitor) if view.size and not browse.pairs else ()
        return pages.html("home.html", view=view, rows=rows, shopper=shopper)

    return pages.response(await service.executor.run(render), headers=visitor.headers)


@router.get("/results")
async def results(
    request: Request, service: Service, pages: Rendered, visitor: Visiting, uploaded: Kept
) -> Response:
    """Products that look like photos, products or a color."""
    search = Search.parse(request.query_params)
    skipped = request.query_params.get("skipped", "")
    if not search:
        return RedirectResponse(f"{visitor.root}/", 307)
    if not (skipped or search.filters.unclear or _is_canonical(request, search.pairs)):
        return RedirectResponse(visitor.root + search.address, 307)

    def render() -> tuple[str, int]:
        kept = {name: photo for name in search.photos if (photo := uploaded.kept(name)) is not None}
        shopper = shopper_of(service.shop, visitor)
        if not kept and not (search.products or search.like or search.color):
            return pages.html("expired.html", shopper=shopper), 410
        view = results_view(
            service.shop, search, kept, skipped=_count(skipped, max_digits=_MAX_SKIPPED_DIGITS) or 0
        )
        return pages.html("results.html", view=view, shopper=shopper), 200

    text, status = await service.executor.run(render)
    return pages.response(text, status=status, headers=visitor.headers)


@router.get("/product/{product_id:path}")
async def product(
    product_id: str, request: Request, service: Service, pages: Rendered, visitor: Visiting
) -> Response:
    """One product, products like it, and products that go with it.

    A link from a recommendation is recorded and leads on to the page's own address.
    """
    shop, person, via = service.shop, visitor.person, request.query_params.get("via")
    if via is not None:
        referral = Referral.parse(via)
        if person and referral and visitor.is_looking and is_same_origin(request):
            click = partial(record_click, shop, person, product_id, referral)
            await service.executor.run(lambda: attempt(click, "click"))
        return RedirectResponse(visitor.root + product_address(product_id), 303, headers=visitor.headers)

    def render() -> str:
        view = product_view(shop, product_id)
        if person and visitor.is_looking:
            attempt(lambda: record_view(shop, person, product_id), "view")
        return pages.html(
            "product.html",
            view=view,
            together=together_row(shop, product_id),
            recent=recent_row(shop, visitor, without=product_id),
            shopper=shopper_of(shop, visitor),
        )

    return pages.response(await service.executor.run(render), headers=visitor.headers)


@static_router.get("/static/{digest}/{name}")
async def static_file(digest: str, name: str, static: Static) -> Response:
    """A stylesheet, script, typeface or picture; the file under an address never changes."""
    if digest != static.digest or name not in static.by_name:
        raise NotFound(f"there is no file {name[:100]!r}")
    return _file(static, name, _IMMUTABLE)


@static_router.get(f"/{_COMPONENT}")
async def component(static: Static) -> Response:
    """The web component, which pages of any origin may load."""
    return _file(static, _COMPONENT, _ANY_ORIGIN)


class NeedsConsent(Problem):
    """A visitor without consent has an opinion."""

    def __init__(self) -> None:
        super().__init__(403, "needs-consent", "this shop has to ask first whether it may remember that")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """A visitor's opinion of a product: ``like``, ``dislike``, or ``undo`` for neither; empty without any."""

    kind: str = ""
    product_id: str = ""

    @classmethod
    def parse(cls, fields: Mapping[str, str]) -> Opinion:
        """Parse the fields of a form or the query of an address.

        Raises:
            BadRequest: The product's id is too long.
        """
        kind = next((kind for kind in (*OPINIONS, "undo") if fields.get(kind)), "")
        product_id = fields.get(kind, "")
        if len(product_id) > MAX_FORM_ID_CHARS:
            detail = "there is no product with such an id"
            raise BadRequest(detail, status=422)
        return cls(kind=kind, product_id=product_id)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Names and values of form fields, or of a query."""
        return [(self.kind, self.product_id)] if self.kind else []


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentView:
    """What the page that asks for consent shows: the opinion that led to it, its product, and where to return."""

    opinion: Opinion
    card: Card | None
    back: str


@router.post("/opinion", dependencies=[Depends(require_same_origin)])
async def change_opinion(request: Request, service: Service, visitor: Visiting) -> Response:
    """Like a product, dislike it, or undo that; without consent, ask for it."""
    fields = await _form_fields(request)
    opinion, back = Opinion.parse(fields), local_path(fields.get("back", ""), visitor.root)
    if not opinion.kind:
        detail = "nothing was liked or disliked"
        raise BadRequest(detail, status=422)
    person = visitor.person
    if person is None:
        if not wants_page(request.scope):
            raise NeedsConsent
        return RedirectResponse(f"{visitor.root}/remember?{urlencode([*opinion.pairs, ('back', back)])}", 303)
    outcome = await service.executor.run(lambda: _set_opinion(service.shop, visitor, opinion))
    return _done(request, back, outcome)


@router.get("/remember")
async def ask_consent(request: Request, service: Service, pages: Rendered, visitor: Visiting) -> Response:
    """The question for consent: what would be kept, and for how long."""
    opinion, back = (
        Opinion.parse(request.query_params),
        local_path(request.query_params.get("back", ""), visitor.root),
    )
    if visitor.id:
        return RedirectResponse(back, 303, headers=PRIVATE)

    def render() -> str:
        card = stored_card(service.shop.product(opinion.product_id)) if opinion.kind else None
        view = ConsentView(opinion=opinion, card=card, back=back)
        return pages.html("remember.html", view=view, shopper=shopper_of(service.shop, visitor))

    return pages.response(await service.executor.run(render))


@router.post("/remember", dependencies=[Depends(require_same_origin)])
async def answer_consent(request: Request, service: Service, visitor: Visiting) -> Response:
    """Take the answer. A yes sets the cookie and records the opinion that led to the question."""
    fields = await _form_fields(request)
    opinion, back = Opinion.parse(fields), local_path(fields.get("back", ""), visitor.root)
    if fields.get("answer") not in ("yes", "no"):
        detail = "the answer is yes or no"
        raise BadRequest(detail, status=422)
    if fields["answer"] == "no":
        response = _done(request, back, {"remembered": bool(visitor.id)})
        if not visitor.id:
            set_refusal_cookie(response, request)
        return response
    known = visitor if visitor.id else replace(visitor, id=new_visitor_id())
    outcome = {}
    if opinion.kind:
        outcome = await service.executor.run(lambda: _set_opinion(service.shop, known, opinion))
    response = _done(request, back, {"remembered": True, **outcome})
    if not visitor.id:
        set_visitor_cookie(response, request, known.id)
    return response


@router.get("/favorites")
async def favorites(service: Service, pages: Rendered, visitor: Visiting) -> Response:
    """Products that the visitor likes, and those that they dislike."""
    shop = service.shop
    text = await service.executor.run(
        lambda: pages.html(
            "favorites.html", view=favorites_view(shop, visitor.person), shopper=shopper_of(shop, visitor)
        )
    )
    return pages.response(text, headers=_PERSONAL)


@router.get("/privacy")
async def privacy(request: Request, service: Service, pages: Rendered, visitor: Visiting) -> Response:
    """What is held about the visitor, how to get a copy, and how to erase it."""
    shop = service.shop
    forgotten = _count(request.query_params.get("forgotten", ""), max_digits=_MAX_FORGOTTEN_DIGITS)
    text = await service.executor.run(
        lambda: pages.html(
            "privacy.html",
            view=held_view(shop, visitor.person),
            shopper=shopper_of(shop, visitor),
            forgotten=None if visitor.id else forgotten,
        )
    )
    return pages.response(text, headers=_PERSONAL)


@router.get("/privacy/data.json")
async def download(service: Service, visitor: Visiting) -> Response:
    """All that is held about the visitor, as a file."""
    data = await service.executor.run(lambda: held_data(service.shop, visitor.person))
    text = json.dumps(data, ensure_ascii=False, indent=2) + "\n"
    headers = {**_PERSONAL, "Content-Disposition": f'attachment; filename="{_DOWNLOAD_NAME}"'}
    return Response(text, media_type="application/json", headers=headers)


@router.post("/privacy/forget", dependencies=[Depends(require_same_origin)])
async def forget(request: Request, service: Service, visitor: Visiting) -> Response:
    """Erase all that is held about the visitor, and the cookie."""
    person = visitor.person

    def erase() -> int:
        if person is None:
            return 0
        try:
            return service.shop.forget(person)
        except PersonNotFound:
            return 0

    erased = await service.executor.run(erase)
    response = RedirectResponse(f"{visitor.root}/privacy?forgotten={erased}", 303, headers=_PERSONAL)
    delete_visitor_cookie(response, request)
    return response


def _is_canonical(request: Request, pairs: list[tuple[str, str]]) -> bool:
    """Whether an address is written as its page always writes it; a form may write it otherwise."""
    return parse_qsl(request.url.query, keep_blank_values=True) == pairs


def _count(text: str, *, max_digits: int) -> int | None:
    """A number in an address; None if it is not a number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= max_digits else None


def _file(static: StaticFiles, name: str, headers: Mapping[str, str]) -> Response:
    file = static.by_name[name]
    return Response(file.data, media_type=file.media_type, headers=dict(headers))


async def _form_fields(request: Request) -> dict[str, str]:
    async with request.form(max_files=0, max_fields=MAX_FORM_FIELDS) as form:
        return {name: value for name, value in form.multi_items() if isinstance(value, str)}


def _set_opinion(shop: Shop, visitor: Visitor, opinion: Opinion) -> dict[str, object]:
    person = visitor.person
    assert person is not None  # noqa: S101 - only a visitor with consent has an opinion
    set_opinion(shop, person, opinion.product_id, opinion.kind)
    shopper = shopper_of(shop, visitor)
    return {"opinion": shopper.opinion_of(opinion.product_id), "favorites": shopper.favorites}


def _done(request: Request, back: str, outcome: dict[str, object]) -> Response:
    """Lead a browser back to its page, and tell a script the outcome."""
    if wants_page(request.scope):
        return RedirectResponse(back, 303, headers=PRIVATE)
    return JSONResponse(outcome, headers=PRIVATE)
