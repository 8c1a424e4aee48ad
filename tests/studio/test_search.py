from __future__ import annotations

from pathlib import Path

from sartor.config import Settings
from sartor.wiring import open_shop
from tests.fakes import photo
from tests.studio.conftest import OpenPage, shown, texts


def by_product(open_page: OpenPage, product_id: str) -> object:
    app = open_page("search")
    app.segmented_control(key="asked-with").set_value("A product").run()
    app.selectbox(key="asked-product").set_value(product_id).run()
    return app


def hits(app: object) -> list[str]:
    return [button.key.rpartition("-")[2] for button in app.button if button.key.startswith("more-")]


def test_before_a_query_the_page_says_what_to_do(catalog: Path, open_page: OpenPage) -> None:
    app = open_page("search")
    assert not app.exception
    assert "Upload one or several photos" in texts(app)
    assert "4 products · 4 photos" in texts(app)


def test_a_product_is_shown_beside_what_is_similar(catalog: Path, open_page: OpenPage) -> None:
    app = by_product(open_page, "red")
    assert not app.exception
    assert hits(app)[0] == "crimson"
    assert set(hits(app)) == {"crimson", "green", "blue"}
    assert "A crimson thing" in shown(app)
    assert "data:image/png;base64," in shown(app)


def test_uploaded_photos_are_queries_of_their_own_and_a_broken_one_is_told(
    catalog: Path, open_page: OpenPage
) -> None:
    app = open_page("search")
    app.file_uploader(key="photos").set_value(
        [
            ("reddish.png", photo((250, 30, 10)), "image/png"),
            ("broken.jpg", b"no photo", "image/jpeg"),
            ("bluish.png", photo((10, 20, 250)), "image/png"),
        ]
    ).run()
    assert not app.exception
    assert len(app.warning) == 1
    assert "broken.jpg cannot be used" in app.warning[0].value
    assert hits(app)[0] == "red"
    assert hits(app)[4] == "blue"


def test_photos_can_be_one_query(catalog: Path, open_page: OpenPage) -> None:
    app = open_page("search")
    reddish, bluish = photo((250, 30, 10)), photo((10, 20, 250))
    app.file_uploader(key="photos").set_value(
        [("a.png", reddish, "image/png"), ("b.png", bluish, "image/png")]
    ).run()
    app.toggle(key="together").set_value(True).run()
    assert not app.exception
    assert "2 photos together" in shown(app)
    assert len(hits(app)) == 4


def test_filters_hold_and_what_nothing_passes_is_said(catalog: Path, open_page: OpenPage) -> None:
    app = by_product(open_page, "red")
    app.multiselect(key="filter-gender").set_value(["Women"]).run()
    assert hits(app) == ["crimson", "blue"]
    app.multiselect(key="filter-articleType").set_value(["Jeans"]).run()
    assert hits(app) == ["blue"]
    app.multiselect(key="filter-color").set_value(["Green"]).run()
    assert "No product passes the filters" in texts(app)


def test_the_dials_and_the_metric_are_asked_with(catalog: Path, open_page: OpenPage) -> None:
    app = by_product(open_page, "red")
    app.toggle(key="developer").set_value(True)
    app.segmented_control(key="metric").set_value("euclidean").run()
    assert ">score -0." in shown(app)  # negated distances
    for name in ("style", "color", "category"):
        app.slider(key=f"dial-{name}").set_value(0.0)
    app.run()
    assert "these dials cannot be used" in texts(app)


def test_figures_are_for_developers(catalog: Path, open_page: OpenPage) -> None:
    app = by_product(open_page, "red")
    assert "score" not in shown(app)
    app.toggle(key="developer").set_value(True).run()
    assert "score 0." in shown(app)
    assert "probability that a shopper calls the product similar" in app.toggle(key="developer").help


def test_as_many_as_asked_for(catalog: Path, open_page: OpenPage) -> None:
    app = by_product(open_page, "red")
    app.slider(key="k").set_value(1).run()
    assert hits(app) == ["crimson"]


def test_more_like_a_hit(catalog: Path, open_page: OpenPage) -> None:
    app = by_product(open_page, "red")
    app.button(key="more-0-crimson").click().run()
    assert app.selectbox(key="asked-product").value == "crimson"
    assert hits(app)[0] == "red"


def test_words_find_a_product_and_none_is_said(catalog: Path, open_page: OpenPage) -> None:
    app = by_product(open_page, "red")
    app.text_input(key="words").set_value("blue").run()
    assert app.selectbox(key="asked-product").value == "blue"
    app.text_input(key="words").set_value("trombone").run()
    assert not app.exception
    assert "No product has the words 'trombone'" in texts(app)


def test_an_empty_workspace_says_what_to_do(home: Path, open_page: OpenPage) -> None:
    app = open_page("search")
    assert not app.exception
    assert "This catalog is empty" in texts(app)


def test_a_workspace_that_another_process_has_open_is_shown_as_it_is(catalog: Path, open_page: OpenPage) -> None:
    with open_shop(Settings(home=catalog)) as shop:
        app = open_page("search")
        assert not app.exception
        assert "4 products" in texts(app)
        shop.delete(shop.catalog.product_ids()[0])
        app.run()
        assert "3 products" in texts(app)


def test_titles_are_not_html(home: Path, open_page: OpenPage) -> None:
    from sartor.ingest.put import ProductInput
    from sartor.types import Product

    with open_shop(Settings(home=home)) as shop:
        for name, color in (("a", (200, 0, 0)), ("b", (190, 0, 0))):
            shop.put(ProductInput(product=Product(id=name, title="<script>x</script>"), photos=[photo(color)]))
    app = by_product(open_page, "a")
    assert "&lt;script&gt;" in shown(app)
    assert "<script>" not in shown(app)
