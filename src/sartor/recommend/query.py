"""From what a user gives as a query, photos and products, to the features that are compared."""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sartor.errors import BadBox, BadWeight, PhotoRejected, ProductNotFound
from sartor.imaging import decode
from sartor.imaging.color import ReducedPhoto, in_full_light, is_on_white, palette_of
from sartor.imaging.fetch import EncodedPhoto, encoded_photo
from sartor.imaging.foreground import product_mask
from sartor.imaging.pixels import fingerprint
from sartor.recommend.base import GROUP
from sartor.recommend.boxes import WHOLE, Box, pixels_of
from sartor.recommend.explain import QueryAttributes
from sartor.recommend.features import Features, color_words, mixed
from sartor.recommend.matching import Asked, resolution_of, with_known
from sartor.types import QueryKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt
    from PIL import Image

    from sartor.encoders.foreground import Foreground
    from sartor.imaging import DecodedPhoto, UrlPolicy
    from sartor.recommend.base import PhotoEncoder
    from sartor.recommend.features import FeatureBuilder
    from sartor.recommend.matching import Matcher
    from sartor.store.base import CatalogStore
    from sartor.types import Matrix

    Floats = npt.NDArray[np.float32]

_REMEMBERED_PHOTOS = 32  # a few KB each

PhotoInput: TypeAlias = str | Path | bytes | EncodedPhoto


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a query: a photo, or a product of the catalog.

    Attributes:
        photo: The photo; None for a product.
        product: The product's id; None for a photo.
        weight: How much the part counts beside others, above 0.
        box: Region of the photo: left, top, width and height as shares of its sides.

    Raises:
        BadWeight: The weight is not a number above 0.
        BadBox: The region is empty or reaches outside of the photo.

    Example:
        >>> Part(photo="street.jpg", box=(0.25, 0.1, 0.5, 0.4)).weight
        1.0
    """

    photo: PhotoInput | None = None
    product: str | None = None
    weight: float = 1.0
    box: Box | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise BadWeight(self.weight)
        if self.box is not None:
            left, top, width, height = self.box
            inside = 0 <= left < left + width <= 1 + 1e-9 and 0 <= top < top + height <= 1 + 1e-9
            if not inside:
                raise BadBox(self.box)


def parts_of(photos: Sequence[PhotoInput | Part], products: Sequence[str | Part]) -> list[Part]:
    """Photos and products as parts of one query."""
    return [
        *(photo if isinstance(photo, Part) else Part(photo=photo) for photo in photos),
        *(product if isinstance(product, Part) else Part(product=product) for product in products),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedQuery:
    """A part of a query as it is compared."""

    features: Features
    weight: float
    seen: QueryAttributes
    asked: Asked  # what its matches depend on beside the features
    products: frozenset[str]  # ids of the products that it is, or shows
    groups: frozenset[str]  # their item groups


@dataclass(frozen=True, slots=True, kw_only=True)
class _Region:
    """The region of a photo that is asked about."""

    image: Image.Image
    resolution: float  # see ``resolution_of``


class EncodedPhotos:
    """What was computed of the last photos that were asked with, by content and region; threads may share it.

    A page asks for its hits, for what its filters count, and for the next page with one photo. No pixel is kept.
    """

    def __init__(self, *, limit: int = _REMEMBERED_PHOTOS) -> None:
        self._limit, self._lock = limit, Lock()
        self._known: OrderedDict[tuple[str, Box | None], _Encoded] = OrderedDict()

    def of(self, key: tuple[str, Box | None], encode: Callable[[], _Encoded]) -> _Encoded:
        """What was computed of a photo, which is computed now if it was not among the last."""
        with self._lock:
            if (known := self._known.get(key)) is not None:
                self._known.move_to_end(key)
                return known
        made = encode()
        with self._lock:
            self._known[key] = made
            if len(self._known) > self._limit:
                self._known.popitem(last=False)
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Encoded:
    """A region of a photo as it is compared."""

    features: Features
    seen: QueryAttributes
    asked: Asked


class QueryEncoder:
    """Encodes the parts of queries with one model. One thread uses it, for as long as a request takes."""

    def __init__(  # noqa: PLR0913 - what a model may lack is a keyword of its own
        self,
        store: CatalogStore,
        encoder: PhotoEncoder,
        features: FeatureBuilder,
        urls: UrlPolicy,
        *,
        matcher: Matcher | None = None,
        foreground: Foreground | None = None,
        photos: EncodedPhotos | None = None,
    ) -> None:
        """What a model without a calibration, or without a foreground head, lacks is None.

        ``matcher`` tells whose photo a query is, ``foreground`` the product from its background on photos that are
        not on white. ``photos`` are those of earlier requests.
        """
        self._store, self._encoder, self._features, self._urls = store, encoder, features, urls
        self._matcher, self._foreground = matcher, foreground
        self._photos = EncodedPhotos() if photos is None else photos
        self._decoded: tuple[bytes, DecodedPhoto] | None = None  # the last one with all of its pixels

    def read(self, photo: PhotoInput) -> EncodedPhoto:
        """Read a photo once, to use it several times; raises PhotoRejected if that fails."""
        return photo if isinstance(photo, EncodedPhoto) else encoded_photo(photo, urls=self._urls)

    def decode(self, part: Part) -> Image.Image:
        """Decode the photo of a part, cut to its region, RGB; raises PhotoRejected if that fails."""
        return self._read_image(part)[1].image

    def decode_whole(self, photo: PhotoInput) -> Image.Image:
        """Decode all of a photo with its own pixels, RGB; raises PhotoRejected if that fails."""
        return self._read_image(Part(photo=photo, box=WHOLE))[1].image

    def encode(self, part: Part) -> EncodedQuery:
        """Encode a part of a query.

        Raises:
            PhotoRejected: Its photo cannot be read, decoded or embedded.
            ProductNotFound: There is no such product, or it has no photo to compare.
        """
        return self._photo(part) if part.product is None else self._product(part.product, part.weight)

    def _photo(self, part: Part) -> EncodedQuery:
        encoded = self._encoded_photo(part)
        content = encoded.sha256 or hashlib.sha256(encoded.data).hexdigest()  # a page's photo hides its own
        found = self._photos.of((content, part.box), lambda: self._computed(replace(part, photo=encoded)))
        return EncodedQuery(
            features=found.features,
            weight=part.weight,
            seen=found.seen,
            asked=found.asked,
            products=frozenset(self._store.products_with_photos([encoded.sha256])),
            groups=frozenset(),
        )

    def _computed(self, part: Part) -> _Encoded:
        encoded, photo = self._read_image(part)
        image = photo.image
        reduced = ReducedPhoto(image)
        embedding, mask = self._seen(image, reduced)
        if np.isnan(embedding[0, 0]):
            raise PhotoRejected(encoded.name, reason="the network gave no usable embedding of it")
        palette = palette_of(reduced, mask)
        named = palette if mask is None else in_full_light(palette, reduced)
        probabilities = self._features.heads.probabilities(embedding)
        (features,) = self._features.features(embedding, [palette], {}, probabilities=probabilities)
        asked = Asked(
            probabilities={name: rows[0] for name, rows in probabilities.items()},
            resolution=photo.resolution,
            fingerprint=fingerprint(image),
        )
        return _Encoded(
            features=features,
            seen=QueryAttributes(
                predicted=self._features.describe(embedding, probabilities=probabilities)[0],
                colors=color_words(named),
            ),
            asked=asked if self._matcher is None else self._matcher.asked(embedding[0], asked),
        )

    def _seen(self, image: Image.Image, reduced: ReducedPhoto) -> tuple[Matrix, Floats | None]:
        """The embedding of a photo, ``(1, d)``, and the mask of its product if it is not on white."""
        if self._foreground is None or is_on_white(reduced):
            return self._encoder.embed([image]), None
        embedding, maps = self._encoder.embed_with_maps([self._encoder.prepare(image)])
        return embedding, product_mask(reduced, self._foreground.of([map_[0] for map_ in maps]))

    def _encoded_photo(self, part: Part) -> EncodedPhoto:
        if part.photo is None:
            msg = "a part of a query is a photo or a product"
            raise ValueError(msg)
        return self.read(part.photo)

    def _read_image(self, part: Part) -> tuple[EncodedPhoto, _Region]:
        encoded = self._encoded_photo(part)
        photo = self._whole(encoded) if part.box is not None else self._fitting(encoded)
        _, _, width, height = part.box or (0, 0, 1, 1)
        return encoded, _Region(
            image=_cropped(photo.image, part.box),
            resolution=resolution_of(width * photo.width_px, height * photo.height_px),
        )

    def _fitting(self, photo: EncodedPhoto) -> DecodedPhoto:
        return decode(photo.data, name=photo.name, fit_px=max(self._encoder.card.size_px))

    def _whole(self, photo: EncodedPhoto) -> DecodedPhoto:
        """A photo with all of its pixels, of which several regions may be asked about."""
        if self._decoded is None or self._decoded[0] is not photo.data:
            self._decoded = photo.data, decode(photo.data, name=photo.name)
        return self._decoded[1]

    def _product(self, product_id: str, weight: float) -> EncodedQuery:
        stored = self._store.products([product_id]).get(product_id)
        if stored is None:
            raise ProductNotFound(product_id)
        photos = self._store.embedded_photos(self._features.model, [product_id])
        if not photos:
            raise ProductNotFound(product_id, reason="has no photo to compare")
        embeddings = np.stack([photo.vector for photo in photos])
        attributes, palette = stored.product.attributes, photos[0].palette
        probabilities = self._features.heads.probabilities(embeddings)
        palettes = [photo.palette for photo in photos]
        features = self._features.features(embeddings, palettes, attributes, probabilities=probabilities)
        main = {name: rows[:1] for name, rows in probabilities.items()}
        group = str(attributes.get(GROUP, ""))
        showing = self._store.products_with_photos([photo.sha256 for photo in photos])
        return EncodedQuery(
            features=mixed([(photo, 1.0) for photo in features]),
            weight=weight,
            seen=QueryAttributes(
                known=attributes,
                predicted=self._features.describe(embeddings[:1], probabilities=main)[0],
                colors=() if palette is None else color_words(palette),
            ),
            asked=Asked(
                kind=QueryKind.PRODUCT,
                probabilities={
                    name: rows[0] for name, rows in with_known(self._features.heads, main, [attributes]).items()
                },
                known=attributes,
                resolution=resolution_of(stored.photos[0].width_px, stored.photos[0].height_px),
                fingerprint=stored.photos[0].fingerprint,
            ),
            products=frozenset({*showing, product_id}),
            groups=frozenset({group} if group else ()),
        )


def _cropped(image: Image.Image, box: Box | None) -> Image.Image:
    return image if box is None else image.crop(pixels_of(box, image.size))
