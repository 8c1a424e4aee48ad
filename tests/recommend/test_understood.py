"""What the words of a query are read as: filters, other words, and what was forgiven."""

from __future__ import annotations

import pytest

from sartor.encoders.text.words import Vocabulary
from sartor.recommend.filters import filter_text
from sartor.recommend.understood import KnownValues, Understood, read_query
from sartor.types import FacetValue

FACETS = {
    "gender": ("Women", "Men", "Boys", "Girls"),
    "color": ("Red", "Navy Blue", "Blue", "White"),
    "articleType": ("Dresses", "Tshirts", "Casual Shoes", "Shirts"),
    "subCategory": ("Shoes", "Dress"),
    "usage": ("Casual", "Formal"),
    "year": ("2011", "2012"),
    "season": ("Summer",),
}
VALUES = KnownValues(
    {name: [FacetValue(value, 10 - at) for at, value in enumerate(values)] for name, values in FACETS.items()},
    Vocabulary.read(),
)


def read(query: str, **options: object) -> Understood:
    return read_query(query, VALUES, **options)


def filters(query: str, **options: object) -> set[str]:
    return {filter_text(condition) for condition in read(query, **options).where.conditions}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("women's red dress under 50", {"gender=Women", "color=Red", "subCategory=Dress", "price=..50"}),
        ("navy tee for men", {"gender=Men", "color=Navy Blue", "articleType=Tshirts"}),
        ("casual shoes", {"articleType=Casual Shoes"}),
        ("casual shirt", {"usage=Casual", "articleType=Shirts"}),
        ("kids shirts", {"gender=Boys,Girls", "articleType=Shirts"}),
        ("red or white shirt", {"color=Red,White", "articleType=Shirts"}),
        ("chemise blanche homme", {"color=White", "gender=Men", "articleType=Shirts"}),
        ("shoes between $20 and $60", {"subCategory=Shoes", "price=20..60"}),
        ("shoes from 20 to 60", {"subCategory=Shoes", "price=20..60"}),
        ("shirt over 19.99 €", {"articleType=Shirts", "price=19.99.."}),
        ("shirt moins de 30", {"articleType=Shirts", "price=..30"}),
        ("air max 90", set()),
        ("501", set()),
        ("summer 2012", set()),
        ("", set()),
    ],
)
def test_words_are_filters(query: str, said: set[str]) -> None:
    assert filters(query) == said


def test_no_word_is_lost() -> None:
    understood = read("a floral red dress for the beach under 50")

    assert [meaning.typed for meaning in understood.meanings] == ["under 50", "red", "dress"]
    assert understood.rest == ("floral", "beach")
    assert understood.ignored == ("a", "for", "the")
    assert "50" not in understood.text


def test_one_typing_error_is_forgiven_and_told() -> None:
    meanings = {meaning.typed: meaning.corrected for meaning in read("wite shrts").meanings}

    assert meanings == {"wite": "white", "shrts": "shirt"}


def test_a_word_of_titles_is_no_typing_error() -> None:
    assert filters("whyte", known=frozenset({"whyte"})) == set()


def test_a_filter_is_taken_back() -> None:
    understood = read("red dress", plain=["red"])

    assert [meaning.typed for meaning in understood.meanings] == ["dress"]
    assert understood.rest == ("red",)


def test_a_price_is_taken_back() -> None:
    assert read("dress under 50", plain=["under 50"]).where.attributes == ("subCategory",)


def test_a_range_that_ends_before_it_begins_is_no_price() -> None:
    assert "price" not in read("dress between 60 and 20").where.attributes


def test_of_two_attributes_the_finer_one_is_meant() -> None:
    facets = {"category": [FacetValue("Shoes", 100)], "type": [FacetValue("Shoes", 40)]}

    (meaning,) = read_query("shoes", KnownValues(facets, Vocabulary.read())).meanings

    assert meaning.condition.attribute == "type"
