"""What is recommended to a person rather than for a query: products in order, and what they are based on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from sartor.types import Hit


class Basis(StrEnum):
    """What a feed was made from."""

    HISTORY = "history"  # what the person did
    CONTEXT = "context"  # what others do, among the products that the person looks at now
    TRENDING = "trending"  # what others do
    NEWEST = "newest"  # nothing but the catalog
    TOGETHER = "together"  # what others did with the same product


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed(Sequence["Hit"]):
    """Recommended products.

    Attributes:
        hits: The products, each once, in order; their scores need not fall where they are varied.
        based_on: What they were chosen by.
    """

    hits: tuple[Hit, ...]
    based_on: Basis

    @overload
    def __getitem__(self, place: int) -> Hit: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, place: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[place]

    def __len__(self) -> int:
        return len(self.hits)
