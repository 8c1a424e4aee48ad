"""A look: one piece for each slot, chosen so that all of them suit each other and the budget holds.

Whether a piece is for the same person and occasion is decided before: what does not fit never comes here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

from sartor.recommend.harmony import Harmony, harmony
from sartor.recommend.slots import Slot, clash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.types import Vector

_BEAM = 16
_STYLE, _COLOR = 0.5, 0.5  # of a pair's suitability


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A product as a part of a look.

    Attributes:
        product_id: The product.
        slot: Where it is worn.
        style: What is particular in its style beside its kind, ``(d,)`` of norm 1.
        color: Its main color, OKLab ``(3,)``.
        price: In the catalog's currency; None where unknown.
    """

    product_id: str
    slot: Slot
    style: Vector = field(repr=False, compare=False)
    color: Vector = field(repr=False, compare=False)
    price: float | None = None


@dataclass(frozen=True, slots=True)
class Suitability:
    """How well two pieces go together, from 0 to 1, of which style and color each bring a half."""

    score: float
    style: float
    harmony: Harmony


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look.

    Attributes:
        given: The pieces that it was made for.
        chosen: What completes it, by slot.
        alternatives: By slot, what could take its place in the same look, the best first.
        score: Mean suitability of all pairs, from 0 to 1; 1 for a piece alone.
        price: Of the chosen pieces together; None if one of them is unknown.
    """

    given: tuple[Piece, ...]
    chosen: Mapping[Slot, Piece]
    alternatives: Mapping[Slot, tuple[Piece, ...]]
    score: float
    price: float | None


def suitability(one: Piece, other: Piece) -> Suitability:
    """How well two pieces go together; the order does not matter."""
    style = float((1 + one.style @ other.style) / 2)
    found = harmony(one.color, other.color)
    return Suitability(_STYLE * style + _COLOR * found.score, style, found)


def complete(
    given: Sequence[Piece],
    candidates: Mapping[Slot, Sequence[Piece]],
    *,
    max_price: float | None = None,
    alternatives: int = 3,
) -> Look:
    """Complete a look with one piece for each slot that has candidates, by a beam search, slot by slot.

    A slot stays empty where every candidate would break the budget; slots that come first are filled first.

    Args:
        given: Pieces that are in it.
        candidates: Pieces that fit, by slot, in the order in which slots are wanted.
        max_price: What the chosen pieces may cost together; pieces without a price are then left out.
        alternatives: How many for each slot.
    """
    budget = _Budget(max_price)
    beam: list[tuple[Piece, ...]] = [()]
    for slot, pieces in candidates.items():
        if any(clash(slot, piece.slot) for piece in (*given, *beam[0])):
            continue
        grown = [(*chosen, piece) for chosen in beam for piece in pieces if budget.allows((*chosen, piece))]
        if grown:
            beam = sorted(grown, key=lambda chosen: _order(given, chosen))[:_BEAM]
    chosen = beam[0]

    def instead_of(piece: Piece) -> tuple[Piece, ...]:
        others = tuple(each for each in chosen if each is not piece)
        possible = [each for each in candidates[piece.slot] if each != piece and budget.allows((*others, each))]
        return tuple(sorted(possible, key=lambda each: _order((*given, *others), (each,)))[:alternatives])

    return Look(
        given=tuple(given),
        chosen={piece.slot: piece for piece in chosen},
        alternatives={piece.slot: instead_of(piece) for piece in chosen},
        score=_score((*given, *chosen)),
        price=_price(chosen),
    )


@dataclass(frozen=True, slots=True)
class _Budget:
    max_price: float | None

    def allows(self, pieces: Sequence[Piece]) -> bool:
        if self.max_price is None:
            return True
        price = _price(pieces)
        return price is not None and price <= self.max_price


def _order(given: Sequence[Piece], chosen: Sequence[Piece]) -> tuple[float, list[str]]:
    """The best first; equals by id, so that the same catalog gives the same look."""
    return -_score((*given, *chosen)), [piece.product_id for piece in chosen]


def _score(pieces: Sequence[Piece]) -> float:
    pairs = [suitability(one, other).score for one, other in combinations(pieces, 2)]
    return sum(pairs) / len(pairs) if pairs else 1.0


def _price(pieces: Sequence[Piece]) -> float | None:
    prices = [piece.price for piece in pieces]
    return None if None in prices else float(sum(price for price in prices if price is not None))
