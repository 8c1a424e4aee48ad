"""What is recommended: similar products, outfits, and feeds for shoppers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PIL import Image

from sartor.errors import EmptyQuery, ProductNotFound
from sartor.imaging.color import color_name, named_color, palette_of_color
from sartor.ingest.writer import bring_up_to_date
from sartor.recommend.base import FeedRequest, Model
from sartor.recommend.boxes import GarmentBox, GarmentHits
from sartor.recommend.candidates import CandidateSource
from sartor.recommend.explain import Explained, QueryAttributes, explain
from sartor.recommend.features import COLOR_DIMENSION, color_vector, recolored
from sartor.recommend.filters import require_attributes, require_names, require_values
from sartor.recommend.matching import merged
from sartor.recommend.matching import recolored as recolored_asked
from sartor.recommend.outfit.outfit import LookQuery, Outfit, outfit
from sartor.recommend.personal.signals import NewProducts
from sartor.recommend.query import Part, PhotoInput, QueryEncoder
from sartor.recommend.search import Found, WordSearch, WordsQuery
from sartor.recommend.similar import DEFAULT_K, Recommendation, SimilarQuery, similar
from sartor.recommend.understood import CatalogValues, read_query
from sartor.recommend.weights import DISLIKE_WEIGHT, LIKE_WEIGHT, feature_weights
from sartor.shop.backends import Lazy
from sartor.shop.models import DEFAULT_MODEL
from sartor.types import EVERYTHING, Metric, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sartor.events.model import RelationType
    from sartor.imaging.fetch import EncodedPhoto
    from sartor.recommend.base import Feed
    from sartor.recommend.features import FeatureWeights
    from sartor.recommend.outfit.complements import Complements
    from sartor.recommend.personal.for_you import ForYou
    from sartor.recommend.personal.interactions import Interactions
    from sartor.shop.backends import Backends, OpenModel
    from sartor.shop.catalog import Catalog
    from sartor.shop.shoppers import Shoppers
    from sartor.store.base import EventStore
    from sartor.types import Hit, Photo


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarRequest:
    """What ``Shop.similar`` takes: photos and products not embedded yet, and how they are compared."""

    parts: tuple[Part, ...] = ()
    like: tuple[str, ...] = ()
    dislike: tuple[str, ...] = ()
    color: str | None = None
    weights: FeatureWeights | Mapping[str, float] | None = None
    k: int = DEFAULT_K
    where: Where = EVERYTHING
    diversity: float = 0.0
    facets: tuple[str, ...] = ()
    exclude: frozenset[str] = frozenset()
    exact: bool = False
    metric: Metric | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What ``Shop.search`` takes."""

    words: str
    k: int = DEFAULT_K
    where: Where = EVERYTHING
    plain: tuple[str, ...] = ()
    facets: tuple[str, ...] = ()
    exclude: frozenset[str] = frozenset()


class Recommender:
    """Recommends products of a catalog by one of its models.

    Args:
        backends: The engines of the workspace.
        model: Gives the model to recommend by.
        catalog: The products.
        shoppers: The people whose events count.
    """

    def __init__(
        self, backends: Backends, model: Callable[[], OpenModel], *, catalog: Catalog, shoppers: Shoppers
    ) -> None:
        self._backends, self._model, self._catalog, self._shoppers = backends, model, catalog, shoppers
        self._store = backends.store
        self._new_products = NewProducts(backends.store)
        self._values = Lazy(lambda: CatalogValues(backends.store, backends.vocabulary()))

    def warm_up(self) -> None:
        """Load the network, the index and what shoppers did."""
        model = self._model()
        if model.card.network:
            height_px, width_px = model.card.size_px
            model.encoder.embed([Image.new("RGB", (width_px, height_px), "white")])
        self.optimize()
        if self._backends.has_events():
            self._shoppers.interactions.catch_up()
            model.main_photos.warm_up(self._store.product_ids())

    def optimize(self) -> None:
        """Bring the index up to date with the store, and its graph with the index."""
        model = self._model()
        with self._backends.writing:
            bring_up_to_date(self._store, model.index, model.features)

    def similar(self, request: SimilarRequest) -> Recommendation:
        """Find the products that look most like a query."""
        if not request.parts and not request.like and request.color is None:
            raise EmptyQuery
        model = self._model()
        return self._similar(model, request, self._query_encoder(model))

    def _similar(self, model: OpenModel, request: SimilarRequest, encoder: QueryEncoder) -> Recommendation:
        model.require_embeddings()
        if request.facets:
            require_names(request.facets, self._described(model).attributes)
        query = self._encoded(model, request, encoder)
        index = model.index if request.metric is None else model.index.by(request.metric)
        return similar(query, index=index, catalog=self._store, model=self._described(model))

    def search(self, request: SearchRequest) -> Found:
        """The products that words describe best."""
        model = self._model()
        model.require_embeddings()
        tower = model.text
        known = frozenset() if tower is None else tower.known
        understood = read_query(request.words, self._values().now(), known=known, plain=request.plain)
        if not (understood.meanings or understood.rest):
            raise EmptyQuery(wants="word with a letter or digit")
        query = WordsQuery(
            understood=understood,
            k=request.k,
            where=request.where,
            exclude=request.exclude,
            facets=request.facets,
        )
        search = WordSearch(self._candidates(model), model.features, tower, dimension=model.card.dimension)
        return search.find(query)

    def outfit(self, query: LookQuery) -> Outfit:
        """Complete a look."""
        if not query.products:
            raise EmptyQuery
        model = self._model()
        model.require_embeddings()
        return outfit(
            query,
            index=model.index,
            catalog=self._store,
            garments=model.garments,
            attributes=self._described(model).attributes,
            complements=self._complements(model),
        )

    def for_user(self, request: FeedRequest) -> Feed:
        """Recommend products to a person."""
        model = self._model()
        self._require_attributes(model, request.where)
        self._require_attributes(model, request.context)
        feed = self._for_you(model).feed(request)
        if not feed.hits:
            require_values(request.where, model.index)
        return feed

    def trending(self, *, k: int, window_s: float, where: Where, now_s: float) -> Feed:
        """The products that people like most lately."""
        from sartor.recommend.personal.signals import trend_scores
        from sartor.recommend.personal.trending import trending

        model = self._model()
        self._require_attributes(model, where)
        model.require_embeddings()
        popularity = trend_scores(self._shoppers.interactions, now_s=now_s, window_s=window_s)
        return trending(self._candidates(model), popularity, k=k, where=where)

    def together(self, product_id: str, *, by: RelationType | None, k: int, where: Where) -> Feed:
        """The products that people bought or looked at together with one."""
        from sartor.recommend.personal.signals import related_scores
        from sartor.recommend.personal.trending import together

        if not self._store.known([product_id]):
            raise ProductNotFound(product_id)
        model = self._model()
        self._require_attributes(model, where)
        model.require_embeddings()
        related = related_scores(self._shoppers.interactions, product_id, by=by)
        return together(self._candidates(model), product_id, related, k=k, where=where)

    def describe(self, part: Part) -> QueryAttributes:
        """What the model sees in a photo."""
        return self._query_encoder(self._model()).encode(part).seen

    def boxes(self, photo: PhotoInput, *, limit: int) -> tuple[GarmentBox, ...]:
        """The garments on a photo."""
        model = self._model()
        image = self._query_encoder(model).decode_whole(photo)
        return model.garment_finder.find(image, limit=limit)

    def looks(self, photo: PhotoInput, request: SimilarRequest, *, limit: int) -> tuple[GarmentHits, ...]:
        """The garments on a photo, each with what is similar to it; ``request`` says how they are compared."""
        model = self._model()
        encoder = self._query_encoder(model)  # which decodes the photo once for all of its garments
        read = encoder.read(photo)
        garments = model.garment_finder.find(encoder.decode_whole(read), limit=limit)
        parts = [Part(photo=read, box=garment.box) for garment in garments]
        return tuple(
            GarmentHits(garment=garment, found=self._similar(model, replace(request, parts=(part,)), encoder))
            for garment, part in zip(garments, parts, strict=True)
        )

    def explain(self, query: Part, hit: Hit) -> Explained:
        """Which regions of two photos make them close."""
        model = self._model()
        regions = self._backends.regions(model.card)
        if query.product is not None:
            query = replace(query, photo=self._catalog.thumbnail(self._main_photo(query.product)), product=None)
        encoder = self._query_encoder(model)
        photos = (encoder.decode(query), encoder.decode(Part(photo=self._catalog.thumbnail(hit.photo))))
        return explain(model.encoder, regions, photos)

    def read(self, photo: PhotoInput) -> EncodedPhoto:
        """Read a photo once, to use it several times."""
        return self._query_encoder(self._model()).read(photo)

    def engine(self, events: EventStore, interactions: Interactions) -> ForYou:
        """What recommends to people, by these events."""
        return self._engine(self._model(), events, interactions)

    def _encoded(self, model: OpenModel, request: SimilarRequest, encoder: QueryEncoder) -> SimilarQuery:
        """A request with its photos and products as vectors."""
        parts = [encoder.encode(part) for part in request.parts]
        liked = [encoder.encode(Part(product=id_, weight=LIKE_WEIGHT)) for id_ in request.like]
        disliked = [encoder.encode(Part(product=id_, weight=DISLIKE_WEIGHT)) for id_ in request.dislike]
        toward = [(part.features, part.weight) for part in (*parts, *liked)]
        asked = [(part.asked, part.weight) for part in (*parts, *liked)]
        if request.color is not None:
            palette = palette_of_color(named_color(request.color))
            name, shade = color_name(palette.colors[0]), color_vector(palette)
            asked = [(recolored_asked(part, name, model.features.heads), weight) for part, weight in asked]
            alone = [(model.features.of_color(model.card.dimension, shade), 1.0)]
            toward = recolored(toward, shade) or alone
        everything = (*parts, *liked, *disliked)
        return SimilarQuery(
            parts=tuple(toward),
            asked=None if not asked else merged(asked),
            negatives=tuple((part.features, part.weight) for part in disliked),
            seen=parts[0].seen if parts else QueryAttributes(),
            weights=feature_weights(
                request.weights, has_color=request.color is not None, has_parts=bool(parts or liked)
            ),
            k=request.k,
            where=request.where,
            without=request.exclude.union(*(part.products for part in everything)),
            groups=frozenset().union(*(part.groups for part in everything)),
            diversity=request.diversity,
            facets=request.facets,
            exact=request.exact,
        )

    def _query_encoder(self, model: OpenModel) -> QueryEncoder:
        return QueryEncoder(
            self._store,
            model.encoder,
            model.features,
            self._backends.urls,
            matcher=model.matcher,
            foreground=model.foreground,
            photos=model.photos,
        )

    def _described(self, model: OpenModel) -> Model:
        """What the ranking has to know of a model."""
        features, dimension = model.features, model.card.dimension
        return Model(
            attributes=tuple({*self._store.attribute_names(), *features.attributes}),
            predicted=lambda vectors: features.describe(vectors[:, :dimension]),
            is_default=self._store.predicted() is not None and model.card.id == self._store.setting(DEFAULT_MODEL),
            matching=model.matcher,
            candidates=model.candidates,
        )

    def _for_you(self, model: OpenModel) -> ForYou:
        model.require_embeddings()
        return self._engine(model, self._shoppers.events, self._shoppers.interactions)

    def _engine(self, model: OpenModel, events: EventStore, interactions: Interactions) -> ForYou:
        from sartor.recommend.personal.for_you import ForYou

        return ForYou(
            candidates=self._candidates(model),
            events=events,
            interactions=interactions,
            newest=self._new_products,
        )

    def _candidates(self, model: OpenModel) -> CandidateSource:
        return CandidateSource(
            index=model.index,
            photos=model.main_photos,
            catalog=self._store,
            model=self._described(model),
            sizes=(model.card.dimension, COLOR_DIMENSION),
        )

    def _complements(self, model: OpenModel) -> Complements | None:
        """What people buy together, for looks; None leaves looks to the rules."""
        if not self._backends.has_events():
            return None
        interactions = self._shoppers.interactions
        return model.complements.now(interactions.learned, interactions.baskets)

    def _require_attributes(self, model: OpenModel, where: Where) -> None:
        if where:
            require_attributes(where, self._described(model).attributes)

    def _main_photo(self, product_id: str) -> Photo:
        photos = self._catalog.product(product_id).photos
        if not photos:
            raise ProductNotFound(product_id, reason="has no photo to compare")
        return photos[0]
