"""The pages that are a visitor's own: favorites, what is held about them, and its end."""

from __future__ import annotations

import json

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from sartor.errors import PersonNotFound
from sartor.service.context import Engine, needs
from sartor.service.keys import Scope
from sartor.service.storefront.own_pages import favorites_view, held_data, held_view
from sartor.service.storefront.personal import shopper_of
from sartor.service.storefront.routes import Rendered
from sartor.service.storefront.visitor import LONGEST_S, PRIVATE, Visiting, from_here, unknow

router = APIRouter(include_in_schema=False, dependencies=[needs(Scope.READ)])

_OWN = {**PRIVATE, "Cross-Origin-Resource-Policy": "same-origin"}
_NAME = "what-this-shop-knows-about-me.json"
_DIGITS = 9


@router.get("/favorites")
async def favorites(engine: Engine, pages: Rendered, visitor: Visiting) -> Response:
    """What they like, and what is not for them."""
    shop = engine.shop
    text = await engine.desk.run(
        lambda: pages.html(
            "favorites.html", view=favorites_view(shop, visitor.person), shopper=shopper_of(shop, visitor)
        )
    )
    return pages.response(text, headers=_OWN)


@router.get("/privacy")
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


@router.get("/privacy/data.json")
async def download(engine: Engine, visitor: Visiting) -> Response:
    """All that is held about them, as a file."""
    held = await engine.desk.run(lambda: held_data(engine.shop, visitor.person))
    text = json.dumps(held, ensure_ascii=False, indent=2) + "\n"
    headers = {**_OWN, "Content-Disposition": f'attachment; filename="{_NAME}"'}
    return Response(text, media_type="application/json", headers=headers)


@router.post("/privacy/forget", dependencies=[Depends(from_here)])
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
