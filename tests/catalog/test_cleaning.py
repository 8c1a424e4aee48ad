"""Texts of feeds are cleaned of what nobody is to read, and damaged ids are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.catalog.cleaning import cleaned, is_shortened
from sartor.catalog.opening import open_source
from sartor.catalog.source import Case
from tests.fakes import RED, folder_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Linen\u200b Shirt\ufeff", "Linen Shirt"),
        ("T\u00adshirt", "Tshirt"),
        ("Red&nbsp;Shirt", "Red Shirt"),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("<p>Soft</p><p>Warm<br/>Dry</p>", "Soft Warm Dry"),
        ("<b>New</b>: coat", "New: coat"),
        ("<STRONG class='x'>New</STRONG>", "New"),
        ("&lt;p&gt;Soft &amp;amp; warm&lt;/p&gt;", "Soft & warm"),
        ("Shirt<script>alert(1)</script> red", "Shirt red"),
        ("Shirt <!-- old --> red", "Shirt red"),
        ("caf&#233;", "café"),
        # what is none
        ("I <3 it", "I <3 it"),
        ("sizes <40 and >30", "sizes <40 and >30"),
        ("A&B; C&D", "A&B; C&D"),
        ("H&M", "H&M"),
        ("https://shop.example/?a=1&amp;copy=2", "https://shop.example/?a=1&amp;copy=2"),
        ("क्\u200dष", "क्\u200dष"),
        ("two  spaces", "two  spaces"),
    ],
)
def test_what_nobody_is_to_read_is_taken_out(text: str, expected: str) -> None:
    assert cleaned(text) == expected


@given(st.text())
def test_a_text_without_such_marks_stays(text: str) -> None:
    plain = "".join(each for each in text if each.isalnum() or each in " <>&;.,")
    plain = plain.replace("<", "< ").replace("&", "& ").replace("\u00a0", " ")
    assert cleaned(plain) == plain


@pytest.mark.parametrize(
    ("product_id", "expected"),
    [("1.23E+12", True), ("4,00638E+12", True), ("1.5e15", True), ("1E3", False), ("E+12", False), ("12", False)],
)
def test_a_long_number_that_a_spreadsheet_shortened_is_known(product_id: str, *, expected: bool) -> None:
    assert is_shortened(product_id) is expected


def read(table: Path) -> tuple[dict[str, tuple[str, dict[str, object]]], dict[str, int]]:
    with open_source(table) as source:
        products = {each.product.id: (each.product.title, dict(each.product.attributes)) for each in source}
        return products, {finding.case: finding.count for finding in source.findings.snapshot()}


def test_titles_and_attributes_of_a_table_are_cleaned_and_counted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "shop", {"1": RED, "2": RED})
    table = folder / "products.csv"
    table.write_text(
        "id,image,title,description,material\n"
        "1,1.png,Linen\u200b Shirt,<p>Soft &amp; warm</p>,Linen\n"
        "2,2.png,I <3 shirts,plain,&nbsp;\n",
        encoding="utf-8",
    )
    products, findings = read(table)
    assert products["1"] == ("Linen Shirt", {"description": "Soft & warm", "material": "Linen"})
    assert products["2"] == ("I <3 shirts", {"description": "plain", "material": "&nbsp;"})  # else nothing is left
    assert findings[Case.CLEANED_TEXTS] == 3


def test_ids_that_a_spreadsheet_damaged_are_told_and_stay(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "shop", {"00123": RED, "456": RED})
    table = folder / "products.csv"
    table.write_text("id,title\n123,One\n456,Two\n4.00638E+12,Three\n")
    products, findings = read(table)
    assert {"123", "456", "4.00638E+12"} <= products.keys()
    assert findings[Case.SHORTENED_IDS] == 1
    assert findings[Case.LOST_ZEROS] == 1
