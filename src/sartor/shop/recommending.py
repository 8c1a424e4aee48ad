"""What is recommended from the catalog."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image

from sartor.errors import EmptyQuery, ProductNotFound
from sartor.imaging.color import named_color, palette_of_color
from sartor.recommend.base import Model
from sartor.recommend.explain import Explained, QueryAttributes, explain
from sartor.recommend.features import color_vector, recolored
from sartor.recommend.filters import where_of
from sartor.recommend.outfit.candidates import StoredWardrobe
from sartor.recommend.outfit.outfit import LookQuery, Outfit, outfit
from sartor.recommend.outfit.rules import slot_named
from sartor.recommend.query import Part, PhotoInput, QueryEncoder, parts_of
from sartor.recommend.rank import Matching
from sartor.recommend.similar import DEFAULT_K, Recommendation, SimilarQuery, similar
from sartor.recommend.weights import COLOR_ONLY_DIALS, COLORED_DIALS, DEFAULT_DIALS, DISLIKE_WEIGHT, LIKE_WEIGHT
from sartor.shop.workspace import Workspace
from sartor.types import Metric, Where

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.imaging.fetch import EncodedPhoto
    from sartor.recommend.features import FeatureWeights
    from sartor.recommend.filters import FilterValue
    from sartor.recommend.outfit.complements import Complements
    from sartor.types import Hit, Photo


class RecommendingSide(Workspace):
    """What a shop recommends."""

    def warm_up(self) -> None:
        """Load the model and the index, so that the first query is as fast as the next.

        The graph of the index is built over what came since the last time. That halts all else in this process,
        for minutes after tens of thousands of products, so it is done here and not while others ask.
        """
        if self._card.network:
            height_px, width_px = self._card.size_px
            self._encoder.embed([Image.new("RGB", (width_px, height_px), "white")])
        with self._writing:
            self._index.optimize()
            self._index.mark(self._store.revision)

    def similar(  # noqa: PLR0913 - each is a keyword of its own
        self,
        *photos: PhotoInput | Part,
        product: str | Part | None = None,
        products: Sequence[str | Part] = (),
        like: Sequence[str] = (),
        dislike: Sequence[str] = (),
        color: str | None = None,
        dials: FeatureWeights | None = None,
        k: int = DEFAULT_K,
        where: Mapping[str, FilterValue] | Where | None = None,
        diversity: float = 0.0,
        facets: Sequence[str] = (),
        exclude: Sequence[str] = (),
        exact: bool = False,
        metric: Metric | str | None = None,
    ) -> Recommendation:
        """Find the products that look most like photos, products of the catalog, or a color.

        All parts together are one query, see ``docs/explanation/recommendations.md`` for the formula. The query
        itself is never a hit: neither a product of it, nor any that shows an identical photo, nor their variants.

        Args:
            photos: Paths of image files, their bytes, or their URLs where those are allowed; or a ``Part``, which
                has a weight and a region.
            product: Id of a product, in place of photos or together with them.
            products: More of them.
            like: Ids of products that the answer shall come near to, half as much as to the query.
            dislike: Ids of products that it shall keep away from; they are never hits.
            color: A name of CSS or ``#rrggbb``: alone, or in place of the color of the other parts.
            dials: How much style, color and category count; the default was chosen by measurement.
            k: How many products.
            where: Only products with these attributes, such as ``{"gender": "Women", "color!": "Black"}``.
            diversity: From 0, the closest, to 1, only what differs from each other.
            facets: Attributes whose values are counted among all products that pass the filter.
            exclude: Ids of products that are never hits.
            exact: Compare with every photo, rather than through an approximate index.
            metric: ``cosine`` or ``euclidean``, which rank alike and differ in their scores; none is the one that
                the workspace was opened with.

        Returns:
            At most ``k`` distinct products; without diversity their scores never rise.

        Raises:
            QueryError: The query is empty, or asks for what the catalog does not have.
            PhotoRejected: A photo cannot be used.
            ModelMismatch: The catalog was embedded with another model.
        """
        given = parts_of(photos, [*(() if product is None else (product,)), *products])
        if not given and not like and color is None:
            raise EmptyQuery
        self._require_embeddings()
        query = self._query(given, like, dislike, color, dials)
        wanted = replace(
            query,
            without=query.without | frozenset(exclude),
            k=k,
            where=where if isinstance(where, Where) else where_of(where or {}),
            diversity=diversity,
            facets=tuple(facets),
            exact=exact,
        )
        index = self._index if metric is None else self._index.by(Metric(metric))
        return similar(wanted, index=index, catalog=self._store, model=self._knowledge)

    def outfit(
        self,
        *products: str,
        slots: Sequence[str] | None = None,
        where: Mapping[str, FilterValue] | Where | None = None,
        max_price: float | None = None,
        alternatives: int = 3,
    ) -> Outfit:
        """Complete the look: for products, one product of each other slot that suits them.

        What is chosen is for the same person and occasion; colors go together; styles are close. Where there are
        enough baskets, what shoppers bought together counts as well.

        Args:
            products: Ids of the pieces that are in it, at least one.
            slots: Which slots are wanted, such as ``("shoes", "bag")``; none takes top, bottom, shoes, bag, watch
                and eyewear, as far as they are free.
            where: Only products with these attributes.
            max_price: What the chosen pieces may cost together; those without a price are left out then.
            alternatives: How many for each slot.

        Raises:
            QueryError: There is no such product or slot, a product is not worn, or two cannot be in one look.
            ModelMismatch: The catalog was embedded with another model.
        """
        if not products:
            raise EmptyQuery
        self._require_embeddings()
        query = LookQuery(
            products=products,
            slots=None if slots is None else tuple(slot_named(name) for name in slots),
            where=where if isinstance(where, Where) else where_of(where or {}),
            max_price=max_price,
            alternatives=alternatives,
        )
        wardrobe = StoredWardrobe(self._store, self._composer)
        return outfit(
            query,
            index=self._index,
            catalog=self._store,
            wardrobe=wardrobe,
            known=self._knowledge.attributes,
            complements=self._complements,
        )

    def describe(self, photo: PhotoInput | Part) -> QueryAttributes:
        """What is seen in a photo: attributes with their probability, and colors.

        Raises:
            PhotoRejected: It cannot be used.
        """
        return self._reader.understand(photo if isinstance(photo, Part) else Part(photo=photo)).seen

    def explain(self, query: PhotoInput | Part, hit: Hit) -> Explained:
        """Which regions of a query's photo and of a hit's make them close in style.

        What each place adds is exact: the places of either photo sum to the cosine of the two embeddings.

        Args:
            query: A photo, or a ``Part``: a region of one, or a product, of which the main photo counts.
            hit: What was found for it.

        Raises:
            NoRegions: The model does not give what this needs.
            PhotoRejected: A photo cannot be used.
            ProductNotFound: There is no such product, or it has no photo.
        """
        part = query if isinstance(query, Part) else Part(photo=query)
        regions = self._backends.regions(self._card)
        if part.product is not None:
            part = replace(part, photo=self.thumbnail(self._main_photo(part.product)), product=None)
        photos = (self._reader.decoded(part), self._reader.decoded(Part(photo=self.thumbnail(hit.photo))))
        return explain(self._encoder, regions, photos)

    def read(self, photo: PhotoInput) -> EncodedPhoto:
        """Read a photo once, to use it several times.

        Raises:
            PhotoRejected: It cannot be read.
        """
        return self._reader.read(photo)

    def _main_photo(self, product_id: str) -> Photo:
        photos = self.product(product_id).photos
        if not photos:
            raise ProductNotFound(product_id, reason="has no photo to compare")
        return photos[0]

    def _query(
        self,
        given: Sequence[Part],
        like: Sequence[str],
        dislike: Sequence[str],
        color: str | None,
        dials: FeatureWeights | None,
    ) -> SimilarQuery:
        reader = self._reader
        parts = [reader.understand(part) for part in given]
        liked = [reader.understand(Part(product=each, weight=LIKE_WEIGHT)) for each in like]
        disliked = [reader.understand(Part(product=each, weight=DISLIKE_WEIGHT)) for each in dislike]
        toward = [(each.traits, each.weight) for each in (*parts, *liked)]
        default = DEFAULT_DIALS
        if color is not None:
            shade = color_vector(palette_of_color(named_color(color)))
            toward = recolored(toward, shade) or [(self._composer.of_color(self._card.dimension, shade), 1.0)]
            default = COLORED_DIALS if parts or liked else COLOR_ONLY_DIALS
        understood = (*parts, *liked, *disliked)
        return SimilarQuery(
            parts=tuple(toward),
            against=tuple((each.traits, each.weight) for each in disliked),
            seen=parts[0].seen if parts else QueryAttributes(),
            dials=dials or default,
            without=frozenset().union(*(each.products for each in understood)),
            groups=frozenset().union(*(each.groups for each in understood)),
        )

    @property
    def _complements(self) -> Complements | None:
        """What was learned from baskets; None leaves looks to the rules."""
        return None

    @property
    def _reader(self) -> QueryEncoder:
        return QueryEncoder(self._store, self._encoder, self._composer, self._backends.urls)

    @property
    def _knowledge(self) -> Model:
        composer, calibration = self._composer, self._card.calibration
        return Model(
            attributes=tuple({*self._store.attribute_names(), *composer.attributes}),
            predicted=lambda vectors: composer.describe(vectors[:, : self._card.dimension]),
            matching=None
            if calibration is None
            else Matching((calibration.slope, calibration.color, calibration.category), calibration.intercept),
        )
