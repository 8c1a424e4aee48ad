"""Item signals: similarity to a person's interests, co-occurrence, popularity and recency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.events.model import RelationType
from sartor.recommend.weights import (
    COOCCURRENCE_HALF,
    MAX_NEW,
    MIN_CLOSENESS,
    MIN_TOP_POPULARITY,
    MIN_TRANSACTIONS,
    NEW_SHARE,
    POPULARITY_HALF_LIFE_S,
    POPULARITY_WINDOW_S,
    RELATION_SHARES,
)
from sartor.types import ListingQuery, Sort

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.recommend.personal.interactions import Interactions
    from sartor.recommend.personal.profile import UserProfile
    from sartor.recommend.weights import Blend
    from sartor.store.base import CatalogStore
    from sartor.types import Matrix, Vector

SIGNALS = ("visual", "together", "popular", "new")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Evidence:
    """The signals of ``n`` products, each ``(n,)`` from 0 to 1."""

    visual: Vector
    together: Vector
    popular: Vector
    new: Vector

    def weighted(self, blend: Blend) -> Matrix:
        """What each of ``SIGNALS`` adds to the scores, ``(4, n)``."""
        weights = np.array([getattr(blend, signal) for signal in SIGNALS], np.float32)
        return np.asarray(weights[:, None] * np.stack([getattr(self, signal) for signal in SIGNALS]))


def visual(closeness: Matrix, shares: Vector) -> Vector:
    """``V`` of ``Blend`` for closenesses ``(i, n)`` in [-1, 1] to interests with shares ``(i,)``, falling."""
    if not len(shares):
        return np.zeros(closeness.shape[1], np.float32)
    weights = (shares / shares[0]) ** 0.25
    near = np.clip((closeness - MIN_CLOSENESS) / (1 - MIN_CLOSENESS), 0, 1)
    return np.asarray((weights[:, None] * near).max(axis=0), np.float32)


def together(closeness: Vector) -> Vector:
    """``T`` of ``Blend`` for the mean closenesses of all items by interactions, ``(n_items,)``."""
    greatest = float(closeness.max(initial=0.0))
    return np.asarray(closeness / (greatest + COOCCURRENCE_HALF), np.float32)


def popular(popularity: Vector) -> Vector:
    """``P`` of ``Blend`` for the popularity of all items, ``(n_items,)`` from 0."""
    greatest = max(float(popularity.max(initial=0.0)), MIN_TOP_POPULARITY)
    return np.asarray(np.log1p(popularity) / np.log1p(greatest), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class ItemScores:
    """Scores of all items of the interactions, ``(n_items,)`` float32, 0 for items without any."""

    interactions: Interactions
    values: Vector

    def of(self, product_ids: Sequence[str]) -> Vector:
        """Scores of products, ``(n,)``."""
        rows = [self.interactions.row(product_id) for product_id in product_ids]
        known = [row is not None and row < len(self.values) for row in rows]
        safe = np.array([row if ok else 0 for row, ok in zip(rows, known, strict=True)], np.int64)
        if not len(self.values):
            return np.zeros(len(rows), np.float32)
        return np.where(known, self.values[safe], 0).astype(np.float32)

    def best(self, count: int) -> list[str]:
        """Products with the highest scores above 0, the highest first, equals by id."""
        some = np.argpartition(-self.values, count)[:count] if count < len(self.values) else None
        rows = np.arange(len(self.values)) if some is None else some
        scored = [
            (-float(self.values[row]), self.interactions.product_id(int(row)))
            for row in rows
            if self.values[row] > 0
        ]
        return [product_id for _, product_id in sorted(scored)]


def cooccurrence_scores(profile: UserProfile, interactions: Interactions) -> ItemScores:
    """``T`` of ``Blend``: how well items go with what a person prefers, by interactions."""
    learned = interactions.learned.cooccurrence
    count = len(learned[RelationType.SEEN].transactions)
    rows = [interactions.row(member.product_id) for member in profile.members]
    known = [
        (row, weight) for row, weight in zip(rows, profile.weights, strict=True) if row is not None and row < count
    ]
    if not known:
        return ItemScores(interactions, np.zeros(count, np.float32))
    items = np.array([row for row, _ in known], np.int64)
    weights = np.array([weight for _, weight in known], np.float32)
    total = sum(share * learned[relation].with_all(items, weights) for relation, share in RELATION_SHARES.items())
    return ItemScores(interactions, together(np.asarray(total, np.float32)))


def popularity_scores(interactions: Interactions, *, now_s: float) -> ItemScores:
    """``P`` of ``Blend``: how popular items are lately."""
    popularity = interactions.popularity(
        now_s=now_s, window_s=POPULARITY_WINDOW_S, half_life_s=POPULARITY_HALF_LIFE_S
    )
    return ItemScores(interactions, popular(popularity))


def trend_scores(interactions: Interactions, *, now_s: float, window_s: float) -> ItemScores:
    """The popularity of items within a window, half of it left after half the window."""
    popularity = interactions.popularity(now_s=now_s, window_s=window_s, half_life_s=window_s / 2)
    return ItemScores(interactions, popularity)


def related_scores(
    interactions: Interactions, product_id: str, *, by: RelationType | None = None
) -> dict[RelationType, ItemScores]:
    """How close items are to a product by a relation; None takes all relations."""
    relations = [by] if by else list(RelationType)
    return {
        relation: ItemScores(interactions, interactions.related(product_id, relation, minimum=MIN_TRANSACTIONS))
        for relation in relations
    }


class NewProducts:
    """The newest products of a catalog, cached until it changes."""

    def __init__(self, catalog: CatalogStore) -> None:
        self._catalog = catalog
        self._cached: tuple[int, dict[str, float]] = (-1, {})

    def scores(self) -> dict[str, float]:
        """``N`` of ``Blend`` by product, the newest first; products that are not new are left out."""
        revision = self._catalog.listed_revision
        if self._cached[0] != revision:
            self._cached = revision, self._read()
        return self._cached[1]

    def _read(self) -> dict[str, float]:
        page = self._catalog.listing(ListingQuery(sort=Sort.NEWEST, limit=MAX_NEW))
        count = max(1, min(len(page.products), round(NEW_SHARE * page.total)))
        return {stored.product.id: 1 - rank / count for rank, stored in enumerate(page.products[:count])}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Signals:
    """Signals that are the same for all people."""

    popular: ItemScores  # P of ``Blend``
    new: Mapping[str, float]  # N of ``Blend`` by product, the newest first

    def new_of(self, product_ids: Sequence[str]) -> Vector:
        """``N`` of products, ``(n,)``."""
        return np.array([self.new.get(product_id, 0.0) for product_id in product_ids], np.float32)
