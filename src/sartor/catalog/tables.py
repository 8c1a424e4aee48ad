"""Recognizes tables of products by what they hold, and picks the one that describes a folder or a ZIP."""

from __future__ import annotations

import codecs
import io
import posixpath
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING

from sartor.catalog import kaggle
from sartor.catalog.columns import Roles, roles_of
from sartor.catalog.delimited import Delimited
from sartor.catalog.files import Files, suffix_of
from sartor.catalog.findings import Case, Findings
from sartor.catalog.json_lines import JsonLines
from sartor.catalog.merchant_xml import MerchantXml
from sartor.catalog.photo_finder import PhotoFinder
from sartor.catalog.table_format import Row, TableFormat, TableStream
from sartor.errors import UnreadableTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.catalog.photo_index import PhotoIndex

TABLE_SUFFIXES = frozenset(
    {".csv", ".tsv", ".tab", ".psv", ".txt", ".jsonl", ".ndjson", ".json", ".xml", ".rss", ".atom"}
)
_NOTES_SUFFIXES = frozenset({".txt", ".json"})  # more often a note or a setting than a table
_HEAD_BYTES = 2**16
_SAMPLE_ROWS = 20
_MAX_CANDIDATES = 200  # a folder may hold a JSON or XML file per photo
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table that was recognized.

    Attributes:
        name: Its name among the files of the source.
        kind: ``kaggle``, ``table`` or ``merchant feed``.
        format: How to read it.
        columns: Its columns; further rows may have others.
        roles: Which of the columns hold id, title and images.
        sample: Its first rows, where it can be cut at a line.
    """

    name: str
    kind: str
    format: TableFormat
    columns: tuple[str, ...]
    roles: Roles
    sample: tuple[Row, ...]

    @property
    def folder(self) -> str:
        """Where it lies, which its references to images start from."""
        return posixpath.dirname(self.name)


def given_table(files: Files, name: str, index: PhotoIndex) -> Table:
    """The table in a file that the user named.

    Raises:
        UnreadableTable: It is none, or has neither images nor ids that photos bear.
    """
    table = _understood(files, name, _head(files, name))
    if table.roles.images or table.kind == kaggle.KIND or _names_photos(table, index):
        return table
    raise UnreadableTable(files.label(name), reason=_no_images(table.columns))


def find_table(files: Files, index: PhotoIndex, *, source: str, findings: Findings) -> Table | None:
    """The table that describes the photos of a folder or ZIP: Kaggle's, or else the only one nearest to the top.

    Raises:
        UnreadableTable: There are several to choose from, or Kaggle's ``styles.csv`` cannot be read.
    """
    candidates = sorted(
        (name for name in files.names if suffix_of(name) in TABLE_SUFFIXES),
        key=lambda name: (name.count("/"), name),
    )
    table = _kaggle_table(files, candidates) or _nearest_table(files, candidates, index, source=source)
    for name in candidates:
        if suffix_of(name) not in _NOTES_SUFFIXES and (table is None or name != table.name):
            findings.add(Case.OTHER_TABLES, name)
    return table


def format_of(head: bytes) -> TableFormat | None:
    """The format of a table by its first bytes, None when it is none that is known."""
    if head.startswith(_UTF16_MARKS):
        return MerchantXml.sniff(head.decode("utf-16", "replace"))
    if b"\0" in head:
        return None
    text = head.decode("utf-8-sig", "replace")
    if text.lstrip().startswith("<"):
        return MerchantXml.sniff(text)
    if text.lstrip().startswith(("{", "[")):
        return JsonLines.sniff(text)
    return Delimited.sniff(text)


def _head(files: Files, name: str) -> bytes:
    """The start of a table, up to the end of a line where it is cut."""
    with files.open_table(name) as stream:
        head = stream.read(_HEAD_BYTES)
    return head if len(head) < _HEAD_BYTES else head[: head.rfind(b"\n") + 1] or head


def _understood(files: Files, name: str, head: bytes) -> Table:
    found = format_of(head)
    if found is None:
        raise UnreadableTable(files.label(name), reason=why_no_format(head))
    columns = found.columns(_start(files, name, head))
    roles = roles_of(columns)
    if roles.id is None and not roles.images:
        raise UnreadableTable(files.label(name), reason=_no_images(columns))
    kind = kaggle.KIND if kaggle.is_kaggle(name, columns) else "merchant feed" if _is_feed(roles) else "table"
    is_cut_safely = found.header_lines is not None
    sample = tuple(islice(found.rows(_start(files, name, head)), _SAMPLE_ROWS)) if is_cut_safely else ()
    return Table(name=name, kind=kind, format=found, columns=columns, roles=roles, sample=sample)


def _start(files: Files, name: str, head: bytes) -> TableStream:
    return TableStream(label=files.label(name), stream=io.BytesIO(head), findings=Findings())


def _kaggle_table(files: Files, candidates: Sequence[str]) -> Table | None:
    for name in candidates:
        if kaggle.has_kaggle_name(name):
            table = _understood(files, name, _head(files, name))
            if table.kind == kaggle.KIND:
                return table
    return None


def _nearest_table(files: Files, candidates: Sequence[str], index: PhotoIndex, *, source: str) -> Table | None:
    for _, names in groupby(candidates[:_MAX_CANDIDATES], key=lambda name: name.count("/")):
        tables = [table for name in names if (table := _likely_table(files, name, index))]
        if len(tables) > 1:
            several = ", ".join(table.name for table in tables)
            raise UnreadableTable(source, reason=f"it holds several ({several}); give one of them as the source")
        if tables:
            return tables[0]
    return None


def _likely_table(files: Files, name: str, index: PhotoIndex) -> Table | None:
    head = _head(files, name)
    try:
        table = _understood(files, name, head)
    except UnreadableTable:
        return None
    is_described = table.roles.id is not None and table.roles.images
    return table if is_described or _names_photos(table, index) else None


def _names_photos(table: Table, index: PhotoIndex) -> bool:
    finder = PhotoFinder(index, folder=table.folder, findings=Findings())
    return any(finder.has_local_photo(row, table.roles) for row in table.sample)


def _is_feed(roles: Roles) -> bool:
    return any(column.replace(" ", "_").lower() == "image_link" for column in roles.images)


def _no_images(columns: Sequence[str]) -> str:
    return (
        f"it has no column of images (its columns: {', '.join(columns) or 'none'}); "
        "name one image, image_path, image_link or filename"
    )


def why_no_format(head: bytes) -> str:
    """Why the first bytes of a file are of no table that is known."""
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
        return "it is JSON, but not one object a line; write it as JSON Lines"
    return "its first line is no header"
