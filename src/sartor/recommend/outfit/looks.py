"""Looks: one piece for each slot, chosen so that all of them suit each other and the budget holds.

Every candidate is for the same person and occasion already. So what shoppers buy together can change which of the
candidates is chosen, and never whether a product fits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sartor.recommend.outfit.rules import Harmony, Slot, clash, harmonies, harmony

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.recommend.outfit.complements import Complements, Weight, Weights
    from sartor.recommend.outfit.garments import Garment
    from sartor.types import Matrix, Vector

_BEAM = 16
_STYLE, _COLOR = 0.5, 0.5  # shares of a pair's suitability
_DOUBT = 0.05  # of the rules beside baskets


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A product as a part of a look."""

    product_id: str
    slot: Slot
    style: Vector = field(repr=False, compare=False)  # without what its kind has in common, (d,) of norm 1
    color: Vector = field(repr=False, compare=False)  # its main color, OKLab (3,)
    price: float | None = None
    currency: str = ""  # of the price; empty if unknown
    garment: Garment | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Suitability:
    """How well two pieces go together."""

    score: float  # 0 to 1: half style, half color by the rules, which baskets then raise or lower
    style: float  # closeness, 0 to 1
    harmony: Harmony
    weight: Weight | None = None  # what baskets say of the pair; None if they are too few


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Given pieces, and those chosen to complete them."""

    given: tuple[Piece, ...]
    chosen: Mapping[Slot, Piece]
    alternatives: Mapping[Slot, tuple[Piece, ...]]  # other pieces for the same look, the best first
    score: float  # mean suitability of all pairs, 0 to 1; 1 for a piece alone
    price: float | None  # of the chosen pieces together; None if one is unknown


def suitability(one: Piece, other: Piece, weight: Weight | None = None) -> Suitability:
    """How well two pieces go together, in any order; without a weight from baskets, by the rules."""
    style = float((1 + one.style @ other.style) / 2)
    colors = harmony(one.color, other.color)
    score = _STYLE * style + _COLOR * colors.score
    if weight is not None:
        score = float(_learned(np.float32(score), weight.score, weight.confidence))
    return Suitability(score, style, colors, weight)


def complete(
    given: Sequence[Piece],
    candidates: Mapping[Slot, Sequence[Piece]],
    *,
    max_price: float | None = None,
    alternatives: int = 3,
    complements: Complements | None = None,
) -> Look:
    """Complete a look with one piece for each slot that has candidates, by a beam search, slot by slot.

    A slot stays empty if every candidate would break the budget; the first slots are filled first. ``max_price``
    limits the chosen pieces together, which then have one currency. Without complements the rules decide.
    """
    offered = {
        slot: sorted(pieces, key=lambda piece: piece.product_id)  # so that the same catalog gives the same look
        for slot, pieces in candidates.items()
        if not any(clash(slot, piece.slot) for piece in given)
    }
    pairs = _Pairs((*given, *(piece for pieces in offered.values() for piece in pieces)), complements)
    beam = [_Draft(pieces=tuple(given), chosen=())]
    for slot, pieces in offered.items():
        if any(clash(slot, piece.slot) for piece in beam[0].chosen):
            continue
        grown = [draft.with_piece(piece, pairs) for draft in beam for piece in pieces]
        allowed = [draft for draft in grown if _within(draft.chosen, max_price)]
        if allowed:
            beam = sorted(allowed, key=lambda draft: -draft.total)[:_BEAM]
    best = beam[0]

    def instead_of(piece: Piece) -> tuple[Piece, ...]:
        others = [other for other in best.pieces if other is not piece]
        kept = [other for other in best.chosen if other is not piece]
        possible = [
            other for other in offered[piece.slot] if other != piece and _within((*kept, other), max_price)
        ]
        return tuple(sorted(possible, key=lambda other: -pairs.total(other, others))[:alternatives])

    count = len(best.pieces) * (len(best.pieces) - 1) // 2
    return Look(
        given=tuple(given),
        chosen={piece.slot: piece for piece in best.chosen},
        alternatives={piece.slot: instead_of(piece) for piece in best.chosen},
        score=(best.total + pairs.among(given)) / count if count else 1.0,
        price=_price(best.chosen),
    )


def weights_of(pieces: Sequence[Piece], complements: Complements) -> Weights:
    """What baskets say of all pairs of pieces."""
    return complements.weights([piece.product_id for piece in pieces], [piece.garment for piece in pieces])


def _learned(rules: Matrix | np.float32, score: Matrix | float, confidence: Matrix | float) -> Matrix:
    """Suitability by rules and baskets: ``(1 - c) rules + c posterior``.

    The posterior is the rules' suitability as odds, times the lift; the rules are judgments, and taken for no more
    than 19 to 1. So a pair that is bought as often as by chance is worth what the rules say, and none loses to
    another only because more is known of it.

    Source: Bayes' theorem in the form of odds, with the rules as the prior.
    """
    sure = _DOUBT + (1 - 2 * _DOUBT) * np.clip(rules, 0, 1)
    together, apart = sure * score, (1 - sure) * (1 - score)
    posterior = np.clip((together / (together + apart) - _DOUBT) / (1 - 2 * _DOUBT), 0, 1)
    return np.asarray((1 - confidence) * rules + confidence * posterior, np.float32)


class _Pairs:
    """The suitability of all pairs of pieces, computed at once."""

    def __init__(self, pieces: Sequence[Piece], complements: Complements | None) -> None:
        self._rows = {id(piece): row for row, piece in enumerate(pieces)}
        self._scores: Matrix = np.empty((0, 0), np.float32)
        if pieces:
            style = np.stack([piece.style for piece in pieces])
            color = np.stack([piece.color for piece in pieces])
            self._scores = _STYLE * (1 + style @ style.T) / 2 + _COLOR * harmonies(color, color)
        if pieces and complements is not None:
            weights = weights_of(pieces, complements)
            self._scores = _learned(self._scores, weights.score, weights.confidence)

    def total(self, piece: Piece, others: Sequence[Piece]) -> float:
        """Sum of a piece's suitability with others."""
        return float(self._scores[self._rows[id(piece)], [self._rows[id(other)] for other in others]].sum())

    def among(self, pieces: Sequence[Piece]) -> float:
        """Sum of suitability over all pairs of pieces."""
        return sum(self.total(piece, pieces[:number]) for number, piece in enumerate(pieces))


@dataclass(frozen=True, slots=True)
class _Draft:
    """A look in the making; ``total`` is the sum of suitability over pairs with a chosen piece."""

    pieces: tuple[Piece, ...]
    chosen: tuple[Piece, ...]
    total: float = 0.0

    def with_piece(self, piece: Piece, pairs: _Pairs) -> _Draft:
        total = self.total + pairs.total(piece, self.pieces)
        return _Draft((*self.pieces, piece), (*self.chosen, piece), total)


def _within(pieces: Sequence[Piece], max_price: float | None) -> bool:
    if max_price is None:
        return True
    price = _price(pieces)
    return price is not None and price <= max_price


def _price(pieces: Sequence[Piece]) -> float | None:
    prices = [piece.price for piece in pieces]
    if len({piece.currency for piece in pieces if piece.currency}) > 1:  # amounts of two currencies do not add up
        return None
    return None if None in prices else float(sum(price for price in prices if price is not None))
