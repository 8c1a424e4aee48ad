"""Candidates of a look: products of a slot that are for the same person and occasion as the given ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sartor.errors import NotInALook, ProductNotFound
from sartor.recommend.outfit.garments import (
    GENDER,
    KINDS,
    SEASON,
    USAGE,
    Garment,
    currency_of,
    main_color,
    price_of,
    text_of,
)
from sartor.recommend.outfit.looks import Piece
from sartor.recommend.outfit.rules import Slot, genders_beside, same_gender, seasons_beside, slot_of, usages_beside
from sartor.recommend.weights import PARTNERS_PER_SLOT
from sartor.types import EVERYTHING, AnyOf, Where

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.index.base import VectorIndex
    from sartor.recommend.outfit.complements import Complements
    from sartor.recommend.outfit.garments import GarmentReader
    from sartor.types import Attributes, Condition, EmbeddedPhoto, Vector

_MAX_VALUES = 1000  # of an attribute in a catalog
_CANDIDATES_PER_SLOT = 32
_ENOUGH = 8  # candidates with which a filter is not widened any more
_SEASONAL = {Slot.TOP, Slot.BOTTOM, Slot.ONE_PIECE, Slot.OUTERWEAR, Slot.SHOES}
_GENDER_NEIGHBORS = 12  # similar products that tell whom a unisex one is for


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A piece of a look with its attributes, known or predicted."""

    piece: Piece
    attributes: Attributes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateFinder:
    """Finds the pieces of a catalog that fit; without complements by style alone."""

    index: VectorIndex
    garments: GarmentReader
    kinds: Mapping[str, Mapping[Slot, Sequence[str]]]  # by attribute, its values for each slot
    genders: Sequence[str]  # that the catalog has, as are usages and seasons
    usages: Sequence[str]
    seasons: Sequence[str]
    complements: Complements | None = None

    @classmethod
    def of(
        cls,
        index: VectorIndex,
        garments: GarmentReader,
        attributes: Sequence[str],
        complements: Complements | None = None,
    ) -> CandidateFinder:
        """Read the kinds, genders, usages and seasons of a catalog that has these attributes.

        Of several attributes that may tell kinds, the one whose values have a slot for most products counts.
        """
        names = [name for name in (*KINDS, GENDER, USAGE, SEASON) if name in attributes]
        facets = index.facets(names, where=EVERYTHING, limit=_MAX_VALUES)
        values = {name: [facet.value for facet in facets.get(name, ())] for name in names}
        worn = {
            name: sum(facet.count for facet in facets[name] if slot_of(facet.value))
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
            garments=garments,
            kinds=kinds,
            genders=values.get(GENDER, ()),
            usages=values.get(USAGE, ()),
            seasons=values.get(SEASON, ()),
            complements=complements,
        )

    def given(self, product_ids: Sequence[str]) -> list[Candidate]:
        """The products of a query as pieces; raises ProductNotFound or NotInALook for one that cannot be."""
        photos = self.garments.main_photos(product_ids)
        pieces = []
        for product_id in dict.fromkeys(product_ids):
            if product_id not in photos:
                raise ProductNotFound(product_id, reason="has no photo to compare")
            (attributes,) = self.garments.features.attributes_of([photos[product_id]])
            piece = self._piece(photos[product_id], attributes)
            if piece is None:
                kind = next((str(attributes[name]) for name in KINDS if name in attributes), "")
                raise NotInALook(product_id, kind=kind, slots=list(Slot))
            pieces.append(Candidate(piece=piece, attributes=attributes))
        return pieces

    def candidates(self, slot: Slot, given: Sequence[Candidate], *, where: Where) -> list[Candidate]:
        """Pieces of a slot that fit the given ones, from the strictest filter that lets enough pass."""
        vector = self._query_vector(given)
        filters = [Where((*where.conditions, *conditions)) for conditions in self._filters(slot, given)]
        own = [candidate.piece.product_id for candidate in given]
        fitting: dict[str, Candidate] = {}
        for number, passed in enumerate(filters, start=1):
            near = self.index.search(vector, k=_CANDIDATES_PER_SLOT, where=passed, without=own, exact=False)
            new = [neighbor.product_id for neighbor in near if neighbor.product_id not in fitting]
            fitting |= self._of_slot(slot, new)
            if len(fitting) >= _ENOUGH:
                filters = filters[:number]
                break
        partners = [product_id for product_id in self._partners(slot, own, filters) if product_id not in fitting]
        return [*fitting.values(), *self._of_slot(slot, partners).values()]

    def _partners(self, slot: Slot, own: Sequence[str], filters: Sequence[Where]) -> list[str]:
        """Products most often bought with the given ones that pass one of the filters."""
        if self.complements is None:
            return []
        partners = self.complements.partners(own, slot, limit=PARTNERS_PER_SLOT)
        bought = [product_id for product_id in partners if product_id not in own]
        passing = set().union(*(self.index.passing(where, of=bought) for where in filters))
        return [product_id for product_id in bought if product_id in passing]

    def _of_slot(self, slot: Slot, product_ids: Sequence[str]) -> dict[str, Candidate]:
        """Those of the products that are pieces of a slot."""
        photos = self.garments.main_photos(product_ids)
        attributes = self.garments.features.attributes_of(list(photos.values()))
        pieces = [(self._piece(photo, own), own) for photo, own in zip(photos.values(), attributes, strict=True)]
        return {
            piece.product_id: Candidate(piece=piece, attributes=own)
            for piece, own in pieces
            if piece is not None and piece.slot == slot
        }

    def _piece(self, photo: EmbeddedPhoto, attributes: Attributes) -> Piece | None:
        for name in (*self.kinds, *KINDS):
            kind = text_of(attributes, name)
            if slot := slot_of(kind):
                color = main_color(photo)
                return Piece(
                    product_id=photo.product_id,
                    slot=slot,
                    style=self.garments.features.residual_style(photo.vector, kind),
                    color=np.zeros(3, np.float32) if color is None else color,
                    price=price_of(attributes),
                    currency=currency_of(attributes),
                    garment=Garment.of(attributes, color),
                )
        return None

    def _filters(self, slot: Slot, given: Sequence[Candidate]) -> list[tuple[Condition, ...]]:
        """Filters for a slot, the strictest first."""
        kinds = [AnyOf(attribute=name, values=tuple(slots.get(slot, ()))) for name, slots in self.kinds.items()]
        if not kinds or not kinds[0].values:
            return []
        always: tuple[Condition, ...] = (*kinds, *self._for_the_same_person(given))
        usage, season = _first_value(given, USAGE), _first_value(given, SEASON)
        stages = [usages_beside(usage, self.usages, slot=slot, widened=step) for step in (0, 1)] if usage else [()]
        seasons = seasons_beside(season, self.seasons) if season and slot in _SEASONAL else ()
        filters = []
        for usages in stages:
            of_usage = _condition(USAGE, usages)
            filters += [(*always, *of_usage, *_condition(SEASON, seasons)), (*always, *of_usage)]
        return list(dict.fromkeys(filters))

    def _for_the_same_person(self, given: Sequence[Candidate]) -> tuple[Condition, ...]:
        if not self.genders:
            return ()
        genders = [str(own.attributes[GENDER]) for own in given if GENDER in own.attributes]
        gender = next((gender for gender in genders if not same_gender(gender, "unisex")), None)
        gender = gender or self._nearby_gender(given)
        return () if gender is None else _condition(GENDER, genders_beside(gender, self.genders))

    def _nearby_gender(self, given: Sequence[Candidate]) -> str | None:
        """The gender of most products similar to the given ones, unisex left out."""
        vector = self._query_vector(given)
        genders = [gender for gender in self.genders if not same_gender(gender, "unisex")]
        if not genders:
            return None
        where = Where(_condition(GENDER, tuple(genders)))
        near = self.index.search(vector, k=_GENDER_NEIGHBORS, where=where, without=(), exact=False)
        photos = self.garments.main_photos([neighbor.product_id for neighbor in near])
        attributes = self.garments.features.attributes_of(list(photos.values()))
        counts = Counter(str(own[GENDER]) for own in attributes)
        return min(counts, key=lambda gender: (-counts[gender], gender)) if counts else None

    def _query_vector(self, given: Sequence[Candidate]) -> Vector:
        total = np.sum([candidate.piece.style for candidate in given], axis=0)
        norm = float(np.linalg.norm(total))
        style = np.asarray(total / norm if norm else total, np.float32)
        return self.garments.features.of_style(style).joined()


def _condition(attribute: str, values: Sequence[str]) -> tuple[Condition, ...]:
    return (AnyOf(attribute=attribute, values=tuple(values)),) if values else ()


def _first_value(given: Sequence[Candidate], attribute: str) -> str | None:
    return next((str(own.attributes[attribute]) for own in given if attribute in own.attributes), None)
