"""Filters as people write them: ``gender=Women``, ``color=Red,Blue``, ``color!=Black``, ``price=10..50``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from sartor.errors import BadFilter, UnknownAttribute, UnknownValue
from sartor.limits import MAX_KNOWN_VALUES
from sartor.types import EVERYTHING, AnyOf, AttributeValue, Between, Condition, Not, Where

if TYPE_CHECKING:
    from sartor.index.base import VectorIndex
    from sartor.store.base import CatalogStore

FilterValue: TypeAlias = AttributeValue | Sequence[str] | tuple[float | None, float | None]
Filter: TypeAlias = Mapping[str, FilterValue] | Where

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_RANGE = re.compile(rf"({_NUMBER})?\.\.({_NUMBER})?")


def parse_where(texts: Iterable[str]) -> Where:
    """Read filters from a command line; all of them must hold.

    Raises:
        BadFilter: One cannot be understood.

    Example:
        >>> parse_where(["price=10..50"]).conditions
        (Between(attribute='price', low=10.0, high=50.0),)
    """
    return Where(tuple(_parse(text) for text in texts))


def where_of(filters: Mapping[str, FilterValue]) -> Where:
    """Read filters from Python: a value, a list of values, or a pair of numbers as a range.

    A name that ends with ``!``, as in ``{"color!": "Black"}``, turns its condition around.

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
    for attribute in where.attributes:
        if attribute not in known:
            raise UnknownAttribute(attribute, known=known)


def require_values(where: Where, catalog: VectorIndex | CatalogStore) -> None:
    """Refuse a filter that nothing can pass, because no product has any of the values that it names.

    Raises:
        UnknownValue: The error names the value, and the closest one that exists.
    """
    for condition in where.conditions:
        if isinstance(condition, AnyOf):
            counts = catalog.facets([condition.attribute], where=EVERYTHING, limit=MAX_KNOWN_VALUES)
            values = [facet.value for facet in counts.get(condition.attribute, ())]
            if not set(condition.values) & set(values) and len(values) < MAX_KNOWN_VALUES:
                raise UnknownValue(condition.attribute, condition.values[0], known=values)


def _parse(text: str) -> Condition:
    attribute, equals, value = (part.strip() for part in text.partition("="))
    if attribute.endswith("!"):
        return Not(condition=_positive(attribute[:-1].strip(), equals, value, text=text))
    return _positive(attribute, equals, value, text=text)


def _positive(attribute: str, equals: str, value: str, *, text: str) -> AnyOf | Between:
    if not equals or not attribute or not value:
        raise BadFilter(text, reason="it is not key=value")
    if match := _RANGE.fullmatch(value):
        low, high = (float(bound) if bound else None for bound in match.groups())
        return _between(attribute, low, high, text=text)
    values = tuple(part.strip() for part in value.split(",") if part.strip())
    if not values:
        raise BadFilter(text, reason="it names no value")
    return AnyOf(attribute=attribute, values=values)


def _named(name: str, value: FilterValue) -> Condition:
    if name.endswith("!"):
        return Not(condition=_condition(name[:-1], value))
    return _condition(name, value)


def _condition(attribute: str, value: FilterValue) -> AnyOf | Between:
    text = f"{attribute}={value!r}"
    if isinstance(value, bool):
        return AnyOf(attribute=attribute, values=(str(value).lower(),))
    if isinstance(value, str | int | float):
        return AnyOf(attribute=attribute, values=(str(value),))
    if isinstance(value, tuple) and len(value) == len(("low", "high")) and all(_is_bound(part) for part in value):
        low, high = (None if part is None else float(part) for part in value)
        return _between(attribute, low, high, text=text)
    if isinstance(value, Sequence) and value and all(isinstance(part, str | int) for part in value):
        return AnyOf(attribute=attribute, values=tuple(str(part) for part in value))
    raise BadFilter(text, reason="it is neither a value, nor a list of values, nor a pair of numbers")


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
