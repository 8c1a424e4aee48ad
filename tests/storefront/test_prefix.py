"""The pages where a proxy has the service below a prefix."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from sartor.events.model import EventType
from sartor.storefront.visitor import COOKIE
from tests.crawling import crawl, paths_of
from tests.fakes import RED, photo
from tests.service.conftest import serving
from tests.storefront.conftest import HERE, HTML, events_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

PREFIX = "/a/sartor"
BELOW = {"X-Forwarded-Prefix": PREFIX}


class Proxy:
    """Takes the prefix off, as a proxy does."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def get(self, address: str, headers: dict[str, str]):  # type: ignore[no-untyped-def]
        answer = self.client.get(
            address.replace(f"http://testserver{PREFIX}", "http://testserver", 1),
            headers={**headers, **BELOW},
            follow_redirects=False,
        )
        if answer.is_redirect:
            location = answer.headers["location"]
            assert location.startswith((f"{PREFIX}/", f"http://testserver{PREFIX}/")), location
            return self.get(f"http://testserver{location.removeprefix('http://testserver')}", headers)
        answer.request.url = answer.request.url.copy_with(raw_path=PREFIX.encode() + answer.request.url.raw_path)
        return answer


@pytest.fixture
def proxied(catalog: Path) -> Iterator[TestClient]:
    with serving(catalog) as client:
        yield client


def test_no_page_points_out_of_the_prefix_nor_to_nothing(proxied: TestClient) -> None:
    name = proxied.post("/search", files={"photo": photo(RED)}, headers=HTML, follow_redirects=False).headers[
        "location"
    ]
    proxied.post("/remember", data={"answer": "yes"}, headers={**HERE, **BELOW}, follow_redirects=False)
    visitor_id = proxied.cookies[COOKIE]
    proxied.cookies.clear()
    proxied.cookies.set(COOKIE, visitor_id)  # the client here asks for the paths that the proxy does
    start = f"http://testserver{PREFIX}/"
    pages = crawl(Proxy(proxied).get, start)
    results = crawl(Proxy(proxied).get, f"{start[:-1]}{name}", limit=1)
    assert (pages.broken, pages.outside) == ({}, {})
    assert results.outside == {} or all(link.startswith(start) for link in results.outside)
    kinds = {path.removeprefix(PREFIX).split("/")[1] for path in paths_of(pages.found)}
    assert {"", "static", "product", "results", "v1", "favorites", "privacy"} <= kinds
    assert paths_of(pages.posts) == {f"{PREFIX}/{form}" for form in ("search", "opinion", "privacy/forget")}


def test_forms_lead_back_below_the_prefix_and_the_cookie_is_its_own(proxied: TestClient) -> None:
    def post(path: str, **fields: str):  # type: ignore[no-untyped-def]
        return proxied.post(path, data=fields, headers={**HTML, **HERE, **BELOW}, follow_redirects=False)

    asked = post("/opinion", like="red", back=f"{PREFIX}/product/red")
    assert asked.headers["location"].startswith(f"{PREFIX}/remember?like=red&back=%2Fa%2Fsartor%2Fproduct%2Fred")
    kept = post("/remember", answer="yes", back=f"{PREFIX}/favorites")
    assert kept.headers["location"] == f"{PREFIX}/favorites"
    assert f"Path={PREFIX}/;" in kept.headers["set-cookie"]
    assert post("/remember", answer="no", back="/elsewhere").headers["location"] == f"{PREFIX}/"
    assert post("/privacy/forget").headers["location"].startswith(f"{PREFIX}/privacy?forgotten=")
    found = proxied.post("/search", files={"photo": photo(RED)}, headers={**HTML, **BELOW}, follow_redirects=False)
    assert found.headers["location"].startswith(f"{PREFIX}/results?photo=")


def test_scripts_and_the_component_know_where_they_are(proxied: TestClient) -> None:
    page = proxied.get("/", headers={**HTML, **BELOW}).text
    assert f'data-root="{PREFIX}"' in page
    folder = re.search(rf'"{PREFIX}(/static/[0-9a-f]+/)main\.js"', page)
    assert folder is not None
    scripts = ("pages", "consent", "opinions", "append", "refine", "upload", "crop")
    for script in (proxied.get(f"{folder[1]}{name}.js").text for name in scripts):
        assert not re.search(r"""(fetch|open|assign|show)\([^)]*['"`]/""", script)
    assert "new URL('.', import.meta.url)" in proxied.get("/sartor-similar.js").text


def test_nobody_looks_at_the_answer_to_head(known: TestClient) -> None:
    before = events_of(known)
    known.head("/product/red")
    known.head("/")
    assert events_of(known) == before
    known.get("/product/red")
    assert [event.product_id for event in events_of(known, EventType.VIEW)][-1:] == ["red"]
