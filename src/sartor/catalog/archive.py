"""The files in a ZIP archive, read in place and never unpacked to disk."""

from __future__ import annotations

import io
import posixpath
import re
import stat
import sys
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Any

from sartor.catalog.files import is_hidden, too_large
from sartor.catalog.source import Case, Findings
from sartor.errors import PhotoRejected, UnreadableTable, UnsafeArchive
from sartor.limits import MAX_PHOTO_BYTES, MAX_ZIP_BYTES, MAX_ZIP_ENTRIES, MAX_ZIP_ENTRY_BYTES, MAX_ZIP_RATIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sartor.catalog.files import Origin

# Others are rare in archives of photos, and Python's LZMA and bzip2 readers inflate without a bound per read.
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # traditional, strong, and masked headers (APPNOTE 4.4.4)
_PLAIN = frozenset({0, stat.S_IFREG, stat.S_IFDIR})  # 0: made on Windows
_DRIVE = re.compile(r"[A-Za-z]:")
_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_LOCAL_HEADER_BYTES = 30
_BUFFER_BYTES = 2**16
_RATIO_FREE_BYTES = 2**20  # small files of one color compress well and do no harm

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, UnicodeDecodeError)
_BROKEN_DIRECTORY = (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError, OverflowError)
_DIRECTORY_BYTES_PER_ENTRY = 200
_MIN_DIRECTORY_BYTES = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipLimits:
    """How much a ZIP archive may hold."""

    max_entries: int = MAX_ZIP_ENTRIES  # files and folders
    max_total_bytes: int = MAX_ZIP_BYTES  # uncompressed
    max_entry_bytes: int = MAX_ZIP_ENTRY_BYTES  # of one file, uncompressed
    max_ratio: float = MAX_ZIP_RATIO  # uncompressed to compressed size of a file over 1 MiB


DEFAULT_ZIP_LIMITS = ZipLimits()


def is_archive(start: bytes) -> bool:
    """Whether a file that starts so is a ZIP archive."""
    return start.startswith(_STARTS)


def refuse_unsafe(path: Path | str, archive: zipfile.ZipFile, limits: ZipLimits) -> None:
    """Check everything that the central directory declares.

    Raises:
        UnsafeArchive: The archive must not be read; the message names the entry.
    """
    entries = archive.infolist()
    if len(entries) > limits.max_entries:
        raise UnsafeArchive(path, reason=f"it holds more than {limits.max_entries:,} entries")
    for entry in entries:
        reason = _unsafe_name(entry) or _unsafe_kind(entry) or _unsafe_size(entry, limits)
        if reason:
            raise UnsafeArchive(path, entry=entry.orig_filename, reason=reason)
    if sum(entry.file_size for entry in entries) > limits.max_total_bytes:
        raise UnsafeArchive(path, reason=f"it unpacks to more than {limits.max_total_bytes:,} bytes")
    _refuse_overlap(path, entries, end=archive.start_dir)


def _unsafe_name(entry: zipfile.ZipInfo) -> str | None:
    for name in {entry.orig_filename, entry.filename}:  # Python cuts a name at a null character
        if "\0" in name:
            return "has a null character in its name"
        if "\\" in name or _DRIVE.match(name):
            return "has a Windows path for a name"
        if name.startswith("/"):
            return "has an absolute path"
        if ".." in name.split("/"):
            return "leads out of the archive with '..'"
    return None


def _unsafe_kind(entry: zipfile.ZipInfo) -> str | None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if stat.S_ISLNK(kind):
        return "is a symbolic link"
    if kind not in _PLAIN:
        return "is neither a file nor a folder"
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if entry.compress_type not in _COMPRESSIONS:
        return f"is compressed by method {entry.compress_type}, only stored and deflated are read"
    return None


def _unsafe_size(entry: zipfile.ZipInfo, limits: ZipLimits) -> str | None:
    if entry.file_size > limits.max_entry_bytes:
        return f"unpacks to more than {limits.max_entry_bytes:,} bytes"
    if entry.file_size > _RATIO_FREE_BYTES and entry.file_size > limits.max_ratio * entry.compress_size:
        return f"is a bomb: it unpacks to more than {limits.max_ratio:g} times its size"
    return None


def _refuse_overlap(path: Path | str, entries: Sequence[zipfile.ZipInfo], *, end: int) -> None:
    """Refuse entries that share bytes, the trick of bombs without a high ratio per entry.

    Source: D. Fifield, "A better zip bomb", WOOT 2019.
    """
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    starts = [*(entry.header_offset for entry in ordered), end]
    for entry, (start, following) in zip(ordered, pairwise(starts), strict=True):
        if start < 0 or start + _LOCAL_HEADER_BYTES + entry.compress_size > following:
            raise UnsafeArchive(path, entry=entry.orig_filename, reason="overlaps what comes after it")


class ZipFiles:
    """The files of an open ZIP archive, in the archive's order.

    A stream cannot exceed the size that its entry declares, which was checked: ``zipfile`` reads at most the
    declared compressed bytes and stops at the declared size, where the CRC of a false header fails.

    Attributes:
        held: What closes the archive; None where a block does.
    """

    held: ExitStack | None = None

    def __init__(
        self,
        path: Path,
        archive: zipfile.ZipFile,
        findings: Findings,
        *,
        limits: ZipLimits,
        origin: Origin | None = None,
    ) -> None:
        self._path, self._origin = path, origin
        self._archive = archive
        self._limits = limits
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            name = posixpath.normpath(entry.filename)
            if name in self._entries:
                findings.add(Case.SAME_ENTRY, name)
            self._entries[name] = entry  # the last one counts, as in every other ZIP tool
        self.names: Sequence[str] = [name for name in self._entries if not is_hidden(name)]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """For a process on another host, which opens the archive there."""
        if self._origin is not None:
            return self._origin.elsewhere
        path = self._path.absolute()
        return _archive_elsewhere, (path, self._limits, path.stat().st_size)

    def locate(self, name: str) -> str | None:
        """The name if the archive has such an entry."""
        return name if name in self._entries else None

    def read(self, name: str) -> bytes:
        """The bytes of a photo."""
        entry = self._entries[name]
        if entry.file_size > MAX_PHOTO_BYTES:
            raise too_large(name)
        try:
            with self._archive.open(entry) as stream:
                return stream.read(entry.file_size + 1)  # one more, so that the end and its CRC are reached
        except _DAMAGE as error:
            raise PhotoRejected(name, reason=f"is damaged in the archive ({_text(error)})") from error

    @contextmanager
    def open_table(self, name: str) -> Iterator[IO[bytes]]:
        """The bytes of a table as a stream."""
        try:
            with self._archive.open(self._entries[name]) as stream:
                yield stream
        except _DAMAGE as error:
            reason = f"it is damaged in the archive ({_text(error)})"
            raise UnreadableTable(self.label(name), reason=reason) from error

    def label(self, name: str) -> str:
        """The archive and the entry."""
        return f"{self._path if self._origin is None else self._origin.name}/{name}"


@contextmanager
def open_archive(
    path: Path,
    *,
    limits: ZipLimits = DEFAULT_ZIP_LIMITS,
    findings: Findings,
    origin: Origin | None = None,
    raw: io.RawIOBase | None = None,
) -> Iterator[ZipFiles]:
    """Open a ZIP archive if it is safe.

    Args:
        path: Its path, or what stands for it in messages.
        limits: How much it may hold.
        findings: Counts oddities.
        origin: Where the file is a copy from.
        raw: Reads its bytes in place of the file; closed at the end.

    Raises:
        UnsafeArchive: It is broken or must not be read.
    """
    shown: Path | str = path if origin is None else origin.name
    try:
        file = _ArchiveFile(io.FileIO(path) if raw is None else raw, shown, limits)
    except OSError as error:
        raise UnsafeArchive(shown, reason=f"it cannot be opened ({error.strerror})") from error
    # ZipFile is given an open file, not a path: it would close its own when a race lost it a count of readers.
    with file, _directory_of(shown, file) as archive:
        refuse_unsafe(shown, archive, limits)
        yield ZipFiles(path, archive, findings, limits=limits, origin=origin)


def archive_kept_open(
    path: Path, *, limits: ZipLimits = DEFAULT_ZIP_LIMITS, raw: io.RawIOBase | None = None
) -> ZipFiles:
    """The files of an archive, as ``open_archive`` gives them; it stays open as long as they are used.

    Raises:
        UnsafeArchive: It is broken or must not be read.
    """
    with ExitStack() as opened:
        files = opened.enter_context(open_archive(path, limits=limits, findings=Findings(), raw=raw))
        files.held = opened.pop_all()  # without a reference, the stack would close it at once
    return files


@lru_cache(maxsize=2)  # a process that reads for others is asked for a few photos at a time
def _archive_elsewhere(path: Path, limits: ZipLimits, size_bytes: int) -> ZipFiles:
    files = archive_kept_open(path, limits=limits)
    if path.stat().st_size != size_bytes:
        raise UnsafeArchive(path, reason="it has not the size that it has on the host that asks for its photos")
    return files


def _directory_of(path: Path | str, file: _ArchiveFile) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(file)
    except _BROKEN_DIRECTORY as error:
        raise UnsafeArchive(path, reason=f"its central directory is broken ({_text(error)})") from error
    file.max_read_bytes = sys.maxsize
    return archive


class _ArchiveFile(io.BufferedReader):
    """An archive's file that will not read an oversized central directory.

    ``zipfile`` reads the directory at once and makes an object of every entry before anyone can count them.
    """

    def __init__(self, raw: io.RawIOBase, path: Path | str, limits: ZipLimits) -> None:
        super().__init__(raw, _BUFFER_BYTES)
        self._path = path
        self._max_entries = limits.max_entries
        self.max_read_bytes = max(limits.max_entries * _DIRECTORY_BYTES_PER_ENTRY, _MIN_DIRECTORY_BYTES)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, within the bound."""
        if size is not None and size > self.max_read_bytes:
            raise UnsafeArchive(self._path, reason=f"it holds more than {self._max_entries:,} entries")
        return super().read(size)


def _text(error: BaseException) -> str:
    return str(error).rstrip(".") or type(error).__name__
