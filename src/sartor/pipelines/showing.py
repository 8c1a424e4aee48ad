"""From products that were chosen by any way to hits: read from the store, variants behind one, and varied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.recommend.diversity import folded, mmr
from sartor.recommend.duplicates import alike
from sartor.recommend.similar import GROUP
from sartor.types import Hit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sartor.recommend.similar import Catalog, Model
    from sartor.types import Matrix, Neighbor, Photo, StoredProduct, Vector


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Shelf:
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
    def of(cls, found: Sequence[Neighbor], *, catalog: Catalog, model: Model, sizes: tuple[int, int]) -> Shelf:
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

    def hits(self, chosen: Sequence[Chosen]) -> tuple[Hit, ...]:
        """The products at some places as hits, in order."""
        if not chosen:
            return ()
        predicted = self.model.predicted(self.vectors[[each.place for each in chosen]])
        return tuple(self._hit(each, guesses) for each, guesses in zip(chosen, predicted, strict=True))

    def _hit(self, chosen: Chosen, guesses: Mapping[str, tuple[str, float]]) -> Hit:
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
class Chosen:
    """A product that is shown: its place on the shelf, its score, its variants, and why."""

    place: int
    score: float
    variants: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
