"""What visitors do becomes events; without a visitor there are none."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from sartor.events import Event, EventType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.events import Person
    from sartor.shop import Shop

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
