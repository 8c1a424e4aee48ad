"""The page of a product: what it is, what is like it, what completes the look."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from PIL import Image

from sartor.errors import QueryError, UnknownValue
from sartor.imaging.color import named_color
from sartor.recommend.base import GROUP
from sartor.recommend.features import FeatureWeights
from sartor.recommend.query import Part
from sartor.recommend.similar import Recommendation
from sartor.recommend.weights import COLOR_ONLY_DIALS, COLORED_DIALS, DEFAULT_DIALS
from sartor.store.base import Sort
from sartor.storefront.addresses import PAGE, PRICE, Search
from sartor.storefront.views import (
    KIND,
    Card,
    Chip,
    Picture,
    Refinement,
    amount_text,
    currency_of,
    first_of,
    full_price_text,
    hit_card,
    label,
    picture_of,
    price_text,
    refinement,
    spoken,
    stored_card,
    worn_card,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sartor.recommend.explain import QueryAttributes
    from sartor.shop import Shop
    from sartor.storefront.addresses import Browse
    from sartor.types import Attributes, StoredProduct


CATALOG_PAGE = 24
_SORTS = {
    Sort.RELEVANCE: "Featured",
    Sort.NEWEST: "Newest",
    Sort.TITLE: "Title",
    Sort.PRICE_UP: "Price, low to high",
    Sort.PRICE_DOWN: "Price, high to low",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView:
    """What the home page shows.

    Attributes:
        browse: What is asked for.
        cards: Products.
        total: How many there are in all.
        next_href: Where the next ones are; empty at the end.
        refinement: Filters; None in an empty catalog.
        sorts: Orders that make sense here, by value.
        size: How many products the catalog has.
    """

    browse: Browse
    cards: tuple[Card, ...]
    total: int
    next_href: str
    refinement: Refinement | None
    sorts: tuple[tuple[str, str], ...]
    size: int


def home_view(shop: Shop, browse: Browse) -> HomeView:
    """Look up what the home page shows.

    Raises:
        QueryError: It is asked for what the catalog does not have.
    """
    size = shop.counts().products
    if not size:
        return HomeView(browse=browse, cards=(), total=0, next_href="", refinement=None, sorts=(), size=0)
    where = browse.filters.where()
    page = shop.listing(where=where, words=browse.words, sort=browse.sort, limit=CATALOG_PAGE, after=browse.after)
    filters = refinement(shop, browse, words=browse.words)
    return HomeView(
        browse=browse,
        cards=tuple(stored_card(stored) for stored in page.products),
        total=page.total,
        next_href=replace(browse, after=page.next).address if page.next else "",
        refinement=filters,
        sorts=tuple(
            (sort.value, name) for sort, name in _SORTS.items() if filters.has_price or PRICE not in sort.value
        ),
        size=size,
    )


_SEEN = ("gender", "product_type", "articleType", "color", "baseColour", "pattern")
# Colors as cloth has them; those of CSS by these names are those of a screen.
_SWATCHES = {
    "black": "#1c1d20", "gray": "#83868c", "white": "#ffffff", "beige": "#e0d0b2", "tan": "#c39a6b",
    "brown": "#6b4830", "maroon": "#6d1f2d", "red": "#c3262f", "orange": "#e2742b", "gold": "#cd9a2d",
    "yellow": "#f1d24a", "olive": "#6a6a36", "green": "#2f7a4e", "teal": "#1f7d7f", "skyblue": "#92c2e2",
    "blue": "#2a56bb", "navy": "#1f2a52", "purple": "#6b4094", "pink": "#eaa5bd",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedPhoto:
    """A photo of the query, with its size as it is kept."""

    name: str
    src: str
    width_px: int
    height_px: int
    remove_href: str
    lead_href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Swatch:
    """A color that can be chosen, by its name and as ``#rrggbb``."""

    name: str
    code: str
    checked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaning:
    """A product that the results lean toward or away from."""

    card: Card
    undo_href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsView:
    """What the page of results shows.

    Attributes:
        search: What is asked for, without photos that are gone.
        photos: Uploaded photos, the first of which can be cropped.
        whole_href: The results for the whole of it.
        products: Products that stand beside them.
        seen: What was seen in the first of them, as filters.
        palette: Its colors, each with the results in that color.
        liked: Products to come near to.
        disliked: Products to keep away from.
        dials: How much each trait counts here.
        swatches: Colors to choose from.
        custom: The color that is asked for, where it is none of these.
        refinement: Filters.
        cards: What was found.
        is_judged: Whether there is anything but a color, so that matches and dials say something.
        good: Whether any of it is more than a weak match.
        more_href: A longer page; empty at the end.
        expired: How many photos are gone.
        skipped: How many could not be read when they were uploaded.
        nothing: Why nothing was found; empty where something was.
    """

    search: Search
    photos: tuple[UploadedPhoto, ...]
    whole_href: str
    products: tuple[Leaning, ...]
    seen: tuple[Chip, ...]
    palette: tuple[tuple[str, str, str], ...]
    liked: tuple[Leaning, ...]
    disliked: tuple[Leaning, ...]
    dials: FeatureWeights
    swatches: tuple[Swatch, ...]
    custom: str
    refinement: Refinement
    cards: tuple[Card, ...]
    is_judged: bool
    good: bool
    more_href: str
    expired: int
    skipped: int
    nothing: str


def results_view(shop: Shop, search: Search, kept: Mapping[str, bytes], *, skipped: int) -> ResultsView:
    """Find what the page of results shows.

    Args:
        shop: The workspace.
        search: What is asked for.
        kept: Its photos, as far as they are still there.
        skipped: How many photos could not be read when they were uploaded.

    Raises:
        QueryError: It is asked for what the catalog does not have.
    """
    expired = len(search.photos) - len(kept)
    if expired:
        search = replace(
            search,
            photos=tuple(name for name in search.photos if name in kept),
            box=search.box if search.photos[0] in kept else None,
        )
    found, nothing = _find(shop, search, kept)
    is_judged = bool(search.photos or search.products or search.like)  # a color alone has no kind to match
    asked = _code(search.color) if search.color else ""
    more = search.more() if len(found) == search.k else None
    return ResultsView(
        search=search,
        photos=tuple(_uploaded(search, name, kept[name]) for name in search.photos),
        whole_href=replace(search, box=None).address,
        products=tuple(_leaning(shop, each, _without_product(search, each)) for each in search.products),
        seen=_seen(shop, search, found.seen),
        palette=tuple(
            (name, _code(name), replace(search, color=_code(name)).address) for name in found.seen.colors
        ),
        liked=tuple(_leaning(shop, each, search.liking(each)) for each in search.like),
        disliked=tuple(_leaning(shop, each, search.disliking(each)) for each in search.dislike),
        dials=_dials(search),
        swatches=tuple(Swatch(name=name, code=code, checked=code == asked) for name, code in _SWATCHES.items()),
        custom="" if asked in _SWATCHES.values() else asked,
        refinement=refinement(shop, search),
        cards=tuple(hit_card(hit, search, is_judged=is_judged) for hit in found),
        is_judged=is_judged,
        good=found.good or not is_judged,
        more_href=more.address if more else "",
        expired=expired,
        skipped=skipped,
        nothing=nothing,
    )


def _find(shop: Shop, search: Search, kept: Mapping[str, bytes]) -> tuple[Recommendation, str]:
    boxes = dict.fromkeys(search.photos[:1], search.box)
    try:
        found = shop.similar(
            *(Part(photo=kept[name], box=boxes.get(name)) for name in search.photos),
            products=search.products,
            like=search.like,
            dislike=search.dislike,
            color=search.color,
            dials=None if search.style is None and search.color_weight is None else _dials(search),
            where=search.filters.where(),
            k=search.k,
        )
    except UnknownValue as error:
        return Recommendation(hits=()), f"{error}."
    return found, "" if found else "No product has all that is asked for."


def _dials(search: Search) -> FeatureWeights:
    default = DEFAULT_DIALS
    if search.color:
        default = COLORED_DIALS if search.photos or search.products or search.like else COLOR_ONLY_DIALS
    return FeatureWeights(
        style=default.style if search.style is None else search.style,
        color=default.color if search.color_weight is None else search.color_weight,
        category=default.category or DEFAULT_DIALS.category,
    )


def _seen(shop: Shop, search: Search, seen: QueryAttributes) -> tuple[Chip, ...]:
    values, known = seen.values(), shop.attribute_names()
    chips: dict[str, Chip] = {}
    for name in _SEEN:
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


def _leaning(shop: Shop, product_id: str, undone: Search) -> Leaning:
    return Leaning(card=stored_card(shop.product(product_id)), undo_href=undone.address if undone else "/")


def _without_product(search: Search, product_id: str) -> Search:
    return replace(search, products=tuple(each for each in search.products if each != product_id))


def _code(color: str) -> str:
    return _SWATCHES.get(color) or "#{:02x}{:02x}{:02x}".format(*named_color(color))


_VARIANTS = 12
_ALTERNATIVES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceView:
    """A piece of a look, and what could take its place."""

    slot: str
    card: Card
    alternatives: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookView:
    """What completes the look for a product."""

    pieces: tuple[PieceView, ...]
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """What the page of a product shows.

    Attributes:
        id: The product.
        title: Its title, or what stands for it.
        kind: What it is.
        brand: Who makes it.
        pictures: Its photos.
        description: What its shop says of it.
        attributes: Label and value.
        price: What it costs.
        full_price: What it cost before the sale.
        link: Where it is sold; empty where that is unknown.
        variants: The same in other colors or sizes.
        similar: Products like it.
        similar_href: All of them.
        look: What completes the look; None where it has no place in one.
    """

    id: str
    title: str
    kind: str
    brand: str
    pictures: tuple[Picture, ...]
    description: str
    attributes: tuple[tuple[str, str], ...]
    price: str
    full_price: str
    link: str
    variants: tuple[Card, ...]
    similar: tuple[Card, ...]
    similar_href: str
    look: LookView | None


def product_view(shop: Shop, product_id: str) -> ProductView:
    """Look up what the page of a product shows.

    Raises:
        ProductNotFound: There is none with this id.
    """
    stored = shop.product(product_id)
    product, attributes = stored.product, stored.product.attributes
    return ProductView(
        id=product.id,
        title=product.title or product.id,
        kind=first_of(attributes, KIND),
        brand=first_of(attributes, ("brand",)),
        pictures=tuple(picture for photo in stored.photos if (picture := picture_of(photo))),
        description=first_of({"description": attributes.get("description", "")}, ("description",)),
        attributes=tuple(spoken(attributes)),
        price=price_text(attributes),
        full_price=full_price_text(attributes),
        link=_link(attributes),
        variants=_variants(shop, stored),
        similar=_similar(shop, stored),
        similar_href=Search(products=(product.id,)).address,
        look=_look(shop, stored),
    )


def _similar(shop: Shop, stored: StoredProduct) -> tuple[Card, ...]:
    product_id = stored.product.id
    if not stored.photos:
        return ()
    try:
        found = shop.similar(product=product_id, k=PAGE)
    except QueryError:  # a photo that could not be embedded
        return ()
    return tuple(hit_card(hit, Search(products=(product_id,))) for hit in found)


def _look(shop: Shop, stored: StoredProduct) -> LookView | None:
    try:
        look = shop.outfit(stored.product.id, alternatives=_ALTERNATIVES)
    except QueryError:  # it is nothing that is worn
        return None
    if not look.pieces:
        return None
    pieces = tuple(
        PieceView(
            slot=str(piece.slot).capitalize(),
            card=worn_card(piece),
            alternatives=tuple(worn_card(each) for each in look.alternatives.get(piece.slot, ())),
        )
        for piece in look.pieces
    )
    currency = currency_of(look.pieces[0].attributes)
    return LookView(pieces=pieces, price="" if look.price is None else amount_text(look.price, currency))


def _variants(shop: Shop, stored: StoredProduct) -> tuple[Card, ...]:
    group = str(stored.product.attributes.get(GROUP, ""))
    if not group:
        return ()
    page = shop.listing(where={GROUP: group}, sort=Sort.TITLE, limit=_VARIANTS)
    others = [each for each in page.products if each.product.id != stored.product.id]
    return tuple(stored_card(each) for each in others)


def _link(attributes: Attributes) -> str:
    """The product's page in its shop; anything but an address of the web is left out."""
    text = str(attributes.get("link", ""))
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.netloc else ""
