"""The views of the home page, of results and of a product: what each looks up in the shop."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from PIL import Image

from sartor.described import sure_of, title_of
from sartor.errors import QueryError, UnknownValue
from sartor.imaging.color import named_color
from sartor.limits import CATALOG_PAGE, COUNTED_RESULTS, MAX_VARIANTS, MIN_SAID_PROBABILITY, RESULTS_PAGE
from sartor.recommend.base import GROUP
from sartor.recommend.query import Part
from sartor.recommend.similar import Recommendation
from sartor.recommend.weights import feature_weights
from sartor.storefront.addresses import PRICE, Browse, Filters, Search, product_address
from sartor.storefront.views import (
    COLOR,
    KIND,
    SIZE,
    Card,
    Chip,
    Picture,
    Refinement,
    amount_text,
    attribute_texts,
    currency_of,
    first_of,
    full_price_text,
    hit_card,
    label,
    picture_of,
    price_text,
    refinement,
    sizes_of,
    stored_card,
    value_counts,
    worn_card,
)
from sartor.types import Sort, Verdict
from sartor.values import numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sartor.recommend.boxes import Box
    from sartor.recommend.explain import QueryAttributes
    from sartor.recommend.features import FeatureWeights
    from sartor.shop import Shop
    from sartor.storefront.uploads import KeptPhoto
    from sartor.types import Attributes, Hit, StoredProduct

_ALTERNATIVES = 3
_LETTER_SIZES = ("XXXS", "XXS", "XS", "S", "M", "L", "XL", "XXL", "2XL", "XXXL", "3XL", "4XL", "5XL")
_WHOLE_SHARE = 0.9  # of both sides that a box has which is as good as the whole photo
_SORTS = {
    Sort.RELEVANCE: "Featured",
    Sort.NEWEST: "Newest",
    Sort.TITLE: "Title",
    Sort.PRICE_UP: "Price, low to high",
    Sort.PRICE_DOWN: "Price, high to low",
}
_SEEN_ATTRIBUTES = ("gender", "product_type", "articleType", "color", "baseColour", "pattern")
# Colors as cloth has them; those of CSS by these names are those of a screen.
_SWATCHES = {
    "black": "#1c1d20", "gray": "#83868c", "white": "#ffffff", "beige": "#e0d0b2", "tan": "#c39a6b",
    "brown": "#6b4830", "maroon": "#6d1f2d", "red": "#c3262f", "orange": "#e2742b", "gold": "#cd9a2d",
    "yellow": "#f1d24a", "olive": "#6a6a36", "green": "#2f7a4e", "teal": "#1f7d7f", "skyblue": "#92c2e2",
    "blue": "#2a56bb", "navy": "#1f2a52", "purple": "#6b4094", "pink": "#eaa5bd",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView:
    """What the home page shows.

    Attributes:
        total: Number of products that pass the filters.
        next_href: The next page; empty at the end.
        is_close: Whether no product has all the words, so that these have words that are nearly the same.
        refinement: Filters; None in an empty catalog.
        sorts: Values and names of the orders to choose from.
        size: Number of products of the catalog.
    """

    browse: Browse
    cards: tuple[Card, ...] = ()
    total: int = 0
    next_href: str = ""
    is_close: bool = False
    refinement: Refinement | None = None
    sorts: tuple[tuple[str, str], ...] = ()
    size: int = 0


def home_view(shop: Shop, browse: Browse) -> HomeView:
    """Look up what the home page shows.

    Raises:
        QueryError: A filter names an unknown attribute, or the cursor is not valid.
    """
    size = shop.counts().products
    if not size:
        return HomeView(browse=browse)
    where = browse.filters.where()
    page = shop.listing(where=where, words=browse.words, sort=browse.sort, limit=CATALOG_PAGE, after=browse.after)
    filters = refinement(shop, browse, words=browse.words)
    return HomeView(
        browse=browse,
        cards=tuple(stored_card(stored) for stored in page.products),
        total=page.total,
        next_href=replace(browse, after=page.next).address if page.next else "",
        is_close=page.is_close,
        refinement=filters,
        sorts=tuple(
            (sort.value, name) for sort, name in _SORTS.items() if filters.has_price or PRICE not in sort.value
        ),
        size=size,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedPhoto:
    """A photo of the query, in the size that is kept."""

    name: str
    src: str
    width_px: int
    height_px: int
    remove_href: str
    lead_href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Swatch:
    """A color to choose, by its name and as ``#rrggbb``."""

    name: str
    code: str
    checked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryProduct:
    """A product that is part of the query, liked or disliked, and the results without it."""

    card: Card
    undo_href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A garment on the first photo, and the results for it alone.

    Attributes:
        name: What it is, or only the part of a look where that is not sure; empty if the model does not say.
        box: Left, top, width and height, as the address has them.
        active: Whether the search is for it.
    """

    name: str
    box: str
    href: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsView:
    """What the page of results shows.

    Attributes:
        search: The search, without photos that are no longer kept.
        photos: Uploaded photos; the first can be cropped.
        suggestions: Garments on the first photo, the one that it shows most of first.
        whole_href: The results for the first photo as a whole.
        seen: What the model sees in the query, as filters.
        palette: Name, code and results of each color of the query.
        dials: Weights of style, color and category.
        custom: The color of the search if it is no swatch.
        close: Number of results up to the last that is more than a little alike.
        shows_likeness: Whether the query has more than a color, so that likeness and weights mean something.
        verdict: Whether the results are what was asked for.
        more_href: A longer page; empty at the end.
        expired: Number of photos that are no longer kept.
        skipped: Number of photos that could not be decoded when they were uploaded.
        nothing: Why there are no results; empty if there are.
    """

    search: Search
    photos: tuple[UploadedPhoto, ...]
    suggestions: tuple[Suggestion, ...]
    whole_href: str
    products: tuple[QueryProduct, ...]
    seen: tuple[Chip, ...]
    palette: tuple[tuple[str, str, str], ...]
    liked: tuple[QueryProduct, ...]
    disliked: tuple[QueryProduct, ...]
    dials: FeatureWeights
    swatches: tuple[Swatch, ...]
    custom: str
    refinement: Refinement
    cards: tuple[Card, ...]
    close: int
    shows_likeness: bool
    verdict: Verdict
    more_href: str
    expired: int
    skipped: int
    nothing: str


def results_view(shop: Shop, search: Search, kept: Mapping[str, KeptPhoto], *, skipped: int) -> ResultsView:
    """Find what the page of results shows.

    Args:
        shop: The workspace.
        search: The search.
        kept: Its photos by name; those that are no longer kept are missing.
        skipped: Number of photos that could not be decoded when they were uploaded.

    Raises:
        QueryError: The search names an unknown product, attribute or color.
    """
    expired = len(search.photos) - len(kept)
    if expired:
        search = replace(
            search,
            photos=tuple(name for name in search.photos if name in kept),
            box=search.box if search.photos[0] in kept else None,
        )
    results, nothing = _find(shop, search, kept)
    shows_likeness = bool(search.photos or search.products or search.like)
    verdict = results.verdict if shows_likeness else Verdict.FOUND
    cards = tuple(hit_card(hit, search, shows_likeness=shows_likeness) for hit in results)
    color = _code(search.color) if search.color else ""
    more = search.more() if len(results) == search.k else None
    return ResultsView(
        search=search,
        photos=tuple(_uploaded(search, name, kept[name].shown) for name in search.photos),
        suggestions=_suggestions(shop, search, kept),
        whole_href=replace(search, box=None).address,
        products=tuple(_query_product(shop, id_, _without_product(search, id_)) for id_ in search.products),
        seen=_seen(shop, search, results.seen),
        palette=tuple(
            (name, _code(name), replace(search, color=_code(name)).address) for name in results.seen.colors
        ),
        liked=tuple(_query_product(shop, id_, search.liking(id_)) for id_ in search.like),
        disliked=tuple(_query_product(shop, id_, search.disliking(id_)) for id_ in search.dislike),
        dials=_weights(search),
        swatches=tuple(Swatch(name=name, code=code, checked=code == color) for name, code in _SWATCHES.items()),
        custom="" if color in _SWATCHES.values() else color,
        refinement=_refinement(shop, search, kept, results),
        cards=cards,
        close=max((rank for rank, card in enumerate(cards, 1) if card.is_close), default=0),
        shows_likeness=shows_likeness,
        verdict=verdict,
        more_href=more.address if more else "",
        expired=expired,
        skipped=skipped,
        nothing=nothing,
    )


def _find(shop: Shop, search: Search, kept: Mapping[str, KeptPhoto]) -> tuple[Recommendation, str]:
    """The results, and why there are none."""
    try:
        results = _asked(shop, search, kept)
    except UnknownValue as error:
        return Recommendation(hits=()), f"{error}."
    return results, "" if results else "No product has all that is asked for."


def _asked(shop: Shop, search: Search, kept: Mapping[str, KeptPhoto]) -> Recommendation:
    boxes = dict.fromkeys(search.photos[:1], search.box)
    return shop.similar(
        *(Part(photo=kept[name].asked, box=boxes.get(name)) for name in search.photos),
        products=search.products,
        like=search.like,
        dislike=search.dislike,
        color=search.color,
        weights=_given_weights(search),
        where=search.filters.where(),
        k=search.k,
    )


def _refinement(shop: Shop, search: Search, kept: Mapping[str, KeptPhoto], results: Recommendation) -> Refinement:
    """The filters of a search. Their counts are of its closest products, of which the page may show the first."""
    counted = max(search.k, COUNTED_RESULTS)

    def closest(filters: Filters) -> tuple[Hit, ...]:
        return _find(shop, replace(search, filters=filters, k=counted), kept)[0].hits

    hits = closest(search.filters) if len(results) == search.k < counted else results.hits
    found = value_counts(hits)
    for attribute in {attribute for attribute, _ in search.filters.pairs}:  # what could be set beside what is
        found[attribute] = value_counts(closest(search.filters.without(attribute))).get(attribute, Counter())
    return refinement(shop, search, found=found, counted=len(hits) if len(hits) == counted else 0)


def _suggestions(shop: Shop, search: Search, kept: Mapping[str, KeptPhoto]) -> tuple[Suggestion, ...]:
    """The garments on the first photo; empty if the first of them is all of the photo."""
    if not search.photos:
        return ()
    garments = shop.boxes(kept[search.photos[0]].asked)
    if len(garments) == 1 and min(garments[0].box[2:]) >= _WHOLE_SHARE:
        return ()
    return tuple(
        Suggestion(
            name=garment.name
            if garment.probability >= MIN_SAID_PROBABILITY
            else (garment.slot or "").capitalize(),
            box=_box_text(box),
            href=replace(search, box=box).address,
            active=search.box is not None and _box_text(box) == _box_text(search.box),
        )
        for garment in garments
        for box in (_rounded(garment.box),)
    )


def _box_text(box: Box) -> str:
    return ",".join(f"{share:g}" for share in box)


def _rounded(box: Box) -> Box:
    left, top = round(box[0], 3), round(box[1], 3)
    return left, top, min(round(box[2], 3), 1 - left), min(round(box[3], 3), 1 - top)


def _given_weights(search: Search) -> dict[str, float]:
    """The dials that somebody has moved."""
    given = {"style": search.style, "color": search.color_weight}
    return {name: value for name, value in given.items() if value is not None}


def _weights(search: Search) -> FeatureWeights:
    return feature_weights(
        _given_weights(search),
        has_color=bool(search.color),
        has_parts=bool(search.photos or search.products or search.like),
    )


def _seen(shop: Shop, search: Search, seen: QueryAttributes) -> tuple[Chip, ...]:
    values, known = seen.values(), shop.attribute_names()
    chips: dict[str, Chip] = {}
    for name in _SEEN_ATTRIBUTES:
        value = str(values.get(name, ""))
        if value and name in known and label(name) not in chips:
            chips[label(name)] = Chip(
                label=label(name),
                value=value.rpartition(">")[2].strip(),
                href=search.filtered(search.filters.toggled(name, value)).address,
                active=search.filters.has(name, value),
            )
    return tuple(chips.values())


def _uploaded(search: Search, name: str, data: bytes) -> UploadedPhoto:
    with Image.open(io.BytesIO(data)) as image:
        width_px, height_px = image.size
    return UploadedPhoto(
        name=name,
        src=f"/uploads/{name}",
        width_px=width_px,
        height_px=height_px,
        remove_href=search.without_photo(name).address,
        lead_href=search.leading_with(name).address,
    )


def _query_product(shop: Shop, product_id: str, without: Search) -> QueryProduct:
    card = stored_card(shop.product(product_id))
    return QueryProduct(card=card, undo_href=without.address if without else "/")


def _without_product(search: Search, product_id: str) -> Search:
    return replace(search, products=tuple(other for other in search.products if other != product_id))


def _code(color: str) -> str:
    return _SWATCHES.get(color) or "#{:02x}{:02x}{:02x}".format(*named_color(color))


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceView:
    """A piece of an outfit, and what could take its place."""

    slot: str
    card: Card
    alternatives: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookView:
    """The pieces that complete an outfit with a product, and what they cost together."""

    pieces: tuple[PieceView, ...]
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeView:
    """A size that a product comes in; the page of the variant that has it, empty for the product itself."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """What the page of a product shows.

    Attributes:
        attributes: Labels and texts.
        predicted: The same of what the catalog does not tell, and is seen in its photo.
        full_price: Price before a sale.
        link: Its page in its shop; empty if unknown.
        sizes: The sizes that it comes in, its own and those of its variants in the same color.
        variants: The same thing in other colors or sizes.
        further_variants: How many more there are.
        variants_href: Where all of them are listed.
        similar_href: All products like it.
        look: None if the product is nothing to wear, or nothing completes it.
    """

    id: str
    title: str
    kind: str
    brand: str
    pictures: tuple[Picture, ...]
    description: str
    attributes: tuple[tuple[str, str], ...]
    predicted: tuple[tuple[str, str], ...]
    price: str
    full_price: str
    link: str
    sizes: tuple[SizeView, ...]
    variants: tuple[Card, ...]
    further_variants: int
    variants_href: str
    similar: tuple[Card, ...]
    similar_href: str
    look: LookView | None


def product_view(shop: Shop, product_id: str) -> ProductView:
    """Look up what the page of a product shows.

    Raises:
        ProductNotFound: There is no such product.
    """
    stored = shop.product(product_id)
    product, attributes = stored.product, stored.product.attributes
    group = str(attributes.get(GROUP, ""))
    siblings, further = _siblings(shop, stored, group)
    variants = [other for other in siblings if not _differs_in_size(attributes, other)]
    title, sure = title_of(product, stored.predicted), sure_of(stored.predicted)
    return ProductView(
        id=product.id,
        title=title.text or product.id,
        kind=first_of({**sure, **attributes}, KIND),
        brand=first_of(attributes, ("brand",)),
        pictures=tuple(picture for photo in stored.photos if (picture := picture_of(photo))),
        description=first_of(attributes, ("description",)),
        attributes=tuple(attribute_texts({name: value for name, value in attributes.items() if name not in SIZE})),
        predicted=tuple(attribute_texts({name: value for name, value in sure.items() if name not in attributes})),
        price=price_text(attributes),
        full_price=full_price_text(attributes),
        link=_link(attributes),
        sizes=_sizes(attributes, siblings),
        variants=tuple(map(stored_card, variants)),
        further_variants=further,
        variants_href=Browse(filters=Filters(((GROUP, group),))).address,
        similar=_similar(shop, stored),
        similar_href=Search(products=(product.id,)).address,
        look=_look(shop, stored),
    )


def _similar(shop: Shop, stored: StoredProduct) -> tuple[Card, ...]:
    product_id = stored.product.id
    if not stored.photos:
        return ()
    try:
        hits = shop.similar(product=product_id, k=RESULTS_PAGE)
    except QueryError:  # its photo could not be embedded
        return ()
    cards = (hit_card(hit, Search(products=(product_id,))) for hit in hits)
    return tuple(replace(card, less_href="") for card in cards)  # "not for me", as beside other products


def _look(shop: Shop, stored: StoredProduct) -> LookView | None:
    try:
        look = shop.outfit(stored.product.id, alternatives=_ALTERNATIVES)
    except QueryError:  # it is nothing to wear
        return None
    if not look.pieces:
        return None
    pieces = tuple(
        PieceView(
            slot=str(piece.slot).capitalize(),
            card=worn_card(piece),
            alternatives=tuple(worn_card(other) for other in look.alternatives.get(piece.slot, ())),
        )
        for piece in look.pieces
    )
    currency = currency_of(look.pieces[0].attributes)
    return LookView(pieces=pieces, price="" if look.price is None else amount_text(look.price, currency))


def _siblings(shop: Shop, stored: StoredProduct, group: str) -> tuple[list[StoredProduct], int]:
    """The first variants of a product, and how many more there are."""
    if not group:
        return [], 0
    page = shop.listing(where={GROUP: group}, sort=Sort.TITLE, limit=MAX_VARIANTS + 1)
    others = [other for other in page.products if other.product.id != stored.product.id][:MAX_VARIANTS]
    return others, page.total - 1 - len(others)


def _differs_in_size(attributes: Attributes, other: StoredProduct) -> bool:
    """Whether a variant is the same thing in another size, so that the sizes lead to it."""
    theirs = other.product.attributes
    same_color = first_of(attributes, COLOR) == first_of(theirs, COLOR)
    return same_color and bool(sizes_of(theirs)) and sizes_of(theirs) != sizes_of(attributes)


def _sizes(attributes: Attributes, siblings: Iterable[StoredProduct]) -> tuple[SizeView, ...]:
    sizes = {size: SizeView(text=size) for size in sizes_of(attributes)}
    for other in siblings:
        if _differs_in_size(attributes, other):
            href = product_address(other.product.id)
            sizes |= {
                size: SizeView(text=size, href=href)
                for size in sizes_of(other.product.attributes)
                if size not in sizes
            }
    return tuple(sorted(sizes.values(), key=lambda size: _size_key(size.text)))


def _size_key(text: str) -> tuple[int, float]:
    """Sorts sizes as a shop does: letters from the smallest on, numbers by their value, others as they come."""
    if (letters := text.upper()) in _LETTER_SIZES:
        return 0, _LETTER_SIZES.index(letters)
    number = next(iter(numbers_of(text)), None)
    return (1, number) if number is not None else (2, 0)


def _link(attributes: Attributes) -> str:
    """The product's page in its shop; empty if it is no address of the web."""
    text = str(attributes.get("link", ""))
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.netloc else ""
