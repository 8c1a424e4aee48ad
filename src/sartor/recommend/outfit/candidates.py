"""Candidates of a look: products of a slot that are for the same person and occasion as the given ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sartor.errors import NotInALook, ProductNotFound
from sartor.recommend.outfit.garments import (
    AGE,
    COLOR,
    GENDER,
    KINDS,
    SEASON,
    USAGE,
    Garment,
    currency_of,
    kind_of,
    main_color,
    price_of,
    text_of,
    tints_of,
)
from sartor.recommend.outfit.looks import Piece, common_occasions, common_weather
from sartor.recommend.outfit.rules import (
    Slot,
    genders_beside,
    is_child,
    kinds_clash,
    occasions_of,
    person_of,
    same_gender,
    seasons_beside,
    slot_of,
    usages_beside,
    weather_of,
)
from sartor.recommend.weights import PARTNERS_PER_SLOT
from sartor.types import EVERYTHING, AnyOf, Where

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.index.base import VectorIndex
    from sartor.recommend.outfit.complements import Complements
    from sartor.recommend.outfit.garments import GarmentReader, Tint
    from sartor.recommend.outfit.rules import Occasion, Weather
    from sartor.types import Attributes, Condition, EmbeddedPhoto, Vector

_MAX_VALUES = 1000  # of an attribute in a catalog
_CANDIDATES_PER_SLOT = 32
_NEARLY_ALL = 0.95  # of the products to which another attribute gives a slot
_SURE = 0.9  # from which the model's kind of a photo counts against the catalog's
_ENOUGH = 8  # candidates with which a filter is not widened any more
_SEASONAL = {Slot.TOP, Slot.BOTTOM, Slot.ONE_PIECE, Slot.OUTERWEAR, Slot.SHOES}
_GENDER_NEIGHBORS = 12  # similar products that tell whom a unisex one is for


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A piece of a look with its attributes, known or predicted."""

    piece: Piece
    attributes: Attributes = field(repr=False)
    person: str  # whom it is for, such as "men" or "girls"; empty if unknown
    is_mistaken: bool = False  # the model is sure that the photo shows something of another slot


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

        Of several attributes that may tell kinds, the narrowest counts whose values have a slot for most products.
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
        telling = [name for name in worn if worn[name] and worn[name] >= _NEARLY_ALL * max(worn.values())]
        for name in telling[:1]:
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

    def read(self, product_ids: Sequence[str]) -> list[Candidate]:
        """Products as candidates, without those that have no photo or are not worn."""
        photos = self.garments.main_photos(product_ids)
        photos = {product_id: photos[product_id] for product_id in product_ids if product_id in photos}
        return self._read(photos, self.garments.features.attributes_of(list(photos.values())))

    def given(self, product_ids: Sequence[str]) -> list[Candidate]:
        """The products of a query as pieces; raises ProductNotFound or NotInALook for one that cannot be."""
        product_ids = list(dict.fromkeys(product_ids))
        photos = self.garments.main_photos(product_ids)
        if missing := [product_id for product_id in product_ids if product_id not in photos]:
            raise ProductNotFound(missing[0], reason="has no photo to compare")
        attributes = self.garments.features.attributes_of([photos[product_id] for product_id in product_ids])
        for product_id, own in zip(product_ids, attributes, strict=True):
            if slot_of(kind_of(own, self.kinds)) is None:
                kind = next((str(own[name]) for name in KINDS if name in own), "")
                raise NotInALook(product_id, kind=kind, slots=list(Slot))
        return self._read({product_id: photos[product_id] for product_id in product_ids}, attributes)

    def candidates(self, slot: Slot, given: Sequence[Candidate], *, where: Where) -> list[Candidate]:
        """Pieces of a slot that fit the given ones, from the strictest filter that lets enough pass.

        Each has an occasion and a weather in common with all of the given ones, and is for people as old.
        """
        vector = self._query_vector(given)
        filters = [Where((*where.conditions, *conditions)) for conditions in self._filters(slot, given)]
        own = [candidate.piece.product_id for candidate in given]
        fitting: dict[str, Candidate] = {}
        for number, passed in enumerate(filters, start=1):
            near = self.index.search(vector, k=_CANDIDATES_PER_SLOT, where=passed, without=own, exact=False)
            new = [neighbor.product_id for neighbor in near if neighbor.product_id not in fitting]
            fitting |= self._of_slot(slot, new, given)
            if len(fitting) >= _ENOUGH:
                filters = filters[:number]
                break
        partners = [product_id for product_id in self._partners(slot, own, filters) if product_id not in fitting]
        return [*fitting.values(), *self._of_slot(slot, partners, given).values()]

    def _partners(self, slot: Slot, own: Sequence[str], filters: Sequence[Where]) -> list[str]:
        """Products most often bought with the given ones that pass one of the filters."""
        if self.complements is None:
            return []
        partners = self.complements.partners(own, slot, limit=PARTNERS_PER_SLOT)
        bought = [product_id for product_id in partners if product_id not in own]
        passing = set().union(*(self.index.passing(where, of=bought) for where in filters))
        return [product_id for product_id in bought if product_id in passing]

    def _of_slot(self, slot: Slot, product_ids: Sequence[str], given: Sequence[Candidate]) -> dict[str, Candidate]:
        """Those of the products that are pieces of a slot, worn for what the given ones are, by people as old."""
        if not product_ids:
            return {}
        photos = self.garments.main_photos(product_ids)
        attributes = self.garments.features.attributes_of(list(photos.values()))
        occasions = set(common_occasions([candidate.piece for candidate in given]))
        weather = set(common_weather([candidate.piece for candidate in given]))
        child = any(is_child(candidate.person) for candidate in given)
        return {
            each.piece.product_id: each
            for each in self._read(photos, attributes)
            if each.piece.slot == slot
            and not occasions.isdisjoint(each.piece.occasions)
            and not weather.isdisjoint(each.piece.weather)
            and is_child(each.person) is child
            and not any(kinds_clash(each.piece.kind, candidate.piece.kind) for candidate in given)
            and not each.is_mistaken
        }

    def _read(self, photos: Mapping[str, EmbeddedPhoto], attributes: Sequence[Attributes]) -> list[Candidate]:
        """Products with these main photos as candidates, without those that are not worn."""
        if not photos:
            return []
        shown = list(photos.values())
        titles, features = self.garments.titles(list(photos)), self.garments.features
        kinds = [kind_of(own, self.kinds) for own in attributes]
        vectors = np.stack([photo.vector for photo in shown])
        read = zip(
            shown,
            attributes,
            kinds,
            features.residual_styles(vectors, kinds, without=COLOR),
            tints_of(shown, attributes, titles),
            features.kinds_seen(vectors),
            strict=True,
        )
        return [
            self._candidate(
                photo, own, kind, style=style, tint=tint, seen=seen, title=titles.get(photo.product_id, "")
            )
            for photo, own, kind, style, tint, seen in read
            if slot_of(kind) is not None
        ]

    def _candidate(  # noqa: PLR0913 - what was read of a product at once
        self,
        photo: EmbeddedPhoto,
        attributes: Attributes,
        kind: str,
        *,
        style: Vector,
        tint: Tint,
        seen: tuple[str, float],
        title: str,
    ) -> Candidate:
        gender, slot = text_of(attributes, GENDER), slot_of(kind) or Slot.TOP
        piece = Piece(
            product_id=photo.product_id,
            slot=slot,
            kind=kind,
            style=style,
            color=tint.color,
            color_name=tint.name,
            vivid=tint.vivid,
            print=tint.print,
            price=price_of(attributes),
            currency=currency_of(attributes),
            occasions=occasions_of(kind, text_of(attributes, USAGE), gender),
            weather=weather_of(kind, text_of(attributes, SEASON)),
            garment=None if self.complements is None else Garment.of(attributes, main_color(photo)),
        )
        return Candidate(
            piece=piece,
            attributes=attributes,
            person=person_of(gender, title, text_of(attributes, AGE)),
            is_mistaken=seen[1] >= _SURE and slot_of(seen[0]) not in {slot, None},
        )

    def _filters(self, slot: Slot, given: Sequence[Candidate]) -> list[tuple[Condition, ...]]:
        """Filters for a slot, the strictest first."""
        usage, season = _first_value(given, USAGE), _first_value(given, SEASON)
        occasions = common_occasions([candidate.piece for candidate in given])
        weather = common_weather([candidate.piece for candidate in given])
        usages = ("", *self.usages)
        kinds = [
            AnyOf(
                attribute=name,
                values=tuple(kind for kind in slots.get(slot, ()) if _is_worn(kind, usages, occasions, weather)),
            )
            for name, slots in self.kinds.items()
        ]
        if not kinds or not kinds[0].values:
            return []
        always: tuple[Condition, ...] = (*kinds, *self._for_the_same_person(given))
        stages = [usages_beside(usage, self.usages, slot=slot, widened=step) for step in (0, 1)] if usage else []
        seasons = seasons_beside(season, self.seasons) if season and slot in _SEASONAL else ()
        filters = []
        for stage in (*stages, ()):
            of_usage = _condition(USAGE, stage)
            filters += [(*always, *of_usage, *_condition(SEASON, seasons)), (*always, *of_usage)]
        return list(dict.fromkeys(filters))

    def _for_the_same_person(self, given: Sequence[Candidate]) -> tuple[Condition, ...]:
        if not self.genders:
            return ()
        genders = [own.person for own in given if own.person]
        gender = next((gender for gender in genders if not _is_for_all(gender)), None)
        gender = gender or self._nearby_gender(given)
        return () if gender is None else _condition(GENDER, genders_beside(gender, self.genders))

    def _nearby_gender(self, given: Sequence[Candidate]) -> str | None:
        """The gender of most products similar to the given ones, unisex left out."""
        vector = self._query_vector(given)
        child = any(is_child(own.person) for own in given)
        genders = [gender for gender in self.genders if not _is_for_all(gender) and is_child(gender) is child]
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


def _is_for_all(gender: str) -> bool:
    return same_gender(gender, "unisex") or same_gender(gender, "kids")


def _is_worn(kind: str, usages: Sequence[str], occasions: Sequence[Occasion], weather: Sequence[Weather]) -> bool:
    """Whether a kind, of one usage or another, is worn for some of the occasions and in some of the weather."""
    worn = {occasion for usage in usages for occasion in occasions_of(kind, usage)}
    return not worn.isdisjoint(occasions) and not {*weather}.isdisjoint(weather_of(kind))


def _condition(attribute: str, values: Sequence[str]) -> tuple[Condition, ...]:
    return (AnyOf(attribute=attribute, values=tuple(values)),) if values else ()


def _first_value(given: Sequence[Candidate], attribute: str) -> str | None:
    return next((str(own.attributes[attribute]) for own in given if attribute in own.attributes), None)
