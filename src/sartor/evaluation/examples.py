"""Queries of an evaluation to look at, with their neighbors: some of the best, of the middle, and of the worst."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from sartor.catalog import open_source
from sartor.errors import PhotoRejected
from sartor.evaluation.sheets import SheetRow, Tile

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from sartor.evaluation.model_run import ModelRun
    from sartor.evaluation.task import EvaluationRequest
    from sartor.types import Product

    Rows = tuple[SheetRow, ...]

_QUERIES = 3  # of the best, of the middle, and of the worst
_HITS = 6


def examples(request: EvaluationRequest, run: ModelRun) -> tuple[Rows, Rows, Rows]:
    """Queries with most relevant neighbors, some in the middle, and those with fewest; equals in random order."""
    scores = run.measured.scores[0][f"precision@{max(request.ks)}"]
    shuffled = np.random.default_rng(request.seed).permutation(np.flatnonzero(~np.isnan(scores)))
    ranked = shuffled[np.argsort(-scores[shuffled], kind="stable")]
    middle = max(0, len(ranked) // 2 - _QUERIES // 2)
    best, median = ranked[:_QUERIES], ranked[middle : middle + _QUERIES]
    worst = ranked[max(0, len(ranked) - _QUERIES) :][::-1]
    shown = np.concatenate([best, median, worst])
    neighbors = run.measured.neighbors[:, :_HITS]
    products = run.gallery.products
    hit_ids = {products[row].id for row in np.unique(neighbors[shown]) if row >= 0}
    hit_photos = main_photos(request.gallery, hit_ids, limit=request.limit)
    query_products = {int(query): run.queries.products[run.task.asked[query]] for query in shown}
    query_ids = {product.id for product in query_products.values()}
    query_photos = main_photos(request.queries or request.gallery, query_ids, limit=request.limit)
    kinds = run.task.gallery_categories

    def sheet_row(query: int) -> SheetRow:
        remark = f"{run.task.categories[query]} {100 * scores[query]:.0f} % relevant".strip()
        return SheetRow(
            query=_tile(query_products[query], query_photos, remark),
            hits=tuple(
                tile
                for row in neighbors[query]
                if row >= 0
                for tile in _tile(products[row], hit_photos, "" if kinds is None else str(kinds[row]))
            ),
        )

    rows = [tuple(sheet_row(int(query)) for query in queries) for queries in (best, median, worst)]
    return rows[0], rows[1], rows[2]


def main_photos(path: Path, product_ids: Collection[str], *, limit: int | None) -> dict[str, bytes]:
    """The first readable photo of some products of a source, by product id; those without one are left out."""
    photos: dict[str, bytes] = {}
    with open_source(path) as source:
        for offered in islice(source, limit):
            if offered.product.id not in product_ids or offered.product.id in photos:
                continue
            for photo in offered.photos:
                try:
                    photos[offered.product.id] = photo.read()
                except PhotoRejected:
                    continue
                break
    return photos


def _tile(product: Product, photos: dict[str, bytes], remark: str) -> tuple[Tile, ...]:
    """A product's tile; none if its photo is gone."""
    if product.id not in photos:
        return ()
    caption = tuple(filter(None, (remark, product.title, product.id)))
    return (Tile.of_photo(photos[product.id], caption=caption),)
