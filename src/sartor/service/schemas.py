"""The JSON of requests (``…In``) and answers (``…Out``); ``EventIn`` is in ``events.model``."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, StringConstraints, model_validator

from sartor.events.model import EventIn, EventType, PersonKind
from sartor.limits import (
    MAX_ATTRIBUTES,
    MAX_EVENTS,
    MAX_EXCLUDED,
    MAX_FACETS,
    MAX_FILTER_CHARS,
    MAX_GARMENTS,
    MAX_ID_BYTES,
    MAX_ITEMS,
    MAX_K,
    MAX_NAME_CHARS,
    MAX_OPINIONS,
    MAX_PRODUCT_ID_BYTES,
    MAX_PRODUCT_PHOTOS,
    MAX_QUERY_PARTS,
    MAX_TITLE_CHARS,
    MAX_URL_CHARS,
)
from sartor.recommend.base import Basis
from sartor.types import Likeness, QueryKind, Verdict

REVISION = "Sartor-Revision"  # header of answers about the catalog, which a read may send back

STALE = "Sartor-Stale"  # header of answers from what a process has, while the store's server does not answer

ProductId = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_PRODUCT_ID_BYTES, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_CHARS)]
Url = Annotated[str, StringConstraints(max_length=MAX_URL_CHARS, pattern=r"^https?://\S+$")]
Share = Annotated[float, Field(ge=0, le=1)]
Value = str | int | float | bool | list[str]


class RequestModel(BaseModel):
    """JSON that a client sends. Unknown fields and infinite numbers are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class Range(RequestModel):
    """A filter: a number from ``min`` to ``max``, either of them open."""

    min: float | None = None
    max: float | None = None


class FeatureWeightsIn(RequestModel):
    """The weight of each feature; one that is left out is the default, which depends on the query's color."""

    style: Share | None = None
    color: Share | None = None
    category: Share | None = None


class PhotoIn(RequestModel):
    """How one photo counts: an uploaded one, in their order, or one that has a URL."""

    url: Url | None = None
    weight: Annotated[float, Field(gt=0, le=100)] = 1.0
    box: tuple[Share, Share, Share, Share] | None = Field(
        default=None, description="The region that is meant: left, top, width, height as shares of its sides."
    )


class ProductPart(RequestModel):
    """A product as a part of a query."""

    id: ProductId
    weight: Annotated[float, Field(gt=0, le=100)] = 1.0


FilterName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_FILTER_CHARS)]  # it may be in quotes
Where = dict[FilterName, Value | Range]
_WHERE: Any = Field(
    default_factory=dict,
    description='Filters, all of which must hold: {"gender": "Women", "color": ["Red", "Blue"], '
    '"price": {"max": 50}, "brand!": "Acme"}.',
)


class SimilarQueryIn(RequestModel):
    """What to find similar products for; uploaded photos come beside it."""

    products: Annotated[list[ProductId | ProductPart], Field(max_length=MAX_QUERY_PARTS)] = []
    photos: Annotated[list[PhotoIn], Field(max_length=MAX_QUERY_PARTS)] = []
    like: Annotated[list[ProductId], Field(max_length=MAX_OPINIONS)] = []
    dislike: Annotated[list[ProductId], Field(max_length=MAX_OPINIONS)] = []
    exclude: Annotated[list[ProductId], Field(max_length=MAX_EXCLUDED)] = []
    color: Annotated[str, Field(max_length=50)] | None = Field(default=None, description="A CSS name or #rrggbb.")
    where: Annotated[Where, _WHERE]
    dials: FeatureWeightsIn | None = None
    k: Annotated[int, Field(ge=1, le=MAX_K)] = 12
    diversity: Share = 0.0
    facets: Annotated[list[Name], Field(max_length=MAX_FACETS)] = []
    exact: bool = False
    include_unavailable: bool | None = Field(
        default=None, description="Also what is out of stock; by default as the shop is set."
    )


class LooksIn(RequestModel):
    """Which products to find for the garments on a photo; an uploaded photo comes beside it."""

    url: Url | None = None
    k: Annotated[int, Field(ge=1, le=MAX_K)] = 5
    where: Annotated[Where, _WHERE]
    dials: FeatureWeightsIn | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_GARMENTS, description="Number of garments.")] = MAX_GARMENTS
    include_unavailable: bool | None = Field(
        default=None, description="Also what is out of stock; by default as the shop is set."
    )


class ProductIn(RequestModel):
    """The new content of a product."""

    title: Annotated[str, Field(max_length=MAX_TITLE_CHARS)] = ""
    attributes: Annotated[dict[Name, Value], Field(max_length=MAX_ATTRIBUTES)] = {}
    photo_urls: Annotated[list[Url], Field(max_length=MAX_PRODUCT_PHOTOS)] = []


class BatchItem(RequestModel):
    """One product of a batch; ``photos`` are encoded in Base64. Without any photo it keeps those that it has."""

    id: ProductId
    title: Annotated[str, Field(max_length=MAX_TITLE_CHARS)] = ""
    attributes: Annotated[dict[Name, Value], Field(max_length=MAX_ATTRIBUTES)] = {}
    photos: Annotated[list[str], Field(max_length=MAX_PRODUCT_PHOTOS)] = []
    photo_urls: Annotated[list[Url], Field(max_length=MAX_PRODUCT_PHOTOS)] = []
    delete: bool = Field(default=False, description="Delete the product instead; it has an id alone then.")

    @model_validator(mode="after")
    def _deletes_or_writes(self) -> Self:
        if self.delete and (self.title or self.attributes or self.photos or self.photo_urls):
            message = "an item with delete has an id alone; leave delete out to write the product"
            raise ValueError(message)
        return self


class BatchIn(RequestModel):
    """Several products at once."""

    products: Annotated[list[BatchItem], Field(min_length=1, max_length=MAX_ITEMS)]


class PhotoOut(BaseModel):
    """A photo of the catalog."""

    sha256: str
    url: str = Field(description="Where it is served, relative to the service; add ?size=160, 320 or 640.")
    width_px: int
    height_px: int


TitlePredicted = Annotated[
    bool,
    Field(description="Whether it was made from what the model predicts: the catalog has only a file's name."),
]
Predicted = Annotated[
    "dict[str, Guess]",
    Field(description="Attributes that the catalog does not tell, as the model sees them in the photo."),
]


class Guess(BaseModel):
    """What a model predicts."""

    value: str
    probability: float


class HitOut(BaseModel):
    """A recommended product."""

    position: int = Field(description="From 1.")
    product_id: str
    title: str
    title_predicted: TitlePredicted = False
    score: float = Field(description="What the list is ordered by: the match, or else closeness.")
    match: float | None = Field(
        description="How probable it is that a shopper calls it similar, from 0 to 1; null without a calibration."
    )
    likeness: Likeness | None = Field(description="The same in words.")
    weak: bool = Field(description="Whether it is only a little alike.")
    style: float
    color: float
    attributes: dict[str, Any]
    predicted: Predicted
    photo: PhotoOut
    variants: list[str]
    reasons: list[str]


class FacetOut(BaseModel):
    """A value of an attribute, and how many products have it."""

    value: str
    count: int


class SeenOut(BaseModel):
    """What was seen in a query."""

    attributes: dict[str, Guess]
    colors: list[str]


class BoxOut(BaseModel):
    """A garment on a photo."""

    box: tuple[float, float, float, float] = Field(
        description="Its region: left, top, width, height as shares of the photo's sides."
    )
    name: str = Field(description="What it is, as the model predicts; empty if it predicts nothing.")
    probability: float = Field(description="Of the name, from 0 to 1.")
    slot: str | None = Field(description="The part of a look that it is, such as shoes.")


class DescriptionOut(SeenOut):
    """What was seen in a photo."""

    boxes: list[BoxOut] = Field(description="Its garments; the one that it shows most of comes first.")


class RecommendationOut(BaseModel):
    """Recommended products."""

    recommendation_id: str = Field(description="Send it back with events about these products.")
    model: str
    kind: QueryKind | None = Field(description="What the query is; null where that is not known.")
    verdict: Verdict = Field(description="Whether the hits are what was asked for.")
    good: bool = Field(description="False where the verdict is that nothing is close.")
    seen: SeenOut
    hits: list[HitOut]
    facets: dict[str, list[FacetOut]]
    took_ms: float


class MeaningOut(BaseModel):
    """Words of a query that were understood as a filter."""

    words: str = Field(description="As they were typed; send them as plain, and they are no filter.")
    filter: str = Field(description="As a filter is written, such as color=Red.")
    read_as: str | None = Field(description="What they were read as, where a typing error was forgiven.")


class SearchOut(BaseModel):
    """Products found by words."""

    recommendation_id: str = Field(description="Send it back with events about these products.")
    model: str
    understood: list[MeaningOut] = Field(description="Filters that were read from the words.")
    given_up: list[MeaningOut] = Field(description="Filters that no product passes together with the others.")
    words: list[str] = Field(description="The other words.")
    read_as: dict[str, str] = Field(description="Words that look misspelled, and what they were read as.")
    unknown: list[str] = Field(description="Words that neither the catalog nor the model knows.")
    ignored: list[str] = Field(description="Small words that say nothing, such as for.")
    by_looks: bool = Field(description="Whether photos were compared with the words.")
    hits: list[HitOut]
    facets: dict[str, list[FacetOut]]
    took_ms: float


class GarmentOut(BoxOut):
    """A garment on a photo, and the products most similar to it."""

    kind: QueryKind | None = Field(description="What the photo is; null where that is not known.")
    verdict: Verdict = Field(description="Whether the hits are what was asked for.")
    good: bool = Field(description="False where the verdict is that nothing is close.")
    seen: SeenOut
    hits: list[HitOut]


class LooksOut(BaseModel):
    """The garments of a dressed person."""

    recommendation_id: str = Field(description="Send it back with events about these products.")
    model: str
    garments: list[GarmentOut] = Field(description="The one that the photo shows most of comes first.")
    took_ms: float


class ProductOut(BaseModel):
    """A product of the catalog."""

    id: str
    title: str
    title_predicted: TitlePredicted = False
    attributes: dict[str, Any]
    predicted: Predicted = {}
    photos: list[PhotoOut]


class WrittenOut(ProductOut):
    """A product as it was written."""

    revision: int = Field(
        description="Revision of the catalog that has it; a read may send it as Sartor-Revision."
    )


class ListingOut(BaseModel):
    """A page of the catalog."""

    products: list[ProductOut]
    total: int
    next: str | None = Field(description="Pass it as after to get the next page.")
    is_close: bool = Field(
        default=False,
        description="Whether no product has all words of q, so that these have words that are nearly the same.",
    )
    facets: dict[str, list[FacetOut]]


class PieceOut(BaseModel):
    """A product in a look."""

    slot: str
    product_id: str
    title: str
    title_predicted: TitlePredicted = False
    price: float | None
    score: float
    reasons: list[str]
    attributes: dict[str, Any]
    predicted: Predicted = {}
    photo: PhotoOut


class OutfitOut(BaseModel):
    """A completed look."""

    recommendation_id: str
    model: str
    given: list[PieceOut]
    pieces: list[PieceOut]
    alternatives: dict[str, list[PieceOut]]
    empty: list[str]
    score: float
    price: float | None


class RejectionOut(BaseModel):
    """A photo that cannot be used."""

    photo: str
    reason: str


class BatchResult(BaseModel):
    """What became of one product of a batch."""

    id: str
    status: Literal["created", "updated", "deleted", "not_found", "rejected", "superseded"] = Field(
        description="`superseded` where a later product of the batch has the same id: that one was written."
    )
    rejected: list[RejectionOut] = []


class BatchOut(BaseModel):
    """What became of a batch, in its order."""

    results: list[BatchResult]
    revision: int = Field(
        description="Revision of the catalog that has all of it; a read may send it as Sartor-Revision."
    )


class CatalogOut(BaseModel):
    """What the catalog holds."""

    products: int
    photos: int
    model: str
    dimension: int
    attributes: list[str]
    predicted: list[str] = Field(
        description="Attributes that the model predicts where the catalog does not tell them; filters have them."
    )
    facets: dict[str, list[FacetOut]]


class HealthOut(BaseModel):
    """How the service is."""

    status: Literal["ok", "starting"]
    stale_s: int | None = Field(
        default=None,
        description="Seconds for which the server that holds the workspace has not answered. Reads are answered "
        "from what the service has; writes are refused with 503.",
    )


class ProblemOut(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str


class EventsIn(RequestModel):
    """Several events at once, each taken or rejected alone."""

    events: list[Annotated[EventIn | Any, SkipValidation]] = Field(
        min_length=1, max_length=MAX_EVENTS, description="What is no event is rejected, alone."
    )


class EventRejection(BaseModel):
    """An event that cannot be taken."""

    index: int = Field(description="Its place in the batch, from 0.")
    reason: str


class EventsOut(BaseModel):
    """What became of events; it is sent when those that were taken are on disk."""

    accepted: int = Field(description="How many are new.")
    duplicates: int = Field(description="How many were there.")
    unknown_products: int = Field(
        description="How many of the new ones are about products that the catalog does not have; they are kept."
    )
    placeholders: int = Field(
        description="How many of the taken ones had an id that stands for a missing one, such as `undefined`; it "
        "was left out."
    )
    rejected: list[EventRejection]


class MergeIn(RequestModel):
    """The visitor whom a user turned out to be."""

    visitor_id: Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_BYTES)]


class MergeOut(BaseModel):
    """What a merge did."""

    moved: int = Field(description="How many events are the user's now.")


class EventOut(BaseModel):
    """An event as it is held; ``POST /v1/events`` takes it as it is."""

    event_id: str
    type: EventType
    user_id: str | None = None
    visitor_id: str | None = None
    product_id: str | None = None
    timestamp: str = Field(description="ISO 8601, in UTC.")
    recommendation_id: str | None = None
    position: int | None = None
    quantity: int
    price: float | None = None
    basket_id: str | None = None
    query: str | None = None


class PersonOut(BaseModel):
    """All that is held about a person."""

    kind: PersonKind
    id: str
    visitors: list[str] = Field(description="Visitors who were merged into the user.")
    events: list[EventOut] = Field(description="The oldest first.")


class FeedOut(BaseModel):
    """Products for a person, or for everybody."""

    recommendation_id: str = Field(description="Send it back with events about these products.")
    model: str
    based_on: Basis = Field(
        description="What they were chosen by: what the person did, what others do (in the context, or at all), "
        "what others did with the same product, or only the catalog."
    )
    hits: list[HitOut]
    took_ms: float


class ViewedOut(BaseModel):
    """Products that somebody looked at."""

    products: list[ProductOut] = Field(description="The last first.")


class ImportIn(RequestModel):
    """How a feed is imported."""

    name: str = Field(
        default="",
        max_length=MAX_NAME_CHARS,
        description="What the feed is called. An import of the same name is a later version of the same feed.",
    )
    columns: dict[str, str] | None = Field(
        default=None,
        description="Columns of its table by what they hold; without them, those that are remembered.",
    )
    dry_run: bool = False
    prune: bool = False
    allow_shrink: bool = False


class FindingOut(BaseModel):
    """Something that was noticed in a feed."""

    case: str
    count: int
    examples: list[str]


class ImportRejectionOut(BaseModel):
    """A photo that cannot be used."""

    photo: str
    reason: str
    product_id: str = Field(description="The first product that shows it; empty if that is not known.")
    location: str = Field(description="Where in the feed that product is, such as `line 7`; may be empty.")


class ImportProgress(BaseModel):
    """How far an import is."""

    read: int = Field(
        default=0, description="Products read; a feed is read twice, at first for what would be lost."
    )
    written: int = Field(default=0, description="Products done, which are on disk.")
    total: int | None = Field(default=None, description="About how many there are; null if that is not known.")
    photos: int = 0


class ImportResult(BaseModel):
    """What an import did."""

    products: int
    photos: int
    added: int
    changed: int
    unchanged: int
    gone: int = Field(description="Products deleted because they left the feed; only with `prune`.")
    embedded: int = Field(description="Photos that were embedded now.")
    rejected: int = Field(description="Photos that cannot be used.")
    first_rejected: list[ImportRejectionOut]
    findings: list[FindingOut]
    seconds: float
    revision: int = Field(
        description="Revision of the catalog that has it; a read may send it as Sartor-Revision."
    )


class PreviewedOut(BaseModel):
    """A product as it would be."""

    id: str
    title: str
    attributes: dict[str, Value]
    photos: list[str]


class PreviewOut(BaseModel):
    """What an import would find; nothing was written, and no photo was read."""

    kind: str = Field(description="As what the feed was recognized.")
    mapping: dict[str, str] = Field(description="Each column, and what it is in the catalog.")
    products: int
    photos: int
    without_photo: int
    first: list[PreviewedOut]
    findings: list[FindingOut]


class ImportOut(BaseModel):
    """An import: a job that reads a feed into the catalog."""

    id: str
    status: Literal["running", "done", "failed", "cancelled", "interrupted"] = Field(
        description="`interrupted`: the process that ran it ended. Whatever was written stays."
    )
    name: str
    dry_run: bool
    started: str = Field(description="ISO 8601, in UTC.")
    ended: str | None = None
    progress: ImportProgress
    result: ImportResult | None = None
    preview: PreviewOut | None = Field(default=None, description="Of a dry run.")
    detail: str | None = Field(
        default=None, description="One line: why it failed, or what is wrong although it is done."
    )
    errors: int = Field(default=0, description="Lines of the list of errors.")
    errors_left_out: int = Field(
        default=0, description="Errors beyond the limit of that list; the findings count them."
    )
