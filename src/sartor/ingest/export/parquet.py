"""The catalog with its embeddings as Parquet: a row per photo, and a typed column per attribute."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sartor.ingest.export.source import infer_schema
from sartor.ingest.export.tables import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sartor.ingest.export.source import AttributeTypes, ExportSource, PhotoRow
    from sartor.types import AttributeValue

_OWN = ("id", "title", "photo", "sha256", "embedding")
_TYPES = (({bool}, pa.bool_()), ({int}, pa.int64()), ({int, float}, pa.float64()), ({str}, pa.string()))


def write_parquet(path: Path, source: ExportSource) -> tuple[str, ...]:
    """Write a row for every photo, and one for a product without photos; return what is lost.

    Metadata ``sartor`` of the file holds the model's id, and the column of each attribute as JSON.
    """
    attributes = infer_schema(source).attributes
    columns = _columns(attributes)
    schema = _schema(attributes, columns, source)
    texts = [field.name for field in schema if field.type in {pa.string(), pa.list_(pa.string())}]
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=texts) as writer:
        for rows in source.rows():
            writer.write_batch(_batch(rows, schema, columns, source.dimension))
    return ("photos: only their names and SHA-256", *_lost(attributes, columns))


def _columns(attributes: dict[str, AttributeTypes]) -> dict[str, str]:
    """Attribute to column; an attribute with the name of a fixed column gets the prefix ``attribute_``."""
    taken = {*_OWN, *attributes}
    columns = {}
    for name in attributes:
        column = name
        while column in _OWN or (column != name and column in taken):
            column = f"attribute_{column}"
        taken.add(column)
        columns[name] = column
    return columns


def _schema(attributes: dict[str, AttributeTypes], columns: dict[str, str], source: ExportSource) -> pa.Schema:
    fields = [pa.field(name, pa.string()) for name in _OWN[:-1]]
    fields.append(pa.field("embedding", pa.list_(pa.float32(), source.dimension)))
    fields += [pa.field(columns[name], _type_of(types)) for name, types in attributes.items()]
    metadata = {"model": source.model_id, "attributes": columns}
    return pa.schema(fields, metadata={"sartor": json.dumps(metadata)})


def _type_of(attribute: AttributeTypes) -> pa.DataType:
    """The narrowest type that holds all values; a single value among lists becomes a list of one."""
    if tuple in attribute.types:
        return pa.list_(pa.string())
    return next((type_ for types, type_ in _TYPES if attribute.types <= types), pa.string())


def _batch(rows: Sequence[PhotoRow], schema: pa.Schema, columns: dict[str, str], dimension: int) -> pa.RecordBatch:
    arrays = [
        pa.array([row.product.id for row in rows], pa.string()),
        pa.array([row.product.title for row in rows], pa.string()),
        pa.array([row.photo and row.photo.name for row in rows], pa.string()),
        pa.array([row.photo and row.photo.sha256 for row in rows], pa.string()),
        _embeddings(rows, dimension),
    ]
    for name, column in columns.items():
        type_ = schema.field(column).type
        values = [_cell(row.product.attributes.get(name), type_) for row in rows]
        arrays.append(pa.array(values, type_))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _embeddings(rows: Sequence[PhotoRow], dimension: int) -> pa.Array:
    zeros = np.zeros(dimension, np.float32)
    vectors = np.concatenate([zeros if row.vector is None else row.vector for row in rows])  # (n * d,)
    missing = pa.array([row.vector is None for row in rows])
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors), dimension, mask=missing)


def _cell(value: AttributeValue | None, type_: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_list(type_):
        return list(value) if isinstance(value, tuple) else [text_of(value)]
    return text_of(value) if pa.types.is_string(type_) else value


def _lost(attributes: dict[str, AttributeTypes], columns: dict[str, str]) -> Iterator[str]:
    mixed = [name for name, types in attributes.items() if len(types.types) > 1]
    if mixed:
        yield f"types, since a column has one: of the values of {', '.join(mixed)}"
    moved = [f"{name} is {column}" for name, column in columns.items() if name != column]
    if moved:
        yield f"names of attributes that are names of columns: {', '.join(moved)}"
