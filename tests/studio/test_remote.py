from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sartor.config import Settings
from sartor.errors import ProductNotFound, ServiceRefused, ServiceUnreachable
from sartor.studio.backend import SearchOptions, WorkspaceBackend
from sartor.studio.remote import ServiceBackend
from tests.browser.serving import served
from tests.fakes import photo
from tests.studio.conftest import OpenPage, shown, texts


@pytest.fixture
def address(catalog: Path) -> Iterator[str]:
    with served(catalog, elsewhere="http://elsewhere.example") as where:
        yield where


def test_a_service_and_a_workspace_answer_alike(catalog: Path) -> None:
    options = SearchOptions(model="color", k=3, where={"gender": ["Women", "Men"]})
    red = photo((250, 30, 10))
    with (
        served(catalog, elsewhere="http://elsewhere.example") as address,
        closing(ServiceBackend(address)) as remote,
    ):
        by_photo, by_product = remote.similar([red], None, options), remote.similar((), "red", options)
        found = [stored.product.id for stored in remote.find("thing", limit=3)]
        product, overview = remote.product("red"), remote.overview()
        picture = remote.picture(product.photos[0].sha256, max_px=320)
    with closing(WorkspaceBackend(Settings(home=catalog))) as local:
        for mine, theirs in (
            (local.similar([red], None, options), by_photo),
            (local.similar((), "red", options), by_product),
        ):
            assert [hit.product_id for hit in mine] == [hit.product_id for hit in theirs]
            assert [hit.score for hit in mine] == pytest.approx([hit.score for hit in theirs], abs=1e-3)
            assert [hit.reasons for hit in mine] == [hit.reasons for hit in theirs]
            assert mine.good == theirs.good
        assert [stored.product.id for stored in local.find("thing", limit=3)] == found
        assert product.product.title == "A red thing"
        assert picture == local.picture(local.product("red").photos[0].sha256, max_px=320)
        assert overview.products == local.overview().products
        assert overview.facets.keys() == local.overview().facets.keys()
        with pytest.raises(ProductNotFound):
            local.product("none")


def test_the_same_pages_ask_a_service(address: str, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARTOR_STUDIO_API", address)
    app = open_page("search")
    assert "4 products" in texts(app)
    app.segmented_control(key="asked-with").set_value("A product").run()
    app.selectbox(key="asked-product").set_value("red").run()
    assert not app.exception
    assert "A crimson thing" in shown(app)
    for name in ("compare", "map", "index"):
        app.switch_page(f"views/{name}.py").run()
        assert not app.exception
        assert "has no call for it" in texts(app)
        assert [each.value for each in app.code] == ["sartor studio --home DIR"]


def test_what_a_service_refuses_is_one_line(address: str) -> None:
    with closing(ServiceBackend(address)) as remote:
        with pytest.raises(ServiceRefused, match="'none' is not in the catalog"):
            remote.product("none")
        with pytest.raises(ServiceRefused, match="cannot be used"):
            remote.similar([b"no photo"], None, SearchOptions(model="color"))
        assert remote.picture("0" * 64, max_px=320) is None


def test_a_service_that_is_not_there_is_told(
    home: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ServiceUnreachable, match="start one with: sartor serve"):
        ServiceBackend("http://127.0.0.1:9").overview()
    monkeypatch.setenv("SARTOR_STUDIO_API", "http://127.0.0.1:9")
    app = open_page("search")
    assert not app.exception
    assert "no Sartor answers at http://127.0.0.1:9" in texts(app)
