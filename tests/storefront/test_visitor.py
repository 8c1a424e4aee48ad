"""Consent, the cookie that it allows, and who may change anything: pages of this shop alone."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

import pytest

from sartor.events.model import EventType, Person
from sartor.limits import COOKIE_AGE_S
from sartor.storefront.visitor import COOKIE, local_path
from tests.service.conftest import serving
from tests.storefront.conftest import HERE, HTML, shop_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx import Response
    from starlette.testclient import TestClient

POSTS = [
    ("/opinion", {"like": "red"}),
    ("/remember", {"answer": "yes", "like": "red"}),
    ("/remember", {"answer": "no"}),
    ("/privacy/forget", {}),
]
ELSEWHERE = [
    {},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://[", "Referer": "http://testserver/"},
    {"Referer": "https://evil.example/?http://testserver/"},
]


@pytest.fixture
def fresh(catalog: Path) -> Iterator[TestClient]:
    """A browser at a shop where nothing happened yet."""
    with serving(catalog) as ready:
        ready.headers.update(HTML)
        yield ready


def cookies_of(answer: Response) -> SimpleCookie:
    cookies = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        cookies.load(line)
    return cookies


def test_without_a_yes_nothing_is_kept_anywhere(fresh: TestClient) -> None:
    for path in (
        "/",
        "/results?product=red",
        "/product/red",
        "/product/blue?via=" + "0" * 32 + ".1",
        "/favorites",
    ):
        assert "set-cookie" not in fresh.get(path).headers
    fresh.post("/opinion", data={"like": "red"}, headers=HERE)
    assert shop_of(fresh).event_counts().events == 0


def test_the_question_is_put_quietly_until_it_is_answered(fresh: TestClient) -> None:
    assert "data-consent-note" in fresh.get("/").text
    assert "data-consent-note" not in fresh.get("/?q=shirt").text
    assert "data-consent-note" not in fresh.get("/", headers={"Sec-GPC": "1"}).text
    fresh.post("/remember", data={"answer": "no"}, headers=HERE)
    assert "data-consent-note" not in fresh.get("/").text


def test_both_answers_weigh_the_same(visitor: TestClient) -> None:
    form = re.search(r'<form class="answers".*?</form>', visitor.get("/").text, re.DOTALL)
    assert form is not None
    buttons = re.findall(r'<button (.*?) value="(?:yes|no)">', form[0])
    assert len(buttons) == 2
    assert buttons[0] == buttons[1]


def test_a_heart_of_a_stranger_leads_to_the_question(visitor: TestClient) -> None:
    answer = visitor.post(
        "/opinion", data={"like": "navy/1 & more", "back": "/?q=x"}, headers=HERE, follow_redirects=False
    )
    assert answer.status_code == 303
    page = visitor.get(answer.headers["location"])
    assert '<input type="hidden" name="like" value="navy/1 &amp; more">' in page.text
    assert '<input type="hidden" name="back" value="/?q=x">' in page.text
    assert "random number" in page.text
    assert "erased" in page.text


def test_a_script_is_told_that_the_question_comes_first(visitor: TestClient) -> None:
    answer = visitor.post("/opinion", data={"like": "red"}, headers={**HERE, "Accept": "application/json"})
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:sartor:problem:needs-consent"


def test_a_yes_makes_a_number_and_does_what_was_wished_for(visitor: TestClient) -> None:
    asked = {"answer": "yes", "like": "red", "back": "/product/red"}
    answer = visitor.post("/remember", data=asked, headers=HERE, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/product/red")
    cookie = cookies_of(answer)[COOKIE]
    assert re.fullmatch("[0-9a-f]{32}", cookie.value)
    assert cookie["httponly"]
    assert cookie["samesite"].lower() == "lax"
    assert cookie["path"] == "/"
    assert not cookie["secure"]
    assert int(cookie["max-age"]) == COOKIE_AGE_S <= 393 * 86_400
    opinions = shop_of(visitor).opinions(Person.visitor(cookie.value))
    assert opinions == {"red": EventType.LIKE}


def test_over_https_the_cookie_is_never_sent_in_the_clear(visitor: TestClient) -> None:
    answer = visitor.post(
        "https://testserver/remember", data={"answer": "yes"}, headers=HERE, follow_redirects=False
    )
    assert cookies_of(answer)[COOKIE]["secure"]


def test_two_visitors_have_two_numbers(visitor: TestClient) -> None:
    numbers = set()
    for _ in range(2):
        visitor.cookies.clear()
        answer = visitor.post("/remember", data={"answer": "yes"}, headers=HERE, follow_redirects=False)
        numbers.add(cookies_of(answer)[COOKIE].value)
    assert len(numbers) == 2


def test_a_no_is_a_cookie_of_the_session_that_names_nobody(visitor: TestClient) -> None:
    answer = visitor.post(
        "/remember", data={"answer": "no", "like": "red", "back": "/"}, headers=HERE, follow_redirects=False
    )
    (name, cookie), *others = cookies_of(answer).items()
    assert (name, cookie.value, cookie["max-age"], cookie["expires"]) == ("sartor_consent", "no", "", "")
    assert others == []
    liked = visitor.post("/opinion", data={"like": "red"}, headers=HERE, follow_redirects=False)
    assert liked.headers["location"].startswith("/remember?like=red")


def test_a_yes_is_kept_when_it_is_given_again(known: TestClient) -> None:
    before = known.cookies[COOKIE]
    for said in ("yes", "no"):
        answer = known.post("/remember", data={"answer": said}, headers=HERE, follow_redirects=False)
        assert "set-cookie" not in answer.headers
    assert known.cookies[COOKIE] == before
    assert (
        known.get("/remember?like=red&back=/product/red", follow_redirects=False).headers["location"]
        == "/product/red"
    )


@pytest.mark.parametrize("number", ["", "x", "0" * 31, "G" * 32, "0" * 33, "../../etc", "ABCDEF" + "0" * 26])
def test_a_number_that_was_not_made_here_is_none(visitor: TestClient, number: str) -> None:
    answer = visitor.post(
        "/opinion", data={"like": "red"}, headers={**HERE, "Cookie": f"{COOKIE}={number}"}, follow_redirects=False
    )
    assert answer.headers["location"].startswith("/remember?")


@pytest.mark.parametrize("headers", ELSEWHERE)
@pytest.mark.parametrize(("path", "fields"), POSTS)
def test_no_other_site_changes_anything(
    known: TestClient, path: str, fields: dict[str, str], headers: dict[str, str]
) -> None:
    before = shop_of(known).event_counts()
    answer = known.post(path, data=fields, headers=headers, follow_redirects=False)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert "can only be done from a page of this shop" in answer.text
    assert shop_of(known).event_counts() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://testserver"},
        {"Referer": "http://testserver/product/red"},
    ],
)
def test_pages_of_the_shop_do(known: TestClient, headers: dict[str, str]) -> None:
    answer = known.post("/opinion", data={"like": "red"}, headers=headers, follow_redirects=False)
    assert answer.status_code == 303


@pytest.mark.parametrize("path", ["/opinion", "/privacy/forget"])
def test_nothing_is_changed_by_following_a_link(known: TestClient, path: str) -> None:
    assert known.get(f"{path}?like=red", headers=HERE).status_code == 405


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("/product/a%20b?x=1", True),
        ("/", True),
        ("", False),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("https://evil.example/", False),
        ("javascript:alert(1)", False),
        ("/a\r\nSet-Cookie: x=1", False),
        ("/" + "x" * 5000, False),
    ],
)
def test_only_addresses_of_the_shop_are_returned_to(address: str, kept: bool) -> None:
    assert local_path(address) == (address if kept else "/")


def test_forms_that_say_nothing_are_refused(known: TestClient) -> None:
    assert known.post("/opinion", data={"back": "/"}, headers=HERE).status_code == 422
    assert known.post("/opinion", data={"like": "x" * 5000}, headers=HERE).status_code == 422
    assert known.post("/opinion", data={"like": "nothing"}, headers=HERE).status_code == 404
    assert known.post("/opinion", data={f"f{n}": "1" for n in range(20)}, headers=HERE).status_code == 400
    assert known.post("/remember", data={"answer": "maybe"}, headers=HERE).status_code == 422
    assert known.get("/remember", params={"like": "x"}, follow_redirects=False).status_code == 303


def test_the_limits_hold_for_these_pages_too(catalog: Path) -> None:
    with serving(catalog, max_request_bytes=2000, rate_per_minute=3) as browser:
        browser.headers.update({**HTML, **HERE})
        assert browser.post("/opinion", data={"like": "x" * 5000}).status_code == 413
        answers = [browser.post("/opinion", data={"like": "red"}, follow_redirects=False) for _ in range(4)]
        assert answers[-1].status_code == 429


def test_without_the_storefront_there_is_no_visitor(catalog: Path) -> None:
    with serving(catalog, storefront=False) as browser:
        for path, fields in POSTS:
            assert browser.post(path, data=fields, headers=HERE).status_code == 404
        assert browser.get("/privacy/data.json").status_code == 404
