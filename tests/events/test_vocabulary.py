"""Logs that other programs wrote are read as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.errors import BadVocabulary
from sartor.events.vocabulary import Meaning, Vocabulary, time_of

NOW_S = 1_772_500_000.0


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        (  # REES46
            (
                "event_time",
                "event_type",
                "product_id",
                "category_code",
                "brand",
                "price",
                "user_id",
                "user_session",
            ),
            {"event_time": "timestamp", "event_type": "type", "product_id": "product_id", "price": "price"}
            | {"user_id": "user_id"},
        ),
        (  # Retailrocket
            ("timestamp", "visitorid", "event", "itemid", "transactionid"),
            {"timestamp": "timestamp", "visitorid": "visitor_id", "event": "type", "itemid": "product_id"}
            | {"transactionid": "basket_id"},
        ),
        (  # H&M
            ("t_dat", "customer_id", "article_id", "price"),
            {"t_dat": "timestamp", "customer_id": "user_id", "article_id": "product_id", "price": "price"},
        ),
        (
            ("Session ID", "Timestamp", "Item ID"),
            {"Session ID": "visitor_id", "Timestamp": "timestamp"} | {"Item ID": "product_id"},
        ),
        (("event_time", "timestamp", "User", "user_id"), {"timestamp": "timestamp", "user_id": "user_id"}),
    ],
)
def test_the_columns_of_public_logs_are_known(columns: tuple[str, ...], fields: dict[str, str]) -> None:
    assert Vocabulary().fields_of(columns) == fields


def test_other_columns_are_mapped() -> None:
    vocabulary = Vocabulary({"When": "timestamp", "user_id": "visitor_id", "price": ""})
    assert vocabulary.fields_of(("when", "user_id", "price", "event_time", "type")) == {
        "when": "timestamp",
        "user_id": "visitor_id",
        "type": "type",
    }


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("cart", "add_to_cart"),
        ("addtocart", "add_to_cart"),
        ("AddToCart", "add_to_cart"),
        ("transaction", "purchase"),
        ("buy", "purchase"),
        ("pv", "view"),
        ("fav", "like"),
        ("view", "view"),
        ("remove_from_cart", Meaning.LEFT_OUT),
        ("stare", Meaning.UNKNOWN),
        ("", Meaning.UNKNOWN),
    ],
)
def test_the_types_of_public_logs_are_known(name: str, meaning: str | Meaning) -> None:
    assert Vocabulary().type_of(name) == meaning


def test_other_types_are_mapped() -> None:
    vocabulary = Vocabulary(
        types={"bag": "add_to_cart", "view": "", "": "purchase", "remove_from_cart": "dislike"}
    )
    meanings = [vocabulary.type_of(name) for name in ("Bag", "view", "", "remove_from_cart")]
    assert meanings == ["add_to_cart", Meaning.LEFT_OUT, "purchase", "dislike"]


@pytest.mark.parametrize(("columns", "types"), [({"when": "moment"}, {}), ({}, {"bag": "basket"})])
def test_a_mapping_to_nothing_is_refused(columns: dict[str, str], types: dict[str, str]) -> None:
    with pytest.raises(BadVocabulary, match="there are:"):
        Vocabulary(columns, types)


ZONELESS = "times without a zone, read as UTC"


@pytest.mark.parametrize(
    ("value", "time", "noticed"),
    [
        ("2019-10-01 00:00:00 UTC", "2019-10-01 00:00:00+00:00", None),
        ("2019-10-01 00:00:00.123 GMT", "2019-10-01 00:00:00.123+00:00", None),
        ("2019-10-01 00:00:00 +0200", "2019-10-01 00:00:00+0200", None),
        ("2019-10-01T00:00:00Z", "2019-10-01T00:00:00+00:00", None),
        ("2019-10-01T00:00:00-05:00", "2019-10-01T00:00:00-05:00", None),
        ("2019-10-01 00:00:00", "2019-10-01 00:00:00", ZONELESS),
        ("2019-10-01", "2019-10-01", ZONELESS),
        ("20191001", "20191001", ZONELESS),
        (1569888000, 1569888000, None),
        ("1569888000", "1569888000", None),
        (1569888000000, 1569888000.0, "times in milliseconds since 1970"),
        ("1569888000000000", 1569888000.0, "times in microseconds since 1970"),
        (1569888000000000000, 1569888000.0, "times in nanoseconds since 1970"),
        (9e15 * 1e6, 9e21, None),
        (None, None, None),
    ],
)
def test_times_are_read_as_logs_write_them(value: object, time: object, noticed: str | None) -> None:
    assert time_of(value, now_s=NOW_S) == (time, noticed)


@given(st.text() | st.integers() | st.floats() | st.none() | st.booleans())
def test_any_time_is_read_or_left_as_it_is(value: object) -> None:
    time_of(value, now_s=NOW_S)


def test_two_columns_cannot_be_one_field() -> None:
    with pytest.raises(BadVocabulary, match="'when and at' cannot be 'timestamp'; each field has one column"):
        Vocabulary({"when": "timestamp", "at": "timestamp"})
