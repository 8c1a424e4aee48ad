"""The addresses of pages. An address holds all that a shopper has set, and is always written in the same way."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import quote, urlencode

from sartor.errors import BadFilter
from sartor.limits import (
    MAX_FILTER_CHARS,
    MAX_FILTERS,
    MAX_RESULTS,
    MAX_SEARCH_PHOTOS,
    MAX_SEARCH_PRODUCTS,
    MAX_TEXT_CHARS,
    RESULTS_PAGE,
)
from sartor.recommend.filters import filter_text, parse_where
from sartor.service.problems import BadRequest
from sartor.types import AnyOf, Between, Not, Sort, Where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from starlette.datastructures import QueryParams

    from sartor.recommend.boxes import Box
    from sartor.types import Condition

T = TypeVar("T")

PRICE = "price"
_BOX_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters on attributes.

    Attributes:
        pairs: Attribute and value, each once; in place of a value a range, or what must not hold.
        unclear: What the address has without quotes and could be one value as well, as ``Where`` keeps it.
    """

    pairs: tuple[tuple[str, str | Between | Not], ...] = ()
    unclear: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    def __bool__(self) -> bool:
        return bool(self.pairs)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Filters:
        """Parse texts as ``recommend.filters`` has them; empty ones are left out.

        Raises:
            BadFilter: There are too many filters, or one is too long or cannot be understood.
        """
        given = [text for text in texts if text]
        for text in given:
            if len(text) > MAX_FILTER_CHARS:
                raise BadFilter(text[:100], reason=f"it has more than {MAX_FILTER_CHARS} characters")
        where = parse_where(given)
        pairs = dict.fromkeys(pair for condition in where.conditions for pair in _pairs(condition))
        if len(pairs) > MAX_FILTERS:
            raise BadFilter(next(iter(pairs))[0], reason=f"there are more than {MAX_FILTERS} filters")
        return cls(tuple(pairs), where.unclear)

    @property
    def texts(self) -> list[str]:
        """The filters as an address has them."""
        return [pair_text(*pair) for pair in self.pairs]

    def has(self, attribute: str, value: str) -> bool:
        """Whether a value is filtered by."""
        return (attribute, value) in self.pairs

    def values_of(self, attribute: str) -> tuple[str, ...]:
        """The values that an attribute is filtered by."""
        return tuple(value for name, value in self.pairs if name == attribute and isinstance(value, str))

    def range_of(self, attribute: str) -> Between | None:
        """The range that an attribute is filtered by, the first one; None if there is none."""
        ranges = (value for name, value in self.pairs if name == attribute and isinstance(value, Between))
        return next(ranges, None)

    def toggled(self, attribute: str, value: str | Between | Not) -> Filters:
        """These filters with a value added, or removed if it is there."""
        return Filters(_toggled(self.pairs, (attribute, value)))

    def without(self, attribute: str) -> Filters:
        """These filters without an attribute."""
        return Filters(tuple(pair for pair in self.pairs if pair[0] != attribute), self.unclear)

    def where(self) -> Where:
        """The condition that products have to meet: for each attribute, any of its values."""
        names = dict.fromkeys(attribute for attribute, value in self.pairs if isinstance(value, str))
        conditions: list[Condition] = [AnyOf(attribute=name, values=self.values_of(name)) for name in names]
        conditions += [value for _, value in self.pairs if not isinstance(value, str)]
        return Where(tuple(conditions), self.unclear)


def pair_text(attribute: str, value: str | Between | Not) -> str:
    """One filter as an address has it."""
    return filter_text(AnyOf(attribute=attribute, values=(value,)) if isinstance(value, str) else value)


def _pairs(condition: Condition) -> Iterator[tuple[str, str | Between | Not]]:
    """A condition as pairs: what any of several values may be, or must not be, has one for each."""
    if isinstance(condition, AnyOf):
        yield from ((condition.attribute, value) for value in condition.values)
    elif isinstance(condition, Not) and isinstance(condition.condition, AnyOf):
        for value in condition.condition.values:
            alone = AnyOf(attribute=condition.attribute, values=(value,))
            yield condition.attribute, Not(condition=alone)
    else:
        yield condition.attribute, condition


def price_range(low: str, high: str) -> Between | None:
    """The price filter of two form fields; None if both are empty.

    Raises:
        BadFilter: A field is no number, or the range ends before it starts.
    """
    bounds = [text.strip().replace(",", ".") for text in (low, high)]
    for bound in bounds:
        if bound and not (bound.isascii() and bound.replace(".", "", 1).isdigit()):
            raise BadFilter(f"{PRICE}={bound[:100]}", reason="a price is a number")
    if not any(bounds):
        return None
    texts = [f"{float(bound):.2f}" if bound else "" for bound in bounds]
    ((_, between),) = Filters.parse([f"{PRICE}={'..'.join(texts)}"]).pairs
    return between if isinstance(between, Between) else None


def product_address(product_id: str) -> str:
    """The address of a product's page."""
    return f"/product/{quote(product_id, safe='/')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Browse:
    """A page of the catalog.

    Attributes:
        words: Words that products have to have.
        after: Cursor to the end of the previous page; None for the first page.
    """

    words: str = ""
    filters: Filters = field(default_factory=Filters)
    sort: Sort = Sort.RELEVANCE
    after: str | None = None

    @classmethod
    def parse(cls, params: QueryParams) -> Self:
        """Parse the query of an address, or of the page's form.

        Raises:
            BadRequest: There is no such order, or the words are too long.
            BadFilter: A filter is not valid.
        """
        sort = params.get("sort") or Sort.RELEVANCE
        if sort not in list(Sort):
            raise BadRequest(f"there is no order {sort[:100]!r}; there are: {', '.join(Sort)}")
        return cls(
            words=_text(" ".join(params.get("q", "").split()), "q"),
            filters=_filters(params),
            sort=Sort(sort),
            after=params.get("after") or None,
        )

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Names and values of the address's query."""
        return [
            *((("q", self.words),) if self.words else ()),
            *(("where", text) for text in self.filters.texts),
            *((("sort", self.sort.value),) if self.sort is not Sort.RELEVANCE else ()),
            *((("after", self.after),) if self.after else ()),
        ]

    @property
    def address(self) -> str:
        """The address of this page."""
        return _with_query("/", self.pairs)

    def filtered(self, filters: Filters) -> Browse:
        """The first page with other filters."""
        return replace(self, filters=filters, after=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A page of results: the query, and how it is answered.

    Attributes:
        photos: Names of uploaded photos.
        products: Ids of products that are part of the query.
        like: Ids of products to come nearer to.
        dislike: Ids of products to move away from.
        box: The region of the first photo to search by; None is the whole photo.
        style: Weight of the style, 0 to 1; None is the default.
        color_weight: Weight of the color, likewise.
        k: Number of results.
    """

    photos: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    like: tuple[str, ...] = ()
    dislike: tuple[str, ...] = ()
    box: Box | None = None
    color: str | None = None
    style: float | None = None
    color_weight: float | None = None
    filters: Filters = field(default_factory=Filters)
    k: int = RESULTS_PAGE

    def __bool__(self) -> bool:
        return bool(self.photos or self.products or self.like or self.color)

    @classmethod
    def parse(cls, params: QueryParams) -> Self:
        """Parse the query of an address, or of the page's form.

        Raises:
            BadRequest: A value is not valid, or there are too many.
            BadFilter: A filter is not valid.
        """
        photos = _texts(params, "photo", limit=MAX_SEARCH_PHOTOS)
        return cls(
            photos=photos,
            products=_texts(params, "product", limit=MAX_SEARCH_PRODUCTS),
            like=_texts(params, "like", limit=MAX_SEARCH_PRODUCTS),
            dislike=_texts(params, "dislike", limit=MAX_SEARCH_PRODUCTS),
            box=_box(params) if photos else None,
            color=_text(params.get("color", "").strip(), "color") or None,
            style=_weight(params, "style"),
            color_weight=_weight(params, "colorweight"),
            filters=_filters(params),
            k=min(MAX_RESULTS, max(1, int(_number(params.get("k") or str(RESULTS_PAGE), "k")))),
        )

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Names and values of the address's query."""
        return [
            *self.hidden_pairs,
            *((("box", ",".join(f"{number:g}" for number in self.box)),) if self.box else ()),
            *((("color", self.color),) if self.color else ()),
            *((("style", f"{self.style:g}"),) if self.style is not None else ()),
            *((("colorweight", f"{self.color_weight:g}"),) if self.color_weight is not None else ()),
            *(("where", text) for text in self.filters.texts),
            *((("k", str(self.k)),) if self.k != RESULTS_PAGE else ()),
        ]

    @property
    def hidden_pairs(self) -> list[tuple[str, str]]:
        """The part of the query that the form has in hidden fields."""
        lists = (
            ("photo", self.photos),
            ("product", self.products),
            ("like", self.like),
            ("dislike", self.dislike),
        )
        return [(name, value) for name, values in lists for value in values]

    @property
    def address(self) -> str:
        """The address of this page."""
        return _with_query("/results", self.pairs)

    def filtered(self, filters: Filters) -> Search:
        """The search with other filters."""
        return replace(self, filters=filters, k=RESULTS_PAGE)

    def liking(self, product_id: str) -> Search:
        """The search nearer to a product, or no longer so if it was."""
        return replace(
            self, like=_toggled(self.like, product_id), dislike=_removed(self.dislike, product_id), k=RESULTS_PAGE
        )

    def disliking(self, product_id: str) -> Search:
        """The search further from a product, or no longer so if it was."""
        return replace(
            self, dislike=_toggled(self.dislike, product_id), like=_removed(self.like, product_id), k=RESULTS_PAGE
        )

    def without_photo(self, name: str) -> Search:
        """The search without a photo."""
        box = self.box if name != self.photos[0] else None
        return replace(self, photos=_removed(self.photos, name), box=box, k=RESULTS_PAGE)

    def leading_with(self, name: str) -> Search:
        """The search with a photo first, as a whole."""
        return replace(self, photos=(name, *_removed(self.photos, name)), box=None, k=RESULTS_PAGE)

    def more(self) -> Search | None:
        """The search with one page more of results; None at the maximum."""
        return replace(self, k=min(MAX_RESULTS, self.k + RESULTS_PAGE)) if self.k < MAX_RESULTS else None


def _with_query(path: str, pairs: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(pairs)}" if pairs else path


def _text(text: str, name: str) -> str:
    if len(text) > MAX_TEXT_CHARS:
        raise BadRequest(f"{name} has at most {MAX_TEXT_CHARS} characters, not {len(text)}", status=422)
    return text


def _texts(params: QueryParams, name: str, *, limit: int) -> tuple[str, ...]:
    texts = tuple(dict.fromkeys(text for text in params.getlist(name) if text))
    if len(texts) > limit or any(len(text) > MAX_TEXT_CHARS for text in texts):
        raise BadRequest(
            f"there are at most {limit} of {name!r}, each of at most {MAX_TEXT_CHARS} characters", status=422
        )
    return texts


def _filters(params: QueryParams) -> Filters:
    filters = Filters.parse(params.getlist("where"))
    if "min_price" not in params and "max_price" not in params:
        return filters
    price = price_range(params.get("min_price", ""), params.get("max_price", ""))
    others = filters.without(PRICE)
    return Filters((*others.pairs, (PRICE, price)), filters.unclear) if price else others


def _weight(params: QueryParams, name: str) -> float | None:
    """A weight if its slider was moved. The form sends where an untouched slider was as ``{name}_was``."""
    value = _share(params, name)
    return None if value == _share(params, f"{name}_was") else value


def _share(params: QueryParams, name: str) -> float | None:
    text = params.get(name)
    value = _number(text, name) if text else None
    if value is not None and not 0 <= value <= 1:
        raise BadRequest(f"{name} is a number from 0 to 1, not {value:g}", status=422)
    return None if value is None else round(value, 3)


def _box(params: QueryParams) -> Box | None:
    """The region in ``box``, as shares, or in the fields ``x, y, w, h``, in percent; None is the whole photo."""
    texts, scale = params.get("box", "").split(","), 1.0
    if texts == [""]:
        texts, scale = [params.get(name, "") for name in ("x", "y", "w", "h")], 0.01
    if not all(texts):
        return None
    numbers = [scale * _number(text, "box") for text in texts]
    if len(numbers) != len(("left", "top", "width", "height")):
        detail = "box is four numbers: left, top, width and height"
        raise BadRequest(detail, status=422)
    left, top = (round(min(max(number, 0.0), 0.99), _BOX_DIGITS) for number in numbers[:2])
    width = round(min(max(numbers[2], 0.01), 1 - left), _BOX_DIGITS)
    height = round(min(max(numbers[3], 0.01), 1 - top), _BOX_DIGITS)
    return None if (left, top, width, height) == (0, 0, 1, 1) else (left, top, width, height)


def _number(text: str, name: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadRequest(f"{name} is a number, not {text[:100]!r}", status=422)
    return number


def _toggled(items: tuple[T, ...], item: T) -> tuple[T, ...]:
    return _removed(items, item) if item in items else (*items, item)


def _removed(items: tuple[T, ...], item: T) -> tuple[T, ...]:
    return tuple(other for other in items if other != item)
