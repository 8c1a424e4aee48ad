"""Visitors: the cookie that identifies a browser after consent, and the events that its visits become.

Without consent there is no cookie, no person, and no event.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit
from uuid import uuid4

from fastapi import Depends, Request

from sartor.events.model import Event, EventType, Person
from sartor.limits import COOKIE_AGE_S, MAX_RETURN_PATH_CHARS
from sartor.service.forwarding import is_head
from sartor.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from sartor.shop import Shop

COOKIE, ANSWER_COOKIE = "sartor_visitor", "sartor_consent"
REFUSED = "no"
PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Accept, Cookie"}
OPINIONS = {"like": EventType.LIKE, "dislike": EventType.DISLIKE}
_ID_BYTES = 16
_ID = re.compile(r"[0-9a-f]{32}")
_SAME_VIEW_S = 30  # a page that is loaded again within this time is one view
_REFERRAL = re.compile(r"([0-9a-f]{32})\.([1-9][0-9]{0,2})")


class NotSameOrigin(Problem):
    """A page of another site asks for a change."""

    def __init__(self) -> None:
        super().__init__(
            403, "not-from-here", "this can only be done from a page of this shop; open it and try again"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The browser behind a request, identified by a random cookie if it gave consent.

    Attributes:
        id: The cookie's 32 hex digits; empty without consent.
        has_answered: Whether consent was given or refused, by the shopper or for them by the browser.
        is_looking: Whether anybody sees the answer; nobody does that of HEAD, nor yet what is loaded in advance.
        url: Path and query of the page that is looked at.
        root: What the paths of the shop begin with, where a proxy has it below a prefix; else empty.
    """

    id: str = ""
    has_answered: bool = False
    is_looking: bool = True
    url: str = "/"
    root: str = ""

    @property
    def person(self) -> Person | None:
        """The person whose events are recorded; None without consent."""
        return Person.visitor(self.id) if self.id else None

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of a page that depends on the visitor: no cache may keep it."""
        return PRIVATE if self.id else {}


async def visitor_of(request: Request) -> Visitor:
    """The visitor who sent a request. A cookie that was not made here is ignored."""
    cookie = request.cookies.get(COOKIE, "")
    visitor_id = cookie if _ID.fullmatch(cookie) else ""
    has_refused = request.cookies.get(ANSWER_COOKIE) == REFUSED or request.headers.get("sec-gpc") == "1"
    query = request.url.query
    return Visitor(
        id=visitor_id,
        has_answered=bool(visitor_id) or has_refused,
        is_looking=not is_prefetch(request) and not is_head(request.scope),
        root=root_of(request),
        url=f"{request.url.path}?{query}" if query else request.url.path,
    )


Visiting = Annotated[Visitor, Depends(visitor_of)]


def new_visitor_id() -> str:
    """A random id that nobody can guess."""
    return secrets.token_hex(_ID_BYTES)


def set_visitor_cookie(response: Response, request: Request, visitor_id: str) -> None:
    """Make the browser keep its id, after consent."""
    response.set_cookie(COOKIE, visitor_id, max_age=COOKIE_AGE_S, **_cookie_options(request))
    response.delete_cookie(ANSWER_COOKIE, **_cookie_options(request))


def set_refusal_cookie(response: Response, request: Request) -> None:
    """Make the browser keep, until it is closed, that consent was refused."""
    response.set_cookie(ANSWER_COOKIE, REFUSED, **_cookie_options(request))


def delete_visitor_cookie(response: Response, request: Request) -> None:
    """Make the browser forget its id."""
    response.delete_cookie(COOKIE, **_cookie_options(request))


def _cookie_options(request: Request) -> dict[str, Any]:
    return {
        "path": f"{root_of(request)}/",
        "secure": request.url.scheme == "https",
        "httponly": True,
        "samesite": "lax",
    }


def is_same_origin(request: Request) -> bool:
    """Whether a page of this shop sent a request; False if the browser does not say.

    ``Sec-Fetch-Site``, which no page can set, decides where browsers send it: over HTTPS, and on this machine.
    Elsewhere ``Origin`` decides, which browsers send with every POST, or ``Referer``, which our pages ask for.

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


async def require_same_origin(request: Request) -> None:
    """A dependency that refuses requests from pages of other sites.

    Raises:
        NotSameOrigin: The request is not known to come from a page of this shop.
    """
    if not is_same_origin(request):
        raise NotSameOrigin


def is_prefetch(request: Request) -> bool:
    """Whether the browser only loads a page in advance, before anybody looks at it."""
    return "prefetch" in request.headers.get("sec-purpose", request.headers.get("purpose", "")).lower()


def root_of(request: Request) -> str:
    """What the paths of the shop begin with, where a proxy has it below a prefix; else empty."""
    root: str = request.scope.get("root_path", "")
    return root


def local_path(address: str, root: str = "") -> str:
    """An address to return to if it is a path of this shop, else the home page."""
    is_path = (
        address.startswith(f"{root}/") and not address.startswith("//") and len(address) <= MAX_RETURN_PATH_CHARS
    )
    return address if is_path and "\\" not in address and address.isprintable() else f"{root}/"


@dataclass(frozen=True, slots=True)
class Referral:
    """The recommendation that a link to a product is part of, and its position there, from 1."""

    recommendation_id: str
    position: int

    @classmethod
    def parse(cls, text: str) -> Referral | None:
        """Parse the query of a link; None if it is not one of ours."""
        match = _REFERRAL.fullmatch(text)
        return cls(match[1], int(match[2])) if match else None

    def __str__(self) -> str:
        return f"{self.recommendation_id}.{self.position}"


def record_view(shop: Shop, person: Person, product_id: str, *, now_s: float | None = None) -> None:
    """Record that a product's page was looked at. A reload is the same view."""
    at_s = time.time() if now_s is None else now_s
    event_id = _digest(person.id, product_id, f"{at_s // _SAME_VIEW_S:.0f}")
    shop.record(Event(id=event_id, type=EventType.VIEW, person=person, at_s=at_s, product_id=product_id))


def record_click(shop: Shop, person: Person, product_id: str, referral: Referral) -> None:
    """Record that a product was followed from a recommendation, once however often its link is opened."""
    shop.record(
        Event(
            id=_digest(person.id, product_id, str(referral)),
            type=EventType.CLICK,
            person=person,
            at_s=time.time(),
            product_id=product_id,
            recommendation_id=referral.recommendation_id,
            position=referral.position,
        )
    )


def record_impressions(shop: Shop, person: Person, recommendation_id: str, product_ids: Sequence[str]) -> None:
    """Record in one batch that products were shown in a recommendation, in this order."""
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
    """Make a person like or dislike a product; an ``opinion`` that is no key of ``OPINIONS`` is neither.

    Only the latest opinion is kept: the event of a former one is erased, not outvoted.

    Raises:
        ProductNotFound: There is no such product.
    """
    shop.product(product_id)
    new, former = OPINIONS.get(opinion), shop.opinions(person).get(product_id)
    for type_ in OPINIONS.values():
        if type_ is not new:
            shop.withdraw(person, type_, product_id)
    if new is not None and new is not former:
        shop.record(Event(id=uuid4().hex, type=new, person=person, at_s=time.time(), product_id=product_id))


def _digest(*parts: str) -> str:
    """The id of an event that is recorded once."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
