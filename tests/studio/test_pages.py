from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
import streamlit as st

from sartor.choices import Scaling
from sartor.config import Settings
from sartor.encoders.add import ModelSpec
from sartor.encoders.card import PixelScaling
from sartor.shop.library import add_model
from sartor.studio.backend import WorkspaceBackend
from sartor.studio.views.report import contained
from sartor.wiring import open_shop
from tests.fakes import folder_of, photo, various_colors
from tests.studio.conftest import OpenPage, shown, texts


@pytest.fixture
def two_models(catalog: Path, color_file: Path) -> Path:
    """The catalog with a second model, which has embedded nothing."""
    spec = ModelSpec(id="other", scaling=PixelScaling.named(Scaling.UNIT), output="embedding")
    with open_shop(Settings(home=catalog)) as shop:
        shop.similar(product="red")  # the first model is the default from here on
    add_model(Settings(home=catalog), color_file, spec)
    return catalog


def compare(open_page: OpenPage) -> object:
    app = open_page("compare")
    if "asked-with" in [control.key for control in app.segmented_control]:
        app.segmented_control(key="asked-with").set_value("A product").run()
    return app


def test_one_model_cannot_be_compared_and_the_page_says_what_to_do(catalog: Path, open_page: OpenPage) -> None:
    app = compare(open_page)
    assert not app.exception
    assert "sartor models promote ID" in texts(app)


def test_a_model_that_has_embedded_nothing_is_named_with_what_to_do(two_models: Path, open_page: OpenPage) -> None:
    app = compare(open_page)
    assert not app.exception
    assert [each.value for each in app.warning] == [
        "other has not embedded this catalog yet. Stop the studio, and run:"
    ]
    assert [each.value for each in app.code] == ["sartor index SOURCE --model other"]


def test_two_models_are_asked_the_same_and_the_overlap_is_told(two_models: Path, open_page: OpenPage) -> None:
    with open_shop(Settings(home=two_models)) as shop:
        shop.promote("other", force=True)
    app = compare(open_page)
    assert not app.exception
    assert "3 of 3 products are in both lists. The first is the same." in texts(app)
    assert shown(app).count("in both") == 6


def test_the_map_shows_every_product_once(catalog: Path, open_page: OpenPage) -> None:
    app = open_page("map")
    assert not app.exception
    assert "4 of 4 products" in texts(app)
    assert "No product is chosen" in texts(app)
    assert "articleType" in app.selectbox(key="map-color").options or "Article type" in str(
        app.selectbox(key="map-color").options
    )


def test_a_folder_is_indexed_and_rejected_photos_are_told(home: Path, tmp_path: Path, open_page: OpenPage) -> None:
    folder = folder_of(tmp_path / "photos", {"a": (250, 0, 0), "b": (0, 0, 250)})
    (folder / "broken.jpg").write_bytes(b"no photo")
    app = open_page("index")
    app.text_input[0].set_value(str(folder))
    app.button[0].click().run()
    assert not app.exception
    assert "2 new" in texts(app)
    assert {metric.label: metric.value for metric in app.metric}["Rejected"] == "1"
    assert "broken.jpg" in app.dataframe[0].value.to_string()


def test_a_zip_is_kept_and_indexed(home: Path, open_page: OpenPage) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.png", photo((250, 0, 0)))
    app = open_page("index")
    app.segmented_control[0].set_value("Upload a ZIP").run()
    app.file_uploader(key="zip").set_value(("../photos.zip", stream.getvalue(), "application/zip")).run()
    app.button[0].click().run()
    assert not app.exception
    assert "1 new" in texts(app)
    assert (home / "sources" / "photos.zip").read_bytes() == stream.getvalue()


def test_what_is_no_source_is_one_line(home: Path, open_page: OpenPage) -> None:
    app = open_page("index")
    app.text_input[0].set_value("/no/such/folder")
    app.button[0].click().run()
    assert not app.exception
    assert "there is no file or folder /no/such/folder" in texts(app)


def test_an_evaluation_is_run_and_its_report_offered(home: Path, tmp_path: Path, open_page: OpenPage) -> None:
    folder = folder_of(tmp_path / "photos", various_colors(24))
    rows = [
        f"{name},{name}.png,{'Shirts' if place % 2 else 'Jeans'}" for place, name in enumerate(various_colors(24))
    ]
    (folder / "products.csv").write_text("\n".join(["id,image,articleType", *rows]))
    app = open_page("report")
    app.segmented_control[0].set_value("Run an evaluation").run()
    app.text_input[0].set_value(str(folder))
    app.button[0].click().run(timeout=60)
    assert not app.exception
    assert not app.error
    assert [button.label for button in app.download_button] == ["Download the report"]


def test_a_report_from_a_file_is_opened(home: Path, open_page: OpenPage) -> None:
    app = open_page("report")
    app.file_uploader(key="file").set_value(("r.html", b"<html><h1>Report</h1></html>", "text/html")).run()
    assert not app.exception
    assert len(app.get("iframe")) == 1


def test_a_report_runs_no_script_but_its_own() -> None:
    page = contained("<html><script>steal()</script></html>")
    policy = page.partition('content="')[2].partition('"')[0]
    assert page.index("Content-Security-Policy") < page.index("steal()")
    assert "script-src 'sha256-" in policy
    assert "unsafe-inline'" in policy.partition("style-src '")[2]
    assert policy.count("unsafe-inline") == 1


def test_all_sessions_share_one_workspace(catalog: Path, open_page: OpenPage) -> None:
    assert "4 products" in texts(open_page("search"))
    assert "4 products" in texts(open_page("search"))
    st.cache_resource.clear()
    with open_shop(Settings(home=catalog)) as shop:  # it was given back
        assert shop.counts().products == 4


def zip_of(color: tuple[int, int, int]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.png", photo(color))
    return stream.getvalue()


def test_two_zips_of_one_name_are_two_files(home: Path) -> None:
    first, second = zip_of((250, 0, 0)), zip_of((0, 0, 250))
    backend = WorkspaceBackend(Settings(home=home))
    try:
        kept = [
            Path(backend.keep_upload("photos.zip", io.BytesIO(data))) for data in (first, second, first, second)
        ]
    finally:
        backend.close()
    assert [file.name for file in kept] == ["photos.zip", "photos-2.zip", "photos.zip", "photos-2.zip"]
    assert [file.read_bytes() for file in kept[:2]] == [first, second]


def test_a_source_that_says_less_is_refused_until_the_switch_is_set(
    home: Path, tmp_path: Path, open_page: OpenPage
) -> None:
    folder = folder_of(tmp_path / "photos", {"red": (250, 0, 0), "blue": (0, 0, 250)})
    table = folder / "products.csv"
    table.write_text("id,image,title,color\na,red.png,Red,Red\nb,blue.png,Blue,Blue\n")
    with open_shop(Settings(home=home)) as shop:
        shop.index(table)
    table.write_text("id,image,title\na,red.png,Red\nb,blue.png,Blue\n")
    app = open_page("index")
    app.text_input[0].set_value(str(table))
    app.button[0].click().run()
    assert not app.exception
    assert any("2 of 2 products would lose their color" in each.value for each in app.error)
    app.toggle(key="allow-shrink").set_value(True).run()
    app.text_input[0].set_value(str(table))
    app.button[0].click().run()
    assert "2 changed" in texts(app)
