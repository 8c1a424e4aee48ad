"""What is wrong with a catalog as it was fed: photos and attributes that lack, and photos that are there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.evaluation.labels import MIN_COVERAGE, label_of
from sartor.evaluation.results import HealthFinding
from sartor.pipelines.duplicates import find_duplicates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sartor.pipelines.health_stock import Stock
    from sartor.store.sqlite import SqliteStore
    from sartor.types import Photo

SMALL_PX = 128  # what sartor-v1 looks at; a smaller photo is enlarged for it, and looks so on a page

_LISTED = 3  # of the products that show the same as another one


def without_photo(stock: Stock) -> HealthFinding:
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


def missing_attributes(stock: Stock) -> list[HealthFinding]:
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


def _missing(stock: Stock, attribute: str, product_ids: Sequence[str]) -> HealthFinding:
    return HealthFinding(
        name="missing_attribute",
        what=f"products without {attribute}",
        count=len(product_ids),
        of=len(stock.products),
        examples=stock.examples(product_ids),
        meaning=f"A filter by {attribute} goes by what the model predicts for them, or leaves them out where it "
        "predicts nothing; complete the source.",
    )


def duplicate_photos(stock: Stock, store: SqliteStore) -> HealthFinding:
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


def shared_photo(stock: Stock) -> HealthFinding:
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


def small_photos(stock: Stock) -> HealthFinding:
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
    stock: Stock, groups: Iterable[Sequence[str]], *, name: str, what: str, meaning: str
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
