from __future__ import annotations

import pytest

from sartor.store.sqlite.browse import expression_of


@pytest.mark.parametrize(
    ("words", "expression"),
    [
        ("red shirt", '"red" "shirt"*'),
        ("shirt re", '"shirt"* "re"*'),
        ("t-shirt OR red", '"t-shirt"* "OR" "red"*'),
        ('say "red"', '"say" "red"*'),
        ("black & white", '"black"* "white"*'),
        ("red red red", '"red" "red"*'),
        ("a\0b", '"a" "b"*'),
        (" ", None),
        ("👗 -", None),
    ],
)
def test_words_are_quoted(words: str, expression: str | None) -> None:
    assert expression_of(words) == expression


def test_a_pasted_page_is_cut() -> None:
    assert len(expression_of(" ".join(str(number) * 100 for number in range(1000)))) < 3000
