"""How products stand with all people and in the catalog: what goes with what, what is liked, what is new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.events import Occasion
from sartor.recommend import blend
from sartor.recommend.tuning import DAY_S, NEW_MOST, NEW_SHARE, OCCASION_SHARES, POPULARITY_HALF_LIFE_S
from sartor.store.records import ListingQuery, Sort

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.pipelines.crowd import Crowd
    from sartor.pipelines.taste import Taste
    from sartor.store.sqlite import SqliteStore
    from sartor.types import Vector

_POPULAR_WINDOW_S = 60 * DAY_S


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A score of products by the crowd's places, ``(p,)`` from 0."""

    crowd: Crowd
    values: Vector

    def of(self, product_ids: Sequence[str]) -> Vector:
        """Scores of products; 0 for those that nobody did anything with."""
        places = [self.crowd.place(product_id) for product_id in product_ids]
        known = [place is not None and place < len(self.values) for place in places]
        safe = np.array([place if ok else 0 for place, ok in zip(places, known, strict=True)], np.int64)
        if not len(self.values):
            return np.zeros(len(places), np.float32)
        return np.where(known, self.values[safe], 0).astype(np.float32)

    def best(self, count: int) -> list[str]:
        """Products with the highest scores above 0, the highest first, equals by id."""
        some = np.argpartition(-self.values, count)[:count] if count < len(self.values) else None
        places = np.arange(len(self.values)) if some is None else some
        found = [
            (-float(self.values[place]), self.crowd.id(int(place))) for place in places if self.values[place] > 0
        ]
        return [product_id for _, product_id in sorted(found)]


def together_with(taste: Taste, crowd: Crowd) -> Scored:
    """How well products go with what a person likes, by what people did: ``T`` of the blend."""
    learned = crowd.learned.together
    count = len(learned[Occasion.SEEN].occasions)
    places = [crowd.place(each.product_id) for each in taste.members]
    known = [(place, weight) for place, weight in zip(places, taste.weights, strict=True) if place is not None]
    asked = [(place, weight) for place, weight in known if place < count]
    if not asked:
        return Scored(crowd, np.zeros(count, np.float32))
    products = np.array([place for place, _ in asked], np.int64)
    weights = np.array([weight for _, weight in asked], np.float32)
    total = sum(
        share * learned[occasion].with_all(products, weights) for occasion, share in OCCASION_SHARES.items()
    )
    return Scored(crowd, blend.together(np.asarray(total, np.float32)))


def popular_lately(crowd: Crowd, *, now_s: float) -> Scored:
    """How much people like products lately: ``P`` of the blend."""
    liked = crowd.popularity(now_s=now_s, window_s=_POPULAR_WINDOW_S, half_life_s=POPULARITY_HALF_LIFE_S)
    return Scored(crowd, blend.popular(liked))


class Newest:
    """The newest products of a catalog, remembered until it changes."""

    def __init__(self, catalog: SqliteStore) -> None:
        self._catalog = catalog
        self._kept: tuple[int, dict[str, float]] = (-1, {})

    def products(self) -> dict[str, float]:
        """``N`` of the blend by product: 1 for the newest, falling to 0 for those that are not new."""
        revision = self._catalog.revision
        if self._kept[0] != revision:
            self._kept = revision, self._read()
        return self._kept[1]

    def _read(self) -> dict[str, float]:
        page = self._catalog.listing(ListingQuery(sort=Sort.NEWEST, limit=NEW_MOST))
        count = max(1, min(len(page.products), round(NEW_SHARE * page.total)))
        return {stored.product.id: 1 - place / count for place, stored in enumerate(page.products[:count])}
