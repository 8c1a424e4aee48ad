from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sartor.errors import BadFilter, UnknownAttribute
from sartor.recommend.filters import filter_text, name_text, parse_where, require_attributes, where_of
from sartor.types import AnyOf, Between, Not, Where

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
NAMES = TEXTS.filter(bool)
BOUNDS = st.none() | st.floats(-1e12, 1e12).map(lambda number: round(number, 3))


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
        ('material="Cotton, Linen"', AnyOf(attribute="material", values=("Cotton, Linen",))),
        ('material="Cotton, Linen", Silk', AnyOf(attribute="material", values=("Cotton, Linen", "Silk"))),
        ('size="10..12"', AnyOf(attribute="size", values=("10..12",))),
        ('screen=5", 6"', AnyOf(attribute="screen", values=('5"', '6"'))),
        ('name="say \\"hi\\""', AnyOf(attribute="name", values=('say "hi"',))),
        ('name=" a "', AnyOf(attribute="name", values=(" a ",))),
        ('"a=b"=c', AnyOf(attribute="a=b", values=("c",))),
        ('"new!" = yes', AnyOf(attribute="new!", values=("yes",))),
        ('"new!" != yes', Not(condition=AnyOf(attribute="new!", values=("yes",)))),
    ],
)
def test_filters_are_read_as_people_write_them(text: str, condition: object) -> None:
    assert parse_where([text]) == Where((condition,))


@pytest.mark.parametrize(
    "text",
    [
        "gender",
        "=Women",
        "gender=",
        "gender=,",
        "price=..",
        "price=50..10",
        'a="b',
        'a="b" c',
        '"a=b',
        '"a"b=c',
        '""=a',
    ],
)
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


@given(name=NAMES, values=st.lists(TEXTS, min_size=1, max_size=4), turned=st.booleans())
@example(name="a", values=["Cotton, Linen"], turned=False)
@example(name='"a" = b!', values=["1..2", "", " x\n", '"', "\\", "\x00\u2028"], turned=True)
def test_what_is_written_as_a_filter_is_read_as_the_same(name: str, values: list[str], *, turned: bool) -> None:
    condition = AnyOf(attribute=name, values=tuple(values))
    where = Where((Not(condition=condition) if turned else condition,))
    assert parse_where([filter_text(where.conditions[0])]) == where
    assert where_of({f"{name_text(name)}{'!' if turned else ''}": values}) == where


@given(NAMES, BOUNDS, BOUNDS)
def test_ranges_are_written_as_they_are_read(name: str, low: float | None, high: float | None) -> None:
    low, high = (high, low) if None not in (low, high) and low > high else (low, high)
    condition = Between(attribute=name, low=low, high=high)
    if (low, high) != (None, None):
        assert parse_where([filter_text(condition)]) == Where((condition,))


@given(NAMES, TEXTS)
def test_quotes_are_only_written_where_they_are_needed(name: str, value: str) -> None:
    text = filter_text(AnyOf(attribute=name, values=(value,)))
    if name.isalnum() and value.isalnum():
        assert text == f"{name}={value}"


def test_what_could_mean_two_things_is_remembered() -> None:
    assert parse_where(["color=Red,Blue", "size=10..12", "brand=Acme"]).unclear == (
        ("color", "Red,Blue"),
        ("size", "10..12"),
    )
    assert parse_where(['color="Red","Blue"', 'size="10..12"']).unclear == ()
