"""Vectors from a Parquet file: a column of ids or file names, and one of lists of numbers."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.errors import MissingExtra, UnreadableVectors

if TYPE_CHECKING:
    from pathlib import Path

_PACKAGE = "pyarrow"
_TEXT_COLUMNS = ("id", "ids", "photos", "filename", "filenames", "names")


def read_parquet(file: Path) -> dict[str, Any]:
    """Ids or names and vectors by the names that ``vector_files`` knows; the one column of lists is the vectors.

    Raises:
        MissingExtra: pyarrow is not installed.
        UnreadableVectors: The file is damaged, or has no such columns.
    """
    if find_spec(_PACKAGE) is None:
        raise MissingExtra(_PACKAGE, extra="parquet")
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(file)
        lists = [field.name for field in schema if _is_list(field.type)]
        names = [name for name in _TEXT_COLUMNS if name in schema.names and name not in lists]
        if len(lists) != 1 or not names:
            columns = ", ".join(schema.names)
            reason = f"it takes a column id or filename and one column of lists, it has {columns}"
            raise UnreadableVectors(file, reason=reason)
        table = pq.read_table(file, columns=[*names, *lists])
    except (pa.ArrowException, OSError) as error:
        raise UnreadableVectors(file, reason=f"it is damaged, or no Parquet file ({error})") from error
    parts = {name: [str(value) for value in table[name].to_pylist()] for name in names}
    return {**parts, "embeddings": _vectors(table[lists[0]].combine_chunks())}


def _is_list(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _vectors(column: Any) -> Any:
    """``(n, d)`` where all lists are as long, else the lists, so that the first that differs can be named."""
    lengths = np.array(column.value_lengths().fill_null(0))
    if len(lengths) and lengths[0] and (lengths == lengths[0]).all() and not column.null_count:
        flat = column.flatten()
        if not flat.null_count:
            return flat.to_numpy(zero_copy_only=False).reshape(len(lengths), -1)
    return column.to_pylist()
