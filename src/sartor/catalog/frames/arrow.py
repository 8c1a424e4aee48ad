"""Arrow: Parquet files, and every object that has ``__arrow_c_stream__``.

Sources: https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html for the protocol, and
https://huggingface.co/docs/datasets/about_dataset_features for pictures and labels in a schema's metadata.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sartor.catalog.columns import image_columns_of
from sartor.catalog.frames.cells import RowMaker
from sartor.errors import UnreadableTable, require_extra

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sartor.catalog.formats import Row, TableStream
    from sartor.catalog.source import Findings

PARQUET_START = b"PAR1"
_ENCRYPTED_START = b"PARE"
_ROWS = 256  # that are in Python's memory at once; each may have pictures
_PICTURE_FIELDS = frozenset({"bytes", "path"})


def require_arrow() -> None:
    """Check that pyarrow is installed.

    Raises:
        MissingExtra: It is not.
    """
    require_extra("parquet", "pyarrow")


def is_parquet(head: bytes) -> bool:
    """Whether a file with these first bytes is Parquet."""
    return head.startswith((PARQUET_START, _ENCRYPTED_START))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parquet:
    """A Parquet file; it may hold the pictures themselves."""

    header_lines: None = None

    def columns(self, table: TableStream) -> tuple[str, ...]:
        """The columns of its schema; those of a struct have a dot."""
        with _file(table) as file:
            return columns_of_schema(file.schema_arrow)

    def rows(self, table: TableStream) -> Iterator[Row]:
        """The rows.

        Raises:
            UnreadableTable: The file is damaged.
        """
        with _file(table) as file:
            yield from rows_of(file.iter_batches(batch_size=_ROWS), file.schema_arrow, table.findings)

    def row_count(self, table: TableStream) -> int:
        """The number of rows."""
        with _file(table) as file:
            return int(file.metadata.num_rows)


class ArrowStream:
    """The rows of an object with ``__arrow_c_stream__``.

    A table gives its stream each time that it is read. A reader gives it once, and a query that is not run yet may
    give other rows the next time; so theirs are kept.
    """

    def __init__(self, data: Any, *, kind: str) -> None:
        require_arrow()
        import pyarrow as pa

        self.kind = kind
        is_table = hasattr(data, "__len__") and not hasattr(data, "execute")
        with _readable(self.kind):
            self._data = data if is_table else pa.RecordBatchReader.from_stream(data).read_all()
            self._schema = pa.RecordBatchReader.from_stream(self._data).schema
        self.row_count = len(self._data)
        self.columns = columns_of_schema(self._schema)

    def rows(self, findings: Findings) -> Iterator[Row]:
        """The rows."""
        import pyarrow as pa

        with _readable(self.kind):
            batches = pa.RecordBatchReader.from_stream(self._data)
            yield from rows_of(_in_pieces(batches), batches.schema, findings)


def columns_of_schema(schema: Any) -> tuple[str, ...]:
    """The columns of a schema, those of a struct by their fields: ``price.amount``."""
    import pyarrow as pa

    columns: list[str] = []
    for field in schema:
        inner = [field.type.field(index).name for index in range(field.type.num_fields)]
        if pa.types.is_struct(field.type) and not set(inner) <= _PICTURE_FIELDS:
            columns += (f"{field.name}.{name}" for name in inner)
        else:
            columns.append(field.name)
    return tuple(dict.fromkeys(columns))


def rows_of(
    batches: Iterable[Any],
    schema: Any,
    findings: Findings,
    *,
    labels: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[Row]:
    """The rows of record batches or tables.

    Args:
        batches: Of this schema.
        schema: Its metadata may name labels.
        findings: Where values that cannot be kept are counted.
        labels: What the numbers of a column stand for, where the caller knows that.
    """
    named = labels if labels is not None else labels_of(schema.metadata)
    maker = RowMaker(findings, images=image_columns_of(schema.names), labels=named)
    number = 0
    for batch in batches:
        columns = [_values(column) for column in batch.columns]
        for values in zip(*columns, strict=True):
            number += 1
            yield maker.row(f"row {number}", zip(schema.names, values, strict=True))


def labels_of(metadata: Mapping[bytes, bytes] | None) -> dict[str, Sequence[str]]:
    """The labels that Hugging Face's data sets note in a schema, by column."""
    found: dict[str, Sequence[str]] = {}
    with suppress(ValueError, TypeError, AttributeError, KeyError):
        features = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        for column, feature in features.items():
            names = feature.get("names")
            if feature.get("_type") == "ClassLabel" and isinstance(names, list):
                found[str(column)] = [str(name) for name in names]
    return found


def _in_pieces(batches: Iterable[Any]) -> Iterator[Any]:
    """Batches of a bounded length: that of a data frame may be the whole of it."""
    for batch in batches:
        for start in range(0, batch.num_rows, _ROWS):
            yield batch.slice(start, _ROWS)


def _values(column: Any) -> list[Any]:
    """The values of a column as Python's."""
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if isinstance(kind, pa.FixedShapeTensorType):
        column = column.storage if not isinstance(column, pa.ChunkedArray) else column.cast(kind.storage_type)
    if types.is_timestamp(kind) and kind.unit == "ns":  # Python's times end with microseconds
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    elif types.is_duration(kind) and kind.unit == "ns":
        column = column.cast(pa.duration("us"), safe=False)
    elif types.is_time64(kind) and kind.unit == "ns":
        column = column.cast(pa.time64("us"), safe=False)
    elif types.is_float32(kind) or types.is_float16(kind):  # 0.1 is not 0.10000000149011612
        texts = column.cast(pa.float32()).cast(pa.string()).to_pylist()
        return [None if text is None else float(text) for text in texts]
    values: list[Any] = column.to_pylist()
    if types.is_map(kind):
        return [value if value is None else dict(value) for value in values]
    return values


@contextmanager
def _file(table: TableStream) -> Iterator[Any]:
    require_arrow()
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _readable(table.label):
        table.stream.seek(0)
        yield pq.ParquetFile(pa.PythonFile(table.stream, mode="r"))


@contextmanager
def _readable(label: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except pa.ArrowException as error:
        reason = str(error).partition("\n")[0]
        raise UnreadableTable(
            label, reason=f"it is damaged, or of a kind that pyarrow cannot read ({reason})"
        ) from error
