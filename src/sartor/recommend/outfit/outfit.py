"""Complete the look: for a product, one product of each other slot that is for the same person and occasion."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, combinations
from typing import TYPE_CHECKING

from sartor.described import title_of
from sartor.errors import PiecesClash, ProductNotFound
from sartor.recommend.filters import require_attributes, require_values
from sartor.recommend.outfit.candidates import CandidateFinder
from sartor.recommend.outfit.garments import GENDER, SEASON, text_of
from sartor.recommend.outfit.looks import Pairs, Piece, common_weather, complete
from sartor.recommend.outfit.rules import DEFAULT_SLOTS, Slot, clash, genders_agree, slots_beside
from sartor.recommend.outfit.words import colors_together, common_season, purpose
from sartor.recommend.weights import OFTEN_BASKETS, OFTEN_PAIRS_ALIKE, OFTEN_SCORE
from sartor.types import EVERYTHING, Where

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sartor.index.base import VectorIndex
    from sartor.recommend.outfit.candidates import Candidate
    from sartor.recommend.outfit.complements import Complements, Weight
    from sartor.recommend.outfit.garments import GarmentReader
    from sartor.recommend.outfit.rules import Occasion
    from sartor.store.base import CatalogStore
    from sartor.types import Attributes, Guesses, Photo, StoredProduct

_CLOSE_STYLE = 0.62  # from which closeness in style is a reason


@dataclass(frozen=True, slots=True, kw_only=True)
class LookQuery:
    """A query for a look with some products, at least one."""

    products: tuple[str, ...]
    slots: tuple[Slot, ...] | None = None  # None fills the usual ones
    where: Where = EVERYTHING
    max_price: float | None = None  # of the chosen pieces together
    alternatives: int = 3  # for each slot


@dataclass(frozen=True, slots=True, kw_only=True)
class WornProduct:
    """A product in a look.

    Attributes:
        product_id: The product.
        slot: Where it is worn.
        title: Its title.
        title_predicted: Whether it was made from what the model predicts.
        attributes: From the catalog.
        predicted: Attributes that the catalog lacks and the model predicts.
        photo: Its main photo.
        price: What it costs; None if unknown.
        score: Mean suitability beside the other pieces, from 0 to 1.
        reasons: Why it is in the look, in words.
    """

    product_id: str
    slot: Slot
    title: str
    attributes: Attributes
    photo: Photo
    price: float | None = None
    score: float = 1.0
    reasons: tuple[str, ...] = ()
    title_predicted: bool = False
    predicted: Guesses = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    """A completed look.

    Attributes:
        given: The products that it was made for.
        pieces: What completes it, one for each slot.
        alternatives: By slot, other products for the same look, the best first.
        empty: Slots for which nothing fits, or nothing within the budget.
        score: Mean suitability of all pairs times what the colors of all are worth, from 0 to 1.
        price: Of the pieces together, without the given products; None if one of them is unknown.
    """

    given: tuple[WornProduct, ...]
    pieces: tuple[WornProduct, ...]
    alternatives: Mapping[Slot, tuple[WornProduct, ...]]
    empty: tuple[Slot, ...]
    score: float
    price: float | None


def outfit(  # noqa: PLR0913 - each is a keyword of its own
    query: LookQuery,
    *,
    index: VectorIndex,
    catalog: CatalogStore,
    garments: GarmentReader,
    attributes: Sequence[str],
    complements: Complements | None = None,
) -> Outfit:
    """Complete a look, among products with these attributes; without complements by the rules.

    Raises:
        ProductNotFound: A given product is not there, or has no photo.
        NotInALook: A given product is not worn.
        PiecesClash: Two given products cannot be in one look.
        UnknownAttribute: The filter names an attribute that no product has.
        UnknownValue: Nothing passes the filter, because no product has a value that it names.
    """
    require_attributes(query.where, attributes)
    products = catalog.products(query.products)
    if missing := [product_id for product_id in query.products if product_id not in products]:
        raise ProductNotFound(missing[0])
    finder = CandidateFinder.of(index, garments, attributes, complements)
    given = finder.given(query.products)
    _require_no_clash(given)
    taken = frozenset(candidate.piece.slot for candidate in given)
    slots = [
        slot
        for slot in query.slots or [slot for slot in slots_beside(taken) if slot in DEFAULT_SLOTS]
        if not any(clash(slot, other) for other in taken)
    ]
    candidates = {slot: finder.candidates(slot, given, where=query.where) for slot in slots}
    if not any(candidates.values()):
        require_values(query.where, index)
    look = complete(
        [candidate.piece for candidate in given],
        {slot: [candidate.piece for candidate in of_slot] for slot, of_slot in candidates.items()},
        max_price=query.max_price,
        alternatives=query.alternatives,
        complements=complements,
    )
    chosen = tuple(look.chosen.values())
    everything = (*given, *chain.from_iterable(candidates.values()))
    shown = (*look.given, *chosen, *chain.from_iterable(look.alternatives.values()))
    display = _Display(
        stored=catalog.products([piece.product_id for piece in shown]),
        candidates={candidate.piece.product_id: candidate for candidate in everything},
        look=(*look.given, *chosen),
        occasion=look.occasion,
        rows={piece.product_id: row for row, piece in enumerate(shown)},
        pairs=Pairs(shown, complements),
    )
    return Outfit(
        given=tuple(display.worn(piece, explained=False) for piece in look.given),
        pieces=tuple(map(display.worn, chosen)),
        alternatives={slot: tuple(map(display.worn, pieces)) for slot, pieces in look.alternatives.items()},
        empty=tuple(slot for slot in slots if slot not in look.chosen and not _needless(slot, look.chosen)),
        score=look.score,
        price=look.price,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Display:
    """Makes products of a look from its pieces."""

    stored: Mapping[str, StoredProduct]
    candidates: Mapping[str, Candidate]
    look: tuple[Piece, ...]
    occasion: Occasion
    rows: Mapping[str, int]
    pairs: Pairs

    def worn(self, piece: Piece, *, explained: bool = True) -> WornProduct:
        stored = self.stored[piece.product_id]
        title = title_of(stored.product, stored.predicted)
        others = [self.rows[other.product_id] for other in self.look if other.slot != piece.slot]
        scores = self.pairs.scores[self.rows[piece.product_id], others]
        return WornProduct(
            product_id=piece.product_id,
            slot=piece.slot,
            title=title.text,
            title_predicted=title.is_predicted,
            attributes=stored.product.attributes,
            predicted=stored.predicted,
            photo=stored.photos[0],
            price=piece.price,
            score=float(scores.mean()) if others else 1.0,
            reasons=self._reasons(piece) if explained else (),
        )

    def _reasons(self, piece: Piece) -> tuple[str, ...]:
        first = self.look[0]
        own, asked = self.candidates[piece.product_id], self.candidates[first.product_id]
        seasons = text_of(asked.attributes, SEASON), text_of(own.attributes, SEASON)
        season = common_season(*seasons, self.occasion, common_weather(self.look))
        reasons = [purpose(own.person, self.occasion, season)]
        pair = self.pairs.between(self.rows[first.product_id], self.rows[piece.product_id])
        if pair.weight is not None:
            reasons += _bought(pair.weight)
        worn = [piece if other.slot is piece.slot else other for other in self.look]
        reasons.append(colors_together(first, piece, pair.harmony, worn))
        if pair.style >= _CLOSE_STYLE:
            reasons.append("close in style")
        return tuple(reasons)


def _bought(weight: Weight) -> list[str]:
    """Reasons of a pair that is bought together more often than by chance."""
    if weight.score < OFTEN_SCORE:
        return []
    if weight.together >= OFTEN_BASKETS:
        return ["often bought together"]
    return ["often bought together in such colors"] if weight.alike >= OFTEN_PAIRS_ALIKE else []


def _require_no_clash(given: Sequence[Candidate]) -> None:
    for one, other in combinations(given, 2):
        pair = (one.piece.product_id, other.piece.product_id)
        if clash(one.piece.slot, other.piece.slot):
            slots = sorted({str(one.piece.slot), str(other.piece.slot)})
            raise PiecesClash(*pair, reason=f"a look has one {' or '.join(slots)}")
        genders = [str(own.attributes[GENDER]) for own in (one, other) if GENDER in own.attributes]
        if not all(genders_agree(*both) for both in combinations(genders, 2)):
            raise PiecesClash(*pair, reason=f"one is for {genders[0]}, the other for {genders[1]}")


def _needless(slot: Slot, chosen: Collection[Slot]) -> bool:
    """Whether a slot is empty because another one takes its place."""
    return any(clash(slot, other) for other in chosen)
