"""What questions to a build are made of: products, attributes, shoppers and photos, drawn with a seed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")

_MAX_VALUES = 60  # of an attribute that is good for filters
_MIN_SHARE = 0.5  # of the products have it
_NO_FILTERS = ("id", "title", "image_path", "item_group_id")


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on an attribute, as it is written in a text and in JSON.

    Attributes:
        text: Of the command line and of addresses.
        name: Of the member of ``where``.
        value: Of that member.
    """

    text: str
    name: str
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What questions are made of.

    Attributes:
        products: Ids of products.
        titles: Titles of products, in the same order.
        categories: The most frequent values of each attribute that has few, the most frequent first.
        numbers: The values of each attribute that is a number, ascending.
        users: Ids of users, the most active first.
        visitors: Ids of visitors, likewise.
        photos: Photos that the catalog does not have.
        source: Where most of the catalog comes from.
        events: The log that was imported.
    """

    products: Sequence[str]
    titles: Sequence[str]
    categories: Mapping[str, Sequence[str]]
    numbers: Mapping[str, Sequence[float]]
    users: Sequence[str]
    visitors: Sequence[str]
    photos: Sequence[Path]
    source: Path
    events: Path

    @classmethod
    def read(cls, catalog: Path, events: Path, *, photos: Sequence[Path], source: Path) -> Material:
        """Read an exported catalog and a log of events, both JSON Lines."""
        rows = [json.loads(line) for line in catalog.read_text(encoding="utf-8").splitlines()]
        names = [name for name in dict.fromkeys(chain.from_iterable(rows)) if name not in _NO_FILTERS]
        columns = {name: [str(row[name]) for row in rows if name in row] for name in names}
        people: dict[str, Counter[str]] = {"user_id": Counter(), "visitor_id": Counter()}
        for line in events.read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            for kind, counts in people.items():
                counts.update([event[kind]] if kind in event else [])
        return cls(
            products=[row["id"] for row in rows],
            titles=[row.get("title", "") for row in rows],
            categories={
                name: _most_frequent(values)
                for name, values in columns.items()
                if 1 < len(set(values)) <= _MAX_VALUES and len(values) >= _MIN_SHARE * len(rows)
            },
            numbers={name: found for name, values in columns.items() if (found := _numbers(values))},
            users=[person for person, _ in people["user_id"].most_common()],
            visitors=[person for person, _ in people["visitor_id"].most_common()],
            photos=photos,
            source=source,
            events=events,
        )


class Draws:
    """Draws from a material; the same seed draws the same, in the same order of calls."""

    def __init__(self, material: Material, *, seed: int) -> None:
        self._material, self._rng = material, np.random.default_rng(seed)

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """Some of the items, each once where there are enough."""
        chosen = self._rng.choice(len(items), size=count, replace=count > len(items))
        return [items[index] for index in chosen]

    def filters(self, count: int) -> list[Filter]:
        """Conditions on different attributes that some products pass, with one or two values each."""
        found = []
        for number, name in enumerate(self.some(list(self._material.categories), count)):
            values = self.some(self._material.categories[name][:6], 1 + number % 2)
            found.append(Filter(f"{name}={','.join(values)}", name, values[0] if len(values) == 1 else values))
        return found

    def exclusion(self) -> Filter:
        """A condition that leaves out the most frequent value of an attribute."""
        (name,) = self.some(list(self._material.categories), 1)
        value = self._material.categories[name][0]
        return Filter(f"{name}!={value}", f"{name}!", value)

    def range(self) -> Filter:
        """A condition on a number that half of the products pass; an exclusion if no attribute is a number."""
        if not self._material.numbers:
            return self.exclusion()
        (name,) = self.some(list(self._material.numbers), 1)
        values = self._material.numbers[name]
        low, high = (values[int(share * (len(values) - 1))] for share in (0.2, 0.7))
        return Filter(f"{name}={low:g}..{high:g}", name, {"min": low, "max": high})

    def where(self) -> dict[str, object]:
        """Two conditions of different kinds, as ``where`` has them in JSON."""
        conditions = (self.filters(1)[0], self.range(), self.exclusion())
        return {each.name: each.value for each in self.some(conditions, 2)}


def _most_frequent(values: Iterable[str]) -> list[str]:
    """The values that can be written in a filter."""
    counted = Counter(value for value in values if value and not set(value) & set(",=!"))
    return [value for value, _ in counted.most_common()]


def _numbers(values: Iterable[str]) -> list[float]:
    """Values that are all numbers, ascending; nothing where one is not."""
    try:
        return sorted(float(value.split()[0]) for value in values)
    except (ValueError, IndexError):
        return []
