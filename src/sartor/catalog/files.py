"""Named files behind a source, and the folder as the first of the two places where they lie.

``Files`` is all that the readers of photos and tables know of a folder or a ZIP: names, and bytes by name. The
other implementation is ``sartor.catalog.archive.ZipFiles``.
"""

from __future__ import annotations

import os
import posixpath
import stat
from contextlib import contextmanager
from functools import cached_property
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Protocol

from sartor.catalog.findings import Case, Findings
from sartor.errors import PhotoRejected, UnreadableTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

MAX_PHOTO_BYTES = 64 * 2**20
PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}
    | {".heic", ".heif"}  # most decoders reject these two, which is better than to pass them over in silence
)
_CLUTTER = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})


class Files(Protocol):
    """Files by name; a name is a relative POSIX path such as ``images/1163.jpg``."""

    @property
    def names(self) -> Sequence[str]:
        """Every file that is not hidden, in the source's order."""
        ...

    def locate(self, name: str) -> str | None:
        """The name of a file that can be read, hidden or not, as ``names`` has it; None when there is none."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a photo; any thread may call this.

        Raises:
            PhotoRejected: It is gone, damaged, or larger than 64 MiB.
        """
        ...

    def open_table(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """The bytes of a table as a stream; an error while reading it becomes UnreadableTable."""
        ...

    def label(self, name: str) -> str:
        """What to call a file in a message to a person."""
        ...


def suffix_of(name: str) -> str:
    """A name's suffix in lower case, with its dot."""
    return posixpath.splitext(name)[1].lower()  # pathlib takes three times as long


def is_photo(name: str) -> bool:
    """Whether a name has an image's suffix; whether it is an image is for the decoder to say."""
    return suffix_of(name) in PHOTO_SUFFIXES


def photos_in(files: Files) -> Sequence[str]:
    """The photos of a source, in its order."""
    return [name for name in files.names if is_photo(name)]


def without_suffix(name: str) -> str:
    """A photo's name without its suffix; a dot that starts no image suffix stays: ``v2.1`` is ``v2.1``."""
    return name[: name.rindex(".")] if is_photo(name) else name


def is_hidden(name: str) -> bool:
    """Whether any part of a name is hidden, or is what macOS and Windows leave behind."""
    return any(part.startswith(".") or part in _CLUTTER for part in name.split("/"))


def too_large(name: str) -> PhotoRejected:
    """The rejection of a photo over the limit."""
    return PhotoRejected(name, reason=f"is larger than {MAX_PHOTO_BYTES // 2**20} MiB")


class FolderFiles:
    """The files below a folder, sorted by name; links to folders are not followed.

    A name that a table gives may also be absolute, or lead out of the folder: it is the user's own disk.
    """

    def __init__(self, root: Path, findings: Findings) -> None:
        self.root = root
        self._findings = findings
        self._undecodable: dict[str, str] = {}

    @cached_property
    def names(self) -> Sequence[str]:
        """Every file that is not hidden, sorted."""
        return sorted(self._walk())

    def locate(self, name: str) -> str | None:
        """The name of a plain file; one that leads into the folder from outside becomes its name inside."""
        path = self._path(name)
        try:
            if not path.is_file():
                return None
        except OSError:  # a cell of a table may hold anything, such as 300 characters
            return None
        if not name.startswith("..") and not PurePath(name).is_absolute():
            return name
        resolved = path.parent.resolve() / path.name
        return resolved.relative_to(self._root).as_posix() if resolved.is_relative_to(self._root) else name

    def read(self, name: str) -> bytes:
        """The bytes of a photo."""
        path = self._path(name)
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would wait forever
                raise PhotoRejected(name, reason="is not a plain file")
            with path.open("rb") as file:
                content = file.read(MAX_PHOTO_BYTES + 1)
        except FileNotFoundError as error:
            raise PhotoRejected(name, reason="is no longer there") from error
        except OSError as error:
            raise PhotoRejected(name, reason=f"cannot be read ({error.strerror})") from error
        if len(content) > MAX_PHOTO_BYTES:
            raise too_large(name)
        return content

    @contextmanager
    def open_table(self, name: str) -> Iterator[IO[bytes]]:
        """The bytes of a table as a stream."""
        if self.locate(name) is None:
            raise UnreadableTable(self.label(name), reason="it is not a plain file")
        try:
            with self._path(name).open("rb") as stream:
                yield stream
        except OSError as error:
            raise UnreadableTable(self.label(name), reason=f"it cannot be read ({error.strerror})") from error

    def label(self, name: str) -> str:
        """The path of a file, from where the user stands."""
        return str(self.root / name)

    @cached_property
    def _root(self) -> Path:
        return self.root.resolve()

    def _path(self, name: str) -> Path:
        return self.root / self._undecodable.get(name, name)

    def _walk(self) -> Iterator[str]:
        folders = [""]
        while folders:
            folder = folders.pop()
            for entry in self._entries(folder):
                name = f"{folder}{entry.name}"
                if is_hidden(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{name}/")
                elif entry.is_dir():
                    self._findings.add(Case.LINKED_FOLDERS, self._readable(name))
                elif entry.is_file() or (entry.is_symlink() and is_photo(name)):  # a broken link is reported later
                    yield self._readable(name)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / folder) as entries:
                return list(entries)
        except OSError:
            self._findings.add(Case.CLOSED_FOLDERS, self._readable(folder.rstrip("/")) or str(self.root))
            return []

    def _readable(self, name: str) -> str:
        """The name as text that can be stored; bytes that are not UTF-8 become escapes."""
        if name.isascii():
            return name
        text = os.fsencode(name).decode("utf-8", "backslashreplace")
        if text != name:
            self._undecodable[text] = name
        return text


class OnePhoto(FolderFiles):
    """A folder of which only one file counts."""

    def __init__(self, path: Path, findings: Findings) -> None:
        super().__init__(path.parent, findings)
        self._name = path.name

    @cached_property
    def names(self) -> Sequence[str]:
        """The one file."""
        return (self._readable(self._name),)
