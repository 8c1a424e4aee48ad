"""Looks: one piece for each slot, chosen so that all of them suit each other and the budget holds.

Every candidate is for the same person already, and all pieces of a look have an occasion and a weather in
common. So what shoppers buy together can change which of the candidates is chosen, and never whether a product
fits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from sartor.recommend.outfit.harmony import Harmony, LookColors, Shades, harmonies, harmony, relation_of, vividness
from sartor.recommend.outfit.rules import Occasion, Slot, Weather, clash, common_worn, kinds_clash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from sartor.recommend.outfit.complements import Complements, Weight, Weights
    from sartor.recommend.outfit.garments import Garment
    from sartor.types import Matrix, Vector

    Flags = npt.NDArray[np.bool_]
    Rows = npt.NDArray[np.int64]

_BEAM = 16
_STYLE, _COLOR = 0.5, 0.5  # shares of a pair's suitability
_DOUBT = 0.05  # of the rules beside baskets
_LESS_USUAL = 0.03  # of the score, for each step away from what a product is usually worn for
_VARIED = 0.2  # of the score, that an alternative loses if one before it looks the same
# How much of a look each slot is, beside a top.
_SIZES = {
    Slot.SHOES: 0.7, Slot.BAG: 0.6, Slot.HEADWEAR: 0.4, Slot.BELT: 0.3,
    Slot.WATCH: 0.25, Slot.EYEWEAR: 0.25, Slot.JEWELRY: 0.25,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A product as a part of a look."""

    product_id: str
    slot: Slot
    style: Vector = field(repr=False, compare=False)  # without what its kind and color tell, (d,) of norm 1
    color: Vector = field(repr=False, compare=False)  # its main color, OKLab (3,)
    kind: str = field(default="", repr=False, compare=False)  # as the catalog calls it
    color_name: str = field(default="", repr=False, compare=False)  # as shoppers say it
    vivid: float | None = field(
        default=None, repr=False, compare=False
    )  # 0 for a neutral to 1; None: by its color
    print: float = field(default=0.0, repr=False, compare=False)  # 0, plain, to 1
    price: float | None = None
    currency: str = ""  # of the price; empty if unknown
    occasions: tuple[Occasion, ...] = tuple(Occasion)  # the most usual first, at least one
    weather: tuple[Weather, ...] = tuple(Weather)  # at least one
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
    alternatives: Mapping[
        Slot, tuple[Piece, ...]
    ]  # other pieces for the same look, the best and most varied first
    score: float  # mean suitability of all pairs times what the colors of all are worth, 0 to 1; 1 for one piece
    price: float | None  # of the chosen pieces together; None if one is unknown
    occasion: Occasion  # that it is made for


def suitability(one: Piece, other: Piece, weight: Weight | None = None) -> Suitability:
    """How well two pieces go together, in any order; without a weight from baskets, by the rules."""
    style = float((1 + one.style @ other.style) / 2)
    colors = harmony(shades_of([one, other]))
    score = _STYLE * style + _COLOR * colors.score
    if weight is not None:
        score = float(_learned(np.float32(score), weight.score, weight.confidence))
    return Suitability(score, style, colors, weight)


def shades_of(pieces: Sequence[Piece]) -> Shades:
    """The colors of pieces, at least one."""
    lab = np.stack([piece.color for piece in pieces])
    vivid = [piece.vivid for piece in pieces]
    if None in vivid:
        vivid = [seen if known is None else known for seen, known in zip(vividness(lab), vivid, strict=True)]
    return Shades(
        lab=lab,
        vivid=np.asarray(vivid, np.float32),
        prints=np.asarray([piece.print for piece in pieces], np.float32),
        sizes=np.asarray([_SIZES.get(piece.slot, 1.0) for piece in pieces], np.float32),
    )


class Pairs:
    """The suitability of all pairs of n pieces, at least one, computed at once.

    Attributes:
        scores: As ``suitability`` says it of one pair, ``(n, n)``.
        style: Closeness in style from 0 to 1, ``(n, n)``.
        shades: The pieces' colors.
    """

    def __init__(self, pieces: Sequence[Piece], complements: Complements | None = None) -> None:
        style = np.stack([piece.style for piece in pieces])
        self.style: Matrix = np.asarray((1 + style @ style.T) / 2, np.float32)
        self.shades = shades_of(pieces)
        self._harmonies = harmonies(self.shades)
        self.scores: Matrix = _STYLE * self.style + _COLOR * self._harmonies
        self._weights = None if complements is None else weights_of(pieces, complements)
        if self._weights is not None:
            self.scores = _learned(self.scores, self._weights.score, self._weights.confidence)
        self._ids = [piece.product_id for piece in pieces]

    def between(self, one: int, other: int) -> Suitability:
        """How well two pieces go together, by their rows."""
        weight = None if self._weights is None else self._weights.between(self._ids[one], self._ids[other])
        colors = Harmony(relation_of(self.shades, one, other), float(self._harmonies[one, other]))
        return Suitability(float(self.scores[one, other]), float(self.style[one, other]), colors, weight)


def common_occasions(pieces: Sequence[Piece]) -> tuple[Occasion, ...]:
    """What all pieces are worn for, the most usual first; of pieces that have nothing in common, the first's."""
    return common_worn([piece.occasions for piece in pieces]) or pieces[0].occasions


def common_weather(pieces: Sequence[Piece]) -> tuple[Weather, ...]:
    """The weather that all pieces are worn in; of pieces that have nothing in common, the first's."""
    return common_worn([piece.weather for piece in pieces]) or pieces[0].weather


def complete(
    given: Sequence[Piece],
    candidates: Mapping[Slot, Sequence[Piece]],
    *,
    max_price: float | None = None,
    alternatives: int = 3,
    complements: Complements | None = None,
) -> Look:
    """Complete a look with one piece for each slot that has candidates.

    For each occasion and weather that the given pieces, at least one, are worn for, a beam search over the
    pieces worn for them makes a look, slot by slot. The look that fills the first slots is taken, then the best
    one. A slot stays empty if every candidate would break the budget; the first slots are filled first.
    ``max_price`` limits the chosen pieces together, which then have one currency, and leaves out those without a
    price. Without complements the rules decide.
    """
    offered = {
        slot: sorted(pieces, key=lambda piece: piece.product_id)  # so that the same catalog gives the same look
        for slot, pieces in candidates.items()
        if not any(clash(slot, piece.slot) for piece in given)
    }
    search = _Search(given, offered, complements, max_price=max_price)
    drafts = []
    made: set[tuple[tuple[int, ...], ...]] = set()
    for rank, (occasion, rows) in enumerate(search.situations()):
        key = tuple(tuple(of_slot.tolist()) for of_slot in rows.values())
        if key not in made:
            made.add(key)
            draft = search.best(rows)
            filled = tuple(slot in draft.slots for slot in offered)
            drafts.append((filled, draft.score - _LESS_USUAL * rank, -rank, occasion, rows, draft))
    *_, occasion, rows, best = max(drafts, key=lambda each: each[:3])
    chosen = {slot: search.pieces[row] for slot, row in zip(best.slots, best.chosen, strict=True)}
    return Look(
        given=tuple(given),
        chosen=chosen,
        alternatives={
            slot: tuple(search.pieces[row] for row in search.instead(best, slot, rows[slot])[:alternatives])
            for slot in chosen
        },
        score=best.score,
        price=_price(tuple(chosen.values())),
        occasion=occasion,
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


@dataclass(frozen=True, slots=True)
class _Draft:
    """A look in the making, by rows of pieces."""

    given: tuple[int, ...]
    slots: tuple[Slot, ...]
    chosen: tuple[int, ...]
    total: float  # sum of suitability over all pairs
    score: float

    @property
    def rows(self) -> tuple[int, ...]:
        return (*self.given, *self.chosen)


class _Search:
    """Searches looks among pieces, whose pairs are all compared at once."""

    def __init__(
        self,
        given: Sequence[Piece],
        offered: Mapping[Slot, Sequence[Piece]],
        complements: Complements | None,
        *,
        max_price: float | None,
    ) -> None:
        self.pieces = (*given, *(piece for pieces in offered.values() for piece in pieces))
        self._given, self._slots = tuple(range(len(given))), tuple(offered)
        pairs = Pairs(self.pieces, complements)
        self._pairs, self._style, self._colors = pairs.scores, pairs.style, LookColors(pairs.shades)
        self._clashes = _clashes(self.pieces)
        self._max_price = max_price

    def situations(self) -> Iterator[tuple[Occasion, dict[Slot, Rows]]]:
        """Occasions, the most usual first, with the rows of pieces for each slot, for each weather."""
        given, offered = self.pieces[: len(self._given)], range(len(self._given), len(self.pieces))
        for occasion in common_occasions(given):
            for weather in common_weather(given):
                rows: dict[Slot, list[int]] = {slot: [] for slot in self._slots}
                for row in offered:
                    piece = self.pieces[row]
                    if occasion in piece.occasions and weather in piece.weather:
                        rows[piece.slot].append(row)
                yield occasion, {slot: np.array(of_slot, np.int64) for slot, of_slot in rows.items()}

    def best(self, rows: Mapping[Slot, Rows]) -> _Draft:
        """The best look with a piece of each slot, where one is within the budget."""
        given = np.array(self._given, np.int64)
        total = float(np.triu(self._pairs[np.ix_(given, given)], 1).sum())
        beam = [_Draft(self._given, (), (), total, self._score(given, total))]
        for slot, of_slot in rows.items():
            if any(clash(slot, other) for other in beam[0].slots) or not len(of_slot):
                continue
            totals, scores = self._with_each(beam, of_slot)
            worn = np.array([draft.rows for draft in beam], np.int64)  # (b, m)
            never: Flags = np.asarray(self._clashes[worn][:, :, of_slot].any(axis=1), np.bool_)  # (b, k)
            order = np.argsort(-scores, axis=None, kind="stable")
            pairs = (divmod(int(position), len(of_slot)) for position in order)
            allowed = (
                pair
                for pair in pairs
                if not never[pair] and self._is_affordable((*beam[pair[0]].chosen, of_slot[pair[1]]))
            )
            grown = [
                _Draft(
                    self._given,
                    (*beam[draft].slots, slot),
                    (*beam[draft].chosen, int(of_slot[column])),
                    float(totals[draft, column]),
                    float(scores[draft, column]),
                )
                for draft, column in islice(allowed, _BEAM)
            ]
            beam = grown or beam
        return beam[0]

    def instead(self, best: _Draft, slot: Slot, of_slot: Rows) -> list[int]:
        """Rows of other pieces of a slot for the best look; each is good, and looks unlike those before it."""
        own = best.chosen[best.slots.index(slot)]
        kept = tuple(row for row in best.chosen if row != own)
        allowed = [
            row
            for row in of_slot.tolist()
            if self.pieces[row] != self.pieces[own]
            and not self._clashes[row, [*self._given, *kept]].any()
            and self._is_affordable((*kept, row))
        ]
        others = np.array(allowed, np.int64)
        if not len(others):
            return []
        rest = _Draft(self._given, (), kept, self._total((*self._given, *kept)), 0.0)
        worth = self._with_each([rest], others)[1][0].astype(np.float64)
        alike = self._alike(own, others)
        ranked = []
        for _ in others:
            column = int((worth - _VARIED * alike).argmax())
            ranked.append(int(others[column]))
            worth[column] = -np.inf
            alike = np.maximum(alike, self._alike(ranked[-1], others))
        return ranked

    def _alike(self, row: int, others: Rows) -> Vector:
        """How much others look like a piece, from 0 to 1."""
        return np.asarray(self._style[row, others] * self._colors.same_shade[row, others], np.float32)

    def _with_each(self, drafts: Sequence[_Draft], pieces: Rows) -> tuple[Matrix, Matrix]:
        """Totals and scores of drafts of one length with each of some further pieces: ``(b, k)`` each."""
        rows = np.array([draft.rows for draft in drafts], np.int64)  # (b, m)
        added = self._pairs[rows[:, :, None], pieces].sum(axis=1)  # (b, k)
        totals = np.array([[draft.total] for draft in drafts]) + added
        pairs = rows.shape[1] * (rows.shape[1] + 1) // 2
        return totals, np.clip(totals / pairs, 0, 1) * self._colors.with_each(rows, pieces)

    def _score(self, rows: Rows, total: float) -> float:
        """The score of a look whose pairs are worth a total."""
        if len(rows) == 1:
            return 1.0
        pairs = len(rows) * (len(rows) - 1) // 2
        factor = float(self._colors.with_each(rows[None, :-1], rows[-1:])[0, 0])
        return min(max(total / pairs, 0.0), 1.0) * factor

    def _total(self, rows: Sequence[int]) -> float:
        inner = self._pairs[np.ix_(rows, rows)]
        return float(np.triu(inner, 1).sum())

    def _is_affordable(self, rows: Iterable[int]) -> bool:
        """Whether pieces together keep to the budget."""
        if self._max_price is None:
            return True
        price = _price([self.pieces[row] for row in rows])
        return price is not None and price <= self._max_price


def _clashes(pieces: Sequence[Piece]) -> Flags:
    """Which pairs of pieces are of kinds that are never worn together, ``(n, n)``."""
    kinds, rows = np.unique([piece.kind for piece in pieces], return_inverse=True)
    table = np.array([[kinds_clash(str(one), str(other)) for other in kinds] for one in kinds], np.bool_)
    return table[np.ix_(rows, rows)]


def _price(pieces: Sequence[Piece]) -> float | None:
    prices = [piece.price for piece in pieces]
    if len({piece.currency for piece in pieces if piece.currency}) > 1:  # amounts of two currencies do not add up
        return None
    return None if None in prices else math.fsum(price for price in prices if price is not None)
