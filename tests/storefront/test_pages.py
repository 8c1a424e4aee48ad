"""The pages, as a browser without JavaScript gets them."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from sartor.config import Settings
from sartor.encoders.add import ModelSpec
from sartor.ingest.put import ProductInput
from sartor.shop.library import add_detector
from sartor.storefront.addresses import Search
from sartor.storefront.pages import results_view
from sartor.storefront.personal import STRANGER
from sartor.storefront.rendering import Pages, StaticFiles, problem_page
from sartor.types import Product, Verdict
from sartor.wiring import open_shop
from tests.copies import copied
from tests.encoders.test_detector import CLASSES, detector, finished
from tests.fakes import BLUE, RED, photo
from tests.service.conftest import serving
from tests.storefront.conftest import HTML, shop_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx import Response
    from starlette.testclient import TestClient

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'{{7*7}}"


@pytest.fixture
def empty(home: Path) -> Iterator[TestClient]:
    with serving(home) as ready:
        ready.headers.update(HTML)
        yield ready


def shown(page: Response) -> list[str]:
    """Ids of the products in the grid."""
    return [unescape(text) for text in re.findall(r'data-product="([^"]*)"', page.text)]


def links(page: Response, name: str) -> list[str]:
    """Addresses of the links with a class."""
    return [unescape(text) for text in re.findall(rf'class="(?:[^"]* )?{name}" href="([^"]*)"', page.text)]


def upload(browser: TestClient, *photos: bytes) -> Response:
    files = [("photo", (f"{number}.png", data, "image/png")) for number, data in enumerate(photos)]
    return browser.post("/search", files=files, follow_redirects=False)


def test_home_shows_the_catalog_with_facets(browser: TestClient) -> None:
    page = browser.get("/")
    assert page.status_code == 200
    assert sorted(shown(page)) == ["blue", "crimson", "green", "navy/1 & more", "red"]
    assert 'value="articleType=Shirts"' in page.text
    assert ">Type</summary>" in page.text
    assert page.headers["cache-control"] == "private, no-cache"


def test_home_is_filtered_searched_and_sorted(browser: TestClient) -> None:
    assert sorted(shown(browser.get("/?where=color%3DRed"))) == ["crimson", "red"]
    assert sorted(shown(browser.get("/?where=color%3DRed&where=color%3DGreen"))) == ["crimson", "green", "red"]
    assert shown(browser.get("/?q=green")) == ["green"]
    assert shown(browser.get("/?sort=-price"))[:2] == ["blue", "green"]
    assert shown(browser.get("/?min_price=20&max_price=45&sort=price")) == ["crimson", "green"]


def test_a_chip_takes_its_filter_off(browser: TestClient) -> None:
    page = browser.get("/?where=color%3DRed&where=gender%3DMen")
    assert links(page, "chip active") == ["/?where=gender%3DMen", "/?where=color%3DRed"]
    assert links(page, "chip clear") == ["/"]


def test_what_a_form_makes_is_brought_into_the_one_way_to_write_it(browser: TestClient) -> None:
    asked = "/?q=&sort=relevance&where=color%3DRed&min_price=&max_price="
    assert browser.get(asked, follow_redirects=False).headers["location"] == "/?where=color%3DRed"


def test_words_that_are_read_as_others_are_said(browser: TestClient) -> None:
    page = browser.get("/?q=gren")
    assert shown(page) == ["green"]
    assert "nearly the same" in page.text
    assert "nearly the same" not in browser.get("/?q=green").text


def test_nothing_found_says_so(browser: TestClient) -> None:
    page = browser.get("/?q=unfindable")
    assert page.status_code == 200
    assert "Nothing fits all of that" in page.text


def test_an_empty_catalog_says_which_command_fills_it(empty: TestClient) -> None:
    page = empty.get("/")
    assert page.status_code == 200
    assert "sartor index" in page.text


def test_an_upload_leads_to_its_matches(browser: TestClient) -> None:
    answer = upload(browser, photo(RED, side_px=700))
    assert answer.status_code == 303
    page = browser.get(answer.headers["location"])
    assert page.status_code == 200
    assert shown(page)[0] == "red"
    (source,) = re.findall(r'src="(/uploads/[0-9a-f]{64})"', page.text)
    sent = browser.get(source)
    assert sent.headers["content-type"] == "image/jpeg"
    assert sent.headers["cache-control"] == "private, no-store"


def test_each_upload_leads_to_its_own_matches(browser: TestClient) -> None:
    found = {}
    for name, color in (("red", RED), ("blue", BLUE)):
        page = browser.get(upload(browser, photo(color, side_px=90)).headers["location"])
        found[name] = shown(page)[0]
    assert found == {"red": "red", "blue": "blue"}


def test_a_small_upload_is_kept_too(browser: TestClient) -> None:
    answer = upload(browser, photo(RED))
    assert shown(browser.get(answer.headers["location"]))[0] == "red"


def test_several_uploads_are_one_search(browser: TestClient) -> None:
    answer = upload(browser, photo(RED, side_px=700), photo(BLUE, side_px=700))
    page = browser.get(answer.headers["location"])
    assert answer.headers["location"].count("photo=") == 2
    assert "Like your photos" in page.text
    assert 'aria-label="Remove photo 2"' in page.text


def test_a_photo_is_added_to_those_before(browser: TestClient) -> None:
    first = upload(browser, photo(RED, side_px=700)).headers["location"]
    files = [("photo", ("b.png", photo(BLUE, side_px=700), "image/png"))]
    both = browser.post(
        "/search", data={"kept": first.partition("photo=")[2]}, files=files, follow_redirects=False
    ).headers["location"]
    assert both.startswith(first)
    assert both.count("photo=") == 2


def test_a_bad_photo_is_left_out_and_the_others_go_on(browser: TestClient) -> None:
    answer = upload(browser, b"no photo", photo(RED, side_px=700))
    assert answer.headers["location"].endswith("&skipped=1")
    assert "could not be read" in browser.get(answer.headers["location"]).text


@pytest.mark.parametrize("bad", [b"no photo", b"\x89PNG\r\n\x1a\nbroken"])
def test_bad_photos_alone_get_one_clear_line(browser: TestClient, bad: bytes) -> None:
    answer = upload(browser, bad)
    assert answer.status_code == 422
    assert "0.png cannot be used" in answer.text
    assert 'action="/search"' in answer.text


def test_an_empty_field_is_no_photo(browser: TestClient) -> None:
    answer = browser.post("/search", files=[("photo", ("", b"", "application/octet-stream"))])
    assert answer.status_code == 422
    assert "o photo was chosen" in answer.text


def test_more_than_eight_photos_are_too_many(browser: TestClient) -> None:
    answer = upload(browser, *[photo((10 * number, 0, 0)) for number in range(9)])
    assert answer.status_code == 413
    assert "at most 8 photos" in answer.text


def test_an_expired_upload_asks_for_the_photo_again(browser: TestClient) -> None:
    page = browser.get(f"/results?photo={'0' * 64}")
    assert page.status_code == 410
    assert 'action="/search"' in page.text
    assert browser.get(f"/uploads/{'0' * 64}").status_code == 404


def test_what_is_left_of_an_expired_search_is_shown(browser: TestClient) -> None:
    page = browser.get(f"/results?photo={'0' * 64}&product=red")
    assert page.status_code == 200
    assert "no longer kept" in page.text


def test_results_of_nothing_lead_home(browser: TestClient) -> None:
    assert browser.get("/results", follow_redirects=False).headers["location"] == "/"


def test_each_hit_can_be_liked_and_disliked(browser: TestClient) -> None:
    page = browser.get("/results?product=red")
    (first, *_) = shown(page)
    assert links(page, "lean-more")[0] == f"/results?product=red&like={first}"
    liked = browser.get(links(page, "lean-more")[0])
    assert "More like" in liked.text
    assert f'aria-label="Remove A {first} thing"' in liked.text
    disliked = browser.get(links(page, "lean-less")[0])
    assert first not in shown(disliked)


def test_results_are_filtered(browser: TestClient) -> None:
    page = browser.get("/results?product=red&where=articleType%3DJeans")
    assert sorted(shown(page)) == ["blue", "green"]
    assert links(page, "chip active") == ["/results?product=red"]


def test_a_filter_that_no_product_passes_is_an_empty_state(browser: TestClient) -> None:
    page = browser.get("/results?product=red&where=articleType%3DHats")
    assert page.status_code == 200
    assert "Nothing passes these filters" in page.text
    assert "Take all filters off" in page.text


def test_an_unknown_attribute_is_an_error_page(browser: TestClient) -> None:
    page = browser.get("/results?product=red&where=shoe%3D1")
    assert page.status_code == 422
    assert page.headers["content-type"].startswith("text/html")
    assert "attribute &#39;shoe&#39;" in page.text


def test_a_color_alone_is_a_search(browser: TestClient) -> None:
    page = browser.get("/results?color=red")
    assert page.status_code == 200
    assert shown(page)[0] == "red"
    assert browser.get("/results?color=blurple").status_code == 422


def test_a_color_has_no_matches_to_judge(browser: TestClient) -> None:
    page = browser.get("/results?color=%23ff0000")
    assert "In this color" in page.text
    assert 'class="likeness' not in page.text
    assert 'class="reasons' not in page.text
    assert 'name="style"' not in page.text


def test_a_page_that_is_asked_for_too_early_comes_again_by_itself() -> None:
    problem = {
        "type": "urn:sartor:problem:starting",
        "title": "x",
        "status": 503,
        "detail": "the model is loading",
    }
    text = problem_page(Pages(StaticFiles.read()), problem).decode()
    assert '<meta http-equiv="refresh" content="2">' in text
    assert "The model is loading." in text


def test_a_region_of_a_photo_is_searched(browser: TestClient) -> None:
    address = upload(browser, photo(RED, side_px=700)).headers["location"]
    page = browser.get(f"{address}&x=10&y=10&w=50&h=50", follow_redirects=False)
    assert page.headers["location"] == f"{address}&box=0.1%2C0.1%2C0.5%2C0.5"
    region = browser.get(page.headers["location"])
    assert 'class="crop-still"' in region.text
    assert 'name="w" min="1" max="100" step="any" inputmode="decimal" value="50"' in region.text


def test_garments_on_a_photo_are_suggested(full_home: Path, tmp_path: Path) -> None:
    home, network = copied(full_home, tmp_path / "home"), detector(tmp_path / "finder.onnx", finished())
    add_detector(Settings(home=home), network, ModelSpec(id="finder"), classes=CLASSES)
    with serving(home) as browser:
        page = browser.get(upload(browser, photo(RED, side_px=64)).headers["location"]).text
        chips = re.findall(r'<a class="chip" href="([^"]*)"><span class="unseen">Search </span>(\w+)</a>', page)
        chosen = browser.get(unescape(chips[1][0])).text

    assert 'data-suggested="0.25,0.125,0.5,0.375"' in page
    assert [name for _, name in chips] == ["shirt", "trousers"]
    assert 'class="chip active"' in chosen
    assert "Whole photo" in chosen


def test_a_photo_that_is_all_one_garment_suggests_nothing(browser: TestClient) -> None:
    page = browser.get(upload(browser, photo(RED, side_px=64)).headers["location"]).text

    assert 'data-suggested=""' in page
    assert "Garments on the photo" not in page


def test_a_product_has_a_page(browser: TestClient) -> None:
    page = browser.get("/product/navy/1%20%26%20more")
    assert page.status_code == 200
    assert "<h1>A navy/1 &amp; more thing</h1>" in page.text
    assert re.search(r"<dt>Type</dt>\s*<dd>Caps</dd>", page.text)
    assert "navy/1 & more" not in shown(page)


def test_an_unknown_product_is_a_page_of_its_own(browser: TestClient) -> None:
    page = browser.get("/product/nothing")
    assert page.status_code == 404
    assert "not in the catalog" in page.text
    assert "sartor info" not in page.text


def test_variants_stand_on_the_page(catalog: Path) -> None:
    with open_shop(Settings(home=catalog)) as shop:
        shop.put(
            *(
                ProductInput(
                    product=Product(id=name, title=name, attributes={"item_group_id": "g", "color": name}),
                    photos=[photo(color)],
                )
                for name, color in (("sky", (120, 180, 250)), ("coral", (250, 120, 90)))
            )
        )
    with serving(catalog) as browser:
        page = browser.get("/product/sky")
    assert "Also in" in page.text
    assert 'href="/product/coral"' in page.text


def test_hostile_titles_and_values_are_only_text(catalog: Path) -> None:
    attributes = {HOSTILE: HOSTILE, "color": HOSTILE, "link": "javascript:alert(1)", "gender": "x"}
    with open_shop(Settings(home=catalog)) as shop:
        shop.put(
            ProductInput(
                product=Product(id=HOSTILE, title=HOSTILE, attributes=attributes), photos=[photo((9, 99, 9))]
            )
        )
    with serving(catalog) as browser:
        browser.headers.update(HTML)
        pages = [browser.get("/"), browser.get("/results?product=red"), browser.get("/", params={"q": HOSTILE})]
        pages.append(browser.get("/", params={"where": f"color={HOSTILE}"}))
        pages.append(
            browser.get(
                next(each for each in re.findall(r'href="(/product/[^"]*)"', pages[0].text) if "script" in each)
            )
        )
        pages.append(browser.get(f"/product/{HOSTILE}?x={HOSTILE}"))
        pages.append(browser.get("/results", params={"color": HOSTILE}))
    for page in pages:
        assert page.status_code in (200, 404, 422)
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "javascript:alert" not in page.text
        assert re.findall(r"<script(?! (type=\"module\" )?src=)", page.text) == []
        assert " style=" not in page.text


def test_errors_stay_problem_details_for_programs(browser: TestClient) -> None:
    assert browser.get("/v1/products/nothing").headers["content-type"] == "application/problem+json"
    answer = browser.get("/product/nothing", headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_exceeds_a_limit_is_a_page_too(catalog: Path) -> None:
    with serving(catalog, rate_per_minute=2) as browser:
        browser.headers.update(HTML)
        answers = [browser.get("/product/red") for _ in range(4)]
        assert answers[-1].status_code == 429
        assert "One moment" in answers[-1].text
        assert int(answers[-1].headers["retry-after"]) > 0
        assert "content-security-policy" in answers[-1].headers
    with serving(catalog, max_request_bytes=2000) as browser:
        browser.headers.update(HTML)
        answer = upload(browser, bytes(5000))
        assert answer.status_code == 413
        assert "That is a lot to carry" in answer.text


def test_static_files_never_change_under_their_address(browser: TestClient) -> None:
    for address in set(re.findall(r'(?:href|src)="(/static/[^"]*)"', browser.get("/").text)):
        answer = browser.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert browser.get("/static/0000000000000000/base.css").status_code == 404
    assert browser.get("/static/../mount.py").status_code == 404


def test_the_web_component_is_for_pages_of_any_origin(browser: TestClient) -> None:
    answer = browser.get("/sartor-similar.js", headers={"Origin": "https://shop.example"})
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


def test_pages_are_not_in_the_document_of_the_api(browser: TestClient) -> None:
    paths = browser.get("/openapi.json").json()["paths"]
    assert not [path for path in paths if not path.startswith(("/v1/", "/health/", "/metrics"))]


@pytest.mark.parametrize(("others", "further"), [(12, 0), (14, 2)])
def test_variants_that_the_page_has_no_room_for_are_counted(catalog: Path, others: int, further: int) -> None:
    with open_shop(Settings(home=catalog)) as shop:
        shop.put(
            *(
                ProductInput(
                    product=Product(
                        id=f"v{number:02}", title=f"V{number:02}", attributes={"item_group_id": "a, b"}
                    ),
                    photos=[photo((10 * number, 100, 90))],
                )
                for number in range(others + 1)
            )
        )
    with serving(catalog) as browser:
        page = browser.get("/product/v00").text
        assert page.count('class="variant-text"') == 12
        assert (f">and {further} more</a>" in page) == bool(further)
        if further:
            (href,) = re.findall(r'<a href="([^"]+)">and 2 more</a>', page)
            assert "15 products" in browser.get(unescape(href)).text


def test_a_product_says_its_price_its_sizes_and_where_it_is_sold(catalog: Path) -> None:
    attributes = {"price": "30.00 EUR", "sale_price": "20.00 EUR", "size": "S, M", "color": "Red"}
    with open_shop(Settings(home=catalog)) as shop:
        shop.put(
            *(
                ProductInput(
                    product=Product(id=id_, title=id_, attributes={"item_group_id": "g", **attributes, **others}),
                    photos=[photo((200, 20, 20 + 10 * number))],
                )
                for number, (id_, others) in enumerate(
                    {
                        "own": {"link": "https://shop.example/own?a=1&b=2"},
                        "larger": {"size": "XL", "link": "javascript:alert(1)"},
                        "other-color": {"size": "XS", "color": "Blue"},
                    }.items()
                )
            )
        )
    with serving(catalog) as browser:
        page = browser.get("/product/own").text
        assert re.findall(r'class="size"(?: href="([^"]*)")?>([^<]+)<', page) == [
            ("", "S"),
            ("", "M"),
            ("/product/larger", "XL"),
        ]
        assert page.count('class="variant-text"') == 1  # the other color; the other size is a chip
        assert "<dt>Size</dt>" not in page
        assert re.search(r"<s>.*€30\.00</s> €20\.00", page)
        (link,) = re.findall(r'<a [^>]*href="(https://shop[^"]*)"[^>]*>View in shop', page)
        assert unescape(link) == "https://shop.example/own?a=1&b=2"
        assert re.search(r'target="_blank" rel="noopener nofollow">View in shop', page)
        assert "View in shop" not in browser.get("/product/larger").text
        assert "javascript:" not in browser.get("/product/larger").text


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (Verdict.FOUND, None),
        (Verdict.NOT_SURE, "We are not sure what this is"),
        (Verdict.NOTHING_CLOSE, "Nothing here is really close. These come nearest."),
    ],
)
def test_a_quiet_line_says_where_nothing_is_close_or_sure(
    browser: TestClient, verdict: Verdict, line: str | None
) -> None:
    shop = shop_of(browser)
    view = replace(results_view(shop, Search(products=("red",)), {}, skipped=0), verdict=verdict)
    text = Pages(StaticFiles.read()).html("results.html", view=view, shopper=STRANGER)
    lines = re.findall(r'class="aside-line">(.*?)</p>', text)
    assert len(lines) == (line is not None)
    assert all(str(line) in found for found in lines)
    assert not re.search(r"weak|no good|\d ?%", re.sub("<[^>]*>", " ", text), re.IGNORECASE)


def test_where_the_rest_is_only_a_little_alike_is_said_once(browser: TestClient) -> None:
    view = results_view(shop_of(browser), Search(products=("red",)), {}, skipped=0)
    pages = Pages(StaticFiles.read())
    text = pages.html("results.html", view=replace(view, close=1), shopper=STRANGER)
    assert text.count("after the first only a little alike") == 1
    text = pages.html("results.html", view=replace(view, close=2), shopper=STRANGER)
    assert text.count("after the first 2 only a little alike") == 1
    assert "a little alike" not in pages.html("results.html", view=view, shopper=STRANGER)


def test_filters_of_a_search_count_its_results(browser: TestClient) -> None:
    page = browser.get("/results?product=red").text
    counts = {
        unescape(value): int(count)
        for value, count in re.findall(r'name="where" value="([^"]*)".*?class="count">(\d+)<', page, re.DOTALL)
    }
    assert counts
    for text, count in counts.items():
        filtered = browser.get("/results", params={"product": "red", "where": text})
        assert len(shown(filtered)) == count, text


def test_a_filter_that_is_set_leaves_the_counts_of_what_could_be_set_beside_it(browser: TestClient) -> None:
    def counts(path: str) -> dict[str, str]:
        found = re.findall(
            r'name="where" value="gender=([^"]*)".*?class="count">(\d+)<', browser.get(path).text, re.DOTALL
        )
        return dict(found)

    everything = counts("/results?product=red")
    assert len(everything) > 1
    assert counts(f"/results?product=red&where=gender%3D{next(iter(everything))}") == everything


def test_typefaces_are_small_served_forever_and_come_with_their_license(browser: TestClient) -> None:
    folder = files("sartor.storefront") / "static"
    names = {path.name for path in folder.iterdir() if path.name.endswith(".woff2")}
    sheet = browser.get(re.search(r'"(/static/[^"]*base\.css)"', browser.get("/").text)[1])  # type: ignore[index]
    assert set(re.findall(r'url\("([^"]+)"\)', sheet.text)) == names
    for name in names:
        answer = browser.get(str(sheet.url).replace("base.css", name))
        assert answer.headers["content-type"] == "font/woff2"
        assert "immutable" in answer.headers["cache-control"]
        assert len(answer.content) <= 60_000
        license_text = (folder / f"{name.split('-', 2)[0]}-{name.split('-', 2)[1]}-OFL.txt").read_text("utf-8")
        assert "SIL OPEN FONT LICENSE Version 1.1" in license_text
    assert "font-src 'self'" in browser.get("/").headers["content-security-policy"]
