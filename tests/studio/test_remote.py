from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sartor.errors import ProductNotFound, ServiceRefused, ServiceUnreachable
from sartor.studio.engine import How, LocalEngine
from sartor.studio.remote import RemoteEngine
from tests.browser.serving import served
from tests.fakes import photo
from tests.studio.conftest import OpenPage, shown, texts


@pytest.fixture
def address(catalog: Path) -> Iterator[str]:
    with served(catalog, elsewhere="http://elsewhere.example") as where:
        yield where


def test_a_service_and_a_workspace_answer_alike(catalog: Path) -> None:
    from sartor.config import Settings

    how = How(model="color", k=3, where={"gender": ["Women", "Men"]})
    red = photo((250, 30, 10))
    with served(catalog, elsewhere="http://elsewhere.example") as address:
        remote = RemoteEngine(address)
        answers = [
            (
                engine.similar([red], None, how),
                engine.similar((), "red", how),
                [each.product.id for each in engine.find("thing", limit=3)],
                engine.product("red").product.title,
                engine.picture(engine.product("red").photos[0].sha256, max_px=320),
                engine.overview(),
            )
            for engine in [remote]
        ]
    local = LocalEngine(Settings(home=catalog))
    try:
        for mine, theirs in zip(
            (local.similar([red], None, how), local.similar((), "red", how)), answers[0][:2], strict=True
        ):
            assert [hit.product_id for hit in mine] == [hit.product_id for hit in theirs]
            assert [hit.score for hit in mine] == pytest.approx([hit.score for hit in theirs], abs=1e-3)
            assert [hit.reasons for hit in mine] == [hit.reasons for hit in theirs]
            assert mine.good == theirs.good
        assert [each.product.id for each in local.find("thing", limit=3)] == answers[0][2]
        assert answers[0][3] == "A red thing"
        assert answers[0][4] == local.picture(local.product("red").photos[0].sha256, max_px=320)
        assert answers[0][5].products == local.overview().products
        assert answers[0][5].facets.keys() == local.overview().facets.keys()
        with pytest.raises(ProductNotFound):
            local.product("none")
    finally:
        local.close()


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
    with pytest.raises(ServiceRefused, match="'none' is not in the catalog"):
        RemoteEngine(address).product("none")
    with pytest.raises(ServiceRefused, match="cannot be used"):
        RemoteEngine(address).similar([b"no photo"], None, How(model="color"))


def test_a_service_that_is_not_there_is_told(
    home: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ServiceUnreachable, match="start one with: sartor serve"):
        RemoteEngine("http://127.0.0.1:9").overview()
    monkeypatch.setenv("SARTOR_STUDIO_API", "http://127.0.0.1:9")
    app = open_page("search")
    assert not app.exception
    assert "no Sartor answers at http://127.0.0.1:9" in texts(app)
