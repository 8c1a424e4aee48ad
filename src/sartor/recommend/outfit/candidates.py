"""What a look needs to know of a catalog's products, from the store and by one model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sartor.errors import NotInALook, ProductNotFound
from sartor.recommend.outfit.complements import GENDER, KINDS, Garment
from sartor.recommend.outfit.looks import Piece
from sartor.recommend.outfit.rules import Slot, genders_beside, same_words, seasons_beside, slot_of, usages_beside
from sartor.recommend.weights import PARTNERS
from sartor.types import EVERYTHING, AnyOf, Where
from sartor.values import numbers_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sartor.recommend.base import Shelves, Wardrobe
    from sartor.recommend.features import FeatureBuilder
    from sartor.recommend.outfit.complements import Complements
    from sartor.store.base import CatalogStore
    from sartor.types import Attributes, Condition, EmbeddedPhoto, Vector


USAGE, SEASON = "usage", "season"


_VALUES = 1000  # of an attribute in a catalog, that are looked at
_CANDIDATES = 32  # of each slot
_ENOUGH = 8  # candidates with which a filter is not widened any more
_WORN_BY_SEASON = {Slot.TOP, Slot.BOTTOM, Slot.ONE_PIECE, Slot.OUTERWEAR, Slot.SHOES}
_NEAR = 12  # similar products that tell whom a unisex one is for


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A piece of a look, with what is known or predicted of it."""

    piece: Piece
    attributes: Attributes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """Finds the pieces of a catalog that fit."""

    index: Shelves
    wardrobe: Wardrobe
    kinds: Mapping[str, Mapping[Slot, Sequence[str]]]  # by attribute: its values for each slot
    genders: Sequence[str]
    usages: Sequence[str]
    seasons: Sequence[str]
    complements: Complements | None = None

    @classmethod
    def of(
        cls, index: Shelves, wardrobe: Wardrobe, known: Sequence[str], complements: Complements | None = None
    ) -> Fitting:
        """What a catalog tells of kinds, genders, usages and seasons.

        Of several attributes that may tell kinds, the one whose values have a slot for most products counts.

        Args:
            index: Where candidates are found.
            wardrobe: What is known of the products.
            known: Names of all attributes of the catalog.
            complements: What was learned from baskets; none finds candidates by style alone.
        """
        names = [name for name in (*KINDS, GENDER, USAGE, SEASON) if name in known]
        facets = index.facets(names, where=EVERYTHING, limit=_VALUES)
        values = {name: [each.value for each in facets.get(name, ())] for name in names}
        worn = {
            name: sum(each.count for each in facets[name] if slot_of(each.value))
            for name in names
            if name in KINDS
        }
        kinds = {}
        for name in sorted((name for name in worn if worn[name]), key=lambda name: -worn[name])[:1]:
            slots: dict[Slot, list[str]] = {}
            for value in values[name]:
                if slot := slot_of(value):
                    slots.setdefault(slot, []).append(value)
            kinds[name] = slots
        return cls(
            index=index,
            wardrobe=wardrobe,
            kinds=kinds,
            genders=values.get(GENDER, ()),
            usages=values.get(USAGE, ()),
            seasons=values.get(SEASON, ()),
            complements=complements,
        )

    def given(self, product_ids: Sequence[str]) -> list[Candidate]:
        """The given products as pieces."""
        photos = self.wardrobe.main_photos(product_ids)
        hung = []
        for product_id in dict.fromkeys(product_ids):
            if product_id not in photos:
                raise ProductNotFound(product_id, reason="has no photo to compare")
            (attributes,) = self.wardrobe.attributes_of([photos[product_id]])
            piece = self._piece(photos[product_id], attributes)
            if piece is None:
                kind = next((str(attributes[name]) for name in KINDS if name in attributes), "")
                raise NotInALook(product_id, kind=kind, slots=list(Slot))
            hung.append(Candidate(piece=piece, attributes=attributes))
        return hung

    def candidates(self, slot: Slot, given: Sequence[Candidate], *, where: Where) -> list[Candidate]:
        """Pieces of a slot that fit what is given, from the strictest filter that lets enough pass."""
        vector = self.wardrobe.as_query(_mean([each.piece.style for each in given]))
        filters = [Where((*where.conditions, *conditions)) for conditions in self._filters(slot, given)]
        own = [each.piece.product_id for each in given]
        found: dict[str, Candidate] = {}
        for number, passed in enumerate(filters, start=1):
            near = self.index.search(vector, k=_CANDIDATES, where=passed, without=own, exact=False)
            found |= self._hung(slot, [each.product_id for each in near if each.product_id not in found])
            if len(found) >= _ENOUGH:
                filters = filters[:number]
                break
        partners = [each for each in self._partners(slot, own, filters) if each not in found]
        return [*found.values(), *self._hung(slot, partners).values()]

    def _partners(self, slot: Slot, own: Sequence[str], filters: Sequence[Where]) -> list[str]:
        """What was most often bought with the given pieces, as far as one of these filters lets it pass."""
        if self.complements is None:
            return []
        bought = [each for each in self.complements.partners(own, slot, most=PARTNERS) if each not in own]
        passing = set().union(*(self.index.passing(where, of=bought) for where in filters))
        return [each for each in bought if each in passing]

    def _hung(self, slot: Slot, product_ids: Sequence[str]) -> dict[str, Candidate]:
        """Those of the products that are pieces of a slot."""
        photos = self.wardrobe.main_photos(product_ids)
        known = self.wardrobe.attributes_of(list(photos.values()))
        pieces = [(self._piece(photo, own), own) for photo, own in zip(photos.values(), known, strict=True)]
        return {
            piece.product_id: Candidate(piece=piece, attributes=attributes)
            for piece, attributes in pieces
            if piece is not None and piece.slot == slot
        }

    def _piece(self, photo: EmbeddedPhoto, attributes: Attributes) -> Piece | None:
        for name in (*self.kinds, *KINDS):
            kind = str(attributes.get(name, ""))
            if slot := slot_of(kind):
                color = None if photo.palette is None else photo.palette.colors[0]
                return Piece(
                    product_id=photo.product_id,
                    slot=slot,
                    style=self.wardrobe.beside_kind(photo, kind),
                    color=np.zeros(3, np.float32) if color is None else color,
                    price=self.wardrobe.price_of(attributes),
                    garment=Garment.of(attributes, color),
                )
        return None

    def _filters(self, slot: Slot, given: Sequence[Candidate]) -> list[tuple[Condition, ...]]:
        """Filters for a slot, the strictest first."""
        kinds = [AnyOf(attribute=name, values=tuple(slots.get(slot, ()))) for name, slots in self.kinds.items()]
        if not kinds or not kinds[0].values:
            return []
        always: tuple[Condition, ...] = (*kinds, *self._for_the_same_person(given))
        usage, season = _told(given, USAGE), _told(given, SEASON)
        stages = [usages_beside(usage, self.usages, slot=slot, widened=step) for step in (0, 1)] if usage else [()]
        seasons = seasons_beside(season, self.seasons) if season and slot in _WORN_BY_SEASON else ()
        filters = []
        for usages in stages:
            worn = _condition(USAGE, usages)
            filters += [(*always, *worn, *_condition(SEASON, seasons)), (*always, *worn)]
        return list(dict.fromkeys(filters))

    def _for_the_same_person(self, given: Sequence[Candidate]) -> tuple[Condition, ...]:
        if not self.genders:
            return ()
        genders = [str(each.attributes[GENDER]) for each in given if GENDER in each.attributes]
        told = next((each for each in genders if not same_words(each, "unisex")), None)
        told = told or self._gender_nearby(given)
        return () if told is None else _condition(GENDER, genders_beside(told, self.genders))

    def _gender_nearby(self, given: Sequence[Candidate]) -> str | None:
        """Whom most products like what is given are for, unisex ones left out."""
        vector = self.wardrobe.as_query(_mean([each.piece.style for each in given]))
        for_someone = [each for each in self.genders if not same_words(each, "unisex")]
        if not for_someone:
            return None
        where = Where(_condition(GENDER, tuple(for_someone)))
        near = self.index.search(vector, k=_NEAR, where=where, without=(), exact=False)
        photos = self.wardrobe.main_photos([each.product_id for each in near])
        counted = Counter(str(each[GENDER]) for each in self.wardrobe.attributes_of(list(photos.values())))
        return min(counted, key=lambda gender: (-counted[gender], gender)) if counted else None


def _condition(attribute: str, values: Sequence[str]) -> tuple[Condition, ...]:
    return (AnyOf(attribute=attribute, values=tuple(values)),) if values else ()


def _told(given: Sequence[Candidate], attribute: str) -> str | None:
    return next((str(each.attributes[attribute]) for each in given if attribute in each.attributes), None)


def _mean(styles: Sequence[Vector]) -> Vector:
    total = np.sum(styles, axis=0)
    norm = float(np.linalg.norm(total))
    return np.asarray(total / norm if norm else total, np.float32)


_PRICES = ("sale_price", "price")  # the first that a product has is what it costs


class StoredWardrobe:
    """The products of a store as pieces of looks."""

    def __init__(self, store: CatalogStore, compose: FeatureBuilder) -> None:
        self._store, self._compose = store, compose

    def main_photos(self, product_ids: Collection[str]) -> dict[str, EmbeddedPhoto]:
        """The embedded main photo of each product, as far as there is one; another one where the main is not."""
        found: dict[str, EmbeddedPhoto] = {}
        for photo in self._store.embedded_photos(self._compose.model, product_ids):
            if photo.is_main or photo.product_id not in found:
                found[photo.product_id] = photo
        return found

    def attributes_of(self, photos: Sequence[EmbeddedPhoto]) -> Sequence[Attributes]:
        """What the catalog says of each photo's product, and what the model predicts where it says nothing."""
        return self._compose.attributes_of(photos)

    def beside_kind(self, photo: EmbeddedPhoto, kind: str) -> Vector:
        """What is particular in a photo's style beside its kind, ``(d,)`` of norm 1."""
        return self._compose.beside_kind(photo.vector, kind)

    def as_query(self, style: Vector) -> Vector:
        """A style as what the index compares."""
        return self._compose.of_style(style).joined()

    def price_of(self, attributes: Attributes) -> float | None:
        """A product's price; the sale price where there is one."""
        numbers = (number for name in _PRICES if name in attributes for number in numbers_of(attributes[name]))
        return next(numbers, None)
