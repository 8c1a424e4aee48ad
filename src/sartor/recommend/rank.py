"""Re-ranking: from scored candidates to hits. Variants fold into one, the rest is varied, each hit says why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sartor.described import title_of
from sartor.recommend.duplicates import alike
from sartor.recommend.facts import guesses_of, known_of
from sartor.types import Hit

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy.typing as npt

    from sartor.recommend.base import Model
    from sartor.recommend.facts import Candidate
    from sartor.recommend.matching import Known, Matcher
    from sartor.store.base import CatalogStore
    from sartor.types import Guesses, Matrix, Neighbor, Vector

    Flags = npt.NDArray[np.bool_]


def mmr(scores: Vector, vectors: Matrix, *, k: int, diversity: float) -> list[int]:
    """Choose ``k`` of ``n`` candidates by maximal marginal relevance.

    The next one maximizes ``(1 - diversity) * score - diversity * closeness to the nearest chosen one``.

    Source: J. Carbonell and J. Goldstein, "The use of MMR" (SIGIR 1998).

    Args:
        scores: ``(n,)``.
        vectors: What candidates are compared by, ``(n, d)`` of unit norm.
        k: Number of candidates; all if there are fewer.
        diversity: From 0, the order of the scores, to 1, the most varied.

    Returns:
        Rows of the chosen candidates, in order.
    """
    if not diversity and (np.diff(scores) <= 0).all():
        return list(range(min(k, len(scores))))
    nearest = np.full(len(scores), -1.0, np.float32)
    left = np.ones(len(scores), np.bool_)
    chosen: list[int] = []
    while left.any() and len(chosen) < k:
        relevance = (1 - diversity) * scores - diversity * nearest
        best = int(np.where(left, relevance, -np.inf).argmax())
        chosen.append(best)
        left[best] = False
        nearest = np.maximum(nearest, vectors @ vectors[best])
    return chosen


def fold_variants(groups: Sequence[str], alike: Flags) -> list[list[int]]:
    """Rows of candidates by product: variants are of one item group, if they have one, or alike, ``(n, n)``.

    Each product's variants come in their order, and products in the order of their first.
    """
    products: list[list[int]] = []
    folding: list[list[int]] = []  # those that may have variants
    others: Flags = np.tril(alike, -1)
    twins = set(np.flatnonzero(others.any(axis=0) | others.any(axis=1)).tolist())
    counts = Counter(groups)
    for row, group in enumerate(groups):
        if row not in twins and not (group and counts[group] > 1):
            products.append([row])
            continue
        for variants in folding:
            if (group and group == groups[variants[0]]) or alike[row, variants[0]]:
                variants.append(row)
                break
        else:
            folding.append([row])
            products.append(folding[-1])
    return products


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedItem:
    """A ranked candidate: its row, score, the ids of its variants, and why it is there."""

    row: int
    score: float
    variants: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CandidateSet:
    """Candidates for one answer, with what index and catalog hold of them."""

    neighbors: tuple[Neighbor, ...]
    vectors: Matrix  # of the neighbors, joined features, (n, d + m + c)
    candidates: tuple[Candidate, ...]  # of the neighbors
    sizes: tuple[int, int]  # d and m, the lengths of style and color
    model: Model  # predicts what the catalog leaves open

    @classmethod
    def of(
        cls, neighbors: Sequence[Neighbor], *, catalog: CatalogStore, model: Model, sizes: tuple[int, int]
    ) -> CandidateSet:
        """Read the candidates' products; those that have just left the catalog are left out."""
        products = catalog.products([neighbor.product_id for neighbor in neighbors])
        kept = tuple(neighbor for neighbor in neighbors if neighbor.product_id in products)
        vectors = (
            np.stack([neighbor.vector for neighbor in kept]) if kept else np.empty((0, sum(sizes)), np.float32)
        )
        candidates = tuple(model.candidates.of(kept, products))
        return cls(neighbors=kept, vectors=vectors, candidates=candidates, sizes=sizes, model=model)

    def reordered(self, order: Sequence[int]) -> CandidateSet:
        """The same candidates in another order, by their rows."""
        return replace(
            self,
            neighbors=tuple(self.neighbors[row] for row in order),
            candidates=tuple(self.candidates[row] for row in order),
            vectors=self.vectors[list(order)],
        )

    def select(
        self, scores: Vector, *, k: int, diversity: float, without_groups: Collection[str] = ()
    ) -> list[RankedItem]:
        """The best ``k`` candidates by scores ``(n,)`` that never rise; none is a variant of another.

        Diversity goes from 0, the highest scores, to 1, the most varied. Some item groups may be left out.
        """
        allowed = [row for row, each in enumerate(self.candidates) if each.group not in without_groups]
        if not allowed:
            return []
        style, color, _ = np.split(self.vectors[allowed], np.cumsum(self.sizes), axis=1)
        prints = [self.candidates[row].photo.fingerprint for row in allowed]
        groups = [self.candidates[row].group for row in allowed]
        variants = [[allowed[row] for row in rows] for rows in fold_variants(groups, alike(style, color, prints))]
        first = [rows[0] for rows in variants]
        chosen = mmr(scores[first], self.vectors[first, : self.sizes[0]], k=k, diversity=diversity)
        return [
            RankedItem(
                row=first[rank],
                score=float(scores[first[rank]]),
                variants=tuple(self.neighbors[row].product_id for row in variants[rank][1:]),
            )
            for rank in chosen
        ]

    def hits(self, items: Sequence[RankedItem]) -> tuple[Hit, ...]:
        """Ranked candidates as hits, in order."""
        if not items:
            return ()
        predicted = self._guesses([item.row for item in items])
        return tuple(self._hit(item, guesses) for item, guesses in zip(items, predicted, strict=True))

    def known(self, matcher: Matcher) -> Known:
        """What the candidates' matches depend on."""
        return known_of(self.candidates, self.vectors, matcher, dimension=self.sizes[0])

    def _guesses(self, rows: Sequence[int]) -> list[Guesses]:
        """What is predicted of some candidates: as the listing has it, or by their vectors."""
        listed = [self.candidates[row].stored.predicted if self.model.is_default else {} for row in rows]
        others = [row for row, guesses in zip(rows, listed, strict=True) if not guesses]
        made = guesses_of([self.candidates[row] for row in others], self.vectors[others], self.model.predicted)
        by_row = dict(zip(others, made, strict=True))
        return [guesses or by_row[row] for row, guesses in zip(rows, listed, strict=True)]

    def _hit(self, item: RankedItem, guesses: Guesses) -> Hit:
        candidate = self.candidates[item.row]
        product = candidate.stored.product
        guesses = {name: guess for name, guess in guesses.items() if name not in product.attributes}
        title = title_of(product, guesses)
        return Hit(
            product_id=product.id,
            score=item.score,
            title=title.text,
            title_predicted=title.is_predicted,
            attributes=dict(product.attributes),  # its own, since the store keeps the product's for other answers
            predicted=guesses,
            photo=candidate.photo,
            variants=item.variants,
            reasons=item.reasons,
        )

    @property
    def fingerprints(self) -> list[bytes]:
        """Of each candidate's photo."""
        return [candidate.photo.fingerprint for candidate in self.candidates]
