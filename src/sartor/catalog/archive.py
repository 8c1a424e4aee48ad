"""The files in a ZIP archive, read in place and never unpacked to disk."""

from __future__ import annotations

import io
import posixpath
import sys
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from sartor.catalog.archive_safety import ZipLimits, refuse_unsafe
from sartor.catalog.files import MAX_PHOTO_BYTES, is_hidden, too_large
from sartor.catalog.findings import Case, Findings
from sartor.errors import PhotoRejected, UnreadableTable, UnsafeArchive

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, UnicodeDecodeError)
_BROKEN_DIRECTORY = (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError, OverflowError)
_DIRECTORY_BYTES_PER_ENTRY = 200
_MIN_DIRECTORY_BYTES = 2**20


class ZipFiles:
    """The files of an open ZIP archive, in the archive's order.

    What a stream gives cannot exceed what its entry declared, and that was checked: ``zipfile`` reads at most the
    declared compressed bytes, stops at the declared size, and a header that lied fails the CRC there.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile, findings: Findings) -> None:
        self._path = path
        self._archive = archive
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            name = posixpath.normpath(entry.filename)
            if name in self._entries:
                findings.add(Case.SAME_ENTRY, name)
            self._entries[name] = entry  # the last one counts, as in every other ZIP tool
        self.names: Sequence[str] = [name for name in self._entries if not is_hidden(name)]

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
        return f"{self._path}/{name}"


@contextmanager
def open_archive(path: Path, *, limits: ZipLimits, findings: Findings) -> Iterator[ZipFiles]:
    """Open a ZIP archive once it is found safe.

    Raises:
        UnsafeArchive: It is broken, or holds what must not be read.
    """
    try:
        file = _ArchiveFile(path, limits)
    except OSError as error:
        raise UnsafeArchive(path, reason=f"it cannot be opened ({error.strerror})") from error
    # ZipFile is given an open file, not a path: it would close its own when a race lost it a count of readers.
    with file, _directory_of(path, file) as archive:
        refuse_unsafe(path, archive, limits)
        yield ZipFiles(path, archive, findings)


def _directory_of(path: Path, file: _ArchiveFile) -> zipfile.ZipFile:
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

    def __init__(self, path: Path, limits: ZipLimits) -> None:
        super().__init__(io.FileIO(path))
        self._path = path
        self._max_entries = limits.max_entries
        self.max_read_bytes = max(limits.max_entries * _DIRECTORY_BYTES_PER_ENTRY, _MIN_DIRECTORY_BYTES)

    def read(self, size: int | None = -1, /) -> bytes:
        """As any file reads, within the bound."""
        if size is not None and size > self.max_read_bytes:
            raise UnsafeArchive(self._path, reason=f"it holds more than {self._max_entries:,} entries")
        return super().read(size)


def _text(error: BaseException) -> str:
    return str(error).rstrip(".") or type(error).__name__
