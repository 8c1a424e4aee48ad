"""What templates are given: values ready to be shown, with the addresses that they lead to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.service.storefront.addresses import product_address
from sartor.service.storefront.words import (
    COLOR,
    KIND,
    first_of,
    full_price_text,
    price_text,
)

if TYPE_CHECKING:
    from sartor.recommend.outfits import WornProduct
    from sartor.service.storefront.addresses import Search
    from sartor.types import Attributes, Hit, Photo, StoredProduct

SIZES_PX = (160, 320, 640)
_SURE = 0.5  # probability from which a prediction is shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A photo of the catalog in several sizes; the height and width are those of the largest."""

    src: str
    srcset: str
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A product in a grid.

    Attributes:
        id: The product.
        href: Its page.
        title: Its title, or what stands for it.
        picture: Its photo; None where it has none.
        kind: Its kind and color, in a few words.
        color: Its color alone.
        price: What it costs.
        full_price: What it cost before the sale.
        match: Percent; None where it is not a hit, or the model is not calibrated.
        weak: Whether the match is too low to call it one.
        reasons: Why it is here.
        note: The same as a line of text, where there is room.
        more_href: Results nearer to it; empty where that makes no sense.
        less_href: Results further from it.
        variants: How many more products are the same thing.
    """

    id: str
    href: str
    title: str
    picture: Picture | None
    kind: str = ""
    color: str = ""
    price: str = ""
    full_price: str = ""
    match: int | None = None
    weak: bool = False
    reasons: tuple[str, ...] = ()
    note: str = ""
    more_href: str = ""
    less_href: str = ""
    variants: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A filter that is set, or can be, and where the page leads when it is turned around."""

    label: str
    value: str
    href: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value of a facet, and how many products have it; None where that is unknown."""

    value: str
    count: int | None
    checked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """An attribute that products can be chosen by, with the values that are shown at once and those behind."""

    attribute: str
    label: str
    choices: tuple[Choice, ...]
    others: tuple[Choice, ...]
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refinement:
    """What the filters of a page are made from."""

    facets: tuple[Facet, ...]
    chips: tuple[Chip, ...]
    clear_href: str
    has_price: bool
    min_price: str
    max_price: str
    hidden: tuple[tuple[str, str], ...]


def picture_of(photo: Photo) -> Picture | None:
    """A photo in the sizes that it is served in; None where only its vector was imported."""
    if not photo.has_picture:
        return None
    address = f"/v1/photos/{photo.sha256}?size="
    scale = min(1.0, SIZES_PX[-1] / max(photo.width_px, photo.height_px, 1))
    width_px = max(1, round(photo.width_px * scale))
    widths = {
        px: round(photo.width_px * min(1.0, px / max(photo.width_px, photo.height_px, 1))) for px in SIZES_PX
    }
    return Picture(
        src=f"{address}{SIZES_PX[1]}",
        srcset=", ".join(f"{address}{px} {max(1, width)}w" for px, width in widths.items()),
        width_px=width_px,
        height_px=max(1, round(photo.height_px * scale)),
    )


def stored_card(stored: StoredProduct) -> Card:
    """A product as the catalog has it."""
    product = stored.product
    return Card(
        id=product.id,
        href=product_address(product.id),
        title=product.title or product.id,
        picture=picture_of(stored.photos[0]) if stored.photos else None,
        kind=_kind(product.attributes),
        color=first_of(product.attributes, COLOR),
        price=price_text(product.attributes),
        full_price=full_price_text(product.attributes),
    )


def hit_card(hit: Hit, search: Search, *, is_judged: bool = True) -> Card:
    """A product as it was found, in the results of a search; without match and reasons where they say nothing."""
    sure = {name: value for name, (value, probability) in hit.predicted.items() if probability >= _SURE}
    return Card(
        id=hit.product_id,
        href=product_address(hit.product_id),
        title=hit.title or hit.product_id,
        picture=picture_of(hit.photo),
        kind=_kind({**sure, **hit.attributes}),
        price=price_text(hit.attributes),
        full_price=full_price_text(hit.attributes),
        match=None if hit.match is None or not is_judged else round(100 * hit.match),
        weak=hit.weak and is_judged,
        reasons=hit.reasons if is_judged else (),
        more_href=search.liking(hit.product_id).address,
        less_href=search.disliking(hit.product_id).address,
        variants=len(hit.variants),
    )


def worn_card(worn: WornProduct) -> Card:
    """A product in a look."""
    return Card(
        id=worn.product_id,
        href=product_address(worn.product_id),
        title=worn.title or worn.product_id,
        picture=picture_of(worn.photo),
        kind=_kind(worn.attributes),
        price=price_text(worn.attributes),
        full_price=full_price_text(worn.attributes),
        note=" · ".join(worn.reasons),
    )


def _kind(attributes: Attributes) -> str:
    parts = [first_of(attributes, KIND), first_of(attributes, COLOR)]
    return " · ".join(part for part in parts if part)
