"""Likes and dislikes, and the question whether they may be remembered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse, RedirectResponse

from sartor.service.context import Engine, needs
from sartor.service.keys import Scope
from sartor.service.problems import BadRequest, Problem
from sartor.service.storefront.behavior import OPINIONS, set_opinion
from sartor.service.storefront.personal import shopper_of
from sartor.service.storefront.problem_pages import wants_page
from sartor.service.storefront.routes import Rendered
from sartor.service.storefront.views import Card, stored_card
from sartor.service.storefront.visitor import (
    PRIVATE,
    Visiting,
    Visitor,
    from_here,
    leave_alone,
    local,
    new_id,
    remember,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sartor.shop import Shop

router = APIRouter(include_in_schema=False, dependencies=[needs(Scope.READ)])

_KINDS = (*OPINIONS, "undo")
_FIELDS = 8
_LONGEST = 2048


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
        if len(product_id) > _LONGEST:
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


@router.post("/opinion", dependencies=[Depends(from_here)])
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


@router.get("/remember")
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


@router.post("/remember", dependencies=[Depends(from_here)])
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
