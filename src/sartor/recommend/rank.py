"""From products that were chosen by any way to hits: read from the store, variants behind one, and varied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.recommend.base import GROUP
from sartor.recommend.duplicates import alike
from sartor.types import Hit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy.typing as npt

    from sartor.recommend.base import Catalog, Model
    from sartor.types import Matrix, Neighbor, Photo, StoredProduct, Vector

    Flags = npt.NDArray[np.bool_]


def mmr(scores: Vector, vectors: Matrix, *, k: int, diversity: float) -> list[int]:
    """Choose ``k`` of ``n`` candidates by maximal marginal relevance.

    Each next one has the greatest ``(1 - diversity) * score - diversity * closeness to the nearest chosen one``.

    Source: J. Carbonell and J. Goldstein, "The use of MMR" (SIGIR 1998).

    Args:
        scores: ``(n,)``.
        vectors: What candidates are compared by, ``(n, d)`` of unit norm.
        k: How many; all if there are fewer.
        diversity: From 0, the order of the scores, to 1, only unlike what is chosen.

    Returns:
        Places of the chosen ones, in order.
    """
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


def folded(groups: Sequence[str], alike: Flags) -> list[list[int]]:
    """Gather candidates that are one thing: of one group, or that look the same.

    Args:
        groups: Group of each candidate; empty where it has none.
        alike: Whether two candidates look the same, ``(n, n)``.

    Returns:
        Places of each thing's candidates; the first is its best, and things are in the order of their best.
    """
    things: list[list[int]] = []
    for place, group in enumerate(groups):
        for thing in things:
            if (group and group == groups[thing[0]]) or alike[place, thing[0]]:
                thing.append(place)
                break
        else:
            things.append([place])
    return things


WEAK_BELOW = 0.2


@dataclass(frozen=True, slots=True)
class Matching:
    """A calibrated line through closenesses: of the hits with match 80 %, about 80 % are of the query's kind.

    ``match = 1 / (1 + e^-(w_style s + w_color c + w_category k + b))``; fitted on products that the model has not
    learned from. A match does not depend on the dials.

    Source: J. Platt, "Probabilistic outputs for support vector machines" (1999).
    """

    weights: tuple[float, float, float]
    intercept: float

    def of(self, closeness: Matrix) -> Vector:
        """Matches ``(n,)`` from 0 to 1 for closenesses ``(n, 3)`` in style, color and category."""
        return np.asarray(1 / (1 + np.exp(-(closeness @ np.array(self.weights) + self.intercept))), np.float32)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CandidateSet:
    """Products that may be shown.

    Attributes:
        found: What the index has of them.
        vectors: The same, ``(n, d + m + c)``.
        products: What the catalog has of them.
        sizes: Lengths of style and color.
        model: What predicts what the catalog does not tell.
    """

    found: tuple[Neighbor, ...]
    vectors: Matrix
    products: Mapping[str, StoredProduct]
    sizes: tuple[int, int]
    model: Model

    @classmethod
    def of(
        cls, found: Sequence[Neighbor], *, catalog: Catalog, model: Model, sizes: tuple[int, int]
    ) -> CandidateSet:
        """Read products from the catalog; those that have just left it are left out."""
        products = catalog.products([each.product_id for each in found])
        there = tuple(each for each in found if each.product_id in products)
        vectors = np.stack([each.vector for each in there]) if there else np.empty((0, sum(sizes)), np.float32)
        return cls(found=there, vectors=vectors, products=products, sizes=sizes, model=model)

    def choose(
        self, scores: Vector, *, k: int, diversity: float, no_groups: Collection[str] = ()
    ) -> list[tuple[int, tuple[str, ...]]]:
        """Places of ``k`` products that are no variants of each other, and the ids of each one's variants.

        Args:
            scores: Of the products, ``(n,)``, the highest first.
            k: How many.
            diversity: From 0, the highest scores, to 1, only what differs.
            no_groups: Item groups that are left out.
        """
        allowed = [place for place, each in enumerate(self.found) if self._group(each) not in no_groups]
        if not allowed:
            return []
        style, color, _ = np.split(self.vectors[allowed], np.cumsum(self.sizes), axis=1)
        prints = [self._photo(self.found[place]).fingerprint for place in allowed]
        groups = [self._group(self.found[place]) for place in allowed]
        things = [[allowed[place] for place in thing] for thing in folded(groups, alike(style, color, prints))]
        first = [thing[0] for thing in things]
        chosen = mmr(scores[first], self.vectors[first, : self.sizes[0]], k=k, diversity=diversity)
        return [
            (first[place], tuple(self.found[other].product_id for other in things[place][1:])) for place in chosen
        ]

    def hits(self, chosen: Sequence[RankedItem]) -> tuple[Hit, ...]:
        """The products at some places as hits, in order."""
        if not chosen:
            return ()
        predicted = self.model.predicted(self.vectors[[each.place for each in chosen]])
        return tuple(self._hit(each, guesses) for each, guesses in zip(chosen, predicted, strict=True))

    def _hit(self, chosen: RankedItem, guesses: Mapping[str, tuple[str, float]]) -> Hit:
        neighbor = self.found[chosen.place]
        product = self.products[neighbor.product_id].product
        return Hit(
            product_id=product.id,
            score=chosen.score,
            title=product.title,
            attributes=product.attributes,
            predicted={name: guess for name, guess in guesses.items() if name not in product.attributes},
            photo=self._photo(neighbor),
            variants=chosen.variants,
            reasons=chosen.reasons,
        )

    def _photo(self, neighbor: Neighbor) -> Photo:
        photos = self.products[neighbor.product_id].photos
        return next((photo for photo in photos if photo.sha256 == neighbor.sha256), photos[0])

    def _group(self, neighbor: Neighbor) -> str:
        return str(self.products[neighbor.product_id].product.attributes.get(GROUP, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedItem:
    """A product that is shown: its place on the shelf, its score, its variants, and why."""

    place: int
    score: float
    variants: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
