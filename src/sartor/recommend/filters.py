"""Filters as people write them, with one grammar for the command line, addresses, pages and Python.

    filter = name ["!"] "=" (range | value {"," value})
    range  = [number] ".." [number]
    name, value = plain text, without space around it, or a JSON string in double quotes

``gender=Women``, ``color=Red,Blue``, ``color!=Black`` and ``price=10..50`` need no quotes. A value does that has a
comma, begins with a quote, or reads as a range, as in ``material="Cotton, Linen"``; a name that has an equals sign
or ends with ``!``. A price that is a number, as in ``price=10``, means all amounts of 10; in a catalog with
several currencies it is refused, and ``price:EUR=10..50`` or ``price:currency=EUR`` says which is meant.
In Python and JSON values stand as they are; only names follow the grammar.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from sartor.errors import BadFilter, MixedCurrencies, UnknownAttribute, UnknownValue
from sartor.limits import MAX_KNOWN_VALUES
from sartor.offers import PRICE, PRICE_CURRENCY, price_named
from sartor.types import EVERYTHING, AnyOf, AttributeValue, Between, Condition, Not, Where
from sartor.values import compared_text, storable

if TYPE_CHECKING:
    from sartor.index.base import VectorIndex
    from sartor.store.base import CatalogStore

FilterValue: TypeAlias = AttributeValue | Sequence[str] | tuple[float | None, float | None]
Filter: TypeAlias = Mapping[str, FilterValue] | Where | str | Sequence[str]

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_PLAIN_NUMBER = re.compile(_NUMBER)
_RANGE = re.compile(rf"({_NUMBER})?\.\.({_NUMBER})?")
_QUOTE = '"'
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # forms of pages change line ends that are not escaped
_STRING = json.JSONDecoder(strict=False)


def parse_where(texts: Iterable[str]) -> Where:
    """Read filters that are written as text; all of them must hold.

    Raises:
        BadFilter: One cannot be understood.

    Example:
        >>> parse_where(["price=10..50"]).conditions
        (Between(attribute='price', low=10.0, high=50.0),)
    """
    unclear: list[tuple[str, str]] = []
    conditions = tuple(_parse(text, unclear) for text in texts)
    return Where(conditions, tuple(unclear))


def where_of(filters: Mapping[str, FilterValue]) -> Where:
    """Read filters from Python: a value, a list of values, or a pair of numbers as a range.

    A name that ends with ``!``, as in ``{"color!": "Black"}``, turns its condition around. Values are taken as
    they are, whatever letters they have.

    Raises:
        BadFilter: A value has another type.

    Example:
        >>> where_of({"gender": "Women", "price": (10, None)}).attributes
        ('gender', 'price')
    """
    return Where(tuple(_named(attribute, value) for attribute, value in filters.items()))


def require_attributes(where: Where, known: Sequence[str]) -> None:
    """Refuse a filter on an attribute that no product has.

    Raises:
        UnknownAttribute: The error names the attribute, and the closest one that exists.
    """
    require_names(where.attributes, known)


def require_names(attributes: Iterable[str], known: Sequence[str]) -> None:
    """Refuse attributes that no product has.

    Raises:
        UnknownAttribute: The error names the first one, and the closest one that exists.
    """
    for attribute in attributes:
        if attribute not in known and not _is_of_a_price(attribute, known):
            raise UnknownAttribute(attribute, known=known)


def require_values(where: Where, catalog: VectorIndex | CatalogStore) -> None:
    """Refuse a filter that nothing can pass, because no product has any of the values that it names.

    Raises:
        UnknownValue: The error names the value, and the closest one that exists.
    """
    for condition in where.conditions:
        if isinstance(condition, AnyOf):
            asked = {compared_text(condition.attribute, value) for value in condition.values}
            counts = catalog.facets([condition.attribute], where=EVERYTHING, limit=MAX_KNOWN_VALUES)
            values = [facet.value for facet in counts.get(condition.attribute, ())]
            if not asked & set(values) and len(values) < MAX_KNOWN_VALUES:
                raise UnknownValue(condition.attribute, condition.values[0], known=values)


def require_one_currency(
    where: Where, catalog: CatalogStore, *, sorts: bool = False, budget: float | None = None
) -> None:
    """Refuse what compares prices of several currencies as if they were one.

    Args:
        where: Prices may be compared if it names one currency.
        catalog: Where the prices are.
        sorts: Whether products are sorted by price.
        budget: What several prices may be together.

    Raises:
        MixedCurrencies: The error names the currencies, and the ways to choose one.
        UnknownAttribute: A filter names a currency that no price is in.
    """
    named = [(condition, price_named(_positive_of(condition).attribute)) for condition in where.conditions]
    amounts = [(condition, name) for condition, name in named if name is not None and _compares(condition)]
    if not amounts and not sorts and budget is None:
        return
    currencies = currencies_of(catalog)
    for _, (attribute, currency) in amounts:
        if currency and attribute == PRICE and currency not in currencies:
            known = [f"{PRICE}:{each}" for each in currencies]
            raise UnknownAttribute(f"{attribute}:{currency}", known=known)
    if len(currencies) <= 1 or currency_in(where) is not None:
        return
    whats = [
        *(f"the filter {filter_text(condition)}" for condition, (_, currency) in amounts if not currency),
        *(["sorting by price"] if sorts else []),
        *([f"a budget of {budget:g}"] if budget is not None else []),
    ]
    if whats:
        raise MixedCurrencies(whats[0], currencies=currencies)


def currencies_of(catalog: CatalogStore, where: Where = EVERYTHING) -> dict[str, int]:
    """What the prices of products are in, and how many products have each, the most frequent first."""
    counts = catalog.facets([PRICE_CURRENCY], where=where, limit=MAX_KNOWN_VALUES)
    return {facet.value: facet.count for facet in counts.get(PRICE_CURRENCY, ())}


def currency_in(where: Where) -> str | None:
    """The one currency that prices of products that pass are in; None if the filter does not say it."""
    for condition in where.conditions:
        if (
            isinstance(condition, AnyOf)
            and condition.attribute == PRICE_CURRENCY
            and len(set(condition.values)) == 1
        ):
            return condition.values[0]
        name = price_named(condition.attribute) if isinstance(condition, Between) else None
        if name is not None and name[0] == PRICE and name[1]:
            return name[1]
    return None


def _positive_of(condition: Condition) -> AnyOf | Between:
    return condition.condition if isinstance(condition, Not) else condition


def _compares(condition: Condition) -> bool:
    """Whether a condition compares amounts, and not the text of a price."""
    return isinstance(_positive_of(condition), Between)


def _is_of_a_price(attribute: str, known: Sequence[str]) -> bool:
    """Whether an attribute follows from a price that products have: ``price:EUR``, ``price:currency``."""
    if attribute == PRICE_CURRENCY:
        return PRICE in known
    name = price_named(attribute)
    return name is not None and name[1] != "" and name[0] in known


def filter_text(condition: Condition) -> str:
    """A condition as a filter is written; ``parse_where`` reads the same from it.

    Example:
        >>> filter_text(AnyOf(attribute="material", values=("Cotton, Linen", "Silk")))
        'material="Cotton, Linen",Silk'
    """
    if isinstance(condition, Not):
        return f"{name_text(condition.attribute)}!={_values_text(condition.condition)}"
    return f"{name_text(condition.attribute)}={_values_text(condition)}"


def name_text(attribute: str) -> str:
    """The name of an attribute as a filter has it: in quotes where it could be read as something else."""
    is_plain = attribute == attribute.strip() and not _CONTROL.search(attribute) and "=" not in attribute
    is_plain = is_plain and attribute != "" and attribute[0] != _QUOTE and attribute[-1] != "!"
    return attribute if is_plain else _quoted(attribute)


def require_clear(where: Where, catalog: CatalogStore) -> None:
    """Refuse what was written without quotes and read as several values or as a range, but is one value as well.

    Raises:
        BadFilter: The error says how to write the one and the other.
    """
    for attribute, text in where.unclear:
        alone = AnyOf(attribute=attribute, values=(text,))
        if catalog.facets([attribute], where=Where((alone,)), limit=1).get(attribute):
            raise BadFilter(f"{attribute}={text}", reason=_unclear(alone, text))


def _unclear(alone: AnyOf, text: str) -> str:
    one = filter_text(alone)
    if _RANGE.fullmatch(text):
        return f"products have the text {text!r} itself, and it is a range as well: write {one} for the text"
    parts = [part.strip() for part in text.split(",") if part.strip()]
    several = " or ".join(repr(part) for part in parts)
    each = f"{name_text(alone.attribute)}={','.join(map(_quoted, parts))}"
    return f"products have the value {text!r}, and it may mean {several}: write {one} or {each}"


def _values_text(condition: AnyOf | Between) -> str:
    if isinstance(condition, Between):
        bounds = ("" if bound is None else _number_text(bound) for bound in (condition.low, condition.high))
        return "..".join(bounds)
    return ",".join(map(_value_text, condition.values))


def _value_text(value: str) -> str:
    is_plain = value != "" and value == value.strip() and not _CONTROL.search(value)
    is_plain = is_plain and "," not in value and value[0] != _QUOTE and not _RANGE.fullmatch(value)
    return value if is_plain else _quoted(value)


def _number_text(number: float) -> str:
    """A number without an exponent: ``10``, ``0.5``."""
    text = f"{Decimal(repr(number)):f}"
    return text.removesuffix(".0")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _parse(text: str, unclear: list[tuple[str, str]]) -> Condition:
    attribute, is_negated, value = _split(text)
    condition = _positive(attribute, value, text=text)
    is_several = isinstance(condition, AnyOf) and "," in value and _QUOTE not in value
    if is_several or _RANGE.fullmatch(value):
        unclear.append((attribute, value))
    return Not(condition=condition) if is_negated else condition


def _split(text: str) -> tuple[str, bool, str]:
    """The name of a filter, whether it is turned around, and what follows its equals sign, stripped."""
    stripped = text.strip()
    if stripped.startswith(_QUOTE):
        attribute, end = _unquoted(stripped, 0, text=text)
        mark, equals, value = stripped[end:].partition("=")
        is_named, is_negated = attribute != "" and mark.strip() in {"", "!"}, mark.strip() == "!"
    else:
        name, equals, value = stripped.partition("=")
        attribute = name.strip()
        is_negated = attribute.endswith("!")
        attribute = attribute[:-1].strip() if is_negated else attribute
        is_named = bool(attribute)
    if not (is_named and equals and value.strip()):
        raise BadFilter(text, reason="it is not key=value")
    return attribute, is_negated, value.strip()


def _positive(attribute: str, value: str, *, text: str) -> AnyOf | Between:
    if match := _RANGE.fullmatch(value):
        low, high = (float(bound) if bound else None for bound in match.groups())
        return _between(attribute, low, high, text=text)
    values = tuple(_values(value, text=text))
    if not values:
        raise BadFilter(text, reason="it names no value")
    if price_named(attribute) is not None and _PLAIN_NUMBER.fullmatch(value):
        return _between(attribute, float(value), float(value), text=text)
    return AnyOf(attribute=attribute, values=values)


def _values(value: str, *, text: str) -> Iterator[str]:
    """The values of a list, of which some may be in quotes; empty ones are left out."""
    start = 0
    while start < len(value):
        if value[start].isspace():
            start += 1
            continue
        if value[start] == _QUOTE:
            item, start = _unquoted(value, start, text=text)
            between, comma, _ = value[start:].partition(",")
            if between.strip():
                raise BadFilter(
                    text, reason=f"after the quotes comes {between.strip()[:50]!r}; a comma parts values"
                )
            yield item
            start += len(between) + len(comma)
            continue
        item, comma, _ = value[start:].partition(",")
        if item.strip():
            yield item.strip()
        start += len(item) + len(comma)


def _unquoted(value: str, start: int, *, text: str) -> tuple[str, int]:
    """The text in quotes that begins at ``start``, and where it ends."""
    try:
        item, end = _STRING.raw_decode(value, start)
    except ValueError as error:
        raise BadFilter(text, reason="its quotes are not closed, or a backslash in them means nothing") from error
    return storable(item), end


def _named(name: str, value: FilterValue) -> Condition:
    attribute, is_negated = name.removesuffix("!"), name.endswith("!")
    if attribute.startswith(_QUOTE):
        with suppress(BadFilter):
            unquoted, end = _unquoted(attribute, 0, text=name)
            attribute = unquoted if end == len(attribute) else attribute
    condition = _condition(attribute, value)
    return Not(condition=condition) if is_negated else condition


def _condition(attribute: str, value: FilterValue) -> AnyOf | Between:
    text = f"{attribute}={value!r}"
    if isinstance(value, bool):
        return AnyOf(attribute=attribute, values=(str(value).lower(),))
    if price_named(attribute) is not None and _is_amount(value):
        return _between(attribute, float(value), float(value), text=text)
    if isinstance(value, str | int | float):
        return AnyOf(attribute=attribute, values=(str(value),))
    if isinstance(value, tuple) and len(value) == len(("low", "high")) and all(_is_bound(part) for part in value):
        low, high = (None if part is None else float(part) for part in value)
        return _between(attribute, low, high, text=text)
    if isinstance(value, Sequence) and value and all(isinstance(part, str | int) for part in value):
        return AnyOf(attribute=attribute, values=tuple(str(part) for part in value))
    raise BadFilter(text, reason="it is neither a value, nor a list of values, nor a pair of numbers")


def _is_amount(value: FilterValue) -> TypeGuard[str | int | float]:
    """Whether a value is one finite number, as which a price is compared whatever its currency is."""
    if isinstance(value, str):
        return _PLAIN_NUMBER.fullmatch(value) is not None
    return isinstance(value, int | float) and math.isfinite(value)


def _is_bound(part: object) -> bool:
    if part is None:
        return True
    return isinstance(part, int | float) and not isinstance(part, bool) and not math.isnan(part)


def _between(attribute: str, low: float | None, high: float | None, *, text: str) -> Between:
    if low is None and high is None:
        raise BadFilter(text, reason="the range has no bound")
    if low is not None and high is not None and low > high:
        raise BadFilter(text, reason=f"the range ends before it starts ({low:g} > {high:g})")
    return Between(attribute=attribute, low=low, high=high)
