"""Opens a source of products; its kind is recognized by its content.

A new kind is recognized in ``_source_in`` (a folder or ZIP) or ``_source_of_file`` (a single file).
"""

from __future__ import annotations

import stat
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from sartor.catalog import plugins
from sartor.catalog.archive import DEFAULT_ZIP_LIMITS, ZipLimits, is_archive, open_archive
from sartor.catalog.files import (
    Files,
    FolderFiles,
    FrameFiles,
    OnePhoto,
    Origin,
    PhotoIndex,
    PhotoSource,
    is_hidden,
    is_photo,
    photos_in,
    suffix_of,
)
from sartor.catalog.frames.memory import frame_of
from sartor.catalog.source import Case, Findings
from sartor.catalog.table_source import TableSource
from sartor.catalog.tables import TABLE_SUFFIXES, find_table, named_table, table_in_memory
from sartor.errors import BadColumns, SourceNotFound, UnreadableTable, UnrecognizedSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sartor.catalog.frames.memory import InMemory
    from sartor.catalog.source import Source

LOOKED_FOR = (
    "photos (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, HEIC)",
    "Kaggle's styles.csv beside images/",
    "a CSV, JSON Lines, JSON or Parquet file with an id and an image column",
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
    findings: Findings | None = None,
) -> Iterator[Source]:
    """Open a source of products.

    Args:
        path: A folder, a ZIP archive, a table, a feed or a photo.
        limits: How much a ZIP archive may hold.
        origin: Where the path is a copy from.
        columns: Columns of its table by what they hold: ``{"image": "Bild", "price": "Preis"}``.
        findings: Where oddities are counted; by default only in the source that is yielded.

    Raises:
        SourceNotFound: The path does not exist.
        UnrecognizedSource: Its content is not recognized.
        UnsafeArchive: It is a ZIP archive that must not be read.
        UnreadableTable: It is a table that cannot be read.
    """
    findings = Findings() if findings is None else findings
    for odd in () if origin is None else origin.odd_names:
        findings.add(Case.ODD_NAMES, odd)
    shown = str(path) if origin is None else origin.name
    mode = _mode(path)
    installed = plugins.readers(findings)
    start = _start(path, plugins.START_BYTES) if installed and stat.S_ISREG(mode) else b""
    first = [each for each in installed if each.priority > 0]
    with ExitStack() as stack:
        if (own := plugins.recognizing(first, path, start, findings)) is None:
            try:
                source = _source(stack, path, shown, mode, findings, limits=limits, origin=origin, columns=columns)
            except (UnrecognizedSource, UnreadableTable):
                others = [each for each in installed if each.priority <= 0]
                if (own := plugins.recognizing(others, path, start, findings)) is None:
                    raise
        if own is not None:
            source = _source_of_reader(own, path, shown, findings, columns, origin=origin)
        yield source


@contextmanager
def open_with_reader(reader: plugins.Registered, path: Path) -> Iterator[Source]:
    """Open a source with a reader of another package, whichever other ones would read it.

    Raises:
        UnreadableTable: The reader fails, or gives no table of products.
    """
    yield _source_of_reader(reader, path, str(path), Findings(), None)


@contextmanager
def open_table_in_memory(table: InMemory, *, columns: Mapping[str, str] | None = None) -> Iterator[Source]:
    """Open a table in memory as a source of products.

    Args:
        table: The table.
        columns: Its columns by what they hold: ``{"image": "Bild", "price": "Preis"}``.

    Raises:
        UnreadableTable: It is no table, or has no photos.
        MissingExtra: Reading it needs pyarrow.
    """
    findings = Findings()
    frame = frame_of(table.data)
    shown = frame.kind if table.name is None else table.name
    files = FrameFiles(shown, findings, images=table.images)
    index = PhotoIndex(files)
    found = table_in_memory(files, frame, index, label=shown, columns=columns)
    yield TableSource(shown, found, index, unlisted=(), findings=findings)


def _source(  # noqa: PLR0913 - what an opened source is made of
    stack: ExitStack,
    path: Path,
    shown: str,
    mode: int,
    findings: Findings,
    *,
    limits: ZipLimits,
    origin: Origin | None,
    columns: Mapping[str, str] | None,
) -> Source:
    """A source as the readers of Sartor read it."""
    if stat.S_ISDIR(mode):
        return _source_in(FolderFiles(path, findings, origin=origin), shown, "folder", findings, columns)
    if not stat.S_ISREG(mode):
        raise UnrecognizedSource(shown, looked_for=LOOKED_FOR)
    if path.suffix.lower() == ".zip" or is_archive(_start(path)):
        files = stack.enter_context(open_archive(path, limits=limits, findings=findings, origin=origin))
        return _source_in(files, shown, "zip", findings, columns)
    return _source_of_file(path, shown, findings, origin, columns)


def _source_of_reader(  # noqa: PLR0913 - what an opened source is made of
    reader: plugins.Registered,
    path: Path,
    shown: str,
    findings: Findings,
    columns: Mapping[str, str] | None,
    *,
    origin: Origin | None = None,
) -> Source:
    frame = plugins.ReaderRows(reader, path)
    files = FrameFiles(shown, findings, images=path if path.is_dir() else path.parent, origin=origin)
    index = PhotoIndex(files)
    table = table_in_memory(files, frame, index, label=shown, columns=columns)
    return TableSource(shown, table, index, unlisted=(), findings=findings)


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


def _start(path: Path, size_bytes: int = 16) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size_bytes)
    except OSError as error:
        raise UnreadableTable(str(path), reason=f"it cannot be read ({error.strerror})") from error


def _is_photo_inside(start: bytes) -> bool:
    is_webp = start.startswith(b"RIFF") and start[8:12] == b"WEBP"
    is_avif_or_heic = start[4:12] in {b"ftypavif", b"ftypheic", b"ftypheix", b"ftypmif1"}
    return is_webp or is_avif_or_heic or start.startswith(_PHOTO_STARTS)
