"""Figures of words: what counts as found, and what is asked."""

from __future__ import annotations

import numpy as np
import pytest

from sartor.encoders.text.words import is_one_error_away
from sartor.evaluation.words import all_misspelled, misspelled, phrases_of


def test_a_misspelled_word_is_one_error_away_or_the_same() -> None:
    rng = np.random.default_rng(0)
    words = [misspelled("leather", rng) for _ in range(200)]

    assert all(is_one_error_away(word, "leather") for word in words if word != "leather")
    assert sum(word != "leather" for word in words) > 150


@pytest.mark.parametrize("word", ["red", "501x", "t-shirt"])
def test_short_words_and_numbers_are_spelled_right(word: str) -> None:
    assert misspelled(word, np.random.default_rng(0)) == word


def test_the_same_generator_gives_the_same_errors() -> None:
    one, other = (all_misspelled("Floral Summer Dress", np.random.default_rng(5)) for _ in range(2))

    assert one == other != "floral summer dress"


def test_phrases_say_what_enough_products_have() -> None:
    row = {
        "color": "Red",
        "articleType": "Dresses",
        "masterCategory": "Apparel",
        "gender": "Women",
        "year": "2011",
    }
    rare = row | {"color": "Teal", "articleType": "Shirts"}
    (phrase,) = phrases_of([row] * 10 + [rare] * 9 + [row | {"color": "NA"}] * 12)

    assert phrase.text == "red dresses for women"
    assert phrase.values == {"color": "Red", "articleType": "Dresses", "gender": "Women"}


def test_a_catalog_without_such_attributes_has_no_phrases() -> None:
    assert phrases_of([{"price": "10"}] * 20) == ()
