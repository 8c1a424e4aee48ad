"""Filters as they stand in the address of a page: pairs of an attribute and one value, which a shopper ticks.

Unlike the filters of the API, a value is taken as it is, so that those with commas work, and several values of one
attribute widen the choice: ``where=color=Red&where=color=Blue`` is red or blue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.errors import BadFilter
from sartor.recommend.filters import parse_where
from sartor.types import AnyOf, Between, Not, Where

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sartor.types import Condition

PRICE = "price"
_MOST = 50
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Filters:
    """What products have to have.

    Attributes:
        pairs: Attribute and value, each once; an attribute with ``!`` behind it must not have the value.
    """

    pairs: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pairs)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Filters:
        """Read ``attribute=value``, leaving out what says nothing.

        Raises:
            BadFilter: There are too many, or one is too long or has no value.
        """
        pairs: dict[tuple[str, str], None] = {}
        for text in texts:
            attribute, equals, value = text.partition("=")
            if not text:
                continue
            if not (attribute.strip("! ") and equals and value) or len(text) > _LONGEST:
                raise BadFilter(text[:100], reason="a filter of a page is attribute=value")
            pairs[attribute, value] = None
        if len(pairs) > _MOST:
            raise BadFilter(next(iter(pairs))[0], reason=f"there are more than {_MOST} filters")
        return cls(tuple(pairs))

    @property
    def texts(self) -> list[str]:
        """The filters as they stand in an address."""
        return [f"{attribute}={value}" for attribute, value in self.pairs]

    def has(self, attribute: str, value: str) -> bool:
        """Whether a value is asked for."""
        return (attribute, value) in self.pairs

    def values_of(self, attribute: str) -> tuple[str, ...]:
        """The values that are asked for of an attribute."""
        return tuple(value for name, value in self.pairs if name == attribute)

    def toggled(self, attribute: str, value: str) -> Filters:
        """The same with a value more, or less."""
        pair = (attribute, value)
        if pair in self.pairs:
            return Filters(tuple(each for each in self.pairs if each != pair))
        return Filters((*self.pairs, pair))

    def without(self, attribute: str) -> Filters:
        """The same without any value of an attribute."""
        return Filters(tuple(each for each in self.pairs if each[0] != attribute))

    def where(self) -> Where:
        """What the engine is asked.

        Raises:
            BadFilter: A range ends before it starts.
        """
        names = dict.fromkeys(attribute for attribute, _ in self.pairs)
        return Where(tuple(_condition(name, self.values_of(name)) for name in names))


def price_range(low: str, high: str) -> str | None:
    """The value of a filter for a price from one field to another; None where both are empty.

    Raises:
        BadFilter: A bound is no number.
    """
    bounds = [text.strip().replace(",", ".") for text in (low, high)]
    for bound in bounds:
        if bound and not (bound.isascii() and bound.replace(".", "", 1).isdigit()):
            raise BadFilter(f"{PRICE}={bound[:100]}", reason="a price is a number")
    return "..".join(map(_plain, bounds)) if any(bounds) else None


def _plain(number: str) -> str:
    return f"{float(number):.2f}".rstrip("0").rstrip(".") if number else ""


def _condition(name: str, values: tuple[str, ...]) -> Condition:
    if name.endswith("!"):
        return Not(condition=AnyOf(attribute=name[:-1], values=values))
    if len(values) == 1 and ".." in values[0]:
        (found,) = parse_where([f"{name}={values[0]}"]).conditions
        if isinstance(found, Between):
            return found
    return AnyOf(attribute=name, values=values)
