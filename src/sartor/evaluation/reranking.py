"""The order that shoppers see: the nearest products of an evaluation's queries, ordered by their match."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sartor.recommend.matching import Asked, Matcher, matches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from sartor.evaluation.ranking import Indices, Ranked
    from sartor.ingest.embed import EmbeddedSource, PhotoEmbedding
    from sartor.types import Matrix

    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reranking:
    """Orders candidates by their match, as ``similar`` does with photos that are uploaded.

    Attributes:
        matcher: Computes matches.
        closeness: Of pairs of a query and a photo of the gallery, rows ``(m,)`` each: ``(m, 3)``.
        gallery: What is searched.
        photos: Main photo of each query.
        candidates: How many of the nearest are ordered anew; the others stay behind them.
    """

    matcher: Matcher
    closeness: Callable[[Indices, Indices], Matrix]
    gallery: EmbeddedSource
    photos: Sequence[PhotoEmbedding]
    candidates: int

    def matches(self, query: int, products: Indices) -> Floats:
        """Matches ``(n,)`` of a query, by its row, with products of the gallery ``(n,)``."""
        if not len(products):
            return np.empty(0, np.float64)
        embedding, heads = self.photos[query].vector, self.matcher.heads
        probabilities = {name: rows[0] for name, rows in heads.probabilities(embedding[None]).items()}
        asked = self.matcher.asked(
            embedding, Asked(probabilities=probabilities, fingerprint=self.photos[query].fingerprint)
        )
        photos = self.gallery.firsts[products]
        closeness = self.closeness(np.full(len(products), query), photos)
        signals = self.matcher.signals(
            asked,
            closeness,
            heads.probabilities(self.gallery.vectors[photos]),
            [self.gallery.products[product].attributes for product in products.tolist()],
        )
        prints = [self.gallery.photos[photo].fingerprint for photo in photos.tolist()]
        return matches(self.matcher.log_odds(asked, signals), self.matcher.same(asked, closeness, prints))

    def reordered(self, ranked: Ranked) -> Ranked:
        """A block's products, the candidates in the order of their match."""
        products: npt.NDArray[np.int64] = ranked.products.copy()
        for row, query in enumerate(ranked.rows.tolist()):
            nearest = products[row, : self.candidates]
            order = np.argsort(-self.matches(query, nearest), kind="stable")
            products[row, : self.candidates] = nearest[order]
        return replace(ranked, products=products)
