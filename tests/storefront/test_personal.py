"""Likes, dislikes, rows that depend on the visitor, and the data that is held, shown and erased."""

from __future__ import annotations

import re
import time
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from sartor.errors import PersonNotFound
from sartor.events.model import Event, EventType, Person
from sartor.storefront.visitor import COOKIE
from tests.service.conftest import serving
from tests.storefront.conftest import HERE, HTML, events_of, person_of, shop_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

NOW_S = 1_800_000_000.0
VIA = "0123456789abcdef" * 2


@pytest.fixture
def fresh(catalog: Path) -> Iterator[TestClient]:
    """A visitor who agreed, at a shop where nothing happened yet."""
    with serving(catalog) as ready:
        ready.headers.update(HTML)
        ready.post("/remember", data={"answer": "yes"}, headers=HERE)
        yield ready


def opine(browser: TestClient, kind: str, product: str) -> None:
    answer = browser.post("/opinion", data={kind: product, "back": "/"}, headers=HERE, follow_redirects=False)
    assert answer.status_code == 303


def row(browser: TestClient, name: str, path: str = "/") -> list[str]:
    """Ids of the products of a row; empty where the page has no such row."""
    section = re.search(rf'<section class="band rail-band {name}".*?</section>', browser.get(path).text, re.DOTALL)
    return [unescape(text) for text in re.findall(r'data-product="([^"]*)"', section[0])] if section else []


def lists_shown_to(browser: TestClient) -> list[dict[int | None, str]]:
    """What was shown at which position of each list, the last list last."""
    lists: dict[str, dict[int | None, str]] = {}
    for event in events_of(browser, EventType.VIEW):
        if event.is_impression:
            lists.setdefault(event.recommendation_id, {})[event.position] = event.product_id
    return list(lists.values())


def looked_at(browser: TestClient) -> list[str]:
    return [event.product_id for event in events_of(browser, EventType.VIEW) if not event.is_impression]


def opinion_of(browser: TestClient, product: str, path: str) -> str:
    found = re.search(rf'data-of="{product}" data-opinion="([^"]*)"', browser.get(path).text)
    assert found is not None
    return found[1]


def test_a_heart_is_pressed_everywhere_and_released(known: TestClient) -> None:
    opine(known, "like", "green")
    for path in ("/", "/results?product=blue", "/product/green", "/favorites"):
        assert opinion_of(known, "green", path) == "like"
        assert re.search(r'name="undo" value="green" aria-pressed="true"', known.get(path).text)
    assert 'id="favorites-count">1<' in known.get("/").text
    opine(known, "undo", "green")
    assert opinion_of(known, "green", "/product/green") == ""
    assert "Nothing here yet" in known.get("/favorites").text
    assert events_of(known, EventType.LIKE) == []


def test_only_the_latest_opinion_stands(known: TestClient) -> None:
    for kind in ("like", "like", "dislike", "like", "dislike"):
        opine(known, kind, "red")
    assert len(events_of(known, EventType.DISLIKE)) == 1
    assert events_of(known, EventType.LIKE) == []


def test_a_script_is_told_what_stands_now(known: TestClient) -> None:
    script = {**HERE, "Accept": "application/json"}
    assert known.post("/opinion", data={"like": "red"}, headers=script).json() == {
        "opinion": "like",
        "favorites": 1,
    }
    assert known.post("/opinion", data={"undo": "red"}, headers=script).json() == {"opinion": "", "favorites": 0}
    assert known.post("/remember", data={"answer": "yes", "like": "blue"}, headers=script).json() == {
        "remembered": True,
        "opinion": "like",
        "favorites": 1,
    }


def test_what_is_not_for_them_is_marked_and_can_be_taken_back(known: TestClient) -> None:
    opine(known, "dislike", "blue")
    assert opinion_of(known, "blue", "/") == "dislike"
    page = known.get("/favorites").text
    assert "Not for you" in page.partition("dismissed-title")[2]
    opine(known, "undo", "blue")
    assert "dismissed-title" not in known.get("/favorites").text


def test_favorites_lead_to_more_like_them(known: TestClient) -> None:
    for product in ("red", "navy/1 & more"):
        opine(known, "like", product)
    page = known.get("/favorites")
    (address,) = re.findall(r'<a class="text-link" href="([^"]*)"', page.text)
    assert unescape(address) == f"/results?like={quote('navy/1 & more', safe='').replace('%20', '+')}&like=red"
    assert known.get(unescape(address)).status_code == 200


def test_a_history_makes_a_row_and_a_dislike_leaves_it_at_once(known: TestClient) -> None:
    assert row(known, "for-you") == []
    opine(known, "like", "red")
    shown = row(known, "for-you")
    assert shown
    assert "ecause you liked A red thing" in known.get("/").text
    opine(known, "dislike", shown[0])
    assert shown[0] not in row(known, "for-you")


def test_what_was_shown_for_them_is_kept_with_its_place(known: TestClient) -> None:
    opine(known, "like", "red")
    shown = row(known, "for-you")
    assert lists_shown_to(known)[-1] == dict(enumerate(shown, start=1))


def test_what_is_trending_stands_for_it_until_then_and_is_kept_too(fresh: TestClient) -> None:
    liked = Event(id="e", type=EventType.LIKE, person=Person.user("u"), at_s=time.time(), product_id="green")
    shop_of(fresh).record(liked)
    assert row(fresh, "trending") == ["green"]
    assert lists_shown_to(fresh) == [{1: "green"}]
    assert re.search(r'href="/product/green\?via=[0-9a-f]{32}\.1"', fresh.get("/").text)


def test_following_it_is_a_click_under_a_clean_address(known: TestClient) -> None:
    opine(known, "like", "red")
    page = known.get("/").text
    href = unescape(re.findall(r'href="(/product/[^"]*\?via=[^"]*)"', page)[0])
    assert re.fullmatch(r"/product/.*\?via=[0-9a-f]{32}\.1", href)
    for _ in range(2):
        answer = known.get(href, headers=HERE, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, href.partition("?")[0])
    (click,) = events_of(known, EventType.CLICK)
    assert f"{click.recommendation_id}.{click.position}" == href.partition("?via=")[2]


@pytest.mark.parametrize("via", ["", "x", VIA, f"{VIA}.0", f"{VIA}.1000", f"{VIA}.1.1", f"{VIA.upper()}.1"])
def test_a_place_that_no_list_has_is_only_left_out(known: TestClient, via: str) -> None:
    answer = known.get("/product/red", params={"via": via}, headers=HERE, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/product/red")
    assert events_of(known, EventType.CLICK) == []


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Referer": "https://evil.example/"}])
def test_links_elsewhere_make_no_clicks(known: TestClient, headers: dict[str, str]) -> None:
    known.get(f"/product/red?via={VIA}.1", headers=headers)
    assert events_of(known, EventType.CLICK) == []


def test_a_page_is_looked_at_once_however_often_it_loads(
    known: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sartor.storefront.visitor.time.time", lambda: NOW_S)
    known.get("/product/red", headers={"Sec-Purpose": "prefetch;prerender"})
    assert looked_at(known) == []
    known.get("/product/red")
    known.get("/product/red")
    assert looked_at(known) == ["red"]
    assert known.get("/product/nothing").status_code == 404
    assert looked_at(known) == ["red"]


def test_what_was_looked_at_last_comes_first_and_never_on_its_own_page(known: TestClient) -> None:
    for product in ("red", "green", "blue"):
        known.get(f"/product/{product}")
    assert row(known, "recent") == ["blue", "green", "red"]
    assert row(known, "recent", "/product/blue") == ["green", "red"]


def test_what_is_trending_is_shown_once_anybody_did_anything(fresh: TestClient) -> None:
    assert row(fresh, "trending") == []
    opine(fresh, "like", "green")
    fresh.cookies.clear()
    assert row(fresh, "trending") == ["green"]


def test_what_is_bought_together_stands_on_the_page(fresh: TestClient) -> None:
    assert row(fresh, "together", "/product/red") == []
    shop_of(fresh).record(
        *(
            Event(
                id=f"{basket}-{product}",
                type=EventType.PURCHASE,
                person=Person.user(f"u{basket}"),
                at_s=NOW_S,
                product_id=product,
                basket_id=f"b{basket}",
            )
            for basket in range(5)
            for product in ("red", "navy/1 & more")
        )
    )
    assert row(fresh, "together", "/product/red") == ["navy/1 & more"]
    assert "Often bought together" in fresh.get("/product/red").text


@pytest.mark.parametrize("broken", ["for_user", "trending", "together", "recently_viewed", "opinions", "record"])
def test_a_page_does_without_what_cannot_be_had(
    known: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    opine(known, "like", "red")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(broken)

    monkeypatch.setattr(type(shop_of(known)), broken, fail)
    if broken == "trending":
        known.cookies.clear()
    for path in ("/", "/product/red"):
        assert known.get(path).status_code == 200
    assert "left out of a page" in caplog.text


@pytest.mark.parametrize("path", ["/", "/results?product=red", "/product/red", "/favorites", "/privacy"])
def test_pages_of_somebody_are_kept_nowhere(known: TestClient, path: str) -> None:
    assert known.get(path).headers["cache-control"] == "private, no-store"
    known.cookies.clear()
    kept = "private, no-store" if path in ("/favorites", "/privacy") else "private, no-cache"
    assert known.get(path).headers["cache-control"] == kept


def test_an_event_is_about_whoever_has_the_cookie(known: TestClient) -> None:
    known.get("/product/red")
    assert {event.person for event in events_of(known)} == {person_of(known)}


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


def test_dislikes_that_are_not_shown_are_counted(fresh: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.storefront.personal.MAX_DISMISSED", 1)
    for product in ("red", "green", "blue"):
        opine(fresh, "dislike", product)
    assert "And 2 more, which are kept out as well." in fresh.get("/favorites").text
