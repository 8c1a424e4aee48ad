"""Vectors with the names of their photos: pickles, ``.npy``, ``.npz`` and Parquet files."""

from __future__ import annotations

import math
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sartor.catalog.vectors.names import photo_name, product_id
from sartor.catalog.vectors.unpickle import read_pickle
from sartor.errors import MissingExtra, UnreadableVectors
from sartor.limits import MAX_PARQUET_RATIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_PACKAGE = "pyarrow"
_TEXT_COLUMNS = ("id", "ids", "photos", "filename", "filenames", "names")

Numbers = npt.NDArray[Any]
VECTORS = ("embeddings", "vectors", "features")
NAMES = ("photos", "filenames", "filename", "names")
IDS = ("ids", "id")
_NUMBER_KINDS = "fiub"
_NPY, _ZIP, _PARQUET = b"\x93NUMPY", b"PK\x03\x04", b"PAR1"


def read_parquet(file: Path) -> dict[str, Any]:
    """Ids or names and vectors of a Parquet file; its one column of lists holds the vectors.

    Columns that are not read are None.

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
    parts = {name: list(map(_name_of, table[name].to_pylist())) for name in names}
    vectors = _vectors(_as_lists(table[lists[0]].combine_chunks()))
    return {**parts, "embeddings": vectors, **dict.fromkeys(set(schema.names) - {*names, *lists})}


def _is_list(kind: Any) -> bool:
    """Whether a column has lists of numbers, or tensors; lists of texts are attributes."""
    import pyarrow as pa
    from pyarrow import types

    if isinstance(kind, pa.FixedShapeTensorType):
        kind = kind.storage_type
    is_list = (types.is_list, types.is_large_list, types.is_fixed_size_list, *_views(types))
    if not any(check(kind) for check in is_list):
        return False
    return bool(types.is_floating(kind.value_type) or types.is_integer(kind.value_type))


def _as_lists(column: Any) -> Any:
    """A column of tensors as one of lists.

    Source: https://arrow.apache.org/docs/format/CanonicalExtensions.html#fixed-shape-tensor
    """
    import pyarrow as pa

    return column.storage if isinstance(column.type, pa.FixedShapeTensorType) else column


def _views(types: Any) -> list[Callable[[Any], bool]]:
    """What tells that a column has views of lists; nothing where pyarrow has none."""
    return [getattr(types, name) for name in ("is_list_view", "is_large_list_view") if hasattr(types, name)]


def _name_of(value: Any) -> Any:
    """A value of a column of ids or names, to be read as all names are; dates and decimals are their texts."""
    is_read = value is None or (isinstance(value, str | bytes | int | float) and not isinstance(value, bool))
    return value if is_read else str(value)


def _vectors(column: Any) -> Any:
    """``(n, d)`` if all lists have one length, else the lists, so that an error can name the first other one."""
    # Views have sizes; a cast to lists would lose the last one (pyarrow 26).
    sizes = column.sizes if hasattr(column, "sizes") else column.value_lengths()
    lengths = np.array(sizes.fill_null(0))
    if len(lengths) and lengths[0] and (lengths == lengths[0]).all() and not column.null_count:
        flat = column.flatten()
        if not flat.null_count:
            return flat.to_numpy(zero_copy_only=False).reshape(len(lengths), -1)
    return column.to_pylist()


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedVectors:
    """The vectors of a file.

    Attributes:
        vectors: ``(n, d)`` real numbers of any type and norm.
        names: Names of their n photos, as POSIX paths.
        ids: Ids of their n products; None if the file has none. A product may have several vectors.
        unread: Names of arrays and columns of the file that were not read.
    """

    vectors: Numbers
    names: tuple[str, ...]
    ids: tuple[str, ...] | None = None
    unread: tuple[str, ...] = ()


def read_vectors(file: Path, filenames: Path | None = None) -> NamedVectors:
    """Read a pickle, ``.npy``, ``.npz`` or Parquet file, recognized by its content.

    Args:
        file: The vectors.
        filenames: A separate file of names: a pickle, ``.npy``, or text with one name a line.

    Raises:
        UnsafePickle: A pickle is broken, or holds something else.
        UnreadableVectors: A file holds no vectors or names, or they do not fit each other.
        MissingExtra: It is a Parquet file, and pyarrow is not installed.
    """
    start = _start(file)
    parts: dict[str, Any] = {}
    if start.startswith(_PARQUET):
        parts = read_parquet(file)
    elif start.startswith(_ZIP):
        parts = _npz(file)
    else:
        parts["embeddings"] = _npy(file) if start.startswith(_NPY) else read_pickle(file)
    of_vectors, of_names, of_ids = (_only(file, parts, names) for names in (VECTORS, NAMES, IDS))
    if of_vectors is None:
        raise UnreadableVectors(
            file, reason=f"it has none of {', '.join(VECTORS)}, only {', '.join(parts) or 'nothing'}"
        )
    vectors = parts[of_vectors]
    if filenames is not None:
        read = (of_vectors,)
        return _fitted(file, vectors, _names_in(filenames), None, unread=_others(parts, read))
    if of_names is None and of_ids is None:
        raise UnreadableVectors(file, reason="it has vectors without names; give the file with the names after it")
    ids = None if of_ids is None else parts[of_ids]
    names = ids if of_names is None else parts[of_names]
    return _fitted(file, vectors, names, ids, unread=_others(parts, (of_vectors, of_names, of_ids)))


def _only(file: Path, parts: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The one of several names that a file uses; None if it uses none.

    Raises:
        UnreadableVectors: It uses several, and nothing says which is meant.
    """
    used = [name for name in names if name in parts]
    if len(used) > 1:
        reason = f"it has {' and '.join(used)}, which are names for the same; leave one of them"
        raise UnreadableVectors(file, reason=reason)
    return used[0] if used else None


def _others(parts: Mapping[str, Any], read: Sequence[str | None]) -> tuple[str, ...]:
    return tuple(sorted(set(parts) - set(read)))


def _fitted(file: Path, vectors: Any, names: Any, ids: Any, *, unread: tuple[str, ...]) -> NamedVectors:
    photos = _texts(file, names)
    matrix = _matrix(file, vectors, photos)
    if len(matrix) != len(photos):
        reason = f"it has {len(matrix):,} vectors, and there are {len(photos):,} names; both must be of one run"
        raise UnreadableVectors(file, reason=reason)
    own = None if ids is None else _texts(file, ids, as_text=product_id)
    if own is not None and len(own) != len(photos):
        raise UnreadableVectors(file, reason=f"it has {len(own):,} ids for {len(photos):,} vectors")
    return NamedVectors(vectors=matrix, names=photos, ids=own, unread=unread)


def _matrix(file: Path, value: Any, names: Sequence[str]) -> Numbers:
    """``(n, d)`` from an array or a list of rows, further axes flattened."""
    if isinstance(value, np.ndarray):
        if value.ndim < 2 or value.dtype.kind not in _NUMBER_KINDS or not value.size:  # noqa: PLR2004
            reason = f"it holds {value.dtype} of shape {value.shape}, not one row of numbers for each photo"
            raise UnreadableVectors(file, reason=reason)
        return value.reshape(len(value), -1)
    if not isinstance(value, list | tuple) or not value:
        raise UnreadableVectors(file, reason="it holds no list of vectors")
    rows = [_row(row) for row in value]
    first = rows[0]
    for index, row in enumerate(rows):
        if row is None or first is None or row.shape != first.shape:
            name = names[index] if index < len(names) else "without a name"
            has = "no numbers" if row is None else f"{len(row):,} numbers"
            reason = f"row {index} ({name}) has {has}, the first row {0 if first is None else len(first):,}"
            raise UnreadableVectors(file, reason=reason)
    return np.stack([row for row in rows if row is not None])


def _row(row: Any) -> Numbers | None:
    """``(d,)``; None if it does not hold numbers."""
    if isinstance(row, list | tuple):
        if len(row) == 1 and isinstance(row[0], list | tuple | np.ndarray):
            return _row(row[0])
        if not all(isinstance(number, float | int | np.number) for number in row):
            return None
        try:
            row = np.array(row, np.float64 if any(isinstance(number, int) for number in row[:1]) else None)
        except (ValueError, OverflowError):
            return None
    if not isinstance(row, np.ndarray) or row.dtype.kind not in _NUMBER_KINDS or not row.size:
        return None
    return row.ravel()


def _texts(file: Path, value: Any, *, as_text: Callable[[Any], str] = photo_name) -> tuple[str, ...]:
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = value.tolist()
    if not isinstance(value, list | tuple):
        raise UnreadableVectors(file, reason="the names are no list of names")
    return tuple(map(as_text, value))


def _names_in(file: Path) -> Any:
    if _start(file).startswith(_NPY):
        return _npy(file)
    if file.suffix.lower() in {".txt", ".csv", ".lst"}:
        try:
            return file.read_text("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            reason = f"its names are not UTF-8 (byte {error.start:,}); save it as UTF-8"
            raise UnreadableVectors(file, reason=reason) from error
    return read_pickle(file)


def _start(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(8)
    except OSError as error:
        raise UnreadableVectors(file, reason=f"it cannot be read ({error.strerror})") from error


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
        raise UnreadableVectors(file, reason=f"it is damaged, or no NumPy file ({error})") from error


def _npy(file: Path) -> Numbers:
    with _readable(file), file.open("rb") as stream:
        return _array(file, stream, size_bytes=file.stat().st_size)


def _npz(file: Path) -> dict[str, Any]:
    """Arrays by name; None for those that are not read."""
    known = {*VECTORS, *NAMES, *IDS}
    with _readable(file), zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        members = [entry for entry in entries if entry.filename.removesuffix(".npy") in known]
        for entry in members:
            if entry.file_size > MAX_PARQUET_RATIO * entry.compress_size + 2**16:
                raise UnreadableVectors(file, reason=f"{entry.filename} unpacks to more than numbers can")
        parts: dict[str, Any] = dict.fromkeys(
            entry.filename.removesuffix(".npy") for entry in entries if entry not in members
        )
        for entry in members:
            with archive.open(entry) as stream:
                parts[entry.filename.removesuffix(".npy")] = _array(file, stream, size_bytes=entry.file_size)
        return parts


def _array(file: Path, stream: IO[bytes], *, size_bytes: int) -> Numbers:
    """An array in NumPy's format; refused if its length contradicts the header or it holds objects."""
    version = np.lib.format.read_magic(stream)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = header(stream)
    if dtype.hasobject or dtype.kind not in f"{_NUMBER_KINDS}US":
        raise UnreadableVectors(file, reason=f"it holds {dtype}, neither numbers nor text; save plain numbers")
    needed = math.prod(shape) * dtype.itemsize
    if needed != size_bytes - stream.tell():
        raise UnreadableVectors(file, reason=f"its header announces {needed:,} bytes, which it does not have")
    return np.ndarray(shape, dtype, buffer=stream.read(), order="F" if fortran else "C")
