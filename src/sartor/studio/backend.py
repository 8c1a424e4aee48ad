"""What the pages ask and get, and the workspace that answers; ``remote`` has a running service in its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from sartor.recommend.filters import name_text
from sartor.recommend.weights import DEFAULT_FEATURE_WEIGHTS
from sartor.types import Metric
from sartor.wiring import open_shop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.config import Settings
    from sartor.evaluation.pictures import CatalogMap
    from sartor.evaluation.results import Evaluation
    from sartor.evaluation.task import ShowProgress
    from sartor.ingest.photos import IngestReport, OnProgress
    from sartor.recommend.features import FeatureWeights
    from sartor.recommend.filters import FilterValue
    from sartor.recommend.similar import Recommendation
    from sartor.types import FacetValue, StoredProduct


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelState:
    """A model, and how many photos of the catalog it has embedded."""

    id: str
    embedded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What a catalog holds.

    Attributes:
        model: Id of the default model.
        models: All models, the default one first.
        facets: Attributes that make good filters, with their values.
    """

    products: int
    photos: int
    model: str
    models: tuple[ModelState, ...]
    facets: Mapping[str, Sequence[FacetValue]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """How a query is answered.

    Attributes:
        model: Id of the model.
        k: Number of products.
        dials: Weights of style, color and category.
        diversity: 0 (most similar) to 1 (most varied).
        where: Values that products may have, by attribute.
    """

    model: str
    metric: Metric = Metric.COSINE
    k: int = 5
    dials: FeatureWeights = DEFAULT_FEATURE_WEIGHTS
    diversity: float = 0.0
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)


class WorkspaceBackend:
    """A workspace, held until it is closed. All sessions share one.

    Raises:
        WorkspaceError: Another process holds it, or it cannot be used.
        ModelError: Its model cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._shop = open_shop(settings, many_callers=True)
        try:
            self._shop.warm_up()
        except BaseException:
            self._shop.close()
            raise

    @property
    def location(self) -> str:
        """Where the catalog is, for people: the workspace's directory."""
        return str(self._shop.home)

    def overview(self) -> Overview:
        """What the catalog holds."""
        shop = self._shop
        counts, default = shop.counts(), shop.model.id
        others = sorted({card.id for card in shop.models} - {default})
        return Overview(
            products=counts.products,
            photos=counts.photos,
            model=default,
            models=tuple(ModelState(id=id_, embedded=counts.embeddings.get(id_, 0)) for id_ in (default, *others)),
            facets=shop.facets(),
        )

    def similar(self, photos: Sequence[bytes], product: str | None, options: SearchOptions) -> Recommendation:
        """The products most similar to photos, or to a product.

        Raises:
            SartorError: The query cannot be answered.
        """
        where: Mapping[str, FilterValue] = {name_text(name): values for name, values in options.where.items()}
        return self._shop.through(options.model).similar(
            *photos,
            product=product,
            k=options.k,
            weights=options.dials,
            diversity=options.diversity,
            where=where,
            metric=options.metric,
        )

    def find(self, words: str, *, limit: int) -> Sequence[StoredProduct]:
        """Products with these words."""
        return self._shop.listing(words=words, limit=limit).products

    def product(self, product_id: str) -> StoredProduct:
        """One product.

        Raises:
            SartorError: There is no such product.
        """
        return self._shop.product(product_id)

    def picture(self, sha256: str, *, max_px: int) -> tuple[bytes, str] | None:
        """A photo of the catalog with its media type; None if it is gone."""
        picture = self._shop.picture(sha256, max_px=max_px)
        return None if picture is None else (picture.data, picture.media_type)

    def map(self, model: str, *, limit: int) -> CatalogMap:
        """The catalog in two dimensions."""
        return self._shop.through(model).map(limit=limit)

    def evaluate(
        self, source: str, models: Sequence[str], *, limit: int | None, held_out: bool, show: ShowProgress
    ) -> Evaluation:
        """Measure models on a source, with pictures for a report."""
        return self._shop.evaluate(
            source, *models, limit=limit, held_out=held_out, pictures=True, command="sartor studio", show=show
        )

    def index(self, source: str, *, allow_shrink: bool, on_progress: OnProgress) -> IngestReport:
        """Bring a source into the catalog."""
        return self._shop.index(source, allow_shrink=allow_shrink, on_progress=on_progress)

    def keep_upload(self, name: str, file: BinaryIO) -> str:
        """Keep an uploaded source, so that another model can embed its photos later; returns what to index.

        Raises:
            WorkspaceError: The bucket of the workspace does not take it.
        """
        return self._shop.catalog.keep_upload(name, file)

    def close(self) -> None:
        """Release the workspace."""
        self._shop.close()
