"""What an evaluation shows: queries beside their hits, and a map of the catalog in two dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sartor.catalog import open_source
from sartor.errors import PhotoRejected
from sartor.evaluation.results import MapOfCatalog
from sartor.evaluation.sheets import SheetRow, Tile

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import numpy.typing as npt

    from sartor.evaluation.model_run import ModelRun
    from sartor.evaluation.ranking import Indices
    from sartor.evaluation.task import EvaluationRequest
    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore
    from sartor.types import Attributes, Matrix, Product

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


MAX_PRODUCTS = 1500  # rows that t-SNE lays out in 8 s on one core; 2,000 take 12 s, 3,000 take 19 s


_MIN_FOR_TSNE = 30  # fewer rows have no neighborhoods to keep
_COMPONENTS = 50  # before t-SNE, as van der Maaten advises
_PERPLEXITY = 30.0  # about how many neighbors a row keeps
_SAME = 1e-9  # a smaller spread is rounding


class Projection(NamedTuple):
    """Rows laid out in the plane.

    Attributes:
        rows: ``(m,)`` indices of the rows, rising.
        points: ``(m, 2)``.
        method: How, in words.
    """

    rows: Indices
    points: npt.NDArray[np.float64]
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedProduct:
    """A product on the map, by its main photo.

    Attributes:
        product_id: The product.
        title: Its title.
        sha256: Its main photo.
        attributes: From the catalog, or predicted by the model if the catalog has none.
        x: To the right; the unit has no meaning.
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
        of: Number of products in the catalog.
    """

    products: tuple[PlacedProduct, ...]
    method: str
    of: int


def lay_out(store: CatalogStore, features: FeatureBuilder, *, limit: int, seed: int) -> CatalogMap:
    """Lay out a sample of the products that have a photo which the model has embedded.

    Args:
        store: The catalog.
        features: Knows the model and what it predicts.
        limit: Number of products; more are sampled.
        seed: For the sample and the layout.
    """
    product_ids = store.product_ids()
    drawn = np.sort(np.random.default_rng(seed).permutation(len(product_ids))[:limit])
    embedded = store.embedded_photos(features.model, [product_ids[row] for row in drawn])
    photos = [photo for photo in embedded if photo.is_main]
    if not photos:
        return CatalogMap(products=(), method="", of=len(product_ids))
    placed = project(np.stack([photo.vector for photo in photos]), seed=seed, limit=limit)
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
            for photo, attributes, (x, y) in zip(
                photos, features.attributes_of(photos), placed.points, strict=True
            )
        ),
        method=placed.method.partition(" of ")[0],
        of=len(product_ids),
    )


def map_of(request: EvaluationRequest, run: ModelRun) -> MapOfCatalog | None:
    """The main photos of an evaluation's gallery, colored by the main criterion; None if it has no such labels."""
    labels = run.task.gallery_categories
    if labels is None:
        return None
    rows, points, method = project(run.gallery.vectors[run.gallery.firsts], seed=request.seed)
    attribute = request.relevance[0] if request.relevance else run.task.criteria[0][0]
    return MapOfCatalog(points=points, labels=labels[rows], attribute=attribute, method=method)


def project(vectors: Matrix, *, seed: int, limit: int = MAX_PRODUCTS) -> Projection:
    """Lay out a sample of the rows so that neighbors stay neighbors.

    One thread works on it: with several, sums come in no fixed order, and they wait for each other if other
    processes use the same cores.

    Source: van der Maaten and Hinton, "Visualizing Data using t-SNE" (JMLR 2008).

    Args:
        vectors: ``(n, d)``.
        seed: For the sample and the layout.
        limit: Number of rows; the others are left out.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    rows = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:limit])
    sample = vectors[rows].astype(np.float64)  # (m, d)
    of = f" of {len(rows):,} of {len(vectors):,} rows"
    points = np.zeros((len(rows), 2))
    if not len(sample) or np.ptp(sample, axis=0).max(initial=0.0) < _SAME:
        return Projection(rows, points, f"one point, all alike,{of}")
    with_tsne = len(sample) >= _MIN_FOR_TSNE
    with threadpool_limits(1):
        components = min(_COMPONENTS if with_tsne else 2, *sample.shape)
        reduced = PCA(components, svd_solver="full").fit_transform(sample)  # (m, components)
        if with_tsne and components > 1:
            perplexity = min(_PERPLEXITY, (len(sample) - 1) / 3)
            layout = TSNE(init="pca", perplexity=perplexity, random_state=seed % 2**32)
            points = np.asarray(layout.fit_transform(reduced), np.float64)
        else:
            points[:, :components] = reduced
    return Projection(rows, points, f"{'t-SNE after PCA' if with_tsne else 'principal components'}{of}")
