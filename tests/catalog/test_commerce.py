from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sartor.catalog.commerce import Offers
from sartor.catalog.source import Findings
from sartor.types import AttributeValue

NOW_S = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()


def tidied(
    *, mark: str | None = None, **attributes: AttributeValue
) -> tuple[dict[str, AttributeValue], list[str]]:
    findings = Findings()
    found = Offers(mark=mark, findings=findings, now_s=NOW_S).tidy(attributes, "line 1")
    return found, [finding.case for finding in findings.snapshot()]


@pytest.mark.parametrize(
    ("given", "price"),
    [
        ({"price": "12,50"}, "12.50"),
        ({"price": 10.5}, 10.5),
        ({"price": 10.5, "currency": "eur"}, "10.50 EUR"),
        ({"price": 1.299, "currency": "EUR"}, "1.299 EUR"),
        ({"price": "10.5", "priceCurrency": "€"}, "10.50 EUR"),
        ({"price.amount": 10.5, "price.currency": "EUR"}, "10.50 EUR"),
        ({"price.value": "10.50", "price.currency_code": "usd"}, "10.50 USD"),
        ({"price.amountMicros": "29990000", "price.currencyCode": "USD"}, "29.99 USD"),
        ({"price": ("12 EUR", "9,50 EUR")}, ("12.00 EUR", "9.50 EUR")),
        ({"price": "on request"}, "on request"),
    ],
)
def test_a_price_gets_its_currency_wherever_it_stands(
    given: dict[str, AttributeValue], price: AttributeValue
) -> None:
    found, _ = tidied(mark=",", **given)
    assert found["price"] == price
    assert not [name for name in found if name.startswith("price.")]


def test_the_name_of_a_column_may_have_the_currency() -> None:
    assert tidied(**{"Retail price": "12", "EUR price": "12"})[0] == {
        "Retail price": "12",
        "EUR price": "12.00 EUR",
    }


def test_what_is_no_amount_is_said() -> None:
    assert tidied(price="from 10") == ({"price": "from 10"}, ["prices that are no amount, kept as text"])
    assert tidied(availability="ask us") == (
        {"availability": "ask us"},
        ["availabilities that are not known, kept as text"],
    )


@pytest.mark.parametrize(
    ("dates", "is_on"),
    [
        ("2026-11-01/2026-12-01", True),
        ("2026-11-30/2026-11-30", True),
        ("2026-11-01T00:00+0100/2026-11-30T11:00Z", False),
        ("2026-12-01/", False),
        ("/2026-11-29", False),
        ("soon", True),
    ],
)
def test_a_sale_price_counts_within_its_dates(dates: str, is_on: bool) -> None:
    found, cases = tidied(price="20", sale_price="15", sale_price_effective_date=dates)
    assert ("sale_price" in found) is is_on
    assert ("scheduled_sale_price" in found) is not is_on
    assert bool(cases) is not is_on


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({"is_in_stock": "0"}, "out_of_stock"),
        ({"In Stock": True}, "in_stock"),
        ({"stock_status": "outofstock"}, "out_of_stock"),
        ({"qty": "3"}, "in_stock"),
        ({"stock": 0}, "out_of_stock"),
        ({"availability": "Auf Lager", "qty": "0"}, "in_stock"),
        ({"availability": ("out of stock",)}, "out_of_stock"),
        ({"stock": "a few"}, None),
        ({}, None),
    ],
)
def test_availability_is_told_by_what_there_is(given: dict[str, AttributeValue], state: str | None) -> None:
    assert tidied(**given)[0].get("availability") == state


def test_details_have_their_own_names_and_two_colors_are_two() -> None:
    given = "General:Material:Linen,General:Fit:Slim,odd"
    assert tidied(product_detail=given, color="Red/White")[0] == {
        "product_detail": "odd",
        "material": "Linen",
        "Fit": "Slim",
        "color": ("Red", "White"),
    }
