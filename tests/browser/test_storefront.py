"""The storefront in a browser, over a drawn catalog and the model that comes with Sartor."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.serving import BUNDLED, PHONE, Elsewhere, Site

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = pytest.mark.skipif(not BUNDLED.exists(), reason="sartor-v1 is not in this checkout")


def search_with(page: Page, *photos: Path) -> None:
    page.set_input_files(".upload input[type=file] >> nth=0", photos)
    page.wait_for_url("**/results?photo=*")
    page.wait_for_selector("#grid .card")


def settled(page: Page) -> None:
    page.wait_for_function("() => document.getElementById('main').getAttribute('aria-busy') !== 'true'")


def shown(page: Page) -> list[str]:
    return page.eval_on_selector_all("#grid .card", "cards => cards.map(card => card.dataset.product)")


def facet(page: Page, name: str) -> list[str]:
    """The values of a facet in the order of their counts, which the form shows."""
    boxes = page.locator(f"input[type=checkbox][value^='{name}=']")
    return [str(box.get_attribute("value")).partition("=")[2] for box in boxes.all()]


def wide_by(page: Page) -> int:
    """How much wider the page is than the screen; on a phone the window widens with the page."""
    assert page.viewport_size is not None
    return int(page.evaluate("document.documentElement.scrollWidth")) - page.viewport_size["width"]


def test_an_uploaded_photo_stands_beside_its_matches(opened: Callable[..., Page], site: Site) -> None:
    page = opened()
    search_with(page, site.photos[0])
    product = site.photos[0].name.partition("-")[0]
    assert product in shown(page)[:3]
    assert page.locator(".query-photo img").evaluate("image => image.naturalWidth") > 0
    assert page.locator(".seen .chip").count() >= 1
    assert page.locator("#status").text_content() != ""
    page.go_back()
    page.wait_for_selector("#hero-title")
    page.go_forward()
    page.wait_for_selector(".query-photo img")
    page.reload()
    assert product in shown(page)[:3]


def test_photos_are_dropped_and_pasted(opened: Callable[..., Page], site: Site) -> None:
    page, product = opened(), site.photos[1].name.partition("-")[0]
    for kind, where in (("drop", "#drop"), ("paste", "body")):
        page.goto(site.address)
        data = list(site.photos[1].read_bytes())
        page.evaluate(
            """([kind, where, data]) => {
                const carried = new DataTransfer();
                carried.items.add(new File([new Uint8Array(data)], 'one.jpg', { type: 'image/jpeg' }));
                const event = kind === 'drop'
                    ? new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true })
                    : new ClipboardEvent('paste', { clipboardData: carried, bubbles: true });
                document.querySelector(where).dispatchEvent(event);
            }""",
            [kind, where, data],
        )
        page.wait_for_url("**/results?photo=*")
        page.wait_for_selector("#grid .card")
        assert product in shown(page)[:3]


def test_several_photos_are_one_search_and_a_bad_one_says_why(
    opened: Callable[..., Page], site: Site, tmp_path: Path
) -> None:
    page = opened()
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    page.set_input_files(".upload input[type=file] >> nth=0", broken)
    page.wait_for_selector(".upload-error:not([hidden])")
    assert "broken.jpg cannot be used" in page.inner_text(".upload-error")
    search_with(page, *site.photos[:2])
    assert page.locator(".parts .leaning").count() == 2


def test_chips_and_facets_filter_and_are_taken_off(opened: Callable[..., Page], site: Site) -> None:
    page = opened()
    search_with(page, site.photos[0])
    whole = shown(page)
    page.locator(".seen .chip").first.click()
    page.wait_for_url("**where=*")
    settled(page)
    assert page.locator(".found .chip.active").count() == 1
    page.locator(".found .chip.active").click()
    page.wait_for_url(lambda url: "where=" not in url)
    settled(page)
    assert shown(page) == whole
    value = facet(page, "masterCategory")[-1]
    page.locator(f"input[value='masterCategory={value}']").check()
    page.wait_for_url("**where=masterCategory*")
    settled(page)
    assert page.locator(f"input[value='masterCategory={value}']").is_checked()
    page.go_back()
    settled(page)
    page.wait_for_function("() => !document.querySelector('.found .chip.active')")
    assert shown(page) == whole


def test_dials_and_colors_change_the_order(opened: Callable[..., Page], site: Site) -> None:
    page = opened()
    search_with(page, site.photos[0])
    before = shown(page)
    page.locator("input[name=style]").evaluate(
        "dial => { dial.value = 0; dial.dispatchEvent(new Event('input', { bubbles: true })) }"
    )
    page.wait_for_url("**style=0*")
    settled(page)
    assert shown(page) != before
    page.locator(".swatch input[type=radio] >> nth=8").check(force=True)
    page.wait_for_url("**color=%23*")
    settled(page)
    assert "style=" not in page.url  # what was set for another color says nothing of this one


def test_a_region_is_drawn_moved_by_keys_and_taken_back(opened: Callable[..., Page], site: Site) -> None:
    page = opened()
    search_with(page, site.photos[0])
    area = page.locator(".crop-area").bounding_box()
    assert area is not None
    at = [(area["x"] + share * area["width"], area["y"] + share * area["height"]) for share in (0.2, 0.6)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=4)
    page.mouse.up()
    page.wait_for_url("**box=*")
    settled(page)
    left, top, width, height = map(float, page.url.partition("box=")[2].split("&")[0].split("%2C"))
    assert (left, top, width, height) == pytest.approx((0.2, 0.2, 0.4, 0.4), abs=0.02)
    drawn = page.url
    page.locator(".crop-box").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.wait_for_function("address => location.href !== address", arg=drawn)
    settled(page)
    moved = list(map(float, page.url.partition("box=")[2].split("&")[0].split("%2C")))
    assert moved == pytest.approx([left + 0.02, top, width, height + 0.02], abs=0.005)
    assert page.evaluate("document.activeElement.className") == "crop-box"
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "box=" not in url)


def test_more_and_less_like_this_change_the_address_and_can_be_undone(
    opened: Callable[..., Page], site: Site
) -> None:
    page = opened()
    search_with(page, site.photos[0])
    first, second, *_ = shown(page)
    page.locator(".lean-less").first.click()
    page.wait_for_url(f"**dislike={first}*")
    settled(page)
    assert first not in shown(page)
    page.locator(f"[data-product='{second}'] .lean-more").click()
    page.wait_for_url(f"**like={second}*")
    settled(page)
    assert page.locator(".leanings").count() == 2
    page.locator(".leanings .remove").first.click()
    page.wait_for_url(lambda url: f"&like={second}" not in url)


@pytest.mark.parametrize("script", [True, False])
def test_reasons_are_shown_by_a_tap_and_by_keys_one_at_a_time(
    opened: Callable[..., Page], site: Site, script: bool
) -> None:
    product = site.photos[0].name.partition("-")[0]
    page = opened(f"/results?product={product}", java_script_enabled=script)
    first, second = (page.locator(".reasons").nth(place) for place in range(2))
    page.locator(".card").first.hover()
    assert not first.is_visible()
    page.locator(".why summary").first.click()
    assert first.is_visible()
    assert re.match("(?:Very close|Close|Similar|A little alike)\n", first.inner_text())
    page.locator(".why summary").nth(1).focus()
    page.keyboard.press("Enter")
    assert second.is_visible()
    assert not first.is_visible()
    page.keyboard.press("Enter")
    assert not second.is_visible()


def test_no_page_says_a_percentage_of_likeness(opened: Callable[..., Page], site: Site) -> None:
    page = opened()
    search_with(page, site.photos[0])
    product = shown(page)[0]
    for path in (page.url.removeprefix(site.address), f"/product/{product}", "/"):
        page.goto(site.address + path)
        text = page.locator("main").text_content() or ""
        assert not re.search(r"\d ?%|weak|no good match", text, re.IGNORECASE), path


def test_a_card_has_one_way_to_ask_for_less_like_it(opened: Callable[..., Page], site: Site) -> None:
    page = opened("/")
    search_with(page, site.photos[0])
    product = shown(page)[0]
    for path in (page.url.removeprefix(site.address), "/", f"/product/{product}"):
        page.goto(site.address + path)
        ways = page.locator(".card").evaluate_all(
            "cards => cards.map(card => card.querySelectorAll('.pass, .lean-less, [name=dislike]').length)"
        )
        assert set(ways) == {1}, path


@pytest.mark.parametrize("path", ["/", "/results?color=navy", "/results?product=10001", "photo"])
def test_the_first_product_is_on_the_first_screen_of_a_phone(
    opened: Callable[..., Page], site: Site, path: str
) -> None:
    page = opened("/" if path == "photo" else path, viewport=PHONE, is_mobile=True, has_touch=True)
    if path == "photo":
        search_with(page, site.photos[0])
    box = page.locator("#grid .card .tile").first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= PHONE["height"]  # its whole photo


def test_the_typefaces_come_with_the_pages(opened: Callable[..., Page], site: Site) -> None:
    page = opened("/")
    page.wait_for_function("() => document.fonts.status === 'loaded'")
    loaded = page.evaluate(
        """[...document.fonts].filter(face => face.status === 'loaded')
            .map(face => face.family.replaceAll('"', ''))"""
    )
    assert {"Albert Sans", "Instrument Serif"} <= set(loaded)
    addresses = page.evaluate("performance.getEntriesByType('resource').map(each => each.name)")
    assert all(address.startswith(site.address) for address in addresses)


def test_filters_count_the_closest_products_of_a_search(opened: Callable[..., Page], site: Site) -> None:
    product = site.photos[0].name.partition("-")[0]
    page = opened(f"/results?product={product}&k=96")
    box = page.locator("input[type=checkbox][value^='gender=']").first
    value = str(box.get_attribute("value"))
    count = int(page.locator(f".choice:has(input[value='{value}']) .count").first.inner_text().split()[0])
    box.check()
    page.wait_for_url("**where=gender*")
    settled(page)
    page.goto(f"{page.url}&k=96")
    assert len(shown(page)) == count


def test_show_more_hangs_more_below(opened: Callable[..., Page], site: Site) -> None:
    page = opened("/")
    before = shown(page)
    page.locator("a[data-append]").click()
    page.wait_for_function("count => document.querySelectorAll('#grid .card').length > count", arg=len(before))
    assert shown(page)[: len(before)] == before
    assert len(set(shown(page))) == len(shown(page))
    page.goto(f"{site.address}/results?product={before[0]}")
    page.locator("a[data-append]").click()
    page.wait_for_url("**k=24*")


def test_the_catalog_is_searched_by_words_and_sorted(opened: Callable[..., Page]) -> None:
    page = opened("/")
    page.fill("#q", "leather")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=leather*")
    settled(page)
    assert all("eather" in text for text in page.locator(".card-title").all_inner_texts()[:1])
    page.select_option("select[name=sort]", "price")
    page.wait_for_url("**sort=price*")
    settled(page)
    prices = [float(text.strip("$").replace(",", "")) for text in page.locator(".card .price").all_inner_texts()]
    assert prices == sorted(prices)


def test_a_product_has_its_look_its_likes_and_its_variants(opened: Callable[..., Page]) -> None:
    page = opened("/?where=articleType%3DDresses&where=articleType%3DShirts&where=articleType%3DTshirts")
    page.locator(".card-title a").first.click()
    page.wait_for_selector(".product h1")
    assert "/product/" in page.url
    assert page.locator(".attributes dt").count() >= 5
    assert page.locator(".look .piece").count() >= 2
    assert page.locator(".look .small-card").count() >= 1
    assert page.locator(".grid .card").count() >= 4
    assert page.locator(".product .lead img").evaluate("image => image.naturalWidth") > 300
    page.locator(".grid .lean-more").first.click()
    page.wait_for_url("**/results?product=*&like=*")


@pytest.mark.parametrize(
    "path",
    ["/", "/?q=shirt", "/results?color=navy", "/results?product=10001", "/product/10001", "/product/nothing"],
)
def test_a_phone_never_scrolls_sideways(opened: Callable[..., Page], path: str) -> None:
    page = opened(path, viewport=PHONE, is_mobile=True, has_touch=True)
    assert wide_by(page) <= 0
    card = page.locator("#grid .card").first
    if card.count():
        assert (box := card.bounding_box()) is not None
        assert box["width"] < PHONE["width"] / 2  # two columns


def test_filters_unfold_on_a_phone(opened: Callable[..., Page]) -> None:
    page = opened("/", viewport=PHONE, is_mobile=True, has_touch=True)
    assert not page.locator(".facet summary").first.is_visible()
    page.locator("#sheet > summary").tap()
    assert page.locator(".facet summary").first.is_visible()
    small = page.locator(".sheet-inside label:visible, .button:visible, .tool:visible").evaluate_all(
        "all => all.map(each => each.getBoundingClientRect().height).filter(height => height < 44)"
    )
    assert small == []


def test_dark_mode_follows_the_system_and_the_button_is_remembered(opened: Callable[..., Page]) -> None:
    page = opened("/", color_scheme="dark")
    color = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(color)
    page.locator("#theme").click()
    assert page.evaluate(color) != dark
    page.reload()
    assert page.evaluate(color) != dark
    assert page.locator("#theme").get_attribute("aria-pressed") == "false"


def test_everything_works_without_javascript(opened: Callable[..., Page], site: Site) -> None:
    page = opened("/", java_script_enabled=False)
    page.set_input_files("input[type=file]:visible", site.photos[0])
    page.get_by_role("button", name="Find what looks like it").click()
    page.wait_for_url("**/results?photo=*")
    assert "/results?photo=" in page.url
    product = site.photos[0].name.partition("-")[0]
    cards = page.locator("#grid .card")
    assert product in [cards.nth(place).get_attribute("data-product") for place in range(3)]
    page.get_by_text("Region in numbers").click()
    for label, value in (("Left", "10"), ("Top", "10"), ("Width", "60"), ("Height", "60")):
        page.get_by_label(f"{label} %").fill(value)
    page.get_by_role("button", name="Search this region").click()
    page.wait_for_url("**box=*")
    assert "box=0.1%2C0.1%2C0.6%2C0.6" in page.url
    assert "style=" not in page.url
    page.get_by_role("link", name="Show more").click()
    page.wait_for_url("**k=24*")
    assert cards.count() > 12
    page.locator(".lean-more").first.click()
    page.wait_for_url("**like=*")


def test_a_number_of_products_that_the_component_cannot_show_is_told_in_the_console(
    opened: Callable[..., Page], site: Site, elsewhere: Elsewhere
) -> None:
    product = site.photos[0].name.partition("-")[0]
    elsewhere.page = f"""<!doctype html><title>Shop</title>
        <script type="module" src="{site.address}/sartor-similar.js"></script>
        <sartor-similar product="{product}" k="0" api="{site.address}"></sartor-similar>"""
    page = opened()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(site.elsewhere)
    page.locator("sartor-similar a").first.wait_for()
    assert {text for text in said if text.startswith("sartor-similar:")} == {
        'sartor-similar: k is a whole number from 1 to 48, not "0"; it is 6 here'
    }


def test_a_shop_of_another_origin_shows_what_is_similar(
    opened: Callable[..., Page], site: Site, elsewhere: Elsewhere
) -> None:
    product = site.photos[0].name.partition("-")[0]
    elsewhere.page = f"""<!doctype html><title>Shop</title>
        <script type="module" src="{site.address}/sartor-similar.js"></script>
        <sartor-similar product="{product}" k="4" api="{site.address}" href="/p/{{id}}"></sartor-similar>
        <sartor-similar id="wrong" product="nothing" api="{site.address}"></sartor-similar>
        <script>
          document.addEventListener('sartor-click', (event) => {{
            window.clicked = event.detail;
            event.preventDefault();
          }});
        </script>"""
    page = opened()
    page.goto(site.elsewhere)
    cards = page.locator("sartor-similar").first.locator("a")
    cards.first.wait_for()
    assert cards.count() == 4
    assert cards.first.get_attribute("href") == f"/p/{cards.first.get_attribute('data-product')}"
    cards.nth(1).locator("img").scroll_into_view_if_needed()
    page.wait_for_function(
        "() => document.querySelector('sartor-similar').shadowRoot.querySelectorAll('img')[1].naturalWidth > 0"
    )
    cards.nth(1).focus()
    page.keyboard.press("Enter")
    clicked = page.evaluate("window.clicked")
    assert clicked["position"] == 2
    assert clicked["productId"] == cards.nth(1).get_attribute("data-product")
    assert re.fullmatch("[0-9a-f]{32}", clicked["recommendationId"])
    assert page.url.rstrip("/") == site.elsewhere
    page.locator("#wrong").get_by_role("alert").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(opened: Callable[..., Page], site: Site, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is not installed")
    page = opened("/", color_scheme=scheme)
    search_with(page, site.photos[0])
    results = page.url.removeprefix(site.address)
    paths = [f"{results}&where=gender%3DWomen", f"/product/{shown(page)[0]}"]
    if scheme == "light":
        paths += ["/?q=shirt", "/product/nothing"]
    rules = {} if scheme == "light" else {"runOnly": ["color-contrast"]}  # all else is as in the light
    found = []
    for path in paths:
        page.goto(site.address + path)
        page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true })")
        page.evaluate(axe.AXE_SCRIPT)
        report = page.evaluate("rules => axe.run({ resultTypes: ['violations'], ...rules })", rules)
        found += [
            (path, each["id"], each["nodes"][0]["html"][:200])
            for each in report["violations"]
            if each["impact"] in ("serious", "critical")
        ]
    assert found == []
