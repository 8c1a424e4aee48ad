"""The filters of a page: facets with counts, chips of what is set, the fields of the price."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.storefront.addresses import PRICE, product_address
from sartor.values import numbers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.recommend.outfit.outfit import WornProduct
    from sartor.shop import Shop
    from sartor.storefront.addresses import Browse, Filters, Search
    from sartor.types import Attributes, AttributeValue, FacetValue, Hit, Photo, StoredProduct


_LABELS = {
    "articleType": "Type",
    "product_type": "Type",
    "masterCategory": "Category",
    "subCategory": "Subcategory",
    "baseColour": "Color",
    "color": "Color",
    "usage": "Occasion",
    "age_group": "Age",
    "gtin": "GTIN",
    "mpn": "MPN",
    "google_product_category": "Google category",
}
_ORDER = (
    "gender",
    "masterCategory",
    "subCategory",
    "product_type",
    "articleType",
    "color",
    "baseColour",
    "pattern",
    "material",
    "brand",
    "size",
    "season",
    "usage",
)
KIND = ("product_type", "articleType", "subCategory", "masterCategory")  # the first that a product has is its kind
COLOR = ("color", "baseColour")
_UNSPOKEN = frozenset({"price", "sale_price", "link", "image_link", "additional_image_link", "item_group_id"})
_SPOKEN_BY_OTHERS = frozenset({"title", "description", "currency"})
_CURRENCIES = {"USD": "$", "EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥"}
_WITHOUT_CENTS = ("₹", "¥")
_CURRENCY = re.compile(r"(?<![A-Za-z])[A-Z]{3}(?![A-Za-z])|[$€£₹¥]")


def label(attribute: str) -> str:
    """The name of an attribute, as a person writes it."""
    if attribute in _LABELS:
        return _LABELS[attribute]
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", attribute).replace("_", " ").split()
    return " ".join(words).capitalize() or attribute


def rank(attribute: str) -> tuple[int, str]:
    """Where an attribute stands among others."""
    place = _ORDER.index(attribute) if attribute in _ORDER else len(_ORDER)
    return place, label(attribute)


def value_text(value: AttributeValue) -> str:
    """A value, as a person writes it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def spoken(attributes: Attributes) -> list[tuple[str, str]]:
    """What is said of a product, by label, the most telling first."""
    said = [name for name in attributes if name not in _UNSPOKEN | _SPOKEN_BY_OTHERS]
    texts = [(label(name), value_text(attributes[name])) for name in sorted(said, key=rank)]
    return [(name, text) for name, text in texts if text]


def first_of(attributes: Attributes, names: tuple[str, ...]) -> str:
    """The text of the first attribute that there is; of a path of categories, the last."""
    for name in names:
        if attributes.get(name):
            return value_text(attributes[name]).rpartition(">")[2].strip()
    return ""


def price_text(attributes: Attributes) -> str:
    """What a product costs; empty where that is unknown."""
    for name in ("sale_price", "price"):
        if name in attributes and (amount := next(iter(numbers_of(attributes[name])), None)) is not None:
            return amount_text(amount, currency_of(attributes))
    return ""


def full_price_text(attributes: Attributes) -> str:
    """What it cost before the sale; empty where there is none."""
    if not price_text({key: value for key, value in attributes.items() if key == "sale_price"}):
        return ""
    return price_text({key: value for key, value in attributes.items() if key in ("price", "currency")})


def amount_text(amount: float, currency: str) -> str:
    """An amount of money."""
    number = f"{amount:,.0f}" if currency in _WITHOUT_CENTS and not amount % 1 else f"{amount:,.2f}"
    return f"{currency}{number}" if len(currency) == 1 else f"{number} {currency}".strip()


def currency_of(attributes: Attributes) -> str:
    """The currency of a product's price, as a sign where it has one; empty where that is unknown."""
    texts = (str(attributes.get(name, "")) for name in ("sale_price", "price", "currency"))
    found = next((match.group() for text in texts if (match := _CURRENCY.search(text))), "")
    return _CURRENCIES.get(found, found)


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


_AT_ONCE = 7  # values of a facet that are shown before it is unfolded
_MAX_VALUES = 60  # and behind it
_OPEN = 4  # facets that are unfolded at first


def refinement(shop: Shop, page: Browse | Search, *, words: str = "") -> Refinement:
    """The filters of a page.

    Args:
        shop: The workspace.
        page: What the page shows.
        words: Words that products on it have to have.
    """
    filters = page.filters
    counted = dict(shop.facets(where=filters.where(), words=words))
    for attribute in {attribute for attribute, _ in filters.pairs if attribute in counted}:
        alone = filters.without(attribute).where()  # what could be ticked beside what is
        counted |= shop.facets([attribute], where=alone, words=words)
    names = sorted((name for name in counted if _can_be_asked(name)), key=rank)
    low, _, high = next((value for value in filters.values_of(PRICE) if ".." in value), "..").partition("..")
    shown = [_facet(name, counted[name], filters, place) for place, name in enumerate(names)]
    return Refinement(
        facets=tuple(facet for facet in shown if len(facet.choices) > 1 or filters.values_of(facet.attribute)),
        chips=chips(page),
        clear_href=page.filtered(type(filters)()).address,
        has_price=PRICE in shop.attribute_names(),
        min_price=low,
        max_price=high,
        hidden=_hidden(filters, counted),
    )


def chips(page: Browse | Search) -> tuple[Chip, ...]:
    """What is set, each with the page without it."""
    return tuple(
        Chip(
            label=label(attribute.rstrip("!")),
            value=_said(attribute, value),
            href=page.filtered(page.filters.toggled(attribute, value)).address,
            active=True,
        )
        for attribute, value in page.filters.pairs
    )


def _facet(attribute: str, counted: Sequence[FacetValue], filters: Filters, place: int) -> Facet:
    asked = filters.values_of(attribute)
    there = {each.value: each.count for each in counted}
    missing = [Choice(value=value, count=0, checked=True) for value in asked if value not in there]
    every = [Choice(value=value, count=count, checked=value in asked) for value, count in there.items() if value]
    first = [*missing, *every[:_AT_ONCE], *(each for each in every[_AT_ONCE:] if each.checked)]
    return Facet(
        attribute=attribute,
        label=label(attribute),
        choices=tuple(first),
        others=tuple(each for each in every[_AT_ONCE:_MAX_VALUES] if not each.checked),
        is_open=place < _OPEN or bool(asked),
    )


def _hidden(filters: Filters, counted: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Filters that no box of the form stands for, which it has to carry along."""
    return tuple(
        ("where", f"{attribute}={value}")
        for attribute, value in filters.pairs
        if attribute not in counted and not (attribute == PRICE and ".." in value)
    )


def _can_be_asked(attribute: str) -> bool:
    return "=" not in attribute and not attribute.endswith("!") and attribute != PRICE


def _said(attribute: str, value: str) -> str:
    low, dots, high = value.partition("..")
    if dots and attribute == PRICE:
        return f"{low} to {high}" if low and high else f"from {low}" if low else f"up to {high}"
    return f"not {value}" if attribute.endswith("!") else value
