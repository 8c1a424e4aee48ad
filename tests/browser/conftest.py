"""A browser: Debian's Chromium, or Playwright's own; tests of pages skip on a machine with neither."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sartor.config import Settings
from sartor.demo import write_demo_catalog
from sartor.encoders import registry as bundled
from sartor.wiring import open_shop
from tests.browser.serving import BUNDLED, WIDE, Elsewhere, Site, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
PRODUCTS = 36
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as engines:
        path = str(CHROMIUM) if CHROMIUM.exists() else None
        try:
            browser = engines.chromium.launch(executable_path=path, args=FLAGS)
        except playwright.Error as error:
            pytest.skip(f"there is no browser here; install one with: playwright install chromium ({error.name})")
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    server = Elsewhere()
    yield server
    server.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, elsewhere: Elsewhere, chromium: Browser) -> Iterator[Site]:
    catalog = write_demo_catalog(tmp_path_factory.mktemp("demo"), count=PRODUCTS)
    home = tmp_path_factory.mktemp("workspace") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundled, "DIRECTORY", BUNDLED)
        with open_shop(Settings(home=home)) as shop:
            shop.index(catalog.directory)
        with served(home, elsewhere=elsewhere.address) as address:
            photos = tuple(sorted(catalog.queries.glob("*.webp")))
            yield Site(address=address, elsewhere=elsewhere.address, photos=photos)


@pytest.fixture
def opened(site: Site, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page of the service in a browser of its own; what goes wrong in its scripts fails the test."""
    contexts, wrong = [], []

    def open_page(path: str = "/", **options: object) -> Page:
        context = chromium.new_context(**{"viewport": WIDE, "reduced_motion": "reduce"} | options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None
        )
        page.goto(site.address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []
