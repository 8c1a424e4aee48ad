"""The parts that pages are made of: labels and prices in words, product cards, and filters."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.described import sure_of, title_of
from sartor.limits import MAX_FACET_VALUES
from sartor.storefront.addresses import PRICE, pair_text, product_address
from sartor.types import Between, FacetValue, Likeness, Not
from sartor.values import amounts_of, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sartor.recommend.outfit.outfit import WornProduct
    from sartor.shop import Shop
    from sartor.storefront.addresses import Browse, Filters, Search
    from sartor.types import Attributes, AttributeValue, Hit, Photo, StoredProduct

KIND = ("product_type", "articleType", "subCategory", "masterCategory")  # the first that a product has is its kind
COLOR = ("color", "baseColour")
SIZE = ("size", "sizes")
SIZES_PX = (160, 320, 640)
_LABELS = {
    "articleType": "Type",
    "product_type": "Type",
    "masterCategory": "Category",
    "subCategory": "Subcategory",
    "baseColour": "Color",
    "color": "Color",
    "usage": "Occasion",
    "age_group": "Age",
    "price:currency": "Currency",
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
_HIDDEN = frozenset(
    {"price", "sale_price", "compare_at_price", "link", "image_link", "additional_image_link", "item_group_id"}
)
_SHOWN_ELSEWHERE = frozenset({"title", "description", "currency"})
_CURRENCIES = {"USD": "$", "EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥"}
_WITHOUT_CENTS = ("₹", "¥")
_CURRENCY = re.compile(r"(?<![A-Za-z])[A-Z]{3}(?![A-Za-z])|[$€£₹¥]")
_SIZES = re.compile(r"\s*[,;|]\s*")  # between several; "16/34" is one
_FIRST_VALUES = 7  # of a facet, before it is unfolded
_OPEN_FACETS = 4


def label(attribute: str) -> str:
    """The name of an attribute as people write it."""
    if attribute in _LABELS:
        return _LABELS[attribute]
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", attribute).replace("_", " ").split()
    return " ".join(words).capitalize() or attribute


def sort_key(attribute: str) -> tuple[int, str]:
    """Sorts attributes by importance, the others by name."""
    rank = _ORDER.index(attribute) if attribute in _ORDER else len(_ORDER)
    return rank, label(attribute)


def value_text(value: AttributeValue) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def attribute_texts(attributes: Attributes) -> list[tuple[str, str]]:
    """Label and text of the attributes that a product's page lists, the most important first."""
    names = sorted((name for name in attributes if name not in _HIDDEN | _SHOWN_ELSEWHERE), key=sort_key)
    texts = [(label(name), value_text(attributes[name])) for name in names]
    return [(name, text) for name, text in texts if text]


def first_of(attributes: Attributes, names: tuple[str, ...]) -> str:
    """The text of the first attribute that a product has; of a path of categories, the last one."""
    for name in names:
        if attributes.get(name):
            return value_text(attributes[name]).rpartition(">")[2].strip()
    return ""


def price_text(attributes: Attributes) -> str:
    """What a product costs; empty if unknown."""
    for name in ("sale_price", "price"):
        if name in attributes and (amount := next(iter(amounts_of(attributes[name])), None)) is not None:
            return amount_text(amount, currency_of(attributes))
    return ""


def full_price_text(attributes: Attributes) -> str:
    """What a product cost before a sale; empty without a sale."""
    paid, before = (
        next(iter(amounts_of(attributes.get(name, ""))), None) for name in ("price", "compare_at_price")
    )
    if paid is not None and before is not None and before > paid and "sale_price" not in attributes:
        return amount_text(before, currency_of(attributes))
    if not price_text({key: value for key, value in attributes.items() if key == "sale_price"}):
        return ""
    return price_text({key: value for key, value in attributes.items() if key in ("price", "currency")})


def amount_text(amount: float, currency: str) -> str:
    """An amount of money."""
    number = f"{amount:,.0f}" if currency in _WITHOUT_CENTS and not amount % 1 else f"{amount:,.2f}"
    return f"{currency}{number}" if len(currency) == 1 else f"{number} {currency}".strip()


def sizes_of(attributes: Attributes) -> tuple[str, ...]:
    """The sizes that a product has, as its catalog orders them."""
    texts = (text for name in SIZE if name in attributes for text in texts_of(attributes[name]))
    return tuple(dict.fromkeys(size for text in texts for size in _SIZES.split(text.strip()) if size))


def value_counts(hits: Iterable[Hit]) -> dict[str, Counter[str]]:
    """How many hits have each value, by attribute; what is surely predicted counts where the catalog is silent."""
    counts: dict[str, Counter[str]] = {}
    for hit in hits:
        for name, value in {**sure_of(hit.predicted), **hit.attributes}.items():
            counts.setdefault(name, Counter()).update(set(texts_of(value)))
    return counts


def currency_of(attributes: Attributes) -> str:
    """The currency of a product's price, as a sign if it has one; empty if unknown."""
    texts = (str(attributes.get(name, "")) for name in ("sale_price", "price", "currency"))
    currency = next((match.group() for text in texts if (match := _CURRENCY.search(text))), "")
    return _CURRENCIES.get(currency, currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A photo of the catalog in several sizes. Width and height are those of the largest."""

    src: str
    sources: tuple[tuple[str, int], ...]
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A product in a grid.

    Attributes:
        title_predicted: Whether its title was made from what is seen in its photo.
        kind: Its kind and color.
        is_close: Whether it is more than a little alike.
        likeness: How alike it is to the query, in words; empty for what is no hit, and without calibration.
        note: The main reason as a line of text.
        more_href: Results nearer to it; empty outside of results.
        less_href: Results further from it.
        variants: Number of other products that are the same thing.
    """

    id: str
    href: str
    title: str
    picture: Picture | None
    title_predicted: bool = False
    kind: str = ""
    color: str = ""
    price: str = ""
    full_price: str = ""
    likeness: str = ""
    is_close: bool = True
    reasons: tuple[str, ...] = ()
    note: str = ""
    more_href: str = ""
    less_href: str = ""
    variants: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A filter that is set or can be set, and the page with this changed."""

    label: str
    value: str
    href: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value of a facet, the filter that finds it, and how many products have it."""

    value: str
    filter: str
    count: int
    checked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """An attribute to filter by, with the values shown at once and the ``others`` behind them.

    Attributes:
        further: Number of values that are not shown.
        is_predicted: Whether no product tells it, so that it is only seen in photos.
    """

    attribute: str
    label: str
    choices: tuple[Choice, ...]
    others: tuple[Choice, ...]
    further: int
    is_open: bool
    is_predicted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refinement:
    """The filters of a page.

    Attributes:
        counted: Number of results that the counts are of, where there are more results; 0 where they are of all.
        chips: Filters that are set.
        hidden: Names and values of form fields for filters that no facet shows.
    """

    facets: tuple[Facet, ...]
    chips: tuple[Chip, ...]
    clear_href: str
    has_price: bool
    min_price: str
    max_price: str
    hidden: tuple[tuple[str, str], ...]
    counted: int = 0


def picture_of(photo: Photo) -> Picture | None:
    """A photo in the sizes that it is served in; None if only its vector was imported."""
    if not photo.has_picture:
        return None
    address, long_px = f"/v1/photos/{photo.sha256}?size=", max(photo.width_px, photo.height_px, 1)
    scales = {px: min(1.0, px / long_px) for px in SIZES_PX}
    widths = {px: max(1, round(photo.width_px * scale)) for px, scale in scales.items()}
    return Picture(
        src=f"{address}{SIZES_PX[1]}",
        sources=tuple((f"{address}{px}", width) for px, width in widths.items()),
        width_px=widths[SIZES_PX[-1]],
        height_px=max(1, round(photo.height_px * scales[SIZES_PX[-1]])),
    )


def stored_card(stored: StoredProduct) -> Card:
    """The card of a product of the catalog."""
    product, title = stored.product, title_of(stored.product, stored.predicted)
    attributes = {**sure_of(stored.predicted), **product.attributes}
    return Card(
        id=product.id,
        href=product_address(product.id),
        title=title.text or product.id,
        title_predicted=title.is_predicted,
        picture=picture_of(stored.photos[0]) if stored.photos else None,
        kind=_kind(attributes),
        color=first_of(attributes, COLOR),
        price=price_text(product.attributes),
        full_price=full_price_text(product.attributes),
    )


def hit_card(hit: Hit, search: Search, *, shows_likeness: bool = True) -> Card:
    """The card of a result of a search, with likeness and reasons where they mean something."""
    likeness = hit.likeness if shows_likeness else None
    return Card(
        id=hit.product_id,
        href=product_address(hit.product_id),
        title=hit.title or hit.product_id,
        title_predicted=hit.title_predicted,
        picture=picture_of(hit.photo),
        kind=_kind({**sure_of(hit.predicted), **hit.attributes}),
        price=price_text(hit.attributes),
        full_price=full_price_text(hit.attributes),
        likeness="" if likeness is None else str(likeness).capitalize(),
        is_close=likeness is not Likeness.A_LITTLE,
        reasons=hit.reasons if shows_likeness else (),
        more_href=search.liking(hit.product_id).address,
        less_href=search.disliking(hit.product_id).address,
        variants=len(hit.variants),
    )


def worn_card(worn: WornProduct) -> Card:
    """The card of a product in an outfit."""
    return Card(
        id=worn.product_id,
        href=product_address(worn.product_id),
        title=worn.title or worn.product_id,
        title_predicted=worn.title_predicted,
        picture=picture_of(worn.photo),
        kind=_kind({**sure_of(worn.predicted), **worn.attributes}),
        price=price_text(worn.attributes),
        full_price=full_price_text(worn.attributes),
        note=" · ".join(worn.reasons),
    )


def refinement(
    shop: Shop,
    page: Browse | Search,
    *,
    words: str = "",
    found: Mapping[str, Counter[str]] | None = None,
    counted: int = 0,
) -> Refinement:
    """The filters of a page.

    Args:
        shop: The workspace.
        page: The page with the filters that are set.
        words: Words that its products have to have.
        found: How many results have each value; by default the products that pass the filters are counted.
        counted: Number of results that ``found`` counts, where there are more; else 0.
    """
    filters = page.filters
    values = dict(shop.facets(where=filters.where(), words=words))
    for attribute in {attribute for attribute, _ in filters.pairs if attribute in values}:
        others = filters.without(attribute).where()  # counts what could be checked beside the values that are
        values |= shop.facets([attribute], where=others, words=words)
    if found is not None:
        values = {name: _recounted(listed, found.get(name, Counter())) for name, listed in values.items()}
    names = sorted((name for name in values if name != PRICE), key=sort_key)
    seen = set(shop.catalog.predicted_names()) - set(shop.catalog.store.attribute_names())
    facets = [
        _facet(name, values[name], filters, opens=rank < _OPEN_FACETS, is_predicted=name in seen)
        for rank, name in enumerate(names)
    ]
    price = filters.range_of(PRICE)
    low, high = ("" if bound is None else f"{bound:g}" for bound in (price.low, price.high)) if price else ("", "")
    return Refinement(
        facets=tuple(
            facet
            for facet in facets
            if len(facet.choices) + len(facet.others) > 1 or filters.values_of(facet.attribute)
        ),
        chips=_chips(page),
        clear_href=page.filtered(type(filters)()).address,
        has_price=PRICE in shop.attribute_names() and len(shop.catalog.currencies(filters.where())) <= 1,
        min_price=low,
        max_price=high,
        hidden=_hidden_fields(filters, values),
        counted=counted,
    )


def _recounted(values: Sequence[FacetValue], counts: Counter[str]) -> list[FacetValue]:
    """Values with other counts, the most frequent first."""
    return sorted(
        (FacetValue(value=value.value, count=counts[value.value]) for value in values),
        key=lambda value: -value.count,
    )


def _kind(attributes: Attributes) -> str:
    parts = [first_of(attributes, KIND), first_of(attributes, COLOR)]
    return " · ".join(part for part in parts if part)


def _chips(page: Browse | Search) -> tuple[Chip, ...]:
    return tuple(
        Chip(
            label=label(attribute),
            value=_value_text(value),
            href=page.filtered(page.filters.toggled(attribute, value)).address,
            active=True,
        )
        for attribute, value in page.filters.pairs
    )


def _facet(
    attribute: str, values: Sequence[FacetValue], filters: Filters, *, opens: bool, is_predicted: bool = False
) -> Facet:
    checked = filters.values_of(attribute)
    counts = {value.value: value.count for value in values}

    def choice(value: str) -> Choice:
        text = pair_text(attribute, value)
        return Choice(value=value, filter=text, count=counts.get(value, 0), checked=value in checked)

    missing = [choice(value) for value in checked if value not in counts]
    choices = [choice(value) for value in counts if value]
    first = min(_FIRST_VALUES, sum(1 for choice in choices if choice.count))  # those with a count come first
    return Facet(
        attribute=attribute,
        label=label(attribute),
        choices=(
            *missing,
            *choices[:first],
            *(choice for choice in choices[first:] if choice.checked),
        ),
        others=tuple(choice for choice in choices[first:MAX_FACET_VALUES] if not choice.checked),
        further=sum(1 for choice in choices[MAX_FACET_VALUES:] if not choice.checked),
        is_open=opens or bool(checked),
        is_predicted=is_predicted,
    )


def _hidden_fields(filters: Filters, counted: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple(
        ("where", pair_text(attribute, value))
        for attribute, value in filters.pairs
        if not (isinstance(value, str) and attribute in counted)
        and not (attribute == PRICE and isinstance(value, Between))
    )


def _value_text(value: str | Between | Not) -> str:
    """What a chip says of a filter."""
    if isinstance(value, str):
        return value
    if isinstance(value, Not):
        inner = value.condition
        return f"not {_value_text(inner) if isinstance(inner, Between) else ', '.join(inner.values)}"
    if value.low is not None and value.high is not None:
        return f"{value.low:g} to {value.high:g}"
    return f"up to {value.high:g}" if value.low is None else f"from {value.low:g}"
