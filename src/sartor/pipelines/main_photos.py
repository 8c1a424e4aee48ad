"""What an index has of products' main photos, kept for the next question: many people are shown the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.index.edge import EdgeIndex
    from sartor.types import Neighbor

_MOST = 50_000  # products that are kept: 100 MB with the bundled model
_STEP = 512


class MainPhotos:
    """Reads main photos from an index, each once until the index changes; may be asked from several threads."""

    def __init__(self, index: EdgeIndex) -> None:
        self._index = index
        self._kept: tuple[int, dict[str, Neighbor | None]] = (-1, {})

    def warm_up(self, product_ids: Sequence[str]) -> None:
        """Read those of products before anybody asks, as many as are kept."""
        for start in range(0, min(len(product_ids), _MOST), _STEP):
            self.of(product_ids[start : min(start + _STEP, _MOST)])

    def of(self, product_ids: Sequence[str]) -> list[Neighbor]:
        """Those of products, as far as there are any, in their order; their scores are 0."""
        revision, kept = self._kept
        if revision != self._index.revision or len(kept) > _MOST:
            self._kept = _, kept = self._index.revision, {}  # what another thread reads stays as it is
        if missing := [product_id for product_id in product_ids if product_id not in kept]:
            there = {each.product_id: each for each in self._index.entries(missing)}
            kept.update((product_id, there.get(product_id)) for product_id in missing)
        return [each for product_id in product_ids if (each := kept[product_id]) is not None]
