"""What makes products relevant to a query: the same labels, labels that a map names, or being the same product.

Shapes: q queries, n products of the gallery, b queries of a block, m products ranked for each of them.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Protocol, Self, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sartor.browsing import words_of_name
from sartor.errors import UnusableLabelMap

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.evaluation.ranking import Indices
    from sartor.types import Attributes, AttributeValue

    Labels: TypeAlias = npt.NDArray[np.str_]
    Mask: TypeAlias = npt.NDArray[np.bool_]


MIN_COVERAGE = 0.5  # share of the products that have the attribute
MIN_VALUES = 2  # with one value there is nothing to tell apart
MAX_VALUES = 500  # with more, most values have too few products that could find each other
MAX_VALUES_SHARE = 0.5  # values per product: ids, links, titles and prices have more
MAX_CODES_SHARE = 0.5  # of the values; of an attribute with more, the values are ids, whatever its name is

# Attributes with one of these words in their name say nothing of what a photo shows.
_UNSEEN = frozenset([
    "id", "ids", "uuid", "guid", "gtin", "mpn", "sku", "ean", "upc", "isbn", "asin", "barcode", "hash", "md5",
    "sha1", "sha256", "sender", "user", "username", "uploader", "author", "photographer", "owner", "seller",
    "vendor", "merchant", "supplier", "customer", "shopper", "visitor", "session", "account", "email", "phone",
    "device",
])  # fmt: skip
_CODE = re.compile(r"\d{5,}|[0-9a-f]{8,}|[0-9a-f]{4,}(?:-[0-9a-f]{4,}){2,}", re.IGNORECASE)

_UNLABELLED_QUERY = np.int32(-1)
_UNLABELLED_PRODUCT = np.int32(-2)  # not the same, so that a query without a label matches nothing


def choose_labels(rows: Sequence[Attributes]) -> tuple[str, ...]:
    """The attributes of products that are categories by the thresholds of this module, sorted.

    Ids are none, nor is who sent or sells a product: neither can be seen in its photo.
    """
    covered: Counter[str] = Counter()
    values: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            if text := label_of(value):
                covered[name] += 1
                values.setdefault(name, set()).add(text)
    return tuple(
        name
        for name in sorted(values)
        if covered[name] >= MIN_COVERAGE * len(rows)
        and MIN_VALUES <= len(values[name]) <= MAX_VALUES
        and len(values[name]) < MAX_VALUES_SHARE * len(rows)
        and not words_of_name(name) & _UNSEEN
        and sum(map(_is_code, values[name])) <= MAX_CODES_SHARE * len(values[name])
    )


def _is_code(value: str) -> bool:
    """Whether a value reads as a number or key of a database: digits from five on, a UUID, a hash."""
    return _CODE.fullmatch(value) is not None and any(map(str.isdigit, value))


def label_of(value: AttributeValue | None) -> str:
    """An attribute's value as a label, empty if there is no value. Several values make one label."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(sorted(text for part in value if (text := part.strip())))
    return str(value).strip()


def labels_of(rows: Sequence[Attributes], name: str) -> Labels:
    """The labels of products for one attribute, ``(n,)``; empty if a product has none."""
    return np.array([label_of(row.get(name)) for row in rows], dtype=np.str_)


Name = Annotated[str, Field(min_length=1)]


class LabelMap(BaseModel):
    """Says for each label of the queries which labels of the gallery are relevant to it.

    Queries with a label that is not listed are left out.

    Attributes:
        queries: Attribute of the queries.
        gallery: Attribute of the gallery's products.
        classes: For each label of the queries, the labels of the gallery that it may mean.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    queries: Name
    gallery: Name
    classes: Annotated[dict[Name, Annotated[tuple[Name, ...], Field(min_length=1)]], Field(min_length=1)]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a map from its TOML file.

        Raises:
            UnusableLabelMap: The file is missing, or is not a label map.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UnusableLabelMap(path, reason="it cannot be read") from error
        try:
            return cls.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise UnusableLabelMap(path, reason=f"it is no TOML ({error})") from error
        except ValidationError as error:
            raise UnusableLabelMap(path, reason=_first_reason(error)) from error


def _first_reason(error: ValidationError) -> str:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"{field} is missing"
    if first["type"] == "too_short":
        return f"{field} is empty"
    return f"{field}: {first['msg']}"


class Relevance(Protocol):
    """Which products are relevant to which queries, by one criterion."""

    @property
    def labelled(self) -> Mask:
        """Queries that can be judged, ``(q,)``."""

    @property
    def totals(self) -> Indices:
        """Relevant products in the gallery for each query, ``(q,)``; 0 if it is not labelled."""

    def of(self, rows: Indices, products: Indices) -> Mask:
        """Which of the products ranked for some queries are relevant to them.

        Args:
            rows: ``(b,)`` queries.
            products: ``(b, m)`` rows of the gallery, of products other than the query itself.

        Returns:
            ``(b, m)``; False if the query is not labelled.
        """


class SameLabels:
    """Products are relevant if they have the query's label for every attribute.

    Args:
        query_labels: ``(q,)`` for each attribute; an empty label matches nothing.
        gallery_labels: ``(n,)`` for each attribute, in the same order.
        own: ``(q,)`` the query's own product in the gallery, which is not counted; -1 if it is not there.
    """

    def __init__(self, query_labels: Sequence[Labels], gallery_labels: Sequence[Labels], own: Indices) -> None:
        codes, known = _codes(query_labels, gallery_labels)  # each (q + n,)
        count = len(own)
        self._queries = np.where(known[:count], codes[:count], _UNLABELLED_QUERY)
        self._gallery = np.where(known[count:], codes[count:], _UNLABELLED_PRODUCT)
        self.labelled: Mask = known[:count]
        sizes = np.bincount(self._gallery[known[count:]], minlength=int(codes.max(initial=0)) + 1)
        inside = np.flatnonzero(own >= 0)
        totals = np.where(self.labelled, sizes[self._queries], 0)
        totals[inside] -= self._gallery[own[inside]] == self._queries[inside]
        self.totals: Indices = totals

    def of(self, rows: Indices, products: Indices) -> Mask:
        """Which of the ``(b, m)`` products are relevant to the ``(b,)`` queries."""
        return np.asarray(self._gallery[products] == self._queries[rows][:, np.newaxis])


class MappedLabels:
    """Products are relevant if a map gives their label for the query's label.

    A query is not labelled if its label is empty or not in the map; a product without a label is never relevant.

    Args:
        query_labels: ``(q,)``.
        gallery_labels: ``(n,)``.
        own: ``(q,)`` the query's own product in the gallery, which is not counted; -1 if it is not there.
        classes: For a label of queries, the labels of the products that are relevant to them.
    """

    def __init__(
        self,
        query_labels: Labels,
        gallery_labels: Labels,
        own: Indices,
        classes: Mapping[str, Collection[str]],
    ) -> None:
        mapped = sorted((set(query_labels.tolist()) & set(classes)) - {""})
        row_of = {label: row for row, label in enumerate(mapped)}
        names, self._gallery = np.unique(gallery_labels, return_inverse=True)
        self._table = np.zeros((len(mapped) + 1, len(names)), np.bool_)  # the last row is for unlabelled queries
        for label, row in row_of.items():
            self._table[row] = [name != "" and name in classes[label] for name in names.tolist()]
        self._queries = np.array([row_of.get(label, -1) for label in query_labels.tolist()], np.int64)
        self.labelled: Mask = self._queries >= 0
        sizes = np.bincount(self._gallery, minlength=len(names))
        inside = np.flatnonzero(own >= 0)
        totals = (self._table @ sizes)[self._queries]
        totals[inside] -= self._table[self._queries[inside], self._gallery[own[inside]]]
        self.totals: Indices = totals

    def of(self, rows: Indices, products: Indices) -> Mask:
        """Which of the ``(b, m)`` products are relevant to the ``(b,)`` queries."""
        return np.take_along_axis(self._table[self._queries[rows]], self._gallery[products], axis=1)


class SameProduct:
    """Only the product that the query shows is relevant, even if it is the query's own.

    Args:
        targets: ``(q,)`` its row in the gallery; -1 if it is not known.
    """

    def __init__(self, targets: Indices) -> None:
        self._targets = targets
        self.labelled: Mask = targets >= 0
        self.totals: Indices = self.labelled.astype(np.int64)

    def of(self, rows: Indices, products: Indices) -> Mask:
        """Which of the ``(b, m)`` products are relevant to the ``(b,)`` queries."""
        return np.asarray(products == self._targets[rows][:, np.newaxis])


def _codes(query_labels: Sequence[Labels], gallery_labels: Sequence[Labels]) -> tuple[npt.NDArray[np.int32], Mask]:
    """A number for each combination of labels, queries first, ``(q + n,)``, and whether no label is missing."""
    both = [np.concatenate(pair) for pair in zip(query_labels, gallery_labels, strict=True)]  # each (q + n,)
    codes = np.zeros(len(both[0]), np.int64)
    for labels in both:
        names, numbers = np.unique(labels, return_inverse=True)
        codes = np.unique(codes * len(names) + numbers, return_inverse=True)[1]
    small = codes.astype(np.int32)  # ``of`` gathers from the cache, and is faster the more of them fit in
    return small, np.all([labels != "" for labels in both], axis=0)
