"""What visitors do becomes events; without a visitor there are none."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit
from uuid import uuid4

from fastapi import Depends, Request

from sartor.events.model import Event, EventType, Person
from sartor.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from sartor.shop import Shop


COOKIE, ANSWER = "sartor_visitor", "sartor_consent"
NO = "no"
LONGEST_S = 390 * 86_400  # 13 months have 393 days or more
_RANDOM_BYTES = 16
_ID = re.compile(r"[0-9a-f]{32}")
_LONGEST_ADDRESS = 4096
PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Accept, Cookie"}


class NotFromHere(Problem):
    """Something is to be changed by a page of another site."""

    def __init__(self) -> None:
        super().__init__(
            403, "not-from-here", "this can only be done from a page of this shop; open it and try again"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who looks at a page.

    Attributes:
        id: Their random number as 32 hex digits; empty where they did not agree to one.
        has_answered: Whether they were asked, or their browser says no for them.
        here: The page that they look at, as a path with its query.
    """

    id: str = ""
    has_answered: bool = False
    here: str = "/"

    @property
    def person(self) -> Person | None:
        """Whose events theirs are; None where there are none."""
        return Person.visitor(self.id) if self.id else None

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of a page that depends on them; none of it may be kept anywhere."""
        return PRIVATE if self.id else {}


def visitor_of(request: Request) -> Visitor:
    """Who sent a request; a number that was not made here is none."""
    found = request.cookies.get(COOKIE, "")
    number = found if _ID.fullmatch(found) else ""
    query = request.url.query
    return Visitor(
        id=number,
        has_answered=bool(number) or request.cookies.get(ANSWER) == NO or request.headers.get("sec-gpc") == "1",
        here=f"{request.url.path}?{query}" if query else request.url.path,
    )


Visiting = Annotated[Visitor, Depends(visitor_of)]


def new_id() -> str:
    """A number that nobody has, and nobody can guess."""
    return secrets.token_hex(_RANDOM_BYTES)


def remember(response: Response, request: Request, visitor_id: str) -> None:
    """Have a browser keep a number."""
    response.set_cookie(
        COOKIE,
        visitor_id,
        max_age=LONGEST_S,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    response.delete_cookie(ANSWER, path="/")


def leave_alone(response: Response, request: Request) -> None:
    """Have a browser keep, until it is closed, that the answer was no."""
    secure = request.url.scheme == "https"
    response.set_cookie(ANSWER, NO, path="/", secure=secure, httponly=True, samesite="lax")


def unknow(response: Response, request: Request) -> None:
    """Have a browser forget its number."""
    secure = request.url.scheme == "https"
    response.delete_cookie(COOKIE, path="/", secure=secure, httponly=True, samesite="lax")


def is_from_here(request: Request) -> bool:
    """Whether a page of this shop sent a request, as far as the browser says.

    ``Sec-Fetch-Site`` cannot be set by a page and decides where it is sent, which is over HTTPS and on this
    machine; else ``Origin`` does, which browsers send with every POST, or ``Referer``, which the pages here have
    them send. A request with none of these is not known to be from here.

    Source: OWASP Cross-Site Request Forgery Prevention Cheat Sheet, Fetch Metadata and standard headers.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin") or request.headers.get("referer", "")
    try:
        host = urlsplit(origin).netloc.lower()
    except ValueError:
        return False
    return bool(host) and host == request.headers.get("host", "").lower()


def is_prefetch(request: Request) -> bool:
    """Whether a browser only asks in advance, so that nobody looks yet."""
    return "prefetch" in request.headers.get("sec-purpose", request.headers.get("purpose", "")).lower()


def from_here(request: Request) -> None:
    """A dependency that lets only requests from pages of this shop through.

    Raises:
        NotFromHere: It is not known to be from one.
    """
    if not is_from_here(request):
        raise NotFromHere


def local(address: str) -> str:
    """An address to return to, if it is one of this shop; the home page else."""
    is_path = address.startswith("/") and not address.startswith("//") and len(address) <= _LONGEST_ADDRESS
    return address if is_path and "\\" not in address and address.isprintable() else "/"


OPINIONS = {"like": EventType.LIKE, "dislike": EventType.DISLIKE}
_SAME_VIEW_S = 30  # a page that is loaded again within this is not looked at twice
_VIA = re.compile(r"([0-9a-f]{32})\.([1-9][0-9]{0,2})")


@dataclass(frozen=True, slots=True)
class Via:
    """The list that a shopper came from: the recommendation, and the place in it, from 1."""

    recommendation_id: str
    position: int

    @classmethod
    def parse(cls, text: str) -> Via | None:
        """Read it from an address; None where it is not one of ours."""
        found = _VIA.fullmatch(text)
        return cls(found[1], int(found[2])) if found else None

    def __str__(self) -> str:
        return f"{self.recommendation_id}.{self.position}"


def record_view(shop: Shop, person: Person, product_id: str, *, now_s: float | None = None) -> None:
    """A product's page was looked at; a reload is the same view."""
    at_s = time.time() if now_s is None else now_s
    named = f"{person.id}\0{product_id}\0{at_s // _SAME_VIEW_S:.0f}"
    shop.record(
        Event(
            id=hashlib.sha256(named.encode()).hexdigest()[:32],
            type=EventType.VIEW,
            person=person,
            at_s=at_s,
            product_id=product_id,
        )
    )


def record_click(shop: Shop, person: Person, product_id: str, via: Via) -> None:
    """A product was followed from a list; once, however often its address is opened."""
    named = f"{person.id}\0{product_id}\0{via}"
    shop.record(
        Event(
            id=hashlib.sha256(named.encode()).hexdigest()[:32],
            type=EventType.CLICK,
            person=person,
            at_s=time.time(),
            product_id=product_id,
            recommendation_id=via.recommendation_id,
            position=via.position,
        )
    )


def record_shown(shop: Shop, person: Person, recommendation_id: str, product_ids: Sequence[str]) -> None:
    """Products were shown in a list, in this order; all in one batch."""
    at_s = time.time()
    shop.record(
        *(
            Event(
                id=uuid4().hex,
                type=EventType.VIEW,
                person=person,
                at_s=at_s,
                product_id=product_id,
                recommendation_id=recommendation_id,
                position=position,
            )
            for position, product_id in enumerate(product_ids, start=1)
        )
    )


def set_opinion(shop: Shop, person: Person, product_id: str, opinion: str) -> None:
    """Have a person like or dislike a product, or neither, where ``opinion`` is no key of ``OPINIONS``.

    Only the latest stands: what was thought before is erased, not outvoted.

    Raises:
        ProductNotFound: There is no such product.
    """
    shop.product(product_id)
    wanted, had = OPINIONS.get(opinion), shop.opinions(person).get(product_id)
    for each in OPINIONS.values():
        if each is not wanted:
            shop.withdraw(person, each, product_id)
    if wanted is not None and wanted is not had:
        shop.record(Event(id=uuid4().hex, type=wanted, person=person, at_s=time.time(), product_id=product_id))
