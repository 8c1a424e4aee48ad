"""The addresses of pages: everything that a shopper has set stands there, in one way only."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlencode

from sartor.errors import BadFilter
from sartor.recommend.filters import parse_where
from sartor.service.problems import BadRequest
from sartor.store.base import Sort
from sartor.types import AnyOf, Between, Not, Where

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.datastructures import QueryParams

    from sartor.recommend.query import Box
    from sartor.types import Condition


PRICE = "price"
_MAX_FILTERS = 50
_MAX_FILTER_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Filters:
    """What products have to have.

    Attributes:
        pairs: Attribute and value, each once; an attribute with ``!`` behind it must not have the value.
    """

    pairs: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pairs)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Filters:
        """Read ``attribute=value``, leaving out what says nothing.

        Raises:
            BadFilter: There are too many, or one is too long or has no value.
        """
        pairs: dict[tuple[str, str], None] = {}
        for text in texts:
            attribute, equals, value = text.partition("=")
            if not text:
                continue
            if not (attribute.strip("! ") and equals and value) or len(text) > _MAX_FILTER_CHARS:
                raise BadFilter(text[:100], reason="a filter of a page is attribute=value")
            pairs[attribute, value] = None
        if len(pairs) > _MAX_FILTERS:
            raise BadFilter(next(iter(pairs))[0], reason=f"there are more than {_MAX_FILTERS} filters")
        return cls(tuple(pairs))

    @property
    def texts(self) -> list[str]:
        """The filters as they stand in an address."""
        return [f"{attribute}={value}" for attribute, value in self.pairs]

    def has(self, attribute: str, value: str) -> bool:
        """Whether a value is asked for."""
        return (attribute, value) in self.pairs

    def values_of(self, attribute: str) -> tuple[str, ...]:
        """The values that are asked for of an attribute."""
        return tuple(value for name, value in self.pairs if name == attribute)

    def toggled(self, attribute: str, value: str) -> Filters:
        """The same with a value more, or less."""
        pair = (attribute, value)
        if pair in self.pairs:
            return Filters(tuple(each for each in self.pairs if each != pair))
        return Filters((*self.pairs, pair))

    def without(self, attribute: str) -> Filters:
        """The same without any value of an attribute."""
        return Filters(tuple(each for each in self.pairs if each[0] != attribute))

    def where(self) -> Where:
        """What the engine is asked.

        Raises:
            BadFilter: A range ends before it starts.
        """
        names = dict.fromkeys(attribute for attribute, _ in self.pairs)
        return Where(tuple(_condition(name, self.values_of(name)) for name in names))


def price_range(low: str, high: str) -> str | None:
    """The value of a filter for a price from one field to another; None where both are empty.

    Raises:
        BadFilter: A bound is no number.
    """
    bounds = [text.strip().replace(",", ".") for text in (low, high)]
    for bound in bounds:
        if bound and not (bound.isascii() and bound.replace(".", "", 1).isdigit()):
            raise BadFilter(f"{PRICE}={bound[:100]}", reason="a price is a number")
    return "..".join(map(_plain, bounds)) if any(bounds) else None


def _plain(number: str) -> str:
    return f"{float(number):.2f}".rstrip("0").rstrip(".") if number else ""


def _condition(name: str, values: tuple[str, ...]) -> Condition:
    if name.endswith("!"):
        return Not(condition=AnyOf(attribute=name[:-1], values=values))
    if len(values) == 1 and ".." in values[0]:
        (found,) = parse_where([f"{name}={values[0]}"]).conditions
        if isinstance(found, Between):
            return found
    return AnyOf(attribute=name, values=values)


PAGE, MOST = 12, 96  # hits that a page of results starts with, and ends with
MOST_PHOTOS = 8
_MOST_PRODUCTS = 50
_MAX_TEXT_CHARS = 512
_BOX_DIGITS = 4


def product_address(product_id: str) -> str:
    """Where the page of a product is."""
    return f"/product/{quote(product_id, safe='/')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Browse:
    """What is shown of the catalog.

    Attributes:
        words: Words that products have to have.
        filters: What they have to have.
        sort: Their order.
        after: Where the page before ended.
    """

    words: str = ""
    filters: Filters = field(default_factory=Filters)
    sort: Sort = Sort.RELEVANCE
    after: str | None = None

    @classmethod
    def parse(cls, params: QueryParams) -> Self:
        """Read the query of an address.

        Raises:
            BadRequest: It cannot be read.
            BadFilter: A filter cannot be read.
        """
        sort = params.get("sort") or Sort.RELEVANCE
        if sort not in list(Sort):
            raise BadRequest(f"there is no order {sort[:100]!r}; there are: {', '.join(Sort)}")
        return cls(
            words=" ".join(params.get("q", "").split())[:_MAX_TEXT_CHARS],
            filters=_filters(params),
            sort=Sort(sort),
            after=params.get("after") or None,
        )

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query of the address, as it is always written."""
        return [
            *((("q", self.words),) if self.words else ()),
            *(("where", text) for text in self.filters.texts),
            *((("sort", self.sort.value),) if self.sort is not Sort.RELEVANCE else ()),
            *((("after", self.after),) if self.after else ()),
        ]

    @property
    def address(self) -> str:
        """Where this is shown."""
        return _with_query("/", self.pairs)

    def filtered(self, filters: Filters) -> Browse:
        """The first page of the same with other filters."""
        return replace(self, filters=filters, after=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is searched for.

    Attributes:
        photos: Names of uploaded photos.
        products: Ids of products that stand beside them.
        like: Ids of products to come near to.
        dislike: Ids of products to keep away from.
        box: The region of the first photo that is meant.
        color: A color to search for.
        style: Dial; None is what was measured to be best.
        color_weight: Dial, likewise.
        filters: What products have to have.
        k: How many are shown.
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
    k: int = PAGE

    def __bool__(self) -> bool:
        return bool(self.photos or self.products or self.like or self.color)

    @classmethod
    def parse(cls, params: QueryParams) -> Self:
        """Read the query of an address, or of the form of the page.

        Raises:
            BadRequest: It cannot be read.
            BadFilter: A filter cannot be read.
        """
        photos = _texts(params, "photo", most=MOST_PHOTOS)
        return cls(
            photos=photos,
            products=_texts(params, "product", most=_MOST_PRODUCTS),
            like=_texts(params, "like", most=_MOST_PRODUCTS),
            dislike=_texts(params, "dislike", most=_MOST_PRODUCTS),
            box=_box(params) if photos else None,
            color=params.get("color", "").strip()[:_MAX_TEXT_CHARS] or None,
            style=_dial(params, "style"),
            color_weight=_dial(params, "colorweight"),
            filters=_filters(params),
            k=_count(params),
        )

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query of the address, as it is always written."""
        return [
            *self.given_pairs,
            *((("box", _box_text(self.box)),) if self.box else ()),
            *((("color", self.color),) if self.color else ()),
            *((("style", f"{self.style:g}"),) if self.style is not None else ()),
            *((("colorweight", f"{self.color_weight:g}"),) if self.color_weight is not None else ()),
            *(("where", text) for text in self.filters.texts),
            *((("k", str(self.k)),) if self.k != PAGE else ()),
        ]

    @property
    def given_pairs(self) -> list[tuple[str, str]]:
        """The part of it that no field of the form has."""
        lists = (
            ("photo", self.photos),
            ("product", self.products),
            ("like", self.like),
            ("dislike", self.dislike),
        )
        return [(name, value) for name, values in lists for value in values]

    @property
    def address(self) -> str:
        """Where this is shown."""
        return _with_query("/results", self.pairs)

    def filtered(self, filters: Filters) -> Search:
        """The same with other filters."""
        return replace(self, filters=filters, k=PAGE)

    def liking(self, product_id: str) -> Search:
        """Nearer to a product, or no longer so."""
        return replace(self, like=_toggled(self.like, product_id), dislike=_less(self.dislike, product_id), k=PAGE)

    def disliking(self, product_id: str) -> Search:
        """Further from a product, or no longer so."""
        return replace(self, dislike=_toggled(self.dislike, product_id), like=_less(self.like, product_id), k=PAGE)

    def without_photo(self, name: str) -> Search:
        """The same without a photo."""
        box = self.box if name != self.photos[0] else None
        return replace(self, photos=_less(self.photos, name), box=box, k=PAGE)

    def leading_with(self, name: str) -> Search:
        """The same with a photo in first place, whole."""
        return replace(self, photos=(name, *_less(self.photos, name)), box=None, k=PAGE)

    def more(self) -> Search | None:
        """A page longer; None at the end."""
        return replace(self, k=min(MOST, self.k + PAGE)) if self.k < MOST else None


def _with_query(path: str, pairs: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(pairs)}" if pairs else path


def _texts(params: QueryParams, name: str, *, most: int) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(text for text in params.getlist(name) if text))
    if len(found) > most or any(len(text) > _MAX_TEXT_CHARS for text in found):
        raise BadRequest(
            f"there are at most {most} of {name!r}, each of at most {_MAX_TEXT_CHARS} characters", status=422
        )
    return found


def _filters(params: QueryParams) -> Filters:
    filters = Filters.parse(params.getlist("where"))
    if "min_price" not in params and "max_price" not in params:
        return filters
    asked = price_range(params.get("min_price", ""), params.get("max_price", ""))
    rest = filters.without(PRICE)
    return Filters((*rest.pairs, (PRICE, asked))) if asked else rest


def _dial(params: QueryParams, name: str) -> float | None:
    """A dial, if it was moved: the form says where it stood when nobody had touched it."""
    value = _share(params, name)
    return None if value == _share(params, f"{name}_was") else value


def _share(params: QueryParams, name: str) -> float | None:
    text = params.get(name)
    value = _number(text, name) if text else None
    if value is not None and not 0 <= value <= 1:
        raise BadRequest(f"{name} is a number from 0 to 1, not {value:g}", status=422)
    return None if value is None else round(value, 3)


def _count(params: QueryParams) -> int:
    text = params.get("k") or str(PAGE)
    value = _number(text, "k")
    return min(MOST, max(1, int(value)))


def _box(params: QueryParams) -> Box | None:
    """The region of ``box``, shares, or else of the fields ``x, y, w, h``, in percent; None is the whole photo."""
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


def _box_text(box: Box) -> str:
    return ",".join(f"{number:g}" for number in box)


def _number(text: str, name: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadRequest(f"{name} is a number, not {text[:100]!r}", status=422)
    return number


def _toggled(ids: tuple[str, ...], one: str) -> tuple[str, ...]:
    return _less(ids, one) if one in ids else (*ids, one)


def _less(ids: tuple[str, ...], one: str) -> tuple[str, ...]:
    return tuple(each for each in ids if each != one)
