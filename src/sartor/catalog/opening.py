"""Opens a source of products; its kind is recognized by its content.

A new kind is recognized in ``_source_in`` (a folder or ZIP) or ``_source_of_file`` (a single file).
"""

from __future__ import annotations

import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sartor.catalog.archive import DEFAULT_ZIP_LIMITS, ZipLimits, is_archive, open_archive
from sartor.catalog.files import (
    Files,
    FolderFiles,
    OnePhoto,
    Origin,
    PhotoIndex,
    PhotoSource,
    is_hidden,
    is_photo,
    photos_in,
    suffix_of,
)
from sartor.catalog.source import Case, Findings
from sartor.catalog.table_source import TableSource
from sartor.catalog.tables import TABLE_SUFFIXES, find_table, named_table
from sartor.errors import BadColumns, SourceNotFound, UnreadableTable, UnrecognizedSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sartor.catalog.source import Source

LOOKED_FOR = (
    "photos (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, HEIC)",
    "Kaggle's styles.csv beside images/",
    "a CSV, JSON Lines or JSON file with an id and an image column",
    "an export of Shopify, WooCommerce, Magento or BigCommerce",
    "schema.org's products as JSON-LD, in a file or a saved page",
    "a Google Merchant feed (TSV, RSS or Atom)",
    "a folder or ZIP of these",
)
_PAGE_SUFFIXES = frozenset({".html", ".htm"})
_PHOTO_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"II*\0", b"MM\0*")


def is_readable_name(name: str) -> bool:
    """Whether a file of this name in a folder may be read: a photo or a table that is not hidden."""
    return not is_hidden(name) and (is_photo(name) or suffix_of(name) in TABLE_SUFFIXES)


@contextmanager
def open_source(
    path: Path,
    *,
    limits: ZipLimits = DEFAULT_ZIP_LIMITS,
    origin: Origin | None = None,
    columns: Mapping[str, str] | None = None,
) -> Iterator[Source]:
    """Open a source of products.

    Args:
        path: A folder, a ZIP archive, a table, a feed or a photo.
        limits: How much a ZIP archive may hold.
        origin: Where the path is a copy from.
        columns: Columns of its table by what they hold: ``{"image": "Bild", "price": "Preis"}``.

    Raises:
        SourceNotFound: The path does not exist.
        UnrecognizedSource: Its content is not recognized.
        UnsafeArchive: It is a ZIP archive that must not be read.
        UnreadableTable: It is a table that cannot be read.
    """
    findings = Findings()
    for odd in () if origin is None else origin.odd_names:
        findings.add(Case.ODD_NAMES, odd)
    shown = str(path) if origin is None else origin.name
    mode = _mode(path)
    if stat.S_ISDIR(mode):
        yield _source_in(FolderFiles(path, findings, origin=origin), shown, "folder", findings, columns)
    elif not stat.S_ISREG(mode):
        raise UnrecognizedSource(shown, looked_for=LOOKED_FOR)
    elif path.suffix.lower() == ".zip" or is_archive(_start(path)):
        with open_archive(path, limits=limits, findings=findings, origin=origin) as files:
            yield _source_in(files, shown, "zip", findings, columns)
    else:
        yield _source_of_file(path, shown, findings, origin, columns)


def _source_in(
    files: Files, shown: str, kind: str, findings: Findings, columns: Mapping[str, str] | None
) -> Source:
    index = PhotoIndex(files)
    table = find_table(files, index, source=shown, findings=findings, columns=columns)
    photos = photos_in(files)
    if table is not None:
        return TableSource(shown, table, index, unlisted=photos, findings=findings)
    if photos:
        _require_no_columns(shown, columns)
        return PhotoSource(shown, kind, files, photos=photos, findings=findings)
    raise UnrecognizedSource(shown, looked_for=LOOKED_FOR)


def _source_of_file(
    path: Path, shown: str, findings: Findings, origin: Origin | None, columns: Mapping[str, str] | None
) -> Source:
    if is_photo(path.name) or _is_photo_inside(_start(path)):
        _require_no_columns(shown, columns)
        photo = OnePhoto(path, findings, origin=origin)
        return PhotoSource(shown, "photo", photo, photos=photo.names, findings=findings)
    files = FolderFiles(path.parent, findings, origin=origin)
    index = PhotoIndex(files)
    try:
        table = named_table(files, path.name, index, columns=columns)
    except UnreadableTable:
        if columns or path.suffix.lower() in TABLE_SUFFIXES | _PAGE_SUFFIXES:
            raise
        raise UnrecognizedSource(shown, looked_for=LOOKED_FOR) from None
    return TableSource(shown, table, index, unlisted=(), findings=findings)


def _require_no_columns(shown: str, columns: Mapping[str, str] | None) -> None:
    if columns:
        raise BadColumns(", ".join(columns), reason=f"{shown} has no table whose columns they could be")


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except (OSError, ValueError) as error:  # ValueError: a null character
        raise SourceNotFound(path) from error


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except OSError as error:
        raise UnreadableTable(str(path), reason=f"it cannot be read ({error.strerror})") from error


def _is_photo_inside(start: bytes) -> bool:
    is_webp = start.startswith(b"RIFF") and start[8:12] == b"WEBP"
    is_avif_or_heic = start[4:12] in {b"ftypavif", b"ftypheic", b"ftypheix", b"ftypmif1"}
    return is_webp or is_avif_or_heic or start.startswith(_PHOTO_STARTS)
