"""Which ZIP archives are refused as a whole, judged by their central directory before any entry is read.

Nothing is ever unpacked to disk, so a name such as ``../x`` could do no harm here. It is refused all the same:
such an archive was not made by an honest tool, and names travel on to reports, exports and other programs.
"""

from __future__ import annotations

import re
import stat
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from sartor.errors import UnsafeArchive

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Others are rare in archives of photos, and Python's LZMA and bzip2 readers inflate without a bound per read.
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # traditional, strong, and masked headers (APPNOTE 4.4.4)
_PLAIN = frozenset({0, stat.S_IFREG, stat.S_IFDIR})  # 0: made on Windows
_DRIVE = re.compile(r"[A-Za-z]:")
_LOCAL_HEADER_BYTES = 30
_RATIO_FREE_BYTES = 2**20  # small files of one color compress well and do no harm


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipLimits:
    """How much a ZIP archive may hold.

    Attributes:
        max_entries: Files and folders in the archive.
        max_total_bytes: All of it, uncompressed.
        max_entry_bytes: One file, uncompressed.
        max_ratio: Uncompressed to compressed size of a file over 1 MiB.
    """

    max_entries: int = 500_000
    max_total_bytes: int = 64 * 2**30
    max_entry_bytes: int = 4 * 2**30
    max_ratio: float = 200.0


DEFAULT_ZIP_LIMITS = ZipLimits()


def refuse_unsafe(path: Path, archive: zipfile.ZipFile, limits: ZipLimits) -> None:
    """Check everything that a central directory declares.

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


def _refuse_overlap(path: Path, entries: Sequence[zipfile.ZipInfo], *, end: int) -> None:
    """Refuse entries that share bytes, the trick of bombs without a high ratio per entry.

    Source: D. Fifield, "A better zip bomb", WOOT 2019.
    """
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    starts = [*(entry.header_offset for entry in ordered), end]
    for entry, (start, following) in zip(ordered, pairwise(starts), strict=True):
        if start < 0 or start + _LOCAL_HEADER_BYTES + entry.compress_size > following:
            raise UnsafeArchive(path, entry=entry.orig_filename, reason="overlaps what comes after it")
