"""The nouns of Sartor: frozen values without I/O that every layer above shares.

A dict crosses the border of a module only as a product's attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from sartor.tabular import LISTED_COLUMNS, Tabular

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

AttributeValue: TypeAlias = str | int | float | bool | tuple[str, ...]
Attributes: TypeAlias = Mapping[str, AttributeValue]
Guesses: TypeAlias = Mapping[str, tuple[str, float]]  # what a model predicts: value and probability by attribute
Vector: TypeAlias = "npt.NDArray[np.float32]"  # (d,), unit norm where it is an embedding
Matrix: TypeAlias = "npt.NDArray[np.float32]"  # (n, d)


class Metric(StrEnum):
    """How the distance of two embeddings is measured.

    A score is higher the closer two embeddings are: for ``COSINE`` the cosine in [-1, 1], for ``EUCLIDEAN``
    the negated distance in [-2, 0] (embeddings have unit norm).
    """

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What a catalog says of one product.

    Attributes:
        id: Stable id, unique in the catalog.
        title: Name shown to a shopper; empty when the source has none.
        attributes: Every other column of the source that has a value.
    """

    id: str
    title: str = ""
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePhoto:
    """A photo that a source offers, not read yet.

    Attributes:
        name: What the source calls it, such as ``images/1163.jpg``.
        read: Returns the encoded bytes; raises PhotoRejected if they cannot be read.
        fetched: Returns the SHA-256 and the bytes of a photo that was fetched by its URL, without bytes where the
            catalog has them already; raises PhotoRejected, too. None where nothing was fetched ahead.
    """

    name: str
    read: Callable[[], bytes] = field(compare=False)
    fetched: Callable[[], tuple[str, bytes]] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProduct:
    """A product as a source offers it.

    Attributes:
        product: Id, title and attributes.
        photos: The main one first.
        is_described: Whether the source tells title and attributes; where it does not, those known stay.
        has_no_photo: Whether the source says that there is no photo; else those known stay where none is found.
        location: Where in the source it is, such as ``line 7``; empty where nobody counts.
    """

    product: Product
    photos: tuple[SourcePhoto, ...] = ()
    is_described: bool = True
    has_no_photo: bool = False
    location: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A photo that the workspace holds.

    Attributes:
        sha256: Hex digest of the photo's bytes as the source had them; the photo's identity.
        name: What its source called it.
        width_px: Width of the source photo, orientation applied.
        height_px: Height of the source photo, orientation applied.
        thumbnail: File name of the kept thumbnail, ``{sha256}.{suffix}``; empty where only an embedding was
            imported. Such a photo has width and height 0, and its SHA-256 is of its name and its embedding.
        fingerprint: Perceptual hash, by which photos that show the same are found; empty if it was not computed.
    """

    sha256: str
    name: str
    width_px: int
    height_px: int
    thumbnail: str
    fingerprint: bytes = field(default=b"", repr=False)

    @property
    def has_picture(self) -> bool:
        """Whether it is more than an imported embedding."""
        return bool(self.thumbnail)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProduct:
    """A product with its photos, the main one first, as the store holds it, and the source that it came from.

    Attributes:
        predicted: Attributes that the catalog lacks and the default model predicts. They are derived: no write
            takes them, and they follow the photos.
    """

    product: Product
    photos: tuple[Photo, ...] = ()
    source: str = ""
    predicted: Guesses = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class Palette:
    """Colors of a product, the largest first.

    Attributes:
        colors: OKLab, ``(c, 3)`` float32, ``c`` at least 1.
        shares: Share of the product that each covers, ``(c,)`` float32 with sum 1.
    """

    colors: Matrix
    shares: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPhoto:
    """A product's photo with what was computed from it.

    Attributes:
        product_id: The product that shows this photo.
        sha256: The photo's identity.
        vector: Its embedding, ``(d,)`` float32 with unit norm.
        palette: Its colors; None if they were not computed.
        attributes: The product's attributes.
        is_main: Whether it is the product's first photo.
    """

    product_id: str
    sha256: str
    vector: Vector
    palette: Palette | None = None
    attributes: Attributes = field(default_factory=dict)
    is_main: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """A product's photo as an index holds it.

    Attributes:
        product_id: The product that shows this photo.
        sha256: The photo's identity.
        vector: What is compared, ``(n,)`` float32; its dot product with a query is the score.
        attributes: What filters can ask for.
        is_main: Whether it is the product's first photo, by which products are counted.
    """

    product_id: str
    sha256: str
    vector: Vector
    attributes: Attributes = field(default_factory=dict)
    is_main: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """The attribute has one of these values, compared as text."""

    attribute: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """The attribute is a number from ``low`` to ``high``, both included; ``None`` is open."""

    attribute: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """The condition does not hold; a product without the attribute passes."""

    condition: AnyOf | Between

    @property
    def attribute(self) -> str:
        """Name of the attribute that it asks about."""
        return self.condition.attribute


Condition: TypeAlias = AnyOf | Between | Not


@dataclass(frozen=True, slots=True)
class Where:
    """A filter: a product passes when every condition holds.

    Attributes:
        conditions: What has to hold.
        unclear: Attribute and text of what was written without quotes and could be one value as well, such as
            ``Cotton, Linen``, which was read as two.
    """

    conditions: tuple[Condition, ...] = ()
    unclear: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    def __bool__(self) -> bool:
        return bool(self.conditions)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes that the filter asks about."""
        return tuple(condition.attribute for condition in self.conditions)


EVERYTHING = Where()


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbor:
    """A product that an index found, with its photo closest to the query.

    Attributes:
        product_id: The product.
        sha256: The photo.
        score: Closeness by the index's metric.
        vector: What the index compared.
    """

    product_id: str
    sha256: str
    score: float
    vector: Vector = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value of an attribute, and how many products have it."""

    value: str
    count: int


class Sort(StrEnum):
    """The order of a listing; ties by id in the same direction, or the newest first."""

    RELEVANCE = "relevance"  # how well the words match; without words as NEWEST
    NEWEST = "newest"  # by when the product was first added
    TITLE = "title"
    PRICE_UP = "price"
    PRICE_DOWN = "-price"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingQuery:
    """One page of products to browse.

    Attributes:
        where: Only products that pass this filter.
        words: Only products that have all these words in their title or attributes, or have this id.
        sort: Their order; products without a title or price come last when sorted by it.
        limit: Products on the page, at most.
        after: ``Listing.next`` of the previous page; None for the first page.
    """

    where: Where = EVERYTHING
    words: str = ""
    sort: Sort = Sort.RELEVANCE
    limit: int = 24
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Tabular):
    """A page of products in order; a table by ``to_pandas``, ``to_polars``, ``to_arrow`` and ``to_records``.

    Attributes:
        products: On this page.
        total: Number of products on all pages.
        next: The cursor of the next page, if any.
        is_close: Whether no product has all the words, so that these have words that are nearly the same.
    """

    _columns = LISTED_COLUMNS

    products: tuple[StoredProduct, ...]
    total: int
    next: str | None
    is_close: bool = False

    def _rows(self) -> Iterator[tuple[dict[str, object], Attributes, Guesses]]:
        for stored in self.products:
            own: dict[str, object] = {
                "product_id": stored.product.id,
                "title": stored.product.title,
                "source": stored.source,
                "photos": [photo.name for photo in stored.photos],
            }
            yield own, stored.product.attributes, stored.predicted


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedProduct:
    """A product with its number in the order in which products were first added, from 1."""

    stored: StoredProduct
    number: int


class Likeness(StrEnum):
    """How alike a hit and the query are, in words, the most alike first."""

    VERY_CLOSE = "very close"
    CLOSE = "close"
    SIMILAR = "similar"
    A_LITTLE = "a little alike"


class QueryKind(StrEnum):
    """What a query is."""

    SHOP_PHOTO = "shop photo"
    PERSONS_PHOTO = "person's photo"
    UNFAMILIAR = "unfamiliar"  # a drawing, or unlike anything that the model has seen
    PRODUCT = "product"  # of the catalog


class Verdict(StrEnum):
    """Whether an answer has what was asked for."""

    FOUND = "found"
    NOT_SURE = "not sure"  # the query is unfamiliar, and nothing is surely alike
    NOTHING_CLOSE = "nothing close"  # every hit is only a little alike


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A recommended product.

    Attributes:
        product_id: The product.
        score: What the list is ordered by, higher is better: the match where there is one, else closeness to the
            query; see Metric for its range.
        title: The product's title.
        attributes: Its attributes in the catalog.
        predicted: Attributes that the catalog lacks and the model predicts: value and probability.
        title_predicted: Whether the title was made from them, because the catalog has none but a file's name.
        photo: The photo of the product that is closest to the query.
        style: Closeness of its look, in [-1, 1].
        color: Closeness of its colors, from 0, nothing in common, to 1.
        match: Probability that a shopper calls it similar to the query; None without a calibration.
        likeness: How alike they are, in words; None without a calibration.
        weak: Whether it is only a little alike.
        variants: Ids of products that are variants of this one and were folded into it.
        reasons: Why, in words.
    """

    product_id: str
    score: float
    title: str
    attributes: Attributes
    photo: Photo
    predicted: Guesses = field(default_factory=dict)
    title_predicted: bool = False
    style: float = 0.0
    color: float = 0.0
    match: float | None = None
    likeness: Likeness | None = None
    weak: bool = False
    variants: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
