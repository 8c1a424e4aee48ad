"""Products as the simulation of shoppers sees them: columns of codes, and shelves to draw products from.

Shapes: n products, m places on shelves (a unisex product stands on one for each gender), s sessions, c candidates.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.types import Product

    Flags = npt.NDArray[np.bool_]
    Codes: TypeAlias = npt.NDArray[np.int64]
    Numbers: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looks:
    """Products looked at, ``(l,)`` each.

    Attributes:
        session: Row of the session in its block.
        product: Row in the catalog.
        worth: To the person, by taste alone.
        at_s: When, in seconds since the session began.
        answer: Number of the answer it was clicked in; 0 for none.
        position: Its place there from 1; 0 for none.
    """

    session: Codes
    product: Codes
    worth: Numbers
    at_s: Numbers
    answer: Codes
    position: Codes


def joined(one: Looks, other: Looks) -> Looks:
    """The looks of both."""
    return Looks(
        session=np.concatenate([one.session, other.session]),
        product=np.concatenate([one.product, other.product]),
        worth=np.concatenate([one.worth, other.worth]),
        at_s=np.concatenate([one.at_s, other.at_s]),
        answer=np.concatenate([one.answer, other.answer]),
        position=np.concatenate([one.position, other.position]),
    )


def first_of_each(products: Codes) -> Flags:
    """Whether each of ``(s, c)`` is the first of its kind in its row."""
    order = np.argsort(products, axis=1, kind="stable")
    ordered = np.take_along_axis(products, order, axis=1)
    first = np.ones(products.shape, np.bool_)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    found = np.empty_like(first)
    np.put_along_axis(found, order, first, axis=1)
    return found


PRICE_BANDS = 5
_KINDS = ("articleType", "product_type", "category", "kind")
_UNISEX = "unisex"
_GENDERS = re.compile(r"(men|women|boys?|girls?|kids?|unisex)('s)?", re.IGNORECASE)
_BRAND_WORDS = 3  # of a title, at most
_SHARED_BY = 5  # products that begin alike have a brand in common, and not the name of a design
_NUMBER = re.compile(r"\d+(\.\d+)?")
_PRICE, _BRAND_SPREAD, _PRODUCT_SPREAD = 30.0, 0.6, 0.35  # median, and of its logarithm


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assortment:
    """What shoppers see of products, one row each.

    Attributes:
        kind: Code of the kind of article, ``(n,)``.
        gender: Code of the gender it is for, ``(n,)``; -1 where that is anybody.
        brand: Code of the brand, ``(n,)``.
        season: Code of the season, ``(n,)``.
        year: Code of the year, in order, ``(n,)``.
        usage: Code of the usage, ``(n,)``.
        price: What it costs, ``(n,)``, of the catalog or drawn.
        band: Fifth of the catalog that it is in by its price, from 0, ``(n,)``.
    """

    kind: Codes
    gender: Codes
    brand: Codes
    season: Codes
    year: Codes
    usage: Codes
    price: Numbers
    band: Codes

    @classmethod
    def of(cls, products: Sequence[Product], rng: np.random.Generator) -> Assortment:
        """Read products; what has no price gets one, by its brand.

        Args:
            products: At least one.
            rng: Draws the prices.
        """
        genders = [_text(product, "gender").casefold() for product in products]
        for_some = sorted({each for each in genders if each and each != _UNISEX})
        brand = _codes(brands_of(products))
        price = _prices(products, brand, rng)
        ranks = price.argsort(kind="stable").argsort(kind="stable")
        return cls(
            kind=_codes([_kind(product) for product in products]),
            gender=np.array([for_some.index(each) if each in for_some else -1 for each in genders], np.int64),
            brand=brand,
            season=_codes([_text(product, "season") for product in products]),
            year=_codes([_text(product, "year") for product in products]),
            usage=_codes([_text(product, "usage") for product in products]),
            price=price,
            band=ranks * PRICE_BANDS // len(products),
        )

    @property
    def genders(self) -> int:
        """How many genders it tells apart, at least 1."""
        return max(1, int(self.gender.max()) + 1)


def brands_of(products: Sequence[Product]) -> list[str]:
    """The brand of each product: its attribute, or the words its title begins with, up to the gender.

    Of these words as many count as at least five titles share, and the first in any case, since behind a brand
    there may stand the name of a design: ``Turtle Check Men Navy Blue Shirt``.
    """
    begins = [_beginning(product.title) for product in products]
    shared = Counter(words[:count] for words in begins for count in range(1, len(words) + 1))
    brands = []
    for product, words in zip(products, begins, strict=True):
        longest = next((count for count in range(len(words), 1, -1) if shared[words[:count]] >= _SHARED_BY), 1)
        brands.append(_text(product, "brand").casefold() or " ".join(words[:longest]))
    return brands


class Shelves:
    """The products for each gender, by kind and brand, to be drawn by how much they attract.

    A shelf is a slice: all of one kind, and within it of one brand; the other way round in ``by_brand``.
    """

    def __init__(self, assortment: Assortment) -> None:
        rows, genders = _places(assortment)
        self._kinds = int(assortment.kind.max()) + 1
        self._brands = int(assortment.brand.max()) + 1
        kind, brand = assortment.kind[rows], assortment.brand[rows]
        of_kind = genders * self._kinds + kind
        of_brand = genders * self._brands + brand
        order = np.lexsort((brand, of_kind))
        other = np.lexsort((kind, of_brand))
        self._by_kind, self._by_brand = rows[order], rows[other]
        self._kind_keys, self._brand_keys = of_kind[order], of_brand[other]
        self._both_keys = (of_kind * self._brands + brand)[order]
        self._kind_sums = self._brand_sums = np.zeros(0)

    def attract(self, weights: Numbers) -> None:
        """From now on draw products by these weights, ``(n,)``, above 0."""
        self._kind_sums = np.concatenate([[0.0], np.cumsum(weights[self._by_kind])])
        self._brand_sums = np.concatenate([[0.0], np.cumsum(weights[self._by_brand])])

    def of_kind(self, gender: Codes, kind: Codes, count: int, rng: np.random.Generator) -> Codes:
        """Draw ``(s, count)`` products of a kind for each session; -1 where there are none."""
        keys = gender * self._kinds + kind
        return _drawn(self._by_kind, self._kind_sums, self._kind_keys, keys, count=count, rng=rng)

    def of_kind_and_brand(
        self, gender: Codes, kind: Codes, brand: Codes, *, count: int, rng: np.random.Generator
    ) -> Codes:
        """Draw ``(s, count)`` products of a kind and a brand for each session; -1 where there are none."""
        keys = (gender * self._kinds + kind) * self._brands + brand
        return _drawn(self._by_kind, self._kind_sums, self._both_keys, keys, count=count, rng=rng)

    def of_brand(self, gender: Codes, brand: Codes, count: int, rng: np.random.Generator) -> Codes:
        """Draw ``(s, count)`` products of a brand for each session; -1 where there are none."""
        keys = gender * self._brands + brand
        return _drawn(self._by_brand, self._brand_sums, self._brand_keys, keys, count=count, rng=rng)


def _places(assortment: Assortment) -> tuple[Codes, Codes]:
    """Rows of products on shelves and the gender of each, ``(m,)``: what is for anybody stands on all."""
    everybody = np.flatnonzero(assortment.gender < 0)
    own = np.flatnonzero(assortment.gender >= 0)
    genders = np.arange(assortment.genders)
    return (
        np.concatenate([own, np.tile(everybody, len(genders))]),
        np.concatenate([assortment.gender[own], np.repeat(genders, len(everybody))]),
    )


def _drawn(  # noqa: PLR0913 - the parts of a shelf
    rows: Codes, sums: Numbers, shelf: Codes, keys: Codes, *, count: int, rng: np.random.Generator
) -> Codes:
    """Draw ``(s, count)`` rows by weight, each session's from the slice whose key it asks for."""
    first, last = np.searchsorted(shelf, keys, "left"), np.searchsorted(shelf, keys, "right")  # (s,)
    low, high = sums[first, np.newaxis], sums[last, np.newaxis]
    drawn = np.searchsorted(sums, low + (high - low) * rng.random((len(keys), count)), "right") - 1
    drawn = np.clip(drawn, first[:, np.newaxis], np.maximum(last - 1, first)[:, np.newaxis])
    found: Codes = np.where((last > first)[:, np.newaxis], rows[np.minimum(drawn, len(rows) - 1)], -1)
    return found


def _prices(products: Sequence[Product], brand: Codes, rng: np.random.Generator) -> Numbers:
    levels = np.log(_PRICE) + _BRAND_SPREAD * rng.standard_normal(int(brand.max()) + 1)
    drawn = np.exp(levels[brand] + _PRODUCT_SPREAD * rng.standard_normal(len(products)))
    told = [_NUMBER.match(_text(product, "price")) for product in products]
    return np.array(
        [float(found.group()) if found else round(own, 2) for found, own in zip(told, drawn, strict=True)]
    )


def _beginning(title: str) -> tuple[str, ...]:
    words = title.split()
    upto = next((place for place, word in enumerate(words) if _GENDERS.fullmatch(word)), 1)
    return tuple(word.casefold() for word in words[: min(max(1, upto), _BRAND_WORDS)])


def _kind(product: Product) -> str:
    return next((value for name in _KINDS if (value := _text(product, name))), "")


def _text(product: Product, name: str) -> str:
    value = product.attributes.get(name, "")
    return " ".join(value) if isinstance(value, tuple) else str(value)


def _codes(values: Sequence[str]) -> Codes:
    return np.unique(np.array(values, object), return_inverse=True)[1].astype(np.int64)
