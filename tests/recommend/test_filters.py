from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.errors import BadFilter, UnknownAttribute
from sartor.recommend.filters import parse_where, require_attributes, where_of
from sartor.types import AnyOf, Between, Where


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("gender=Women", AnyOf(attribute="gender", values=("Women",))),
        ("color = Red, Navy Blue ", AnyOf(attribute="color", values=("Red", "Navy Blue"))),
        ("price=10..50", Between(attribute="price", low=10, high=50)),
        ("price=..9.5", Between(attribute="price", high=9.5)),
        ("price=-2..", Between(attribute="price", low=-2)),
        ("note=a=b", AnyOf(attribute="note", values=("a=b",))),
        ("size=1..L", AnyOf(attribute="size", values=("1..L",))),
    ],
)
def test_filters_are_read_as_people_write_them(text: str, condition: object) -> None:
    assert parse_where([text]) == Where((condition,))


@pytest.mark.parametrize("text", ["gender", "=Women", "gender=", "gender=,", "price=..", "price=50..10"])
def test_a_filter_that_cannot_be_understood_says_how_to_write_one(text: str) -> None:
    with pytest.raises(BadFilter, match=r"write key=value, key=a,b .* or key=10\.\.50"):
        parse_where([text])


@pytest.mark.parametrize(
    ("value", "condition"),
    [
        ("Women", AnyOf(attribute="x", values=("Women",))),
        (["Red", "Blue"], AnyOf(attribute="x", values=("Red", "Blue"))),
        (("Red", "Blue"), AnyOf(attribute="x", values=("Red", "Blue"))),
        ((10, 50), Between(attribute="x", low=10, high=50)),
        ((10, None), Between(attribute="x", low=10)),
        (2011, AnyOf(attribute="x", values=("2011",))),
        (True, AnyOf(attribute="x", values=("true",))),
    ],
)
def test_filters_from_python_mean_what_they_look_like(value: object, condition: object) -> None:
    assert where_of({"x": value}) == Where((condition,))


@pytest.mark.parametrize("value", [None, [], (None, None), {"a": 1}, [[1]], (9, 1), (float("nan"), 1)])
def test_a_value_that_is_no_filter_is_refused(value: object) -> None:
    with pytest.raises(BadFilter):
        where_of({"x": value})


@given(st.text())
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    try:
        (condition,) = parse_where([text]).conditions
    except BadFilter:
        return
    assert condition.attribute


def test_an_unknown_attribute_is_answered_with_the_closest_one() -> None:
    where = parse_where(["gendre=Women"])
    with pytest.raises(UnknownAttribute, match="no product has an attribute 'gendre'; did you mean 'gender'"):
        require_attributes(where, ["color", "gender"])
    require_attributes(parse_where(["gender=Women"]), ["color", "gender"])
