"""Tables of products: recognized by their content, and picked for a folder or ZIP."""

from __future__ import annotations

import codecs
import io
import json
import posixpath
import re
import shlex
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from sartor.catalog.columns import (
    Roles,
    attribute_names,
    column_key,
    decimal_mark_of,
    is_url,
    references,
    roles_of,
)
from sartor.catalog.files import (
    Files,
    PhotoFinder,
    is_photo,
    suffix_of,
)
from sartor.catalog.formats import Delimited, JsonLines, Row, TableFormat, TableStream, texts
from sartor.catalog.frames.arrow import Parquet, is_parquet
from sartor.catalog.frames.memory import FrameRows
from sartor.catalog.merchant import MerchantXml
from sartor.catalog.platforms import ObjectTable, PlatformTable, object_platform_of, platform_of
from sartor.catalog.platforms.objects import JsonDocument, objects_in
from sartor.catalog.platforms.schema_org import Page, SchemaOrg
from sartor.catalog.source import Case, Findings
from sartor.errors import UnreadableTable
from sartor.limits import MAX_TABLE_CANDIDATES
from sartor.money import mark_of
from sartor.offers import is_price

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sartor.catalog.files import PhotoIndex
    from sartor.catalog.frames.memory import Frame

KIND = "kaggle"
TABLE = "styles.csv"  # of Kaggle's Fashion Product Images
IN_MEMORY = "table"  # the name of a table that is no file
COLUMNS = (
    "id",
    "gender",
    "masterCategory",
    "subCategory",
    "articleType",
    "baseColour",
    "season",
    "year",
    "usage",
    "productDisplayName",
)
_KAGGLE_ONLY = frozenset({"articleType", "productDisplayName"})

TABLE_SUFFIXES = frozenset(
    {".csv", ".tsv", ".tab", ".psv", ".txt", ".jsonl", ".ndjson", ".json", ".jsonld", ".xml", ".rss", ".atom"}
    | {".parquet", ".pq"}
)
_NOTES_SUFFIXES = frozenset({".txt", ".json"})  # more often a note or a setting than a table
_NUMBER = re.compile(r"\d+")  # "Attribute 2 name" is read as "Attribute 1 name"
_METADATA = re.compile(r"metadata\.(?:csv|jsonl|parquet)")
_PIECE = re.compile(r"(?:.+-\d{5}-of-\d{5}|\d{4,5})\.parquet")
_HEAD_BYTES = 2**16
_SAMPLE_ROWS = 20
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def has_kaggle_name(name: str) -> bool:
    """Whether a file has the name of Kaggle's table."""
    return name.rpartition("/")[2].lower() == TABLE


def is_kaggle(name: str, columns: Iterable[str]) -> bool:
    """Whether a table is Kaggle's; some of its columns may be missing."""
    return has_kaggle_name(name) and "id" in columns and not _KAGGLE_ONLY.isdisjoint(columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A recognized table.

    Attributes:
        name: Its name among the files of the source.
        kind: ``kaggle``, ``table``, ``merchant feed``, or the platform that exported it.
        columns: Its columns; further rows may have others.
        sample: Its first rows, as many as the start of the file has.
        given: Columns by what they hold, as the user said.
        exported: The columns that the platform wrote; empty for other tables.
        more: Further tables of the same set, such as those of its test split.
    """

    name: str
    kind: str
    format: TableFormat
    columns: tuple[str, ...]
    roles: Roles
    sample: tuple[Row, ...]
    given: tuple[tuple[str, str], ...] = ()
    exported: tuple[str, ...] = ()
    more: tuple[Table, ...] = ()

    @property
    def mapping(self) -> tuple[tuple[str, str], ...]:
        """Each column, and what it is in the catalog."""
        if isinstance(self.format, ObjectTable):
            return tuple(self.format.platform.meanings.items())
        if isinstance(self.format, PlatformTable):
            meanings = {column_key(column): meaning for column, meaning in self.format.platform.meanings.items()}
            keys = ((column, column_key(_NUMBER.sub("1", column))) for column in self.exported)
            return tuple(
                (column, meanings.get(column_key(column)) or meanings.get(key) or column) for column, key in keys
            )
        names = attribute_names(self.columns, self.given)
        roles = {self.roles.id: "id", self.roles.title: "title"} | dict.fromkeys(self.roles.images, "photos")
        return tuple((column, roles.get(column) or names[column]) for column in self.columns)

    @property
    def decimal_mark(self) -> str | None:
        """The decimal mark of its prices, by the first rows, else by the language of its columns."""
        names = attribute_names(self.columns, self.given)
        prices = [
            text
            for row in self.sample
            for column, cell in row.cells.items()
            if is_price(names.get(column, column))
            for text in texts(cell)
        ]
        return mark_of(prices) or decimal_mark_of(self.columns)

    @property
    def folder(self) -> str:
        """The folder that its references to images start from."""
        return posixpath.dirname(self.name)


def named_table(files: Files, name: str, index: PhotoIndex, *, columns: Mapping[str, str] | None = None) -> Table:
    """The table in a file that the user named.

    Args:
        files: Where it is.
        name: Its name there.
        index: The photos that it may name.
        columns: Its columns by what they hold; then it is read as a plain table, whichever platform exported it.

    Raises:
        UnreadableTable: It is not a table, or has neither images nor ids that photos are named after.
    """
    table = _recognize(files, name, _head(files, name), columns)
    if table.roles.images or table.kind == KIND or _names_photos(table, index):
        return table
    reason = _no_images(table.columns, table.sample, files.label(name), format_=table.format)
    raise UnreadableTable(files.label(name), reason=reason)


def table_in_memory(
    files: Files, frame: Frame, index: PhotoIndex, *, label: str, columns: Mapping[str, str] | None = None
) -> Table:
    """The table of a frame.

    Args:
        files: Gives an empty stream for it.
        frame: The frame.
        index: The photos that it may name.
        label: What messages call it.
        columns: Its columns by what they hold; then it is read as a plain table, whichever platform exported it.

    Raises:
        UnreadableTable: It has neither images nor ids that photos are named after.
    """
    rows = FrameRows(frame=frame)
    platform = None if columns else platform_of(frame.columns)
    format_ = rows if platform is None else PlatformTable(format=rows, platform=platform)
    table = _table_of(files, IN_MEMORY, b"", format_, columns)
    if table.roles.images or _names_photos(table, index):
        return table
    raise UnreadableTable(label, reason=_no_images(table.columns, table.sample, label, format_=rows))


def find_table(
    files: Files,
    index: PhotoIndex,
    *,
    source: str,
    findings: Findings,
    columns: Mapping[str, str] | None = None,
) -> Table | None:
    """The table that describes the photos of a folder or ZIP: Kaggle's, else the only one nearest to the top.

    Raises:
        UnreadableTable: There are several to choose from, or Kaggle's ``styles.csv`` cannot be read.
    """
    candidates = sorted(
        (name for name in files.names if suffix_of(name) in TABLE_SUFFIXES),
        key=lambda name: (name.count("/"), name),
    )
    table = _kaggle_table(files, candidates) or _nearest_table(files, candidates, index, source=source)
    if table is not None and columns:
        more = tuple(named_table(files, each.name, index, columns=columns) for each in table.more)
        table = replace(named_table(files, table.name, index, columns=columns), more=more)
    read = () if table is None else (table.name, *(each.name for each in table.more))
    for name in candidates:
        if suffix_of(name) not in _NOTES_SUFFIXES and name not in read:
            findings.add(Case.OTHER_TABLES, name)
    return table


def format_of(head: bytes) -> TableFormat | None:
    """The format of a table by its first bytes; None if it is unknown."""
    if is_parquet(head):
        return Parquet()
    if head.startswith(_UTF16_MARKS):
        return MerchantXml.sniff(head.decode("utf-16", "replace"))
    if b"\0" in head:
        return None
    text = head.decode("utf-8-sig", "replace")
    if text.lstrip().startswith("<"):
        return MerchantXml.sniff(text)
    if text.lstrip().startswith(("{", "[")):
        return JsonDocument() if _is_document(text) else JsonLines.sniff(text)
    return Delimited.sniff(text)


def _head(files: Files, name: str) -> bytes:
    """The start of a table, cut at the end of a line."""
    with files.open_table(name) as stream:
        head = stream.read(_HEAD_BYTES)
    return head if len(head) < _HEAD_BYTES else head[: head.rfind(b"\n") + 1] or head


def _is_document(text: str) -> bool:
    """Whether a JSON file is one document, rather than an object a line."""
    lines = [line for line in text.splitlines() if line.strip()]
    first = lines[0].strip()
    if first.startswith("["):
        return True
    try:
        parsed = json.loads(first)
    except (ValueError, RecursionError):
        return first.endswith(("{", "[", ",")) or len(lines) == 1
    return len(lines) == 1 and objects_in(parsed) != (parsed,)


def _recognize(files: Files, name: str, head: bytes, given: Mapping[str, str] | None = None) -> Table:
    format_ = _format_in(files, name, head, is_plain=bool(given))
    if format_ is None:
        raise UnreadableTable(files.label(name), reason=why_no_format(head))
    return _table_of(files, name, head, format_, given)


def _table_of(
    files: Files, name: str, head: bytes, format_: TableFormat, given: Mapping[str, str] | None
) -> Table:
    with _beginning(files, name, head, format_) as start:
        columns = format_.columns(start)
        exported = format_.format.columns(start) if isinstance(format_, PlatformTable) else ()
    _require_columns(columns, given or {}, label=files.label(name))
    sample = _sample(files, name, head, format_)
    roles = _with_pictures(roles_of(columns, given), sample)
    if roles.id is None and not roles.images:
        reason = _no_images(columns, sample, files.label(name), format_=format_)
        raise UnreadableTable(files.label(name), reason=reason)
    if isinstance(format_, PlatformTable | ObjectTable):
        kind = format_.platform.name
    elif isinstance(format_, FrameRows):
        kind = format_.frame.kind
    else:
        kind = KIND if is_kaggle(name, columns) else "merchant feed" if _is_feed(roles) else "table"
    return Table(
        name=name,
        kind=kind,
        format=format_,
        columns=columns,
        roles=roles,
        sample=sample,
        given=tuple((given or {}).items()),
        exported=exported,
    )


def _with_pictures(roles: Roles, sample: Sequence[Row]) -> Roles:
    """The roles, with the columns that hold pictures whatever they are called."""
    own = dict.fromkeys(column for row in sample for column in row.photos)
    known = {*roles.images, *roles.fallbacks}
    return replace(roles, images=(*roles.images, *(column for column in own if column not in known)))


def _require_columns(columns: Sequence[str], given: Mapping[str, str], *, label: str) -> None:
    for name, column in given.items():
        if column not in columns:
            turned = f" (write {column}={name}: the catalog's name comes first)" if name in columns else ""
            reason = (
                f"it has no column {column!r}, which --columns names{turned}; its columns: {', '.join(columns)}"
            )
            raise UnreadableTable(label, reason=reason)


def _format_in(files: Files, name: str, head: bytes, *, is_plain: bool) -> TableFormat | None:
    """The format of a table, with the reader of its platform if it is known."""
    if not is_parquet(head) and (page := Page.sniff(head.decode("utf-8-sig", "replace"))) is not None:
        return ObjectTable(format=page, platform=SchemaOrg())
    format_ = format_of(head)
    if is_plain or format_ is None:
        return format_
    if isinstance(format_, Delimited | Parquet):
        with _beginning(files, name, head, format_) as table:
            platform = platform_of(format_.columns(table))
        return format_ if platform is None else PlatformTable(format=format_, platform=platform)
    if isinstance(format_, JsonLines):
        return _of_objects(format_, format_.objects(_start(files, name, head)))
    if isinstance(format_, JsonDocument):
        with _beginning(files, name, head, format_) as table:
            return _of_objects(format_, format_.objects(table))
    return format_


def _of_objects(
    format_: JsonLines | JsonDocument, objects: Iterator[tuple[str, Mapping[str, Any]]]
) -> TableFormat:
    for _, parsed in islice(objects, _SAMPLE_ROWS):
        if (platform := object_platform_of(parsed)) is not None:
            return ObjectTable(format=format_, platform=platform)
    return format_


def _sample(files: Files, name: str, head: bytes, format_: TableFormat) -> tuple[Row, ...]:
    """The first rows; fewer where the start of a file breaks off."""
    rows: list[Row] = []
    with _beginning(files, name, head, format_) as table, suppress(UnreadableTable):
        rows.extend(islice(format_.rows(table), _SAMPLE_ROWS))
    return tuple(rows)


@contextmanager
def _beginning(files: Files, name: str, head: bytes, format_: TableFormat) -> Iterator[TableStream]:
    """The start of a table; the whole of it where its format needs that."""
    inner = format_.format if isinstance(format_, ObjectTable | PlatformTable) else format_
    if not isinstance(inner, JsonDocument | Page | Parquet | FrameRows):
        yield _start(files, name, head)
        return
    with files.open_table(name) as stream:
        yield TableStream(label=files.label(name), stream=stream, findings=Findings())


def _start(files: Files, name: str, head: bytes) -> TableStream:
    return TableStream(label=files.label(name), stream=io.BytesIO(head + b"\n"), findings=Findings())


def _kaggle_table(files: Files, candidates: Sequence[str]) -> Table | None:
    for name in candidates:
        if has_kaggle_name(name):
            table = _recognize(files, name, _head(files, name))
            if table.kind == KIND:
                return table
    return None


def _nearest_table(files: Files, candidates: Sequence[str], index: PhotoIndex, *, source: str) -> Table | None:
    for _, names in groupby(candidates[:MAX_TABLE_CANDIDATES], key=lambda name: name.count("/")):
        tables = [table for name in names if (table := _likely_table(files, name, index))]
        if len(tables) > 1 and _are_one_set(tables):
            return replace(tables[0], more=tuple(tables[1:]))
        if len(tables) > 1:
            several = ", ".join(table.name for table in tables)
            raise UnreadableTable(source, reason=f"it holds several ({several}); give one of them as the source")
        if tables:
            return tables[0]
    return None


def _are_one_set(tables: Sequence[Table]) -> bool:
    """Whether tables are the parts of one set: metadata beside the photos of each split, or pieces of Parquet.

    Source: https://huggingface.co/docs/datasets/image_dataset and .../docs/hub/datasets-file-names-and-splits
    """
    names = [posixpath.basename(table.name) for table in tables]
    return all(_METADATA.fullmatch(name) for name in names) or all(_PIECE.fullmatch(name) for name in names)


def _likely_table(files: Files, name: str, index: PhotoIndex) -> Table | None:
    head = _head(files, name)
    try:
        table = _recognize(files, name, head)
    except UnreadableTable:
        return None
    if isinstance(table.format, JsonDocument) and len(table.sample) <= 1:
        return None  # what somebody noted of one photo
    is_described = table.roles.id is not None and table.roles.images
    return table if is_described or _names_photos(table, index) else None


def _names_photos(table: Table, index: PhotoIndex) -> bool:
    finder = PhotoFinder(index, folder=table.folder, findings=Findings())
    return any(finder.has_local_photo(row, table.roles) for row in table.sample)


def _is_feed(roles: Roles) -> bool:
    return any(column.replace(" ", "_").lower() == "image_link" for column in roles.images)


def _no_images(columns: Sequence[str], sample: Sequence[Row], label: str, *, format_: TableFormat) -> str:
    reason = (
        f"it has no column of images (its columns: {', '.join(columns) or 'none'}); "
        "name one image, image_path, image_link or filename"
    )
    guess = _likely_images(columns, sample)
    if isinstance(format_, FrameRows):
        return f"{reason}, or say which it is: columns={{'image': {guess or 'COLUMN'!r}}}"
    if guess is None:
        return f"{reason}, or say which it is: --columns image=COLUMN"
    command = shlex.join(["sartor", "index", label, "--columns", f"image={guess}"])
    return f"{reason}, or say which it is: {command}"


def _likely_images(columns: Sequence[str], sample: Sequence[Row]) -> str | None:
    """The column most of whose first cells look like names or addresses of photos."""
    best, most = None, 0.5
    for column in columns:
        cells = [row.cells[column] for row in sample if texts(row.cells.get(column))]
        named = [list(references(cell, is_file=lambda _: False)) for cell in cells]
        looks = sum(bool(each) and all(_looks_like_photo(name) for name in each) for each in named)
        if cells and looks / len(cells) > most:
            best, most = column, looks / len(cells)
    return best


def _looks_like_photo(reference: str) -> bool:
    return (
        is_photo(reference.partition("?")[0])
        or reference.startswith("data:image/")
        or (is_url(reference) and "image" in reference.casefold())
    )


def why_no_format(head: bytes) -> str:
    """Why the format of a file with these first bytes is unknown."""
    start = head.lstrip()
    if not start:
        return "it is empty"
    if head.startswith(_UTF16_MARKS):
        return "it is UTF-16 text; save it as UTF-8"
    if b"\0" in head:
        return "it is not text"
    if start.startswith(b"<"):
        return "it is no RSS or Atom feed with Google's g: fields"
    if start.startswith((b"{", b"[")):
        return "it is JSON, but neither one object a line nor one whole document"
    return "its first line is no header"
