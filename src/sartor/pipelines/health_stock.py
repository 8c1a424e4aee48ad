"""What the health of a catalog is told from: its products, and their embedded photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sartor.store.sqlite import SqliteStore
    from sartor.types import EmbeddedPhoto, Matrix, StoredProduct

EXAMPLES = 10
_TITLE_LENGTH = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """A catalog, as far as its health is told from it.

    Attributes:
        products: Every product by its id, in the ids' order.
        embedded: Of each product, its first photo that the model has embedded; n of them.
        model: The model.
    """

    products: Mapping[str, StoredProduct]
    embedded: Sequence[EmbeddedPhoto]
    model: str

    @property
    def vectors(self) -> Matrix:
        """The embeddings, ``(n, d)`` of unit norm; there has to be one."""
        return np.stack([photo.vector for photo in self.embedded])

    def named(self, product_id: str) -> str:
        """A product for a person: ``15970 (Turtle Check Men Navy Blue Shirt)``."""
        title = self.products[product_id].product.title
        if len(title) > _TITLE_LENGTH:
            title = title[: _TITLE_LENGTH - 1].rstrip() + "…"
        return f"{product_id} ({title})" if title and title != product_id else product_id

    def examples(self, product_ids: Iterable[str]) -> tuple[str, ...]:
        """The first few of these products, named."""
        return tuple(self.named(product_id) for product_id, _ in zip(product_ids, range(EXAMPLES), strict=False))

    def are_variants(self, product_ids: Iterable[str]) -> bool:
        """Whether these products are but one, or variants of one: of the same ``item_group_id``."""
        ids = set(product_ids)
        groups = {self.products[each].product.attributes.get("item_group_id") for each in ids}
        return len(ids) == 1 or (len(groups) == 1 and not groups & {None, ""})


def take(store: SqliteStore, model: str) -> Stock:
    """Read a catalog and what a model has embedded of it."""
    ids = store.product_ids()
    held = store.products(ids)
    embedded: dict[str, EmbeddedPhoto] = {}
    for photo in store.embedded_photos(model, ids):
        embedded.setdefault(photo.product_id, photo)
    return Stock(
        products={product_id: held[product_id] for product_id in ids if product_id in held},
        embedded=list(embedded.values()),
        model=model,
    )
