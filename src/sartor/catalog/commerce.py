"""What shops say of an offer, made alike: prices with their currency, availability, colors and details.

Each row's attributes go through ``Offers.tidy`` when a table is read, whichever format it has. What cannot be
understood stays as it is, and is counted.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from sartor.catalog.columns import attribute_names, column_key
from sartor.catalog.formats import texts
from sartor.catalog.source import Case
from sartor.money import CODES, Money, currency_of, money_of
from sartor.offers import AVAILABILITY, PRICE, SALE_PRICE, Availability, availability_of, is_price

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sartor.catalog.source import Findings
    from sartor.types import AttributeValue

COLOR = "color"
SALE_DATES, SCHEDULED_SALE_PRICE = "sale_price_effective_date", "scheduled_sale_price"

_CURRENCIES = frozenset({"currency", "currencycode", "pricecurrency"})
_IN_MICROS, _MICROS = "amountmicros", 1_000_000
_AMOUNTS = frozenset({"amount", "value", _IN_MICROS})  # parts of a price that is an object
_IN_STOCK = frozenset({"instock", "isinstock", "stockstatus"})
_QUANTITIES = frozenset(
    {"qty", "quantity", "stock", "stockquantity", "inventory", "inventoryquantity", "stocklevel"}
)
_YES, _NO = frozenset({"1", "true", "yes", "y"}), frozenset({"0", "false", "no", "n"})
_NAMED_CURRENCY = re.compile(r"(?<![A-Za-z])([A-Z]{3})(?![A-Za-z])|([€£$₹])")
_DETAIL = "product_detail"


class Offers:
    """Makes the offers of one feed alike.

    Args:
        mark: The decimal mark of its prices, where they do not tell.
        findings: Where oddities are counted.
        now_s: The time now, in seconds since 1970.
    """

    def __init__(self, *, mark: str | None, findings: Findings, now_s: float | None = None) -> None:
        self._mark, self._findings = mark, findings
        self._now = datetime.fromtimestamp(time.time() if now_s is None else now_s, UTC)
        self._currencies: Counter[str] = Counter()

    def tidy(self, attributes: Mapping[str, AttributeValue], location: str) -> dict[str, AttributeValue]:
        """The attributes of a row as the catalog has them."""
        tidied = dict(attributes)
        has_parts, prices, currencies = _columns_of_money(tuple(tidied))
        if has_parts:
            tidied = dict(_with_details(_with_whole_prices(tidied)))
            _, prices, currencies = _columns_of_money(tuple(tidied))
        currency = next(filter(None, (currency_of(str(tidied[name])) for name in currencies)), "")
        for name, named_currency in prices:
            tidied[name] = self._price(name, tidied[name], named_currency or currency, location)
        self._judge_sale(tidied, location)
        self._judge_availability(tidied, location)
        if isinstance(color := tidied.get(COLOR), str):
            tidied[COLOR] = colors_of(color)
        return tidied

    def report(self) -> None:
        """Say that there are several currencies, once the feed is read."""
        if len(self._currencies) > 1:
            for currency, count in self._currencies.most_common():
                self._findings.add(Case.MIXED_CURRENCIES, f"{currency} ({count})")

    def _price(self, name: str, value: AttributeValue, currency: str, location: str) -> AttributeValue:
        if isinstance(value, tuple):
            return tuple(str(self._price(name, item, currency, location)) for item in value)
        if isinstance(value, bool):
            return value
        if not isinstance(value, str) and not currency:
            return value
        money = (
            money_of(value, mark=self._mark, currency=currency)
            if isinstance(value, str)
            else Money(_digits(value), currency)
        )
        if money is None:
            self._findings.add(Case.ODD_PRICES, f"{name} {str(value)[:40]} ({location})")
            return value
        if name == PRICE and money.currency:
            self._currencies[money.currency] += 1
        return str(money)

    def _judge_sale(self, attributes: dict[str, AttributeValue], location: str) -> None:
        """Set a sale price aside that is over or has not begun."""
        dates = attributes.get(SALE_DATES)
        if SALE_PRICE in attributes and isinstance(dates, str) and not _is_now(dates, self._now):
            attributes[SCHEDULED_SALE_PRICE] = attributes.pop(SALE_PRICE)
            self._findings.add(Case.NOT_ON_SALE, f"{dates} ({location})")

    def _judge_availability(self, attributes: dict[str, AttributeValue], location: str) -> None:
        value = attributes.get(AVAILABILITY)
        if value is None:
            if (state := _stock_in(attributes)) is not None:
                attributes[AVAILABILITY] = state.value
            return
        if isinstance(value, tuple):
            value = value[0]
        known = availability_of(str(value)) or _switch(value)
        if known is None:
            self._findings.add(Case.ODD_AVAILABILITY, f"{str(value)[:40]} ({location})")
        else:
            attributes[AVAILABILITY] = known.value


def colors_of(text: str) -> str | tuple[str, ...]:
    """A color, or several that are parted by a slash, the main one first.

    Source: https://support.google.com/merchants/answer/6324487

    Example:
        >>> colors_of("Red/White"), colors_of("Red")
        (('Red', 'White'), 'Red')
    """
    if "/" not in text:
        return text
    parts = tuple(dict.fromkeys(part.strip() for part in text.split("/") if part.strip()))
    return parts if len(parts) > 1 and not any("://" in part for part in (text,)) else text


def _with_whole_prices(attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    """The attributes with ``price.amount`` and ``price.currency`` as one ``price``."""
    prices: dict[str, Money] = {}
    used: set[str] = set()
    for name, value in attributes.items():
        price, dot, part = name.rpartition(".")
        if not (dot and is_price(price)) or price in attributes or column_key(part) not in _AMOUNTS:
            continue
        money = money_of(str(value), mark=".")
        if money is None or price in prices:
            continue
        if column_key(part) == _IN_MICROS:
            money = Money(_digits(money.amount / _MICROS))
        named = next((other for other in attributes if _is_currency_of(other, price)), None)
        currency = None if named is None else currency_of(str(attributes[named]))
        prices[price] = money._replace(currency=currency or money.currency)
        used |= {name} if named is None or currency is None else {name, named}
    if not prices:
        return dict(attributes)
    return {name: value for name, value in attributes.items() if name not in used} | {
        name: str(money) for name, money in prices.items()
    }


def _with_details(attributes: Mapping[str, AttributeValue]) -> Iterator[tuple[str, AttributeValue]]:
    """The attributes with the product details ``Section:Name:Value`` under their own names.

    Source: https://support.google.com/merchants/answer/9218260
    """
    details: dict[str, AttributeValue] = {}
    for name, value in attributes.items():
        if name != _DETAIL or isinstance(value, bool | int | float):
            yield name, value
            continue
        left = []
        for text in texts(value):
            for detail in text.split(","):
                _, colon, rest = detail.strip().partition(":")
                key, second, told = rest.partition(":")
                if colon and second and key.strip() and told.strip():
                    details[key.strip()] = told.strip()
                else:
                    left.append(detail)
        if left:
            yield name, ",".join(left)
    for detail, value in details.items():
        name = attribute_names((detail,))[detail]
        yield (name if name not in attributes else f"{_DETAIL}.{detail}"), value


def _is_currency_of(name: str, price: str) -> bool:
    outer, _, part = name.rpartition(".")
    return outer == price and column_key(part) in _CURRENCIES


@lru_cache(maxsize=1024)  # rows have the same attributes, or a few variants
def _columns_of_money(
    names: tuple[str, ...],
) -> tuple[bool, tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Whether any name is a part of a price; names of prices, each with its currency; columns of currencies."""
    prices = tuple((name, _named_currency(name)) for name in names if is_price(name))
    has_parts = any(map(_has_parts, names))
    return has_parts, prices, tuple(name for name in names if column_key(name) in _CURRENCIES)


def _has_parts(name: str) -> bool:
    """Whether an attribute is a part of a price, or is several in one."""
    price, dot, _ = name.rpartition(".")
    return name == _DETAIL or (bool(dot) and is_price(price))


def _named_currency(name: str) -> str:
    """The currency in the name of a column: ``Price (EUR)``."""
    match = _NAMED_CURRENCY.search(name)
    found = currency_of(match.group()) if match else None
    return found if found in CODES else ""


def _digits(number: float) -> str:
    text = f"{number:.6f}".rstrip("0").rstrip(".") if isinstance(number, float) else str(number)
    return text or "0"


def _is_now(dates: str, now: datetime) -> bool:
    """Whether now lies between two dates, as ISO 8601 parts them by a slash; True if they are none."""
    first, _, last = (part.strip() for part in dates.partition("/"))
    try:
        start, end = (datetime.fromisoformat(text) if text else None for text in (first, last))
    except ValueError:
        return True
    if end is not None and len(last) == len("2026-11-30"):
        end += timedelta(days=1)  # a day lasts until its end
    start, end = (each if each is None or each.tzinfo else each.replace(tzinfo=UTC) for each in (start, end))
    return (start is None or start <= now) and (end is None or now <= end)


def _stock_in(attributes: Mapping[str, AttributeValue]) -> Availability | None:
    """The availability by a switch such as ``is_in_stock``, else by a quantity."""
    by_key = {column_key(name): value for name, value in attributes.items()}
    for key in _IN_STOCK & by_key.keys():
        known = _switch(by_key[key]) or availability_of(str(by_key[key]))
        if known is not None:
            return known
    for key in _QUANTITIES & by_key.keys():
        number = money_of(str(by_key[key]), mark=".")
        if number is not None and not number.currency:
            return Availability.IN_STOCK if number.amount > 0 else Availability.OUT_OF_STOCK
    return None


def _switch(value: AttributeValue) -> Availability | None:
    text = str(value).strip().casefold()
    if text in _YES:
        return Availability.IN_STOCK
    return Availability.OUT_OF_STOCK if text in _NO else None
