"""The state of a catalog: what about it makes recommendations worse, or may."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.intervals import nearest
from sartor.evaluation.relevance import MIN_COVERAGE, label_of, labels_of
from sartor.evaluation.results import CatalogHealth, HealthFinding
from sartor.recommend.duplicates import find_duplicates
from sartor.recommend.features import color_family

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy.typing as npt

    from sartor.encoders.heads import Heads
    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore
    from sartor.types import EmbeddedPhoto, Matrix, Photo, StoredProduct, Vector

    Places = npt.NDArray[np.int64]


EXAMPLES = 10
_TITLE_LENGTH = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSnapshot:
    """A catalog, as far as its health is told from it.

    Attributes:
        products: Every product by its id, in the ids' order.
        embedded: Of each product, its first photo that the model has embedded; n of them.
        model: The model.
    """

    products: Mapping[str, StoredProduct]
    embedded: Sequence[EmbeddedPhoto]
    model: str

    @property
    def vectors(self) -> Matrix:
        """The embeddings, ``(n, d)`` of unit norm; there has to be one."""
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

    def are_variants(self, product_ids: Iterable[str]) -> bool:
        """Whether these products are but one, or variants of one: of the same ``item_group_id``."""
        ids = set(product_ids)
        groups = {self.products[each].product.attributes.get("item_group_id") for each in ids}
        return len(ids) == 1 or (len(groups) == 1 and not groups & {None, ""})


def take(store: CatalogStore, model: str) -> CatalogSnapshot:
    """Read a catalog and what a model has embedded of it."""
    ids = store.product_ids()
    held = store.products(ids)
    embedded: dict[str, EmbeddedPhoto] = {}
    for photo in store.embedded_photos(model, ids):
        embedded.setdefault(photo.product_id, photo)
    return CatalogSnapshot(
        products={product_id: held[product_id] for product_id in ids if product_id in held},
        embedded=list(embedded.values()),
        model=model,
    )


SMALL_PX = 128  # what sartor-v1 looks at; a smaller photo is enlarged for it, and looks so on a page


_LISTED = 3  # of the products that show the same as another one


def without_photo(stock: CatalogSnapshot) -> HealthFinding:
    """Products that have no photo, or none that the model could embed."""
    embedded = {photo.product_id for photo in stock.embedded}
    lacking = [product_id for product_id in stock.products if product_id not in embedded]
    return HealthFinding(
        name="products_without_photo",
        what="products without a photo",
        count=len(lacking),
        of=len(stock.products),
        examples=stock.examples(lacking),
        meaning="They are never recommended; give them a photo that can be read, and index their source again.",
    )


def missing_attributes(stock: CatalogSnapshot) -> list[HealthFinding]:
    """A finding for each attribute that most products have and some lack; one without cases if there is none."""
    lacking: dict[str, list[str]] = {}
    for name in sorted({name for stored in stock.products.values() for name in stored.product.attributes}):
        without = [
            product_id
            for product_id, stored in stock.products.items()
            if not label_of(stored.product.attributes.get(name))
        ]
        if 0 < len(without) <= (1 - MIN_COVERAGE) * len(stock.products):
            lacking[name] = without
    if not lacking:
        return [_missing(stock, "an attribute that most have", [])]
    return [_missing(stock, name, lacking[name]) for name in sorted(lacking, key=lambda name: -len(lacking[name]))]


def _missing(stock: CatalogSnapshot, attribute: str, product_ids: Sequence[str]) -> HealthFinding:
    return HealthFinding(
        name="missing_attribute",
        what=f"products without {attribute}",
        count=len(product_ids),
        of=len(stock.products),
        examples=stock.examples(product_ids),
        meaning=f"A filter by {attribute} goes by what the model predicts for them, or leaves them out where it "
        "predicts nothing; complete the source.",
    )


def duplicate_photos(stock: CatalogSnapshot, store: CatalogStore) -> HealthFinding:
    """Products of which a photo shows what another product's shows, identical files among them."""
    groups = ([photo.product_id for photo in group] for group in find_duplicates(store, stock.model))
    return _shown_twice(
        stock,
        groups,
        name="duplicate_photos",
        what="products with a photo that looks the same as another product's",
        meaning="They crowd a list or hide behind each other as variants; give them one item_group_id if they are "
        "one product, and photos of their own if not.",
    )


def shared_photo(stock: CatalogSnapshot) -> HealthFinding:
    """Products that show the very same file as another one."""
    shown: dict[str, list[str]] = {}
    for product_id, stored in stock.products.items():
        for photo in stored.photos:
            shown.setdefault(photo.sha256, []).append(product_id)
    groups = sorted((each for each in shown.values() if len(each) > 1), key=lambda each: -len(each))
    return _shown_twice(
        stock,
        groups,
        name="shared_photo",
        what="products with the very photo of another product",
        meaning="A search by photo cannot tell them apart; the feed may point to a wrong file, or have products "
        "twice.",
    )


def small_photos(stock: CatalogSnapshot) -> HealthFinding:
    """Photos of fewer pixels than a model looks at."""
    shown: dict[str, tuple[str, Photo]] = {}
    for product_id, stored in stock.products.items():
        for photo in stored.photos:
            shown.setdefault(photo.sha256, (product_id, photo))
    small = sorted(
        (each for each in shown.values() if max(each[1].width_px, each[1].height_px) < SMALL_PX),
        key=lambda each: max(each[1].width_px, each[1].height_px),
    )
    return HealthFinding(
        name="small_photos",
        what=f"photos of fewer than {SMALL_PX} pixels on the longer side",
        count=len(small),
        of=len(shown),
        examples=tuple(
            f"{named}, {photo.width_px} x {photo.height_px}"
            for named, (_, photo) in zip(stock.examples(each for each, _ in small), small, strict=False)
        ),
        meaning="Patterns and materials cannot be seen on them, so what is found goes by outline and color; feed "
        "larger ones.",
    )


def _shown_twice(
    stock: CatalogSnapshot, groups: Iterable[Sequence[str]], *, name: str, what: str, meaning: str
) -> HealthFinding:
    """A finding from groups of products that show the same, the largest first; variants are none."""
    found = [tuple(dict.fromkeys(group)) for group in groups if not stock.are_variants(group)]
    return HealthFinding(
        name=name,
        what=what,
        count=len({product_id for group in found for product_id in group}),
        of=len(stock.products),
        examples=tuple(
            f"{named} and {_listed(others)}"
            for named, (_, *others) in zip(stock.examples(first for first, *_ in found), found, strict=False)
        ),
        meaning=meaning,
    )


def _listed(product_ids: Sequence[str]) -> str:
    more = len(product_ids) - _LISTED
    return ", ".join(product_ids[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")


K = 10
# Chosen by looking at 37,344 products. At 6 deviations below the median 74 are outliers, odd ones and rare kinds;
# at 5 they are 226, most of them plain products.
FAR_BELOW = -6.0
OFTEN = 5  # times the expected number of lists: 43 products; the most frequent one is in 8.4 times as many
# The model is sure of something else, and all but rules out what is told. By the first alone half of what is found
# are neighbors such as casual and sports shoes.
SURE, RULED_OUT = 0.9, 0.01


_LEAST_SPREAD = 0.01  # of cosines; where they spread less, as in a catalog of copies, nothing is odd
_FOR_EVERYBODY = "unisex"  # contradicts no gender
_BLOCK = 4096


def unlike_their_category(stock: CatalogSnapshot, heads: Heads) -> list[HealthFinding]:
    """A finding for each attribute that the model predicts; one without cases if it predicts none."""
    if not heads.heads or not stock.embedded:
        return [_unlike("what is told of them", (), of=0)]
    probabilities = heads.probabilities(stock.vectors)
    return [_belied(stock, head.name, head.classes, probabilities[head.name]) for head in heads.heads]


def of_neighbors(stock: CatalogSnapshot) -> list[HealthFinding]:
    """Outliers, hubs and products that are never shown."""
    if not stock.embedded:
        nothing = np.empty(0, np.int64)
        return [_outliers(stock, np.empty(0, np.float32)), _hubs(stock, nothing), _never_shown(stock, nothing)]
    vectors = stock.vectors
    neighbors = nearest(vectors, vectors, k=K, own=np.arange(len(vectors)))  # (n, k)
    lists = np.bincount(neighbors.ravel(), minlength=len(vectors))  # (n,)
    return [_outliers(stock, _closeness(vectors, neighbors)), _hubs(stock, lists), _never_shown(stock, lists)]


def _belied(
    stock: CatalogSnapshot, attribute: str, classes: tuple[str, ...], probabilities: Matrix
) -> HealthFinding:
    told = labels_of([photo.attributes for photo in stock.embedded], attribute)
    places = {value: place for place, value in enumerate(classes)}
    known = np.flatnonzero([value in places for value in told])
    own = probabilities[known, [places[value] for value in told[known]]]
    likeliest, sure = probabilities[known].argmax(axis=1), probabilities[known].max(axis=1)
    cases = [
        (stock.named(stock.embedded[known[row]].product_id), told[known[row]], classes[likeliest[row]])
        for row in np.argsort(own, kind="stable")
        if sure[row] >= SURE and own[row] < RULED_OUT
    ]
    contradicted = tuple(
        f"{named}: {value}, looks like {seen}"
        for named, value, seen in cases
        if _contradict(attribute, value, seen)
    )
    return _unlike(attribute, contradicted, of=len(known))


def _contradict(attribute: str, told: str, seen: str) -> bool:
    if attribute == "color":
        return color_family(told) != color_family(seen)
    return _FOR_EVERYBODY not in (told.lower(), seen.lower())


def _unlike(attribute: str, cases: tuple[str, ...], *, of: int) -> HealthFinding:
    return HealthFinding(
        name="unlike_their_category",
        what=f"products that look unlike {attribute if not of else f'their {attribute}'}",
        count=len(cases),
        of=of,
        examples=cases[:EXAMPLES],
        meaning=f"Either {attribute} is wrong in the source, or the photo is another product's, or the model "
        "errs: look before you change it.",
    )


def _closeness(vectors: Matrix, neighbors: Places) -> Vector:
    """Mean cosine of each product to its neighbors, ``(n,)``; in blocks, as ``(n, k, d)`` is much at once."""
    means = np.zeros(len(vectors), np.float32)
    for start in range(0, len(vectors), _BLOCK if neighbors.shape[1] else len(vectors)):
        block = slice(start, start + _BLOCK)
        cosines = np.einsum("nd,nkd->nk", vectors[block], vectors[neighbors[block]])  # (b, k) in [-1, 1]
        means[block] = cosines.sum(axis=1) / max(1, neighbors.shape[1])
    return means


def _outliers(stock: CatalogSnapshot, closeness: Vector) -> HealthFinding:
    """Products whose robust z-score of closeness lies far below the others'.

    Source: B. Iglewicz and D. Hoaglin, "How to Detect and Handle Outliers" (1993), with the factor for normal
    distributions.
    """
    middle = np.median(closeness) if len(closeness) else 0.0
    spread = 1.4826 * np.median(np.abs(closeness - middle)) if len(closeness) else 0.0
    scores = (closeness - middle) / max(spread, _LEAST_SPREAD)
    far = [place for place in np.argsort(scores, kind="stable") if scores[place] < FAR_BELOW]
    return HealthFinding(
        name="outliers",
        what=f"products that are unlike their {K} nearest",
        count=len(far),
        of=len(stock.embedded),
        examples=_named(stock, far),
        meaning="What is recommended for them is hardly similar: a kind of which the catalog has few, an unusual "
        "photo, or a product that does not belong here.",
    )


def _hubs(stock: CatalogSnapshot, lists: Places) -> HealthFinding:
    expected = lists.mean() if len(lists) else 0.0
    often = [place for place in np.argsort(-lists, kind="stable") if lists[place] > OFTEN * expected]
    return HealthFinding(
        name="hubs",
        what=f"products in more than {OFTEN} times the expected number of top-{K} lists",
        count=len(often),
        of=len(stock.embedded),
        examples=tuple(
            f"{named}, in {lists[place]:,}" for named, place in zip(_named(stock, often), often, strict=False)
        ),
        meaning="Shoppers see them again and again; ask for more diversity, or look whether their photos are so "
        "plain that they are near to everything.",
    )


def _never_shown(stock: CatalogSnapshot, lists: Places) -> HealthFinding:
    never = np.flatnonzero(lists == 0)
    return HealthFinding(
        name="never_shown",
        what=f"products in no top-{K} list of another product",
        count=len(never),
        of=len(stock.embedded),
        examples=_named(stock, never),
        meaning="Nobody comes to them from a similar product; show them elsewhere, or give them a photo like "
        "those of their kind.",
    )


def _named(stock: CatalogSnapshot, places: Iterable[int]) -> tuple[str, ...]:
    return stock.examples(stock.embedded[place].product_id for place in places)


logger = logging.getLogger(__name__)


def examine(
    store: CatalogStore, composer: FeatureBuilder, *, clock: Callable[[], float] = time.perf_counter
) -> CatalogHealth:
    """Look for all that makes recommendations worse, by what the composer's model embeds and predicts.

    Every photo is compared with every other, twice: about a minute for 40,000 on two cores.
    """
    started_s = clock()
    stock = take(store, composer.model)
    findings = (
        without_photo(stock),
        *missing_attributes(stock),
        duplicate_photos(stock, store),
        shared_photo(stock),
        small_photos(stock),
        *unlike_their_category(stock, composer.heads),
        *of_neighbors(stock),
    )
    health = CatalogHealth(
        products=len(stock.products),
        photos=store.counts().photos,
        model=composer.model,
        k=K,
        findings=findings,
    )
    logger.info(
        "examined: products=%d findings=%d seconds=%.1f",
        health.products,
        sum(finding.count > 0 for finding in findings),
        clock() - started_s,
    )
    return health
