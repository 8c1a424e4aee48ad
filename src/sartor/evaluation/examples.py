"""The map of a catalog: products in the plane, near each other where they look alike."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from sartor.catalog import open_source
from sartor.errors import PhotoRejected
from sartor.evaluation.report.sheets import SheetRow, Tile
from sartor.evaluation.results import MapOfCatalog

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import numpy.typing as npt

    from sartor.evaluation.model_run import ModelRun
    from sartor.evaluation.task import EvaluationRequest
    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore
    from sartor.types import Attributes, EmbeddedPhoto, Product

    Rows = tuple[SheetRow, ...]


_EACH = 3  # queries of the best, in the middle, and of the worst
_HITS = 6


def main_photos(path: Path, product_ids: Collection[str], *, limit: int | None) -> dict[str, bytes]:
    """The first readable photo of some products of a source, by product id; those without any are left out."""
    found: dict[str, bytes] = {}
    with open_source(path) as source:
        for offered in islice(source, limit):
            if offered.product.id not in product_ids or offered.product.id in found:
                continue
            for photo in offered.photos:
                try:
                    found[offered.product.id] = photo.read()
                except PhotoRejected:
                    continue
                break
    return found


def examples(order: EvaluationRequest, sight: ModelRun) -> tuple[Rows, Rows, Rows]:
    """Queries with most relevant neighbors, some in the middle, and those with fewest; equals at random."""
    scores = sight.measured.scores[0][f"precision@{max(order.ks)}"]
    known = np.flatnonzero(~np.isnan(scores))
    drawn = np.random.default_rng(order.seed).permutation(known)
    ranked = drawn[np.argsort(-scores[drawn], kind="stable")]
    middle = max(0, len(ranked) // 2 - _EACH // 2)
    chosen = (ranked[:_EACH], ranked[middle : middle + _EACH], ranked[max(0, len(ranked) - _EACH) :][::-1])
    wanted = np.concatenate(chosen)
    hits = sight.measured.neighbors[wanted, :_HITS]
    gallery = sight.gallery.products
    photos = main_photos(order.gallery, {gallery[place].id for place in hits[hits >= 0]}, limit=order.limit)
    asked = {sight.queries.products[sight.task.asked[row]].id for row in wanted}
    asking = main_photos(order.queries or order.gallery, asked, limit=order.limit)

    def row_of(row: int) -> SheetRow:
        query = sight.queries.products[sight.task.asked[row]]
        places = [int(place) for place in sight.measured.neighbors[row, :_HITS] if place >= 0]
        remark = f"{sight.task.categories[row]} {100 * scores[row]:.0f} % relevant".strip()
        kinds = sight.task.gallery_categories
        return SheetRow(
            query=_tile(query, asking, remark),
            hits=tuple(
                tile
                for place in places
                for tile in _tile(gallery[place], photos, "" if kinds is None else str(kinds[place]))
            ),
        )

    best, median, worst = (tuple(row_of(int(row)) for row in rows) for rows in chosen)
    return best, median, worst


def map_of(order: EvaluationRequest, sight: ModelRun) -> MapOfCatalog | None:
    """The main photos of the gallery in two dimensions, colored by the main criterion."""
    from sartor.evaluation.projection import project

    labels: npt.NDArray[np.str_] | None = sight.task.gallery_categories
    if labels is None:
        return None
    rows, points, method = project(sight.gallery.vectors[sight.gallery.firsts], seed=order.seed)
    attribute = order.relevance[0] if order.relevance else sight.task.criteria[0][0]
    return MapOfCatalog(points=points, labels=labels[rows], attribute=attribute, method=method)


def _tile(product: Product, photos: dict[str, bytes], remark: str) -> tuple[Tile, ...]:
    """A product's tile; none where its photo is not there any more."""
    if product.id not in photos:
        return ()
    caption = tuple(filter(None, (remark, product.title, product.id)))
    return (Tile.of_photo(photos[product.id], caption=caption),)


MOST_PLACED = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedProduct:
    """A product at its place, by its main photo.

    Attributes:
        product_id: The product.
        title: Its title.
        sha256: Its main photo.
        attributes: What the catalog tells of it, and what the model predicts where it tells nothing.
        x: To the right; the unit means nothing.
        y: Upwards, likewise.
    """

    product_id: str
    title: str
    sha256: str
    attributes: Attributes
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogMap:
    """Products in the plane.

    Attributes:
        products: Those that were laid out, by id.
        method: How, in words.
        of: Products that the catalog has.
    """

    products: tuple[PlacedProduct, ...]
    method: str
    of: int


def lay_out(store: CatalogStore, compose: FeatureBuilder, *, most: int, seed: int) -> CatalogMap:
    """Lay out a sample of the products that have a photo which the model has embedded.

    Args:
        store: The catalog.
        compose: Knows what the model says of photos.
        most: How many products at most.
        seed: Of the sample and of the layout.
    """
    from sartor.evaluation.projection import project

    product_ids = store.product_ids()
    drawn = np.sort(np.random.default_rng(seed).permutation(len(product_ids))[:most])
    photos = _main_photos(store, compose.model, [product_ids[place] for place in drawn])
    if not photos:
        return CatalogMap(products=(), method="", of=len(product_ids))
    placed = project(np.stack([photo.vector for photo in photos]), seed=seed, most=most)
    stored = store.products([photo.product_id for photo in photos])
    return CatalogMap(
        products=tuple(
            PlacedProduct(
                product_id=photo.product_id,
                title=stored[photo.product_id].product.title,
                sha256=photo.sha256,
                attributes=attributes,
                x=float(x),
                y=float(y),
            )
            for photo, attributes, (x, y) in zip(photos, compose.attributes_of(photos), placed.points, strict=True)
        ),
        method=placed.method.partition(" of ")[0],
        of=len(product_ids),
    )


def _main_photos(store: CatalogStore, model: str, product_ids: list[str]) -> list[EmbeddedPhoto]:
    return [photo for photo in store.embedded_photos(model, product_ids) if photo.is_main]
