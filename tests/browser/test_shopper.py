"""A shopper without an account, in a browser: asked once, remembered after a yes, forgotten on demand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sartor.storefront.visitor import COOKIE
from tests.browser.serving import BUNDLED, PHONE, WIDE, Site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.skipif(not BUNDLED.exists(), reason="sartor-v1 is not in this checkout")


def card(page: Page, place: int) -> Locator:
    return page.locator("#grid .card").nth(place)


def product_of(found: Locator) -> str:
    return str(found.get_attribute("data-product"))


def cookies(page: Page) -> dict[str, str]:
    return {each["name"]: each["value"] for each in page.context.cookies()}


def rail(page: Page, name: str) -> list[str]:
    cards = page.locator(f"#{name} .card")
    return [product_of(each) for each in cards.all()]


def agree(page: Page, place: int = 0) -> str:
    """Like a product, and say yes to the question over the page; returns its id."""
    product = product_of(card(page, place))
    card(page, place).locator(".like").click()
    page.locator("dialog.ask").get_by_role("button", name="Remember me here").click()
    page.wait_for_selector("dialog.ask", state="detached")
    return product


def saved(page: Page, opinion: str, act: Callable[[], None]) -> None:
    """Do something, and wait until the shop has it."""
    with page.expect_response(lambda answer: answer.url.endswith("/opinion")) as answer:
        act()
    assert answer.value.json()["opinion"] == opinion


def test_a_heart_asks_first_and_is_kept_after_a_yes(opened: Callable[..., Page], site: Site) -> None:
    page = opened()
    assert cookies(page) == {}
    heart = card(page, 2).locator(".like")
    heart.click()
    dialog = page.locator("dialog.ask")
    dialog.wait_for()
    assert "random number" in dialog.inner_text()
    assert heart.get_attribute("aria-pressed") == "false"
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.ask", state="detached")
    assert cookies(page) == {}
    product = agree(page, 2)
    assert set(cookies(page)) == {COOKIE}
    assert heart.get_attribute("aria-pressed") == "true"
    assert page.locator("#favorites-count").inner_text() == "1"
    assert page.locator("[data-consent-note]").count() == 0
    assert page.evaluate("document.cookie") == ""  # no script reads it
    assert page.evaluate("Object.keys({ ...localStorage, ...sessionStorage })") == []
    page.reload()
    assert page.locator(f"#grid [data-of='{product}'] .like").get_attribute("aria-pressed") == "true"


def test_favorites_for_you_and_forget_me(opened: Callable[..., Page], site: Site, tmp_path: Path) -> None:
    page = opened()
    liked = agree(page)
    saved(page, "like", card(page, 5).locator(".like").click)
    page.get_by_role("link", name="Favorites").first.click()
    page.wait_for_url("**/favorites")
    assert page.locator("#grid .card").count() == 2
    page.locator(".card-title a").first.click()
    page.wait_for_url("**/product/*")
    page.goto(site.address)
    chosen = rail(page, "for-you")
    assert len(chosen) >= 4
    assert liked not in chosen
    assert all(page.locator("#for-you .note").all_inner_texts())  # each says why it is there
    assert len(rail(page, "recent")) == 1

    first = page.locator("#for-you .card").first
    first.hover()
    saved(page, "dislike", first.locator(".pass").click)
    assert first.get_by_role("button", name="Undo").is_visible()
    assert page.evaluate("document.activeElement.className") == "undo"
    page.reload()
    assert chosen[0] not in rail(page, "for-you")

    second = page.locator("#for-you .card").nth(1)
    product = product_of(second)
    second.locator(".card-title a").click()
    page.wait_for_selector(".product h1")
    assert page.url == f"{site.address}/product/{product}"

    page.get_by_role("link", name="Your data").click()
    page.wait_for_url("**/privacy")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all of it").click()
    download.value.save_as(tmp_path / "mine.json")
    held = json.loads((tmp_path / "mine.json").read_text(encoding="utf-8"))
    assert held["visitor_id"] == cookies(page)[COOKIE]
    kinds = {event["type"] for event in held["events"]}
    assert {"like", "dislike", "view", "click"} <= kinds
    (click,) = [event for event in held["events"] if event["type"] == "click"]
    assert (click["product_id"], click["position"]) == (product, 2)
    page.get_by_role("button", name="Forget me").click()
    page.wait_for_selector("#forgotten")
    assert f"{len(held['events'])} entries" in page.inner_text("#forgotten")
    assert cookies(page) == {}
    page.goto(site.address)
    assert rail(page, "for-you") == rail(page, "recent") == []
    assert page.locator("[aria-pressed=true][name]").count() == 0


def test_the_same_without_javascript(opened: Callable[..., Page], site: Site) -> None:
    page = opened("/", java_script_enabled=False)
    product = product_of(card(page, 1))
    card(page, 1).locator(".like").click()
    page.wait_for_url("**/remember?like=*")
    page.get_by_role("button", name="Remember me here").click()
    page.wait_for_url(f"{site.address}/")
    assert set(cookies(page)) == {COOKIE}
    assert page.locator(f"#grid [data-of='{product}'] .like").get_attribute("aria-pressed") == "true"
    chosen = rail(page, "for-you")
    page.locator("#for-you .card").first.hover()
    page.locator("#for-you .card .pass").first.click()
    page.wait_for_load_state()
    assert chosen[0] not in rail(page, "for-you")
    page.goto(f"{site.address}/favorites")
    assert page.locator("#grid .card").count() == 1
    page.get_by_role("button", name="Undo").click()
    page.wait_for_load_state()
    assert page.get_by_role("button", name="Undo").count() == 0
    page.get_by_role("link", name="Your data").click()
    page.get_by_role("button", name="Forget me").click()
    page.wait_for_url("**/privacy?forgotten=*")
    assert cookies(page) == {}


@pytest.mark.parametrize("script", [True, False])
def test_no_thanks_is_taken_at_its_word(opened: Callable[..., Page], site: Site, script: bool) -> None:
    page = opened("/", java_script_enabled=script)
    page.get_by_role("button", name="No thanks").click()
    page.wait_for_selector("[data-consent-note]", state="detached")
    assert cookies(page) == {"sartor_consent": "no"}
    page.goto(f"{site.address}/privacy")
    assert "holds nothing about you" in page.inner_text("main")
    page.goto(site.address)
    assert page.locator("[data-consent-note]").count() == 0


def test_a_heart_that_is_not_saved_is_taken_back_and_says_so(opened: Callable[..., Page]) -> None:
    page = opened()
    agree(page)
    heart = card(page, 3).locator(".like")
    page.route("**/opinion", lambda route: route.abort())
    heart.click()
    page.wait_for_selector("#toast:not([hidden])")
    assert heart.get_attribute("aria-pressed") == "false"
    assert "not saved" in page.inner_text("#toast")
    page.unroute("**/opinion")
    saved(page, "like", heart.click)
    assert page.locator("#favorites-count").inner_text() == "2"


def test_a_cookie_that_is_gone_leads_to_the_question_again(opened: Callable[..., Page]) -> None:
    page = opened()
    agree(page)
    page.context.clear_cookies()
    heart = card(page, 3).locator(".like")
    heart.click()
    page.wait_for_selector("dialog.ask")
    assert heart.get_attribute("aria-pressed") == "false"


def test_quick_presses_end_as_the_last_one(opened: Callable[..., Page]) -> None:
    page = opened()
    agree(page)
    heart = card(page, 4).locator(".like")
    for _ in range(5):
        heart.click()
    page.wait_for_function("() => document.getElementById('favorites-count').textContent === '2'")
    page.reload()
    assert card(page, 4).locator(".like").get_attribute("aria-pressed") == "true"


def test_a_shopper_is_at_home_on_a_phone(opened: Callable[..., Page], site: Site) -> None:
    page = opened("/", viewport=PHONE, is_mobile=True, has_touch=True)
    wide = f"document.documentElement.scrollWidth - {PHONE['width']}"
    assert page.evaluate(wide) <= 0
    agree(page)
    saved(page, "dislike", card(page, 4).locator(".pass").tap)
    product = product_of(card(page, 0))
    for path in ("/", f"/product/{product}", "/favorites", "/privacy"):
        page.goto(site.address + path)
        assert page.evaluate(wide) <= 0, path
        small = page.locator(".opinion button:visible, .answers button:visible, .masthead a:visible").evaluate_all(
            "all => all.map(each => each.getBoundingClientRect()).filter(box => box.height < 43.9)"
        )
        assert small == [], path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Callable[..., Page], site: Site, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is not installed")
    page = opened("/", color_scheme=scheme, viewport=WIDE)
    rules = {} if scheme == "light" else {"runOnly": ["color-contrast"]}  # all else is as in the light
    found = []

    def check(where: str) -> None:
        page.evaluate(axe.AXE_SCRIPT)
        report = page.evaluate("rules => axe.run({ resultTypes: ['violations'], ...rules })", rules)
        found.extend(
            (where, each["id"], each["nodes"][0]["html"][:200])
            for each in report["violations"]
            if each["impact"] in ("serious", "critical")
        )

    check("home with the question")
    card(page, 0).locator(".like").click()
    page.wait_for_selector("dialog.ask")
    check("the question over the page")
    page.keyboard.press("Escape")
    product = agree(page)
    saved(page, "dislike", lambda: (card(page, 3).hover(), card(page, 3).locator(".pass").click())[-1])
    for path in ("/", f"/product/{product}", "/favorites", "/privacy", "/privacy?forgotten=3"):
        page.goto(site.address + path)
        check(path)
    page.context.clear_cookies()
    for path in (f"/remember?like={product}", "/favorites", "/privacy?forgotten=3"):
        page.goto(site.address + path)
        check(f"{path} of a stranger")
    assert found == []
