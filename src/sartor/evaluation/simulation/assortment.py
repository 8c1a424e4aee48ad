"""Products as simulated shoppers see them: columns of codes, and a sampler that draws products by kind and brand.

Shapes: n products, m of them by gender (a unisex product counts for each gender), s sessions.
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

    Codes: TypeAlias = npt.NDArray[np.int64]
    Numbers: TypeAlias = npt.NDArray[np.float64]

PRICE_BANDS = 5
_KINDS = ("articleType", "product_type", "category", "kind")
_UNISEX = "unisex"
_GENDERS = re.compile(r"(men|women|boys?|girls?|kids?|unisex)('s)?", re.IGNORECASE)
_MAX_BRAND_WORDS = 3  # of a title
_SHARED_BY = 5  # titles that begin alike have a brand in common, not the name of a design
_NUMBER = re.compile(r"\d+(\.\d+)?")
_PRICE, _BRAND_SPREAD, _PRODUCT_SPREAD = 30.0, 0.6, 0.35  # median, and standard deviations of its logarithm


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assortment:
    """Attributes of products as codes, ``(n,)`` each.

    Attributes:
        kind: Kind of article.
        gender: Whom it is for; -1 for anybody.
        brand: Brand.
        season: Season.
        year: Year, in order.
        usage: Usage.
        price: Price, from the catalog or drawn.
        band: Fifth of the catalog by price, from 0.
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
        """Read products; those without a price get one that depends on their brand.

        Args:
            products: At least one.
            rng: Draws the prices.
        """
        genders = [_text(product, "gender").casefold() for product in products]
        specific = sorted({gender for gender in genders if gender and gender != _UNISEX})
        brand = _codes(brands_of(products))
        price = _prices(products, brand, rng)
        ranks = price.argsort(kind="stable").argsort(kind="stable")
        return cls(
            kind=_codes([_kind(product) for product in products]),
            gender=np.array([specific.index(each) if each in specific else -1 for each in genders], np.int64),
            brand=brand,
            season=_codes([_text(product, "season") for product in products]),
            year=_codes([_text(product, "year") for product in products]),
            usage=_codes([_text(product, "usage") for product in products]),
            price=price,
            band=ranks * PRICE_BANDS // len(products),
        )

    @property
    def genders(self) -> int:
        """Number of genders, at least 1."""
        return max(1, int(self.gender.max()) + 1)


def brands_of(products: Sequence[Product]) -> list[str]:
    """The brand of each product: its attribute, or the first words of its title, up to the gender.

    As many words count as at least five titles share, and the first in any case: after a brand there may come the
    name of a design, as in ``Turtle Check Men Navy Blue Shirt``.
    """
    titles = [_first_words(product.title) for product in products]
    shared = Counter(words[:count] for words in titles for count in range(1, len(words) + 1))
    brands = []
    for product, words in zip(products, titles, strict=True):
        count = next((count for count in range(len(words), 1, -1) if shared[words[:count]] >= _SHARED_BY), 1)
        brands.append(_text(product, "brand").casefold() or " ".join(words[:count]))
    return brands


class ProductSampler:
    """Draws products of a gender by kind, brand or both, with probabilities in proportion to their weights.

    Products are sorted so that those of one kind, and within it those of one brand, are a slice; a second order
    has brands first.
    """

    def __init__(self, assortment: Assortment) -> None:
        rows, genders = _by_gender(assortment)
        self._kinds = int(assortment.kind.max()) + 1
        self._brands = int(assortment.brand.max()) + 1
        kind, brand = assortment.kind[rows], assortment.brand[rows]
        kind_keys = genders * self._kinds + kind
        brand_keys = genders * self._brands + brand
        kinds_first, brands_first = np.lexsort((brand, kind_keys)), np.lexsort((kind, brand_keys))
        self._by_kind, self._by_brand = rows[kinds_first], rows[brands_first]
        self._kind_keys, self._brand_keys = kind_keys[kinds_first], brand_keys[brands_first]
        self._both_keys = (kind_keys * self._brands + brand)[kinds_first]
        self._kind_sums = self._brand_sums = np.zeros(0)

    def set_weights(self, weights: Numbers) -> None:
        """From now on draw products by these weights, ``(n,)``, above 0."""
        self._kind_sums = np.concatenate([[0.0], np.cumsum(weights[self._by_kind])])
        self._brand_sums = np.concatenate([[0.0], np.cumsum(weights[self._by_brand])])

    def of_kind(self, gender: Codes, kind: Codes, count: int, rng: np.random.Generator) -> Codes:
        """Draw ``(s, count)`` products of a kind for each session; -1 if there are none."""
        keys = gender * self._kinds + kind
        return _drawn(self._by_kind, self._kind_sums, self._kind_keys, keys, count=count, rng=rng)

    def of_kind_and_brand(
        self, gender: Codes, kind: Codes, brand: Codes, *, count: int, rng: np.random.Generator
    ) -> Codes:
        """Draw ``(s, count)`` products of a kind and a brand for each session; -1 if there are none."""
        keys = (gender * self._kinds + kind) * self._brands + brand
        return _drawn(self._by_kind, self._kind_sums, self._both_keys, keys, count=count, rng=rng)

    def of_brand(self, gender: Codes, brand: Codes, count: int, rng: np.random.Generator) -> Codes:
        """Draw ``(s, count)`` products of a brand for each session; -1 if there are none."""
        keys = gender * self._brands + brand
        return _drawn(self._by_brand, self._brand_sums, self._brand_keys, keys, count=count, rng=rng)


def _by_gender(assortment: Assortment) -> tuple[Codes, Codes]:
    """Rows of products and a gender of each, ``(m,)``: products for anybody come once for each gender."""
    everybody = np.flatnonzero(assortment.gender < 0)
    specific = np.flatnonzero(assortment.gender >= 0)
    genders = np.arange(assortment.genders)
    return (
        np.concatenate([specific, np.tile(everybody, len(genders))]),
        np.concatenate([assortment.gender[specific], np.repeat(genders, len(everybody))]),
    )


def _drawn(  # noqa: PLR0913 - a sorted table, and what to draw
    rows: Codes, sums: Numbers, sorted_keys: Codes, keys: Codes, *, count: int, rng: np.random.Generator
) -> Codes:
    """Draw ``(s, count)`` rows by weight, for each session from the slice that has its key."""
    first, last = np.searchsorted(sorted_keys, keys, "left"), np.searchsorted(sorted_keys, keys, "right")  # (s,)
    low, high = sums[first, np.newaxis], sums[last, np.newaxis]
    drawn = np.searchsorted(sums, low + (high - low) * rng.random((len(keys), count)), "right") - 1
    drawn = np.clip(drawn, first[:, np.newaxis], np.maximum(last - 1, first)[:, np.newaxis])
    products: Codes = np.where((last > first)[:, np.newaxis], rows[np.minimum(drawn, len(rows) - 1)], -1)
    return products


def _prices(products: Sequence[Product], brand: Codes, rng: np.random.Generator) -> Numbers:
    levels = np.log(_PRICE) + _BRAND_SPREAD * rng.standard_normal(int(brand.max()) + 1)
    drawn = np.exp(levels[brand] + _PRODUCT_SPREAD * rng.standard_normal(len(products)))
    known = [_NUMBER.match(_text(product, "price")) for product in products]
    return np.array(
        [float(match.group()) if match else round(price, 2) for match, price in zip(known, drawn, strict=True)]
    )


def _first_words(title: str) -> tuple[str, ...]:
    words = title.split()
    count = next((number for number, word in enumerate(words) if _GENDERS.fullmatch(word)), 1)
    return tuple(word.casefold() for word in words[: min(max(1, count), _MAX_BRAND_WORDS)])


def _kind(product: Product) -> str:
    return next((value for name in _KINDS if (value := _text(product, name))), "")


def _text(product: Product, name: str) -> str:
    value = product.attributes.get(name, "")
    return " ".join(value) if isinstance(value, tuple) else str(value)


def _codes(values: Sequence[str]) -> Codes:
    return np.unique(np.array(values, object), return_inverse=True)[1].astype(np.int64)
