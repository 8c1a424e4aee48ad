"""The health of a catalog: what about it makes recommendations worse, or may."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.ranking import nearest
from sartor.evaluation.relevance import MIN_COVERAGE, label_of, labels_of
from sartor.evaluation.results import CatalogHealth, HealthFinding
from sartor.recommend.duplicates import find_duplicates
from sartor.recommend.features import color_family

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sartor.encoders.heads import Heads
    from sartor.evaluation.ranking import Indices
    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore
    from sartor.types import EmbeddedPhoto, Matrix, Photo, StoredProduct, Vector

K = 10
EXAMPLES = 10
SMALL_PX = 128  # what sartor-v1 looks at; a smaller photo is enlarged for it, and looks so on a page
# Chosen by looking at 37,344 products. At 6 deviations below the median 74 are outliers, odd ones and rare kinds;
# at 5 they are 226, most of them plain products.
OUTLIER_DEVIATIONS = -6.0
HUB_FACTOR = 5  # times the expected number of lists: 43 products; the most frequent one is in 8.4 times as many
# The model is sure of another value, and all but rules out the catalog's. By the first alone half of what is found
# are neighbors such as casual and sports shoes.
MIN_SURE, MAX_RULED_OUT = 0.9, 0.01

_TITLE_LENGTH = 48
_OTHERS_LISTED = 3  # of the products that show the same as another one
_MIN_SPREAD = 0.01  # of cosines; if they spread less, as in a catalog of copies, nothing is odd
_FOR_EVERYBODY = "unisex"  # contradicts no gender
_BLOCK = 4096

logger = logging.getLogger(__name__)


def examine(
    store: CatalogStore, features: FeatureBuilder, *, clock: Callable[[], float] = time.perf_counter
) -> CatalogHealth:
    """Look for everything that makes recommendations worse, by what the model of ``features`` embeds and predicts.

    Every photo is compared with every other, twice: about a minute for 40,000 on two cores.
    """
    started_s = clock()
    catalog = take_snapshot(store, features.model)
    findings = (
        _without_photo(catalog),
        *_missing_attributes(catalog),
        _duplicate_photos(catalog, store),
        _shared_photo(catalog),
        _small_photos(catalog),
        *_unlike_their_category(catalog, features.heads),
        *_neighbor_findings(catalog),
    )
    health = CatalogHealth(
        products=len(catalog.products), photos=store.counts().photos, model=features.model, k=K, findings=findings
    )
    logger.info(
        "examined: products=%d findings=%d seconds=%.1f",
        health.products,
        sum(finding.count > 0 for finding in findings),
        clock() - started_s,
    )
    return health


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSnapshot:
    """What the health of a catalog is judged by.

    Attributes:
        products: Every product by its id, sorted by id.
        embedded: The first photo of each product that the model has embedded; n of them.
        model: The model.
    """

    products: Mapping[str, StoredProduct]
    embedded: Sequence[EmbeddedPhoto]
    model: str

    @property
    def vectors(self) -> Matrix:
        """The embeddings, ``(n, d)`` of unit norm; at least one."""
        return np.stack([photo.vector for photo in self.embedded])

    def named(self, product_id: str) -> str:
        """A product for a person: ``15970 (Turtle Check Men Navy Blue Shirt)``."""
        title = self.products[product_id].product.title
        if len(title) > _TITLE_LENGTH:
            title = title[: _TITLE_LENGTH - 1].rstrip() + "…"
        return f"{product_id} ({title})" if title and title != product_id else product_id

    def examples(self, product_ids: Iterable[str]) -> tuple[str, ...]:
        """The first few of these products, named."""
        return tuple(self.named(product_id) for product_id, _ in zip(product_ids, range(EXAMPLES), strict=False))

    def examples_at(self, rows: Iterable[int]) -> tuple[str, ...]:
        """The products of the first few of these embeddings, named."""
        return self.examples(self.embedded[row].product_id for row in rows)

    def are_variants(self, product_ids: Iterable[str]) -> bool:
        """Whether these are one product, or variants with the same ``item_group_id``."""
        ids = set(product_ids)
        groups = {self.products[product_id].product.attributes.get("item_group_id") for product_id in ids}
        return len(ids) == 1 or (len(groups) == 1 and not groups & {None, ""})


def take_snapshot(store: CatalogStore, model: str) -> CatalogSnapshot:
    """Read a catalog and what a model has embedded of it."""
    ids = store.product_ids()
    stored = store.products(ids)
    embedded: dict[str, EmbeddedPhoto] = {}
    for photo in store.embedded_photos(model, ids):
        embedded.setdefault(photo.product_id, photo)
    return CatalogSnapshot(
        products={product_id: stored[product_id] for product_id in ids if product_id in stored},
        embedded=list(embedded.values()),
        model=model,
    )


def _without_photo(catalog: CatalogSnapshot) -> HealthFinding:
    """Products without a photo that the model could embed."""
    embedded = {photo.product_id for photo in catalog.embedded}
    without = [product_id for product_id in catalog.products if product_id not in embedded]
    return HealthFinding(
        name="products_without_photo",
        what="products without a photo",
        count=len(without),
        of=len(catalog.products),
        examples=catalog.examples(without),
        meaning="They are never recommended; give them a photo that can be read, and index their source again.",
    )


def _missing_attributes(catalog: CatalogSnapshot) -> list[HealthFinding]:
    """A finding for each attribute that most products have and some lack, or one with a count of 0."""
    missing: dict[str, list[str]] = {}
    for name in sorted({name for stored in catalog.products.values() for name in stored.product.attributes}):
        without = [
            product_id
            for product_id, stored in catalog.products.items()
            if not label_of(stored.product.attributes.get(name))
        ]
        if 0 < len(without) <= (1 - MIN_COVERAGE) * len(catalog.products):
            missing[name] = without
    if not missing:
        return [_missing(catalog, "an attribute that most have", [])]
    return [
        _missing(catalog, name, missing[name]) for name in sorted(missing, key=lambda name: -len(missing[name]))
    ]


def _missing(catalog: CatalogSnapshot, attribute: str, product_ids: Sequence[str]) -> HealthFinding:
    return HealthFinding(
        name="missing_attribute",
        what=f"products without {attribute}",
        count=len(product_ids),
        of=len(catalog.products),
        examples=catalog.examples(product_ids),
        meaning=f"A filter by {attribute} goes by what the model predicts for them, or leaves them out if it "
        "predicts nothing; complete the source.",
    )


def _duplicate_photos(catalog: CatalogSnapshot, store: CatalogStore) -> HealthFinding:
    """Products with a photo that shows the same as another product's, identical files among them."""
    groups = ([photo.product_id for photo in group] for group in find_duplicates(store, catalog.model))
    return _shown_twice(
        catalog,
        groups,
        name="duplicate_photos",
        what="products with a photo that looks the same as another product's",
        meaning="They crowd a list or hide behind each other as variants; give them one item_group_id if they are "
        "one product, and photos of their own if not.",
    )


def _shared_photo(catalog: CatalogSnapshot) -> HealthFinding:
    """Products that show the very same file as another one."""
    products_of: dict[str, list[str]] = {}
    for product_id, stored in catalog.products.items():
        for photo in stored.photos:
            products_of.setdefault(photo.sha256, []).append(product_id)
    shared = (product_ids for product_ids in products_of.values() if len(product_ids) > 1)
    return _shown_twice(
        catalog,
        sorted(shared, key=len, reverse=True),
        name="shared_photo",
        what="products with the very photo of another product",
        meaning="A search by photo cannot tell them apart; the feed may point to a wrong file, or have products "
        "twice.",
    )


def _shown_twice(
    catalog: CatalogSnapshot, groups: Iterable[Sequence[str]], *, name: str, what: str, meaning: str
) -> HealthFinding:
    """A finding from groups of products that show the same, the largest first; variants are left out."""
    different = [tuple(dict.fromkeys(group)) for group in groups if not catalog.are_variants(group)]
    firsts = catalog.examples(first for first, *_ in different)
    return HealthFinding(
        name=name,
        what=what,
        count=len({product_id for group in different for product_id in group}),
        of=len(catalog.products),
        examples=tuple(
            f"{first} and {_listed(others)}" for first, (_, *others) in zip(firsts, different, strict=False)
        ),
        meaning=meaning,
    )


def _listed(product_ids: Sequence[str]) -> str:
    more = len(product_ids) - _OTHERS_LISTED
    return ", ".join(product_ids[:_OTHERS_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def _small_photos(catalog: CatalogSnapshot) -> HealthFinding:
    """Photos with fewer pixels than a model looks at."""
    photos: dict[str, tuple[str, Photo]] = {}
    for product_id, stored in catalog.products.items():
        for photo in stored.photos:
            photos.setdefault(photo.sha256, (product_id, photo))

    def longer_px(shown: tuple[str, Photo]) -> int:
        return max(shown[1].width_px, shown[1].height_px)

    small = sorted((shown for shown in photos.values() if longer_px(shown) < SMALL_PX), key=longer_px)
    return HealthFinding(
        name="small_photos",
        what=f"photos of fewer than {SMALL_PX} pixels on the longer side",
        count=len(small),
        of=len(photos),
        examples=tuple(
            f"{named}, {photo.width_px} x {photo.height_px}"
            for named, (_, photo) in zip(catalog.examples(product for product, _ in small), small, strict=False)
        ),
        meaning="Patterns and materials cannot be seen on them, so only outline and color count; feed larger.",
    )


def _unlike_their_category(catalog: CatalogSnapshot, heads: Heads) -> list[HealthFinding]:
    """A finding for each attribute that the model predicts, or one with a count of 0 if it predicts none."""
    if not heads.heads or not catalog.embedded:
        return [_unlike("what the catalog says of them", (), of=0)]
    probabilities = heads.probabilities(catalog.vectors)
    return [_contradicted(catalog, head.name, head.classes, probabilities[head.name]) for head in heads.heads]


def _contradicted(
    catalog: CatalogSnapshot, attribute: str, classes: tuple[str, ...], probabilities: Matrix
) -> HealthFinding:
    values = labels_of([photo.attributes for photo in catalog.embedded], attribute)
    class_of = {value: number for number, value in enumerate(classes)}
    known = np.flatnonzero([value in class_of for value in values])
    of_value = probabilities[known, [class_of[value] for value in values[known]]]
    likeliest, highest = probabilities[known].argmax(axis=1), probabilities[known].max(axis=1)
    cases = [
        (catalog.named(catalog.embedded[known[row]].product_id), values[known[row]], classes[likeliest[row]])
        for row in np.argsort(of_value, kind="stable")
        if highest[row] >= MIN_SURE and of_value[row] < MAX_RULED_OUT
    ]
    examples = tuple(
        f"{named}: {value}, looks like {predicted}"
        for named, value, predicted in cases
        if _contradict(attribute, value, predicted)
    )
    return _unlike(attribute, examples, of=len(known))


def _contradict(attribute: str, value: str, predicted: str) -> bool:
    if attribute == "color":
        return color_family(value) != color_family(predicted)
    return _FOR_EVERYBODY not in (value.lower(), predicted.lower())


def _unlike(attribute: str, examples: tuple[str, ...], *, of: int) -> HealthFinding:
    return HealthFinding(
        name="unlike_their_category",
        what=f"products that look unlike {attribute if not of else f'their {attribute}'}",
        count=len(examples),
        of=of,
        examples=examples[:EXAMPLES],
        meaning=f"Either {attribute} is wrong in the source, or the photo is another product's, or the model "
        "errs: look before you change it.",
    )


def _neighbor_findings(catalog: CatalogSnapshot) -> list[HealthFinding]:
    """Outliers, hubs and products that are never shown."""
    closeness, lists = np.empty(0, np.float32), np.empty(0, np.int64)
    if catalog.embedded:
        vectors = catalog.vectors
        neighbors = nearest(vectors, vectors, k=K, own=np.arange(len(vectors)))  # (n, k)
        closeness = _closeness(vectors, neighbors)
        lists = np.bincount(neighbors.ravel(), minlength=len(vectors))  # (n,)
    return [_outliers(catalog, closeness), _hubs(catalog, lists), _never_shown(catalog, lists)]


def _closeness(vectors: Matrix, neighbors: Indices) -> Vector:
    """Mean cosine of each product to its neighbors, ``(n,)``; in blocks, because ``(n, k, d)`` is large."""
    means = np.zeros(len(vectors), np.float32)
    for start in range(0, len(vectors), _BLOCK if neighbors.shape[1] else len(vectors)):
        block = slice(start, start + _BLOCK)
        cosines = np.einsum("nd,nkd->nk", vectors[block], vectors[neighbors[block]])  # (b, k) in [-1, 1]
        means[block] = cosines.sum(axis=1) / max(1, neighbors.shape[1])
    return means


def _outliers(catalog: CatalogSnapshot, closeness: Vector) -> HealthFinding:
    """Products whose robust z-score of closeness lies far below the others'.

    Source: B. Iglewicz and D. Hoaglin, "How to Detect and Handle Outliers" (1993), with the factor for normal
    distributions.
    """
    middle = np.median(closeness) if len(closeness) else 0.0
    spread = 1.4826 * np.median(np.abs(closeness - middle)) if len(closeness) else 0.0
    scores = (closeness - middle) / max(spread, _MIN_SPREAD)
    outliers = [row for row in np.argsort(scores, kind="stable") if scores[row] < OUTLIER_DEVIATIONS]
    return HealthFinding(
        name="outliers",
        what=f"products that are unlike their {K} nearest",
        count=len(outliers),
        of=len(catalog.embedded),
        examples=catalog.examples_at(outliers),
        meaning="What is recommended for them is hardly similar: a kind of which the catalog has few, an unusual "
        "photo, or a product that does not belong here.",
    )


def _hubs(catalog: CatalogSnapshot, lists: Indices) -> HealthFinding:
    expected = lists.mean() if len(lists) else 0.0
    hubs = [row for row in np.argsort(-lists, kind="stable") if lists[row] > HUB_FACTOR * expected]
    return HealthFinding(
        name="hubs",
        what=f"products in more than {HUB_FACTOR} times the expected number of top-{K} lists",
        count=len(hubs),
        of=len(catalog.embedded),
        examples=tuple(
            f"{named}, in {lists[row]:,}" for named, row in zip(catalog.examples_at(hubs), hubs, strict=False)
        ),
        meaning="Shoppers see them again and again; ask for more diversity, or look whether their photos are so "
        "plain that they are near to everything.",
    )


def _never_shown(catalog: CatalogSnapshot, lists: Indices) -> HealthFinding:
    never = np.flatnonzero(lists == 0)
    return HealthFinding(
        name="never_shown",
        what=f"products in no top-{K} list of another product",
        count=len(never),
        of=len(catalog.embedded),
        examples=catalog.examples_at(never),
        meaning="No similar product leads shoppers to them; show them elsewhere, or give them a photo like those "
        "of their kind.",
    )
