from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sartor.errors import BadEvent, NoIdentity
from sartor.events.model import (
    FIELDS,
    PLACEHOLDERS,
    Event,
    EventIn,
    EventType,
    Person,
    event_of,
    is_placeholder,
)

NOW_S = 1_750_000_000.0
LIKE = {"type": "like", "user_id": "ann", "product_id": "p"}


def reason(**fields: object) -> str:
    with pytest.raises(BadEvent) as raised:
        event_of(LIKE | fields, now_s=NOW_S)
    assert raised.value.reason in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1
    return raised.value.reason


def test_every_field_is_taken() -> None:
    fields = {
        "event_id": "e-1",
        "type": "purchase",
        "visitor_id": "v",
        "product_id": 15970,
        "timestamp": "2025-06-01T12:00:00+02:00",
        "recommendation_id": "r",
        "position": "3",
        "quantity": 2.0,
        "price": "19.90",
        "basket_id": "b",
    }
    assert event_of(fields, now_s=NOW_S) == Event(
        id="e-1",
        type=EventType.PURCHASE,
        person=Person.visitor("v"),
        at_s=1_748_772_000.0,
        product_id="15970",
        recommendation_id="r",
        position=3,
        quantity=2,
        price=19.9,
        basket_id="b",
    )


def test_what_is_missing_has_its_default() -> None:
    event = event_of(LIKE | {"price": "", "position": None, "visitor_id": "", "surprise": 1}, now_s=NOW_S)
    assert event == Event(
        id=event.id, type=EventType.LIKE, person=Person.user("ann"), at_s=NOW_S, product_id="p", quantity=1
    )


def test_a_search_has_words_and_no_product() -> None:
    found = event_of({"type": "search", "visitor_id": "v", "query": "rote Stiefel ♥"}, now_s=NOW_S)
    assert (found.query, found.product_id) == ("rote Stiefel ♥", "")
    assert reason(type="search") == "a search names no product, and this one names 'p'"
    assert "is not up to 500 letters" in reason(type="search", product_id="", query="x" * 501)


def test_a_user_who_was_a_visitor_is_the_user() -> None:
    assert event_of(LIKE | {"visitor_id": "v"}, now_s=NOW_S).person == Person.user("ann")


@pytest.mark.parametrize(
    ("timestamp", "at_s"),
    [
        ("2025-06-01T12:00:00Z", 1_748_779_200.0),
        ("2025-06-01 12:00:00", 1_748_779_200.0),
        ("2025-06-01", 1_748_736_000.0),
        (1_748_779_200, 1_748_779_200.0),
        ("1748779200.5", 1_748_779_200.5),
        (NOW_S + 3600, NOW_S + 3600),
    ],
)
def test_a_time_is_iso_8601_or_seconds_and_without_an_offset_utc(timestamp: object, at_s: float) -> None:
    assert event_of(LIKE | {"timestamp": timestamp}, now_s=NOW_S).at_s == at_s


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"type": ""}, "it has no type; types are view, click, like, dislike, add_to_cart, purchase, search"),
        ({"type": "buy"}, "there is no type 'buy'; types are view"),
        ({"type": ["like"]}, "there is no type of list"),
        ({"user_id": ""}, "it does not say who did it; give user_id, or visitor_id"),
        ({"user_id": "a\nb"}, r"user_id 'a\nb' is not 1 to 256 bytes of printable text"),
        ({"user_id": "ü" * 129}, "is not 1 to 256 bytes"),
        ({"user_id": "\ud800"}, "is not 1 to 256 bytes of printable text"),
        ({"user_id": True}, "user_id True is no text"),
        ({"event_id": "x" * 257}, "event_id 'xxx"),
        ({"product_id": None}, "it does not say of which product; a like needs product_id"),
        ({"product_id": "p" * 513}, "is not 1 to 512 bytes of text"),
        ({"product_id": "a\x00b"}, "is not 1 to 512 bytes of text"),
        ({"product_id": {"id": 1}}, "product_id of dict is no text"),
        ({"product_id": 10**5000}, "product_id of a very long number is no text"),
        ({"timestamp": "yesterday"}, "timestamp 'yesterday' is neither ISO 8601 nor seconds since 1970"),
        ({"timestamp": "nan"}, "is neither"),
        ({"timestamp": [1]}, "timestamp of list is neither"),
        ({"timestamp": 946_684_799}, "is before the year 2000"),
        ({"timestamp": "1999-12-31"}, "is before the year 2000"),
        ({"timestamp": NOW_S + 86_401}, "is more than a day in the future"),
        ({"timestamp": NOW_S * 1000}, "in the future; give seconds, not milliseconds"),
        ({"timestamp": 10**400}, "timestamp of a very long number is neither"),
        ({"recommendation_id": "r" * 129}, "is not up to 128 printable letters"),
        ({"basket_id": "b\t"}, "is not up to 128 printable letters"),
        ({"position": 0}, "position 0 is no whole number from 1 to 10,000"),
        ({"position": 1.5}, "position 1.5 is no whole number"),
        ({"quantity": 10_001}, "quantity 10001 is no whole number"),
        ({"quantity": True}, "quantity True is no whole number"),
        ({"price": -0.01}, "price -0.01 is no number from 0"),
        ({"price": math.inf}, "price inf is no number"),
        ({"price": "9,90"}, "price '9,90' is no number"),
        ({"query": "boots"}, "a like has no query"),
    ],
)
def test_what_cannot_be_kept_is_told_in_a_line(fields: dict[str, object], told: str) -> None:
    assert told in reason(**fields)


def test_an_event_with_a_time_is_known_by_what_it_says() -> None:
    dated = LIKE | {"timestamp": "2025-06-01T12:00:00Z"}
    same = dated | {"timestamp": 1_748_779_200, "quantity": "1"}
    assert event_of(dated, now_s=NOW_S).id == event_of(same, now_s=NOW_S + 9).id
    others = [{"user_id": "", "visitor_id": "ann"}, {"timestamp": 1_748_779_201}, {"price": 1}, {"basket_id": "b"}]
    others += [{"product_id": "q"}, {"type": "dislike"}, {"position": 1}, {"recommendation_id": "b"}]
    ids = {event_of(dated | other, now_s=NOW_S).id for other in ({}, *others)}
    assert len(ids) == len(others) + 1


def test_events_without_a_time_are_each_another() -> None:
    assert event_of(LIKE, now_s=NOW_S).id != event_of(LIKE, now_s=NOW_S).id


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(EventType),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING), st.booleans())
def test_whatever_comes_is_an_event_that_can_be_kept_or_a_reason(fields: dict[str, object], likely: bool) -> None:
    try:
        event = event_of((LIKE | fields) if likely else fields, now_s=NOW_S)
    except BadEvent as error:
        lines = str(error).splitlines()
    else:
        lines = [""]
        require_storable(event)
    assert len(lines) == 1


def require_storable(event: Event) -> None:
    texts = (event.id, event.person.id, event.product_id, event.recommendation_id, event.basket_id, event.query)
    assert "\0" not in "".join(texts).encode().decode()
    assert event.id
    assert event.person.id
    assert bool(event.product_id) == (event.type is not EventType.SEARCH)
    assert event.at_s <= NOW_S + 86_400


STRICT = {
    "event_id": "e",
    "timestamp": 1_748_779_200,
    "position": 3,
    "quantity": 2,
    "price": 19.9,
    "basket_id": "b",
}


def test_an_event_is_the_same_whichever_way_it_comes_in() -> None:
    fields = LIKE | STRICT
    text = {name: str(value) for name, value in fields.items()}
    assert EventIn.model_validate(fields).event(now_s=NOW_S) == event_of(text, now_s=NOW_S)


@pytest.mark.parametrize("fields", [{"quantity": "2"}, {"user_id": 7}, {"position": 2.0}, {"surprise": 1}])
def test_json_over_http_has_its_types_and_no_other_fields(fields: dict[str, object]) -> None:
    assert event_of(LIKE | fields, now_s=NOW_S).product_id == "p"
    with pytest.raises(ValidationError):
        EventIn.model_validate(LIKE | fields)


NOT_AN_ID = (
    *sorted(PLACEHOLDERS),
    "NaN",
    "None",
    "NULL",
    "[object Object]",
    " undefined ",
    '"null"',
    "'undefined'",
    "  ",
    "00000000-0000-0000-0000-000000000000",
    "0" * 32,
)


@pytest.mark.parametrize("text", NOT_AN_ID)
def test_a_placeholder_is_nobody(text: str) -> None:
    assert is_placeholder(text)
    for kind in ("user_id", "visitor_id"):
        with pytest.raises(BadEvent, match="writes for a missing id"):
            event_of({"type": "like", "product_id": "p", kind: text}, now_s=NOW_S)
    for person in (Person.user(text), Person.visitor(text)):
        with pytest.raises(NoIdentity, match="is no id of a"):
            person.identified()


@pytest.mark.parametrize(
    "text",
    ["0", "undefined-7", "null.ann", "ann", "Nonesuch", "nan@shop.example", "None of these", "1e400", "guest"],
)
def test_an_id_that_contains_such_a_word_is_an_id(text: str) -> None:
    assert not is_placeholder(text)
    assert event_of(LIKE | {"user_id": text}, now_s=NOW_S).person == Person.user(text).identified()


def test_a_visitor_is_known_beside_a_user_who_is_none() -> None:
    given = EventIn.model_validate(LIKE | {"user_id": "undefined", "visitor_id": "v"})
    assert given.event(now_s=NOW_S).person == Person.visitor("v")
    assert given.placeholders == ("user_id",)


def test_events_of_one_placeholder_are_neither_one_event_nor_one_basket() -> None:
    links = {"event_id": "undefined", "basket_id": "null", "recommendation_id": "[object Object]"}
    one, other = (event_of(LIKE | links | {"timestamp": NOW_S - n}, now_s=NOW_S) for n in (1, 2))
    assert one.id != other.id
    assert (one.basket_id, one.recommendation_id) == ("", "")
