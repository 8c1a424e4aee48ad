"""Readers of sources from other packages, found by their entry points in the group ``sartor.sources``.

A reader says which files are its own and gives their rows, as mappings or as any table in memory. Names of
columns, prices, photos and findings are then read as those of every other table. A broken reader is named in the
findings and stops no other one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from sartor.catalog.columns import image_columns_of
from sartor.catalog.frames.cells import RowMaker
from sartor.catalog.frames.memory import frame_of
from sartor.catalog.source import Case
from sartor.errors import SartorError, UnreadableTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.metadata import EntryPoint
    from pathlib import Path

    from sartor.catalog.formats import Row
    from sartor.catalog.frames.memory import FrameInput
    from sartor.catalog.source import Findings

logger = logging.getLogger(__name__)

GROUP = "sartor.sources"
START_BYTES = 2**16
_SAMPLE = 1_000  # rows whose columns count as those of the table


class SourceReader(Protocol):
    """What a package registers under ``sartor.sources``: an object, a class without arguments, or a module.

    It may have ``priority``, a whole number, 0 by default. A reader above 0 is asked before the readers of Sartor,
    another one only about what those do not read. Among several, the highest is asked first, then by the name of
    the entry point. ``sartor.testing.check_source_reader`` tests what is asked of it here.
    """

    @property
    def name(self) -> str:
        """What the kind of source is called, such as ``Acme export``."""
        ...

    def recognizes(self, path: Path, start: bytes) -> bool:
        """Whether a file or folder is its own; it raises nothing, whatever the file holds.

        Args:
            path: The file or folder, which exists.
            start: The first 64 KiB of a file; nothing of a folder.
        """
        ...

    def read(self, path: Path) -> FrameInput:
        """The rows: mappings from column to value, also from a generator, or a data frame.

        It is called for each pass through the source, and gives the same each time. Paths of photos begin at the
        folder of the file; photos may also be bytes.
        """
        ...


@dataclass(frozen=True, slots=True)
class Registered:
    """A reader that is installed.

    Attributes:
        name: The name of its entry point, and of its package in parentheses.
        reader: The reader.
        priority: When it is asked.
    """

    name: str
    reader: SourceReader
    priority: int


def readers(findings: Findings) -> tuple[Registered, ...]:
    """The installed readers, in the order in which they are asked; broken ones are counted."""
    found: list[Registered] = []
    names: dict[str, str] = {}
    for entry in sorted(entry_points(group=GROUP), key=_order):
        name = _name_of(entry)
        if entry.name in names:
            _tell(findings, name, f"{names[entry.name]} has the same name, and is used")
            continue
        try:
            found.append(_loaded(entry, name))
        except Exception as error:  # noqa: BLE001 - another package may raise anything
            _tell(findings, name, _said(error))
        else:
            names[entry.name] = name
    return tuple(sorted(found, key=lambda each: -each.priority))


def recognizing(
    candidates: Sequence[Registered], path: Path, start: bytes, findings: Findings
) -> Registered | None:
    """The first reader that knows a source as its own; others that do are counted."""
    first: Registered | None = None
    for each in candidates:
        try:
            is_own = each.reader.recognizes(path, start)
        except Exception as error:  # noqa: BLE001 - another package may raise anything
            _tell(findings, each.name, _said(error))
            continue
        if is_own and first is None:
            first = each
        elif is_own:
            findings.add(Case.OTHER_READERS, f"{each.name}, after {first.name if first else ''}")
    return first


class ReaderRows:
    """The rows that a reader gives, as a frame: read anew for each pass, and one by one."""

    row_count = None

    def __init__(self, registered: Registered, path: Path) -> None:
        self._registered, self._path = registered, path
        self.kind = registered.reader.name
        self.columns = self._columns()

    def rows(self, findings: Findings) -> Iterator[Row]:
        """The rows.

        Raises:
            UnreadableTable: The reader fails.
        """
        try:
            data = self._registered.reader.read(self._path)
            if not _is_rows(data):
                yield from frame_of(data).rows(findings)
                return
            maker = RowMaker(findings, images=image_columns_of(self.columns))
            for number, row in enumerate(data, start=1):
                yield maker.row(f"row {number}", ((str(name), value) for name, value in row.items()))
        except SartorError:
            raise
        except Exception as error:
            raise self._failure(error) from error

    def _columns(self) -> tuple[str, ...]:
        try:
            data = self._registered.reader.read(self._path)
            if not _is_rows(data):
                return frame_of(data).columns
            return tuple(dict.fromkeys(str(name) for row in islice(data, _SAMPLE) for name in row))
        except SartorError:
            raise
        except Exception as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> UnreadableTable:
        reason = f"its reader {self._registered.name} failed: {_said(error)}"
        return UnreadableTable(str(self._path), reason=reason)


def _is_rows(data: Any) -> TypeGuard[Iterable[Mapping[str, Any]]]:
    """Whether what a reader gives are mappings, rather than a table in memory."""
    is_table = any(hasattr(data, part) for part in ("__arrow_c_stream__", "fetchmany", "iloc", "features"))
    return isinstance(data, Iterable) and not isinstance(data, Mapping | str | bytes) and not is_table


def _order(entry: EntryPoint) -> tuple[str, str]:
    return entry.name, "" if entry.dist is None else entry.dist.name


def _name_of(entry: EntryPoint) -> str:
    return f"{entry.name} ({'unknown' if entry.dist is None else entry.dist.name})"


def _loaded(entry: EntryPoint, name: str) -> Registered:
    loaded = entry.load()
    reader = loaded() if isinstance(loaded, type) else loaded
    missing = [part for part in ("name", "recognizes", "read") if not hasattr(reader, part)]
    if missing:
        msg = f"it has no {' and no '.join(missing)}"
        raise TypeError(msg)
    return Registered(name, reader, int(getattr(reader, "priority", 0)))


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def _tell(findings: Findings, name: str, reason: str) -> None:
    logger.warning("a reader of sources cannot be used: reader=%s reason=%s", name, reason)
    findings.add(Case.BROKEN_READERS, f"{name}: {reason}")
