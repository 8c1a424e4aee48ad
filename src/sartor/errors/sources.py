"""Sources of products and their photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.errors.base import SartorError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class SourceError(SartorError):
    """A source of products cannot be read."""


class SourceNotFound(SourceError):
    """The path of a source does not exist."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no file or folder {path}; check the path")


class UnrecognizedSource(SourceError):
    """A source fits no reader."""

    def __init__(self, path: Path, *, looked_for: Sequence[str]) -> None:
        super().__init__(f"{path} is no source that Sartor can read; looked for: {'; '.join(looked_for)}")


class UnsafeArchive(SourceError):
    """A ZIP archive is broken, or holds an entry that must not be read."""

    def __init__(self, archive: Path, *, reason: str, entry: str | None = None) -> None:
        where = f"entry {entry!r} " if entry is not None else ""
        super().__init__(
            f"{archive} is refused: {where}{reason}; make the archive again from plain files, or index a folder"
        )


class UnreadableTable(SourceError):
    """A CSV, JSON Lines or feed file cannot be understood."""

    def __init__(self, table: str, *, reason: str, of: str = "products") -> None:
        super().__init__(f"{table} cannot be read as a table of {of}: {reason}")
        self.reason = reason


class UnsafePickle(SourceError):
    """A pickle is broken, or holds more than lists, strings, numbers and arrays."""

    def __init__(self, file: Path, *, reason: str) -> None:
        super().__init__(
            f"{file} is refused and nothing of it was run: it {reason}; only pickles of lists, strings, numbers "
            "and NumPy arrays are read"
        )


class UnreadableVectors(SourceError):
    """A file does not hold vectors with their names."""

    def __init__(self, file: Path, *, reason: str) -> None:
        super().__init__(f"{file} cannot be imported: {reason}")


class PhotoRejected(SartorError):
    """A photo cannot be used; an ingest reports it and goes on.

    Attributes:
        photo: Name of the photo, as its source calls it.
        reason: Why, in a few words.
    """

    def __init__(self, photo: str, *, reason: str) -> None:
        super().__init__(f"{photo} cannot be used: {reason}")
        self.photo = photo
        self.reason = reason
