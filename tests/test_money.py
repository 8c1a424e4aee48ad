from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.money import CODES, Money, currency_of, mark_of, money_of


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1.299,00 EUR", "1299.00 EUR"),
        ("15.00 USD", "15.00 USD"),
        ("12,50", "12.50"),
        ("$1,299.00", "1299.00 USD"),
        ("€ 49", "49.00 EUR"),
        ("49", "49"),
        ("1 299,00 kr", "1299.00 kr"),
        ("1\u00a0299,00\u00a0kr", "1299.00 kr"),
        ("1\u202f299,00 €", "1299.00 EUR"),
        ("₹1,299", "1299.00 INR"),
        ("₹ 1,29,900", "129900.00 INR"),
        ("Rs. 799", "799.00 Rs"),
        ("CHF 1'299.50", "1299.50 CHF"),
        ("CHF 1\u2019299.50", "1299.50 CHF"),
        ("Fr. 12.-", "12.00 CHF"),
        ("12,- €", "12.00 EUR"),
        ("12,\u2013 €", "12.00 EUR"),
        ("USD 20", "20.00 USD"),
        ("20.00", "20.00"),
        ("1299", "1299"),
        ("R$ 1.299,90", "1299.90 BRL"),
        ("129,99 zł", "129.99 PLN"),
        ("1 299 Kč", "1299.00 CZK"),
        ("￥1200", "1200 JPY"),
        ("12.500 KWD", "12.500 KWD"),
        ("0.99", "0.99"),
        ("1.299 EUR", "1299.00 EUR"),
        ("19.90EUR", "19.90 EUR"),
        ("-5,00 €", "-5.00 EUR"),
        ("\u0663\u0664\u066b\u0665", "34.5"),  # in Arabic digits
        ("free", "0"),
        ("Kostenlos", "0"),
    ],
)
def test_a_price_is_read_however_it_is_written(text: str, read: str) -> None:
    assert str(money_of(text)) == read


@pytest.mark.parametrize(
    "text",
    ["", " ", "on request", "10 - 20 USD", "about 5", "1,2,3", "5 6", "1.2.3", "12 pcs", "EUR USD 5", "9" * 99],
)
def test_what_is_no_single_amount_is_none(text: str) -> None:
    assert money_of(text) is None


def test_the_mark_of_the_feed_decides_where_the_text_does_not() -> None:
    assert [str(money_of("1.299", mark=mark)) for mark in (",", ".", None)] == ["1299", "1.299", "1.299"]
    assert [str(money_of("1,299", mark=mark)) for mark in (",", ".", None)] == ["1.299", "1299", "1299"]
    assert [str(money_of("₹1,299", mark=mark)) for mark in (",", ".", None)] == ["1299.00 INR"] * 3
    assert [str(money_of("9,99", mark=mark)) for mark in (",", ".", None)] == ["9.99"] * 3


def test_most_prices_of_a_feed_tell_its_mark() -> None:
    assert mark_of(["1.234,50", "9,99", "10.00"]) == ","
    assert mark_of(["12.749", "12.5", "3"]) == "."
    assert mark_of(["1.299", "12", "none"]) is None
    assert mark_of([]) is None


def test_a_currency_is_a_code_or_a_sign() -> None:
    assert [currency_of(text) for text in ("eur", "US$", "kr.", "Kč", "pieces", "")] == [
        "EUR",
        "USD",
        "kr",
        "CZK",
        None,
        None,
    ]
    assert str(money_of("12", currency="SEK")) == "12.00 SEK"
    assert str(money_of("12 EUR", currency="SEK")) == "12.00 EUR"


AMOUNTS = st.integers(0, 10**9).map(lambda cents: f"{cents // 100}.{cents % 100:02d}")
CURRENCIES = st.sampled_from(sorted(CODES - {"JPY"}))


def grouped(digits: str, *, group: str, mark: str) -> str:
    whole, _, cents = digits.partition(".")
    return f"{int(whole):,}".replace(",", group) + mark + cents


@given(
    AMOUNTS, CURRENCIES, st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", "."), ("", "."), ("", ",")])
)
def test_what_is_written_in_any_country_is_the_same_amount(
    digits: str, currency: str, style: tuple[str, str]
) -> None:
    text = grouped(digits, group=style[0], mark=style[1])
    for written in (f"{text} {currency}", f"{currency} {text}", f"{currency}{text}", f"{text}\u00a0{currency}"):
        found = money_of(written)
        assert found is not None
        assert (found.amount, found.currency) == (float(digits), currency)


@given(AMOUNTS, CURRENCIES)
def test_an_amount_is_read_as_it_was_written_by_sartor(digits: str, currency: str) -> None:
    written = Money(digits, currency)
    assert str(money_of(str(written))) == str(written)


@given(st.text(max_size=80))
def test_any_text_is_an_amount_or_none(text: str) -> None:
    found = money_of(text)
    assert found is None or found.amount == found.amount
