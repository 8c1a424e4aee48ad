"""A facet's value, sent back through any door, finds its products, whatever text it is."""

from __future__ import annotations

import html
import json
import re
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from sartor.config import Settings
from sartor.errors import BadFilter
from sartor.ingest.put import ProductInput
from sartor.recommend.filters import filter_text, name_text, parse_where
from sartor.shop import Shop
from sartor.storefront.addresses import Browse, Filters
from sartor.studio.backend import SearchOptions, WorkspaceBackend
from sartor.types import AnyOf, Product
from tests.fakes import photo
from tests.storefront.conftest import shop_of

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
MATERIALS = {"one": "Cotton, Linen", "two": "Cotton", "three": "Linen", "four": "Cotton, Linen"}


def put(shop: Shop, product_id: str, name: str, value: str) -> None:
    shop.put(ProductInput(product=Product(id=product_id, attributes={name: value}), photos=[photo((20, 200, 90))]))


def ids_of(answer: object) -> set[str]:
    return set(re.findall(r'href="/product/([^"?]+)"', str(answer)))


@settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(name=TEXTS, value=TEXTS)
@example(name="material", value="Cotton, Linen")
@example(name="a=b!", value='"10..12"')
@example(name='"', value="1..2")
@example(name="note", value=" \r\nline, two\n ")
def test_a_value_sent_back_finds_its_products(browser: TestClient, name: str, value: str) -> None:
    shop = shop_of(browser)
    put(shop, "odd-one", name, value)
    facet = next(facet.value for facet in shop.facets([name])[name] if facet.value == value)
    text = filter_text(AnyOf(attribute=name, values=(facet,)))
    key = name_text(name)
    try:
        python = shop.listing(where={key: facet}).products
        command_line = shop.listing(where=parse_where([text])).products
        written = shop.listing(where=text).products
        for products in (python, command_line, written):
            assert [stored.product.id for stored in products] == ["odd-one"]
        got = browser.get("/v1/products", params={"where": text}).json()
        assert [product["id"] for product in got["products"]] == ["odd-one"]
        got = browser.get("/v1/products/green/similar", params={"where": text}).json()
        assert [hit["product_id"] for hit in got["hits"]] == ["odd-one"]
        posted = browser.post("/v1/similar", json={"products": ["green"], "where": {key: facet}}).json()
        assert [hit["product_id"] for hit in posted["hits"]] == ["odd-one"]
        link = Browse(filters=Filters().toggled(name, facet)).address
        page = browser.get(link, follow_redirects=False)
        assert page.status_code == 200
        assert ids_of(page.text) == {"odd-one"}
        assert browser.get(f"/?{urlencode({'where': text})}", follow_redirects=False).status_code == 200
    finally:
        shop.delete("odd-one")


@pytest.fixture
def materials(browser: TestClient) -> TestClient:
    for product_id, value in MATERIALS.items():
        put(shop_of(browser), product_id, "material", value)
    yield browser
    for product_id in MATERIALS:
        shop_of(browser).delete(product_id)


def test_a_checkbox_of_the_page_finds_what_it_counts(materials: TestClient) -> None:
    page = materials.get("/")
    boxes = [html.unescape(box) for box in re.findall(r'name="where" value="([^"]*)"', page.text)]
    assert 'material="Cotton, Linen"' in boxes
    assert "material=Cotton" in boxes
    found = materials.get("/", params={"where": 'material="Cotton, Linen"'})
    assert ids_of(found.text) == {"one", "four"}
    assert "Cotton, Linen" in html.unescape(found.text)


def test_the_forms_without_quotes_keep_their_meaning(materials: TestClient) -> None:
    found = materials.get("/v1/products", params={"where": "material=Cotton,Linen"}).json()["products"]
    assert {product["id"] for product in found} == {"two", "three"}


def test_what_could_mean_two_things_is_said_at_every_door(materials: TestClient) -> None:
    shop = shop_of(materials)
    for where in ("material=Cotton, Linen", ["material!=Cotton, Linen"]):
        with pytest.raises(BadFilter, match=r'write material="Cotton, Linen" or material="Cotton","Linen"'):
            shop.listing(where=where)
    with pytest.raises(BadFilter, match="may mean 'Cotton' or 'Linen'"):
        shop.similar(product="green", where=parse_where(["material=Cotton, Linen"]))
    for path in ("/v1/products", "/v1/products/green/similar"):
        answer = materials.get(path, params={"where": "material=Cotton, Linen"})
        assert answer.status_code == 422
        assert "may mean" in answer.json()["detail"]
    page = materials.get("/", params={"where": "material=Cotton, Linen"})
    assert page.status_code == 422
    assert "may mean" in html.unescape(page.text)


def test_the_studio_finds_what_it_counts(catalog: Path) -> None:
    with closing(WorkspaceBackend(Settings(home=catalog))) as backend:
        put(backend._shop, "one", "a=b!", "Cotton, Linen")
        options = SearchOptions(model="color", k=3, where={"a=b!": ["Cotton, Linen"]})
        assert [hit.product_id for hit in backend.similar((), "green", options).hits] == ["one"]
    assert json.dumps(dict(options.where))
