from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from sartor.errors import PhotoRejected
from sartor.evaluation.sheets import SheetRow, Tile, html_sheet, png_sheet, write_sheet
from tests.fakes import BLUE, RED, photo


def row(hits: int = 2) -> SheetRow:
    query = Tile.of_photo(photo(RED, side_px=400), caption=("query",))
    found = tuple(
        Tile.of_photo(photo(BLUE), caption=("0.9", "p1", "A <b>shirt</b> & more" * 9)) for _ in range(hits)
    )
    return SheetRow(query=(query,), hits=found)


def test_a_picture_has_a_line_for_each_row_and_a_place_for_each_tile() -> None:
    one, three = png_sheet([row()]), png_sheet([row(), row(5), row(0)])
    assert three.height > 2.5 * one.height
    assert three.width > 1.8 * one.width


def test_the_query_is_framed_and_every_photo_is_shown() -> None:
    sheet = png_sheet([row(1)])
    colors = {color for _, color in sheet.getcolors(1 << 20)}
    assert {RED, BLUE, (0xB3, 0x47, 0x2D)} <= colors


def test_texts_are_escaped_on_the_page() -> None:
    page = html_sheet([row()])
    assert "<b>shirt" not in page
    assert "A &lt;b&gt;shirt&lt;/b&gt; &amp; more" in page
    assert page.count('class="query"') == 1
    assert page.count('class="hit"') == 2


def test_an_empty_sheet_is_a_sheet(tmp_path: Path) -> None:
    for name in ("sheet.png", "sheet.html"):
        write_sheet(tmp_path / name, [])
        assert (tmp_path / name).stat().st_size > 0


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.html or \.png file, not '\.pdf'"):
        write_sheet(tmp_path / "sheet.pdf", [row()])


def test_a_photo_that_cannot_be_decoded_is_no_tile() -> None:
    with pytest.raises(PhotoRejected):
        Tile.of_photo(b"nothing", caption=("x",))


def test_a_sheet_that_was_written_can_be_opened(tmp_path: Path) -> None:
    write_sheet(tmp_path / "sheet.png", [row()])
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.mode == "RGB"
