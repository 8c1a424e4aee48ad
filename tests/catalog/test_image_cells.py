from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.catalog.columns import base_name, is_url, local_reference, references


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, []),
        ("  ", []),
        (7, ["7"]),
        ("a.jpg", ["a.jpg"]),
        (("a.jpg", " ", "b.jpg"), ["a.jpg", "b.jpg"]),
        ("a.jpg, b.jpg;c.jpg|d.jpg", ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]),
        ('["a.jpg", "b c.jpg"]', ["a.jpg", "b c.jpg"]),
        ("['a.jpg', 'b.jpg']", ["a.jpg", "b.jpg"]),
        ("['red.jpg']", ["red.jpg"]),
        ('["navy.jpg"]', ["navy.jpg"]),
        ("[red.jpg]", ["red.jpg"]),
        ('["a, b.jpg", "c\\u00e9.jpg"]', ["a, b.jpg", "cé.jpg"]),
        ("[]", []),
        ("red, blue.jpg", ["red, blue.jpg"]),
        ("images\\a.jpg", ["images/a.jpg"]),
        ("https://cdn/w_1,h_2/a.jpg", ["https://cdn/w_1,h_2/a.jpg"]),
        ("https://cdn/a,1.jpg, https://cdn/b.jpg", ["https://cdn/a,1.jpg", "https://cdn/b.jpg"]),
    ],
)
def test_a_cell_names_its_images(cell: str | None, expected: list[str]) -> None:
    assert list(references(cell, is_file=lambda text: text == "red, blue.jpg")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("file:///shop/a%20b.jpg", "/shop/a b.jpg"),
        ("file://localhost/shop/a.jpg", "/shop/a.jpg"),
        ("FILE:///shop/a.jpg", "/shop/a.jpg"),
        ("file://images/a.jpg", "images/a.jpg"),
        ("file:///C:/shop/a.jpg", "C:/shop/a.jpg"),
        ("C:\\shop\\a.jpg", "C:/shop/a.jpg"),
        ("http://shop/a\\b.jpg", "http://shop/a\\b.jpg"),
    ],
)
def test_a_local_reference_is_a_path(text: str, expected: str) -> None:
    assert local_reference(text) == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("http://shop/a.jpg", True),
        ("HTTPS://shop/a.jpg", True),
        ("s3://bucket/a.jpg", True),
        ("data:image/png;base64,AAAA", True),
        ("C:/shop/a.jpg", False),
        ("shirt:1.jpg", False),
        ("a.jpg", False),
    ],
)
def test_a_url_is_told_from_a_path(reference: str, *, expected: bool) -> None:
    assert is_url(reference) == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [("images/a.jpg", "a.jpg"), ("http://shop/x/a.jpg?w=1#top", "a.jpg"), ("data:image/png;base64,AA/AA", "")],
)
def test_the_base_name_is_the_last_part(reference: str, expected: str) -> None:
    assert base_name(reference) == expected


@given(st.text(alphabet="ab/:,;|[]'\" %.\\file", max_size=30))
def test_any_text_is_understood(text: str) -> None:
    for reference in references(text, is_file=lambda _: False):
        assert reference
        base_name(reference)
