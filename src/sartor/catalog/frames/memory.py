"""Tables in a program's memory: data frames, Arrow tables, data sets, results of a database, rows as mappings.

``frame_of`` recognizes them by their protocol or their class's name, so that no library is imported that the
program does not use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from sartor.catalog.columns import image_columns_of
from sartor.catalog.frames.arrow import ArrowStream, columns_of_schema, require_arrow, rows_of
from sartor.catalog.frames.cells import RowMaker
from sartor.catalog.source import Case
from sartor.errors import UnreadableTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sartor.catalog.formats import Row, TableStream
    from sartor.catalog.source import Findings

_ROWS = 1_000  # of a data frame that become Python's values at once
_DATASET_ROWS = 256  # each may have a picture
_SAMPLE = 20
_FETCHED = 10_000
_DOUBLE_BYTES = 8


@runtime_checkable
class HasArrowStream(Protocol):
    """A table that other libraries can read: of pandas, polars, pyarrow, DuckDB and more."""

    def __arrow_c_stream__(self, _schema: object | None = None, /) -> object:
        """A capsule with its Arrow stream."""
        ...


@runtime_checkable
class Cursor(Protocol):
    """The result of a query, as Python's DB-API has it."""

    @property
    def description(self) -> Any:
        """A sequence for each column, its name first."""
        ...

    def fetchmany(self, size: int = ..., /) -> Sequence[Any]:
        """The next rows."""
        ...


FrameInput: TypeAlias = HasArrowStream | Cursor | Iterable[Mapping[str, Any]] | Mapping[str, Sequence[Any]]
"""A table in memory, as ``Shop.index`` takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InMemory:
    """A table in memory as a source.

    Attributes:
        data: A data frame, a table, a data set, a result of a query, or rows as mappings.
        name: What the catalog calls this source; None for one that it does not tell from others.
        images: Folder that its photos' paths begin at; None is the working directory.
    """

    data: Any
    name: str | None = None
    images: Path | None = None

    @property
    def id(self) -> str:
        """The name under which the store remembers it; no path is spelled so."""
        return "table" if self.name is None else f"table:{self.name}"


class Frame(Protocol):
    """A table that can be read again and again."""

    @property
    def kind(self) -> str:
        """What it is, such as ``pandas DataFrame``."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns."""
        ...

    @property
    def row_count(self) -> int | None:
        """The number of its rows; None if it is not known."""
        ...

    def rows(self, findings: Findings) -> Iterator[Row]:
        """Its rows."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRows:
    """A frame as the format of a table, whose stream is empty."""

    frame: Frame
    header_lines: None = None

    def columns(self, table: TableStream) -> tuple[str, ...]:  # noqa: ARG002 - as formats of files have it
        """The columns of the frame."""
        return self.frame.columns

    def rows(self, table: TableStream) -> Iterator[Row]:
        """The rows of the frame."""
        return self.frame.rows(table.findings)

    def row_count(self, table: TableStream) -> int | None:  # noqa: ARG002 - as formats of files have it
        """The number of rows."""
        return self.frame.row_count


def frame_of(data: Any) -> Frame:
    """Recognize a table in memory.

    Raises:
        UnreadableTable: It is none, or holds several.
        MissingExtra: Reading it needs pyarrow.
    """
    if _is_of(data, "pandas", "DataFrame"):
        return PandasFrame(data)
    if _is_of(data, "datasets", "Dataset") or _is_of(data, "datasets", "IterableDataset"):
        return HuggingFaceDataset(data)
    if _is_of(data, "polars", "LazyFrame"):
        data = data.collect()
    if hasattr(data, "__arrow_c_stream__"):
        return ArrowStream(data, kind=_kind_of(data))
    if hasattr(data, "fetchmany"):
        return QueryRows(data)
    return Records(data)


def _is_of(data: Any, package: str, name: str) -> bool:
    """Whether an object is of a package's class, or of one that is derived from it."""
    return any(
        each.__name__ == name and each.__module__.partition(".")[0] == package for each in type(data).__mro__
    )


def _kind_of(data: Any) -> str:
    package = type(data).__module__.partition(".")[0].lstrip("_")
    return type(data).__name__ if package == "builtins" else f"{package} {type(data).__name__}"


class PandasFrame:
    """A data frame of pandas, whatever its columns hold; it needs no pyarrow.

    Levels of its index with a name are columns. Whole numbers that pandas made floats, because some are missing,
    are whole numbers.
    """

    kind = "pandas DataFrame"

    def __init__(self, frame: Any) -> None:
        levels = [name for name in frame.index.names if name is not None and name not in frame.columns]
        self._has_labels = frame.index.names == [None] and frame.index.dtype.kind not in "iu"
        self._frame = frame.reset_index(level=levels) if levels else frame
        self._names = tuple(_column_name(name) for name in self._frame.columns)
        self.columns = tuple(dict.fromkeys(self._names))
        self.row_count = len(self._frame)

    def rows(self, findings: Findings) -> Iterator[Row]:
        """The rows."""
        if self._has_labels:
            findings.add(Case.SPARE_ARRAYS, "labels of the rows, whose index has no name")
        frame, number = self._frame, 0
        whole = [_is_whole(frame.iloc[:, index]) for index in range(len(self._names))]
        maker = RowMaker(findings, images=image_columns_of(self._names))
        for start in range(0, len(frame), _ROWS):
            piece = frame.iloc[start : start + _ROWS]
            columns = [_values(piece.iloc[:, index]) for index in range(len(self._names))]
            for values in zip(*columns, strict=True):
                number += 1
                told = (
                    int(value) if is_whole and isinstance(value, float) and value == value else value  # noqa: PLR0124 - NaN
                    for value, is_whole in zip(values, whole, strict=True)
                )
                yield maker.row(f"row {number}", zip(self._names, told, strict=True))


def _values(column: Any) -> list[Any]:
    """The values of a column as Python's; short floats as they are written."""
    if getattr(column.dtype, "kind", "") == "f" and getattr(column.dtype, "itemsize", 8) < _DOUBLE_BYTES:
        return list(map(float, map(str, column.to_numpy(dtype=np.float32, na_value=np.nan))))
    values: list[Any] = column.tolist()
    return values


def _column_name(name: Any) -> str:
    """The name of a column; the levels of several are parted by dots."""
    if isinstance(name, tuple):
        return ".".join(str(level) for level in name if level != "")
    return str(name)


def _is_whole(column: Any) -> bool:
    """Whether a column of floats holds whole numbers, and became floats because some are missing."""
    if getattr(column.dtype, "kind", "") != "f" or not column.isna().any():
        return False
    told = column.dropna()
    return bool(len(told)) and bool((told % 1 == 0).all())


class HuggingFaceDataset:
    """A data set of Hugging Face, with its pictures as they are stored, and its labels as texts.

    Source: https://huggingface.co/docs/datasets/use_with_pyarrow
    """

    kind = "datasets Dataset"

    def __init__(self, dataset: Any) -> None:
        require_arrow()
        self._dataset = dataset.with_format("arrow")
        self.row_count = len(dataset) if hasattr(dataset, "__len__") else None
        features = dataset.features or {}
        self._labels = {
            str(column): tuple(feature.names) for column, feature in features.items() if hasattr(feature, "names")
        }
        self.columns = self._columns()

    def rows(self, findings: Findings) -> Iterator[Row]:
        """The rows, in the order of the data set."""
        batches = self._batches()
        first = next(batches, None)
        if first is not None:
            following = (each for batch in ([first], batches) for each in batch)
            yield from rows_of(following, first.schema, findings, labels=self._labels)

    def _batches(self) -> Iterator[Any]:
        return iter(self._dataset.iter(batch_size=_DATASET_ROWS))

    def _columns(self) -> tuple[str, ...]:
        first = next(iter(self._dataset.iter(batch_size=1)), None)
        return () if first is None else columns_of_schema(first.schema)


class Records:
    """Rows that are mappings, or a mapping from each column to its values; what can be read only once is kept."""

    def __init__(self, data: Any, *, kind: str | None = None) -> None:
        self.kind = kind or _kind_of(data)
        self._rows = self._rows_in(data)
        self.row_count = len(self._rows)
        self.columns = tuple(dict.fromkeys(str(name) for row in self._rows for name in row))

    def rows(self, findings: Findings) -> Iterator[Row]:
        """The rows."""
        maker = RowMaker(findings, images=image_columns_of(self.columns))
        for number, row in enumerate(self._rows, start=1):
            yield maker.row(f"row {number}", ((str(name), value) for name, value in row.items()))

    def _rows_in(self, data: Any) -> Sequence[Mapping[Any, Any]]:
        if isinstance(data, Mapping):
            return self._from_columns(data)
        if isinstance(data, str | bytes) or not isinstance(data, Iterable):
            raise UnreadableTable(
                self.kind, reason="give a data frame, a table, a data set, a query's result, or rows as mappings"
            )
        rows = data if isinstance(data, Sequence) else list(data)
        for number, row in enumerate(rows, start=1):
            if not isinstance(row, Mapping):
                reason = (
                    f"its row {number} is of the type {type(row).__name__}, not a mapping from column to value"
                )
                raise UnreadableTable(self.kind, reason=reason)
        return rows

    def _from_columns(self, data: Mapping[Any, Any]) -> Sequence[Mapping[Any, Any]]:
        tables = [name for name, each in data.items() if _is_table(each)]
        if tables:
            reason = (
                f"it holds several ({', '.join(map(str, tables))}); give one of them, such as data[{tables[0]!r}]"
            )
            raise UnreadableTable(self.kind, reason=reason)
        columns = {name: list(values) for name, values in data.items() if not isinstance(values, str | bytes)}
        lengths = {len(values) for values in columns.values()}
        if len(columns) != len(data) or len(lengths) > 1:
            reason = "a mapping is one list of values for each column, all of one length"
            raise UnreadableTable(self.kind, reason=reason)
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _is_table(data: Any) -> bool:
    """Whether a value of a mapping is a table itself, as the splits of a data set are."""
    if _is_of(data, "datasets", "Dataset") or _is_of(data, "datasets", "IterableDataset"):
        return True
    return hasattr(data, "__arrow_c_stream__") and hasattr(data, "columns")


class QueryRows(Records):
    """The result of a query: a cursor of the DB-API, or a result of SQLAlchemy; it is read once and kept."""

    def __init__(self, cursor: Any) -> None:
        kind = _kind_of(cursor)
        names = self._names(cursor, kind)
        rows: list[dict[str, Any]] = []
        while fetched := cursor.fetchmany(_FETCHED):
            rows += (dict(zip(names, row, strict=True)) for row in fetched)
        super().__init__(rows, kind=kind)
        self.columns = tuple(dict.fromkeys(names))

    @staticmethod
    def _names(cursor: Any, kind: str) -> list[str]:
        if callable(getattr(cursor, "keys", None)):
            return [str(name) for name in cursor.keys()]  # noqa: SIM118 - no mapping
        described = getattr(cursor, "description", None)
        if described is None:
            raise UnreadableTable(kind, reason="it has no result; execute a query first")
        return [str(column[0]) for column in described]


__all__ = ["FrameInput", "FrameRows", "InMemory", "frame_of"]
