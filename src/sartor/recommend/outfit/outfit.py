"""Complete the look: for a product, one product of each other slot that is for the same person and occasion."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations
from typing import TYPE_CHECKING

from sartor.errors import PiecesClash, ProductNotFound
from sartor.recommend.filters import require_attributes, require_values
from sartor.recommend.outfit.candidates import SEASON, USAGE, Fitting
from sartor.recommend.outfit.complements import GENDER
from sartor.recommend.outfit.looks import Piece, complete, suitability, weights_of
from sartor.recommend.outfit.rules import DEFAULT_SLOTS, Slot, clash, genders_agree, slots_beside
from sartor.recommend.weights import OFTEN, OFTEN_ALIKE, OFTEN_SCORE
from sartor.types import EVERYTHING, Where

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sartor.recommend.base import Catalog, Shelves, Wardrobe
    from sartor.recommend.outfit.candidates import Candidate
    from sartor.recommend.outfit.complements import Complements, Weight, Weights
    from sartor.recommend.outfit.looks import Suitability
    from sartor.types import Attributes, Photo, StoredProduct

_CLOSE_STYLE = 0.62  # share of style in a pair's suitability from which it is said aloud


@dataclass(frozen=True, slots=True, kw_only=True)
class LookQuery:
    """What a look is wanted for.

    Attributes:
        products: Ids of the pieces that are in it, at least one.
        slots: What is wanted beside them; none takes the usual ones.
        where: Only products that pass this filter.
        max_price: What the chosen pieces may cost together.
        alternatives: How many for each slot.
    """

    products: tuple[str, ...]
    slots: tuple[Slot, ...] | None = None
    where: Where = EVERYTHING
    max_price: float | None = None
    alternatives: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WornProduct:
    """A product in a look.

    Attributes:
        product_id: The product.
        slot: Where it is worn.
        title: Its title.
        attributes: What the catalog says of it.
        photo: Its main photo.
        price: What it costs; None where that is unknown.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    """A look as it is shown.

    Attributes:
        given: The products that it was made for.
        pieces: What completes it, one for each slot.
        alternatives: By slot, what could take its place, the best first.
        empty: Slots for which nothing fits, or nothing within the budget.
        score: Mean suitability of all pairs, from 0 to 1.
        price: Of the pieces together, without what was given; None if one of them is unknown.
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
    index: Shelves,
    catalog: Catalog,
    wardrobe: Wardrobe,
    known: Sequence[str],
    complements: Complements | None = None,
) -> Outfit:
    """Complete a look.

    Args:
        query: What is wanted.
        index: Where candidates are found.
        catalog: The products.
        wardrobe: Their photos and kinds.
        known: Names of all attributes that can be asked for.
        complements: What was learned from baskets; none leaves it to the rules.

    Raises:
        ProductNotFound: A given product is not there, or has no photo.
        NotInALook: A given product has no slot.
        PiecesClash: Two given products cannot be in one look.
        UnknownAttribute: The filter asks about an attribute that no product has.
        UnknownValue: Nothing passes the filter, since no product has a value that it asks for.
    """
    require_attributes(query.where, known)
    there = catalog.products(query.products)
    if missing := [product_id for product_id in query.products if product_id not in there]:
        raise ProductNotFound(missing[0])
    fitting = Fitting.of(index, wardrobe, known, complements)
    given = fitting.given(query.products)
    _require_no_clash(given)
    taken = frozenset(each.piece.slot for each in given)
    wanted = [
        slot
        for slot in query.slots or [slot for slot in slots_beside(taken) if slot in DEFAULT_SLOTS]
        if not any(clash(slot, other) for other in taken)
    ]
    found = {slot: fitting.candidates(slot, given, where=query.where) for slot in wanted}
    if not any(found.values()):
        require_values(query.where, index)
    look = complete(
        [each.piece for each in given],
        {slot: [each.piece for each in pieces] for slot, pieces in found.items()},
        max_price=query.max_price,
        alternatives=query.alternatives,
        complements=complements,
    )
    chosen = tuple(look.chosen.values())
    known_of = {each.piece.product_id: each.attributes for each in (*given, *chain.from_iterable(found.values()))}
    others = [piece for pieces in look.alternatives.values() for piece in pieces]
    shown = (*look.given, *chosen, *others)
    stored = catalog.products([piece.product_id for piece in shown])
    weights = None if complements is None else weights_of(shown, complements)
    show = _Display(stored, known_of, (*look.given, *chosen), weights)
    return Outfit(
        given=tuple(show.worn(piece, explained=False) for piece in look.given),
        pieces=tuple(map(show.worn, chosen)),
        alternatives={
            slot: tuple(show.worn(each) for each in pieces) for slot, pieces in look.alternatives.items()
        },
        empty=tuple(slot for slot in wanted if slot not in look.chosen and not _needless(slot, look.chosen)),
        score=look.score,
        price=look.price,
    )


@dataclass(frozen=True, slots=True)
class _Display:
    """Shows pieces of a look."""

    stored: Mapping[str, StoredProduct]
    known_of: Mapping[str, Attributes]
    look: tuple[Piece, ...]
    weights: Weights | None

    def worn(self, piece: Piece, *, explained: bool = True) -> WornProduct:
        stored = self.stored[piece.product_id]
        others = [each for each in self.look if each.slot != piece.slot]
        scores = [self._pair(piece, each).score for each in others]
        return WornProduct(
            product_id=piece.product_id,
            slot=piece.slot,
            title=stored.product.title,
            attributes=stored.product.attributes,
            photo=stored.photos[0],
            price=piece.price,
            score=sum(scores) / len(scores) if scores else 1.0,
            reasons=self._reasons(piece) if explained else (),
        )

    def _reasons(self, piece: Piece) -> tuple[str, ...]:
        first = self.look[0]
        own, asked = self.known_of[piece.product_id], self.known_of[first.product_id]
        reasons = []
        for name in (GENDER, USAGE, SEASON):
            value = own.get(name)
            if value is not None and (value == asked.get(name) or name == GENDER):
                reasons.append(f"for {value}" if name == GENDER else str(value))
        pair = self._pair(first, piece)
        said = [", ".join(reasons)] if reasons else []
        if pair.weight is not None:
            said += _bought(pair.weight)
        said.append(pair.harmony.rule)
        if pair.style >= _CLOSE_STYLE:
            said.append("close in style")
        return tuple(said)

    def _pair(self, one: Piece, other: Piece) -> Suitability:
        known = None if self.weights is None else self.weights.between(one.product_id, other.product_id)
        return suitability(one, other, known)


def _bought(weight: Weight) -> list[str]:
    """What is said of a pair that is bought together more often than by chance."""
    if weight.score < OFTEN_SCORE:
        return []
    if weight.together >= OFTEN:
        return ["often bought together"]
    return ["often bought together in such colors"] if weight.alike >= OFTEN_ALIKE else []


def _require_no_clash(given: Sequence[Candidate]) -> None:
    for one, other in combinations(given, 2):
        pair = (one.piece.product_id, other.piece.product_id)
        if clash(one.piece.slot, other.piece.slot):
            slots = sorted({str(one.piece.slot), str(other.piece.slot)})
            raise PiecesClash(*pair, reason=f"a look has one {' or '.join(slots)}")
        theirs = [str(each.attributes[GENDER]) for each in (one, other) if GENDER in each.attributes]
        if not all(genders_agree(*both) for both in combinations(theirs, 2)):
            raise PiecesClash(*pair, reason=f"one is for {theirs[0]}, the other for {theirs[1]}")


def _needless(slot: Slot, chosen: Collection[Slot]) -> bool:
    """Whether a slot is empty because another one takes its place."""
    return any(clash(slot, other) for other in chosen)
