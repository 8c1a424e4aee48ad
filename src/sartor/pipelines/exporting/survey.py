"""A first pass over what is exported: which attributes there are, and of which types, as a table's head needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sartor.pipelines.exporting.stock import Stock
    from sartor.types import AttributeValue

_MAX_INT = 2**63


@dataclass(slots=True)
class Kinds:
    """What the values of one attribute are.

    Attributes:
        types: Their types; an integer that 64 bits do not hold counts as text.
        most: Values of one product, at most.
    """

    types: set[type] = field(default_factory=set)
    most: int = 1

    def add(self, value: AttributeValue) -> None:
        """Take in one product's value."""
        self.types.add(_type_of(value))
        if isinstance(value, tuple):
            self.most = max(self.most, len(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the products have.

    Attributes:
        attributes: What each attribute is, in the order of their names.
        most_photos: Photos of one product, at most.
    """

    attributes: dict[str, Kinds]
    most_photos: int


def survey(stock: Stock) -> Survey:
    """Look at every product once."""
    attributes: dict[str, Kinds] = {}
    most_photos = 0
    for page in stock.pages():
        for stored in page:
            most_photos = max(most_photos, len(stored.photos))
            for name, value in stored.product.attributes.items():
                attributes.setdefault(name, Kinds()).add(value)
    return Survey(attributes=dict(sorted(attributes.items())), most_photos=most_photos)


def _type_of(value: AttributeValue) -> type:
    is_large = isinstance(value, int) and not -_MAX_INT <= value < _MAX_INT
    return str if is_large else type(value)
