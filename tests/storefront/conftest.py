"""One service for all tests that only look at pages: opening a workspace takes longer than they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sartor.errors import PersonNotFound
from sartor.events.model import Event, EventType, Person
from sartor.storefront.visitor import COOKIE
from tests.copies import copied
from tests.service.conftest import catalog, full_home, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from sartor.shop import Shop

__all__ = ["catalog", "full_home"]  # fixtures of the service that these tests use, too

HTML = {"Accept": "text/html,application/xhtml+xml"}
HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, full_home: Path) -> Iterator[TestClient]:
    """A client that wants pages, of a service over the catalog."""
    home = copied(full_home, tmp_path_factory.mktemp("storefront") / "home")
    with serving(home) as ready:
        ready.headers.update(HTML)
        yield ready


@pytest.fixture
def visitor(browser: TestClient) -> TestClient:
    """Somebody who was not here before."""
    browser.cookies.clear()
    return browser


@pytest.fixture
def known(visitor: TestClient) -> TestClient:
    """Somebody who agreed to be remembered, and did nothing else yet."""
    visitor.post("/remember", data={"answer": "yes"}, headers=HERE, follow_redirects=False)
    return visitor


def shop_of(browser: TestClient) -> Shop:
    """The shop behind the pages."""
    shop: Shop = browser.app.state.context.shop  # type: ignore[attr-defined]
    return shop


def person_of(browser: TestClient) -> Person:
    """Who the visitor is to the shop."""
    return Person.visitor(browser.cookies[COOKIE])


def events_of(browser: TestClient, kind: EventType | None = None) -> list[Event]:
    """What the shop holds about the visitor."""
    try:
        events = shop_of(browser).person(person_of(browser)).events
    except PersonNotFound:
        return []
    return [event for event in events if kind is None or event.type is kind]
