"""What is held about a visitor: shown, handed over, erased."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from sartor.errors import PersonNotFound
from sartor.events.model import Event, EventType
from sartor.storefront.visitor import COOKIE
from tests.storefront.conftest import HERE, events_of, person_of, shop_of

if TYPE_CHECKING:
    from starlette.testclient import TestClient


def test_a_stranger_is_told_that_nothing_is_held(visitor: TestClient) -> None:
    page = visitor.get("/privacy")
    assert "holds nothing about you" in page.text
    assert 'value="yes"' in page.text
    assert visitor.get("/privacy/data.json").json() == {"visitor_id": None, "events": []}


def test_a_yes_alone_is_only_a_number(known: TestClient) -> None:
    assert "nothing else yet" in known.get("/privacy").text
    assert known.get("/privacy/data.json").json() == {"visitor_id": known.cookies[COOKIE], "events": []}


def test_what_is_held_is_counted(known: TestClient) -> None:
    known.get("/product/red")
    known.post("/opinion", data={"like": "red"}, headers=HERE)
    known.post("/opinion", data={"dislike": "blue"}, headers=HERE)
    shop_of(known).record(
        Event(id="old", type=EventType.VIEW, person=person_of(known), at_s=0.0, product_id="green")
    )
    page = known.get("/privacy").text
    counted = dict(re.findall(r"<dt>(.*?)</dt><dd>(\d+)</dd>", page))
    assert {name: counted[name] for name in ("Products looked at", "Like", "“Not for me”")} == {
        "Products looked at": "2",
        "Like": "1",
        "“Not for me”": "1",
    }
    assert "from January 1, 1970 to " in page


def test_all_of_it_is_handed_over(known: TestClient) -> None:
    known.post("/opinion", data={"like": "navy/1 & more"}, headers=HERE, follow_redirects=False)
    answer = known.get("/privacy/data.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["cache-control"] == "private, no-store"
    (event,) = answer.json()["events"]
    assert event["type"] == "like"
    assert event["product_id"] == "navy/1 & more"
    assert event["visitor_id"] == known.cookies[COOKIE]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", event["timestamp"])
    assert set(event) == {"event_id", "type", "visitor_id", "product_id", "timestamp"}


def test_forget_me_erases_all_and_says_so(known: TestClient) -> None:
    known.get("/product/red")
    known.post("/opinion", data={"like": "red"}, headers=HERE)
    person, count = person_of(known), len(events_of(known))
    page = known.post("/privacy/forget", headers=HERE)
    assert page.url.path == "/privacy"
    assert f"{count} entries" in page.text
    assert "You are forgotten" in page.text
    assert COOKIE not in known.cookies
    with pytest.raises(PersonNotFound):
        shop_of(known).person(person)
    assert "holds nothing about you" in known.get("/privacy").text
    assert "data-consent-note" in known.get("/").text


def test_forgetting_nothing_is_fine(known: TestClient) -> None:
    page = known.post("/privacy/forget", headers=HERE)
    assert "Nothing was held" in page.text
    assert COOKIE not in known.cookies
    assert known.post("/privacy/forget", headers=HERE).status_code == 200


@pytest.mark.parametrize("number", ["x", "-1", "9" * 12, "\u0661"])
def test_nobody_is_told_a_number_that_is_none(visitor: TestClient, number: str) -> None:
    assert "You are forgotten" not in visitor.get("/privacy", params={"forgotten": number}).text


def test_who_is_held_is_not_told_to_be_forgotten(known: TestClient) -> None:
    assert "You are forgotten" not in known.get("/privacy?forgotten=3").text
