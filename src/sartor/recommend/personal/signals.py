"""How products stand with all people and in the catalog: what goes with what, what is liked, what is new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.events.model import RelationType
from sartor.recommend.weights import (
    CLOSE_FROM,
    DAY_S,
    NEW_MOST,
    NEW_SHARE,
    OCCASION_SHARES,
    POPULAR_SURE,
    POPULARITY_HALF_LIFE_S,
    TOGETHER_SURE,
)
from sartor.store.base import ListingQuery, Sort

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.recommend.personal.interactions import Interactions
    from sartor.recommend.personal.profile import UserProfile
    from sartor.store.base import CatalogStore
    from sartor.types import Matrix, Vector


PARTS = ("visual", "together", "popular", "new")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """How much each part counts.

    ``score = visual V + together T + popular P + new N``, where each part is from 0 to 1:

    - ``V = max_i (share_i / share_1)^(1/4) max(0, (s_i - c) / (1 - c))`` over the person's interests, of which
      the first has the greatest share; ``s_i`` is the closeness to the interest, ``c`` is ``CLOSE_FROM``;
    - ``T = t / (max t + TOGETHER_SURE)``, with ``t`` the mean closeness, by what people did, to the products that
      the person liked, weighted as the liking is;
    - ``P = log(1 + p) / log(1 + max(max p, POPULAR_SURE))``, with ``p`` how much people like the product lately;
    - ``N`` falls from 1 for the newest product to 0 for those that are not new.

    Attributes:
        visual: Of looking like what the person likes.
        together: Of going with it, by what people did.
        popular: Of being liked by many.
        new: Of being new in the catalog.
    """

    visual: float = 1.0
    together: float = 1.4
    popular: float = 2.0
    new: float = 0.05

    def parts(self, evidence: Evidence) -> Matrix:
        """What each of ``PARTS`` brings to the scores of ``n`` products, ``(4, n)``."""
        weights = np.array([getattr(self, part) for part in PARTS], np.float32)
        return np.asarray(weights[:, None] * np.stack([getattr(evidence, part) for part in PARTS]))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Evidence:
    """The parts of the score of ``n`` products, each ``(n,)`` from 0 to 1."""

    visual: Vector
    together: Vector
    popular: Vector
    new: Vector


def visual(closeness: Matrix, shares: Vector) -> Vector:
    """``V`` for closenesses ``(interests, n)`` in [-1, 1] and the interests' shares, the greatest first."""
    if not len(shares):
        return np.zeros(closeness.shape[1], np.float32)
    standing = (shares / shares[0]) ** 0.25
    near = np.clip((closeness - CLOSE_FROM) / (1 - CLOSE_FROM), 0, 1)
    return np.asarray((standing[:, None] * near).max(axis=0), np.float32)


def together(closeness: Vector) -> Vector:
    """``T`` for mean closenesses by what people did, of all products ``(p,)``."""
    greatest = float(closeness.max(initial=0.0))
    return np.asarray(closeness / (greatest + TOGETHER_SURE), np.float32)


def popular(liked: Vector) -> Vector:
    """``P`` for how much people like each of all products lately, ``(p,)`` from 0."""
    greatest = max(float(liked.max(initial=0.0)), POPULAR_SURE)
    return np.asarray(np.log1p(liked) / np.log1p(greatest), np.float32)


_POPULAR_WINDOW_S = 60 * DAY_S


@dataclass(frozen=True, slots=True, eq=False)
class ItemScores:
    """A score of products by the crowd's places, ``(p,)`` from 0."""

    crowd: Interactions
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


def cooccurrence_scores(taste: UserProfile, crowd: Interactions) -> ItemScores:
    """How well products go with what a person likes, by what people did: ``T`` of the blend."""
    learned = crowd.learned.together
    count = len(learned[RelationType.SEEN].occasions)
    places = [crowd.place(each.product_id) for each in taste.members]
    known = [(place, weight) for place, weight in zip(places, taste.weights, strict=True) if place is not None]
    asked = [(place, weight) for place, weight in known if place < count]
    if not asked:
        return ItemScores(crowd, np.zeros(count, np.float32))
    products = np.array([place for place, _ in asked], np.int64)
    weights = np.array([weight for _, weight in asked], np.float32)
    total = sum(
        share * learned[occasion].with_all(products, weights) for occasion, share in OCCASION_SHARES.items()
    )
    return ItemScores(crowd, together(np.asarray(total, np.float32)))


def popularity_scores(crowd: Interactions, *, now_s: float) -> ItemScores:
    """How much people like products lately: ``P`` of the blend."""
    liked = crowd.popularity(now_s=now_s, window_s=_POPULAR_WINDOW_S, half_life_s=POPULARITY_HALF_LIFE_S)
    return ItemScores(crowd, popular(liked))


class NewProducts:
    """The newest products of a catalog, remembered until it changes."""

    def __init__(self, catalog: CatalogStore) -> None:
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
