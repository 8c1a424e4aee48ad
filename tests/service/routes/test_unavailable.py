"""What is out of stock is left out of recommendations over HTTP, unless it is asked for."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

import sartor
from sartor import Product, ProductInput
from sartor.events.model import Event, EventType, Person
from tests.fakes import BLUE, RED, photo
from tests.service.conftest import serving

PRODUCTS = {
    "red": (RED, "Shirts", "in stock"),
    "rose": ((250, 10, 10), "Shirts", "Sold Out"),
    "blue": (BLUE, "Jeans", "out_of_stock"),
}


@pytest.fixture
def offering(home: Path) -> Path:
    with sartor.open(home) as shop:
        for name, (color, kind, availability) in PRODUCTS.items():
            attributes = {"product_type": kind, "availability": availability}
            product = Product(id=name, title=name, attributes=attributes)
            shop.put(ProductInput(product=product, photos=[photo(color)]))
            for person in map(Person.user, ("ann", "bob")):
                event_id, now_s = f"{person.id}-{name}", time.time()
                shop.record(Event(id=event_id, type=EventType.LIKE, person=person, at_s=now_s, product_id=name))
    return home


def ids(answer: dict[str, Any]) -> set[str]:
    return {hit["product_id"] for hit in answer["hits"]}


def test_every_route_of_recommendations_leaves_it_out(offering: Path) -> None:
    with serving(offering) as client:
        body = {"products": ["blue"], "k": 9}
        assert ids(client.post("/v1/similar", json=body).json()) == {"red"}
        assert ids(client.post("/v1/similar", json={**body, "include_unavailable": True}).json()) == {
            "red",
            "rose",
        }
        for route, hidden, shown in (
            ("/v1/products/red/similar", set(), {"rose", "blue"}),
            ("/v1/products/red/together", set(), {"rose", "blue"}),
            ("/v1/trending", {"red"}, {"red", "rose", "blue"}),
            ("/v1/visitors/new/recommendations", {"red"}, {"red", "rose", "blue"}),
        ):
            assert ids(client.get(route).json()) == hidden, route
            assert ids(client.get(route, params={"include_unavailable": "true"}).json()) == shown, route
        look = client.get("/v1/products/red/outfit", params={"include_unavailable": "true"}).json()
        assert [piece["product_id"] for piece in look["pieces"]] == ["blue"]
        assert client.get("/v1/products/red/outfit").json()["pieces"] == []
        assert client.get("/v1/products").json()["total"] == 3
