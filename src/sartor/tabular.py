"""Answers as tables: ``to_pandas``, ``to_polars`` and ``to_arrow``, and rows as mappings.

A column has one type. Where values of an attribute have several, all of them become text, or lists of text if one
is a list. None of the three libraries is needed unless it is asked for.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from sartor.errors import require_package

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# As the catalog keeps amounts of money; what is paid now is the sale price where there is one.
_AMOUNT = re.compile(r"\d+(?:\.\d+)?")
_PAID = ("sale_price", "price")
_OWN, _PREDICTED = "attribute_", "predicted_"


class _Kind(Enum):
    """The type of a column."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    SWITCH = "switch"
    LIST = "list"


class Tabular(ABC):
    """An answer that is a table: a row for each product, a column for each attribute."""

    __slots__ = ()
    _columns: ClassVar[Mapping[str, _Kind]] = {}

    @abstractmethod
    def _rows(self) -> Iterable[tuple[dict[str, Any], Mapping[str, Any], Mapping[str, tuple[str, float]]]]:
        """Of each product the fixed columns, the attributes, and those that the model predicts."""

    def to_records(self) -> list[dict[str, Any]]:
        """The rows as mappings; each has all columns, None where there is no value.

        Example:
            >>> rows = shop.similar("photos/red.png", k=2).to_records()
            >>> [(row["rank"], row["product_id"], row["price_amount"]) for row in rows]
            [(1, 'pink', 25.0), (2, 'green', 60.0)]
        """
        columns = self._table()
        values = (each for each, _ in columns.values())
        return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]

    def to_pandas(self) -> Any:
        """A data frame of pandas; whole numbers and switches with missing values are its nullable types.

        Raises:
            MissingExtra: pandas is not installed.
        """
        require_package("pandas")
        import pandas as pd

        kinds = {_Kind.WHOLE: "Int64", _Kind.SWITCH: "boolean", _Kind.NUMBER: "float64"}
        columns = {
            name: pd.Series(values, dtype=kinds.get(kind, object if kind is _Kind.LIST else "str"))
            for name, (values, kind) in self._table().items()
        }
        return pd.DataFrame(columns)

    def to_polars(self) -> Any:
        """A data frame of polars.

        Raises:
            MissingExtra: polars is not installed.
        """
        require_package("polars")
        import polars as pl

        kinds = {
            _Kind.TEXT: pl.String,
            _Kind.WHOLE: pl.Int64,
            _Kind.NUMBER: pl.Float64,
            _Kind.SWITCH: pl.Boolean,
            _Kind.LIST: pl.List(pl.String),
        }
        table = self._table()
        return pl.DataFrame(
            {name: values for name, (values, _) in table.items()},
            schema={name: kinds[kind] for name, (_, kind) in table.items()},
        )

    def to_arrow(self) -> Any:
        """A table of pyarrow.

        Raises:
            MissingExtra: pyarrow is not installed.
        """
        require_package("pyarrow")
        import pyarrow as pa

        kinds = {
            _Kind.TEXT: pa.string(),
            _Kind.WHOLE: pa.int64(),
            _Kind.NUMBER: pa.float64(),
            _Kind.SWITCH: pa.bool_(),
            _Kind.LIST: pa.list_(pa.string()),
        }
        return pa.table({name: pa.array(values, kinds[kind]) for name, (values, kind) in self._table().items()})

    def _table(self) -> dict[str, tuple[list[Any], _Kind]]:
        """The values of each column, of one type, and that type."""
        rows = list(self._rows())
        table = {name: ([own.get(name) for own, _, _ in rows], kind) for name, kind in self._columns.items()}
        if any(_paid(attributes) is not None for _, attributes, _ in rows):
            table["price_amount"] = [_paid(attributes) for _, attributes, _ in rows], _Kind.NUMBER
        for attribute in dict.fromkeys(name for _, attributes, _ in rows for name in attributes):
            values = [attributes.get(attribute) for _, attributes, _ in rows]
            table[_free(attribute, table)] = _uniform(values)
        for attribute in dict.fromkeys(name for _, _, predicted in rows for name in predicted):
            guesses = [predicted[attribute][0] if attribute in predicted else None for _, _, predicted in rows]
            table[_free(f"{_PREDICTED}{attribute}", table)] = guesses, _Kind.TEXT
        return table


def _free(attribute: str, table: Mapping[str, object]) -> str:
    """The name of an attribute's column, which another one may have already."""
    name = attribute
    while name in table:
        name = f"{_OWN}{name}"
    return name


def _uniform(values: Sequence[Any]) -> tuple[list[Any], _Kind]:
    types = {type(value) for value in values if value is not None}
    if tuple in types:
        lists = [value if value is None or isinstance(value, tuple) else (_text(value),) for value in values]
        return [None if value is None else list(value) for value in lists], _Kind.LIST
    if types == {bool}:
        return list(values), _Kind.SWITCH
    if types == {int}:
        return list(values), _Kind.WHOLE
    if types and types <= {int, float}:
        return [None if value is None else float(value) for value in values], _Kind.NUMBER
    return [None if value is None else _text(value) for value in values], _Kind.TEXT


def _text(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _paid(attributes: Mapping[str, Any]) -> float | None:
    """The number that a product costs now, without its currency."""
    for name in _PAID:
        if (match := _AMOUNT.match(str(attributes.get(name, "")))) is not None:
            return float(match.group())
    return None


HIT_COLUMNS: Mapping[str, _Kind] = {
    "rank": _Kind.WHOLE,
    "product_id": _Kind.TEXT,
    "title": _Kind.TEXT,
    "score": _Kind.NUMBER,
    "match": _Kind.NUMBER,
    "likeness": _Kind.TEXT,
    "style_closeness": _Kind.NUMBER,
    "color_closeness": _Kind.NUMBER,
    "reasons": _Kind.LIST,
    "variants": _Kind.LIST,
    "photo": _Kind.TEXT,
}
"""The columns of every answer of hits, before their attributes."""

LISTED_COLUMNS: Mapping[str, _Kind] = {
    "product_id": _Kind.TEXT,
    "title": _Kind.TEXT,
    "source": _Kind.TEXT,
    "photos": _Kind.LIST,
}
"""The columns of a listing, before its products' attributes."""
