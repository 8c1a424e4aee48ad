"""Opens sources for an ingest: a path of this host as it is, an address after its files were fetched.

What is fetched goes into a directory of this host that is a mirror of the source: by name and version, so that the
next run fetches only what changed, and deletes what has left the source. A file is fetched under another name and
moved when it is whole; only then its version is noted. So a kill at any moment costs the files on their way.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from uuid import uuid4

from sartor.catalog.files import Origin
from sartor.catalog.frames.memory import InMemory
from sartor.catalog.opening import is_readable_name, open_source, open_table_in_memory
from sartor.catalog.uploads import Upload, Watched
from sartor.errors import BadAddress, SourceNotFetched, SourceNotFound, UnreadableTable, WorkspaceUnusable
from sartor.limits import UNUSED_COPY_AGE_S
from sartor.replicas import locked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from sartor.catalog.source import Source

OPTIONS = "source:"  # begins the settings that say with which options a source was fetched last
COLUMNS = "columns:"  # begins the settings that say what the columns of a source's table hold
_FILES, _PARTS, _NOTES, _MARK, _LOCK = "files", "parts", "fetched.jsonl", "copy", "fetching.lock"
_LOCK_S = 24 * 3_600.0  # seconds that a fetch waits for another one of the same source on this host
_SPARE_BYTES = 64 << 20  # that stay free on the disk
_MAX_PART_BYTES = 255  # of the name of a file or folder, on most file systems
_MAX_NAME_BYTES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file on a server.

    Attributes:
        name: Its relative path within the source, such as ``images/1.jpg``.
        version: What changes with its content.
        size_bytes: Its size.
    """

    name: str
    version: str
    size_bytes: int


class Notes(Protocol):
    """Texts by name, such as a store's settings."""

    def setting(self, name: str) -> str | None:
        """A text; None if it is not set."""
        ...

    def set_setting(self, name: str, value: str) -> None:
        """Set a text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The copy of a source on one host.

    Attributes:
        path: The source in it: a folder or a file.
        mark: A file beside it.
        text: What is in that file: who finds it there sees this very copy and not one of another host.
    """

    path: Path
    mark: Path
    text: str

    def is_seen(self) -> bool:
        """Whether this process sees it."""
        try:
            return self.mark.read_text(encoding="ascii") == self.text
        except (OSError, ValueError):
            return False


class Remote(Protocol):
    """A source on a server.

    Attributes:
        name: Its address without options: it is known by that, whoever reads it.
        address: Its address as it was given, which has no key in it.
        place: What says where it is: two servers may have the same name.
    """

    name: str
    address: str
    place: str

    def files(self) -> tuple[bool, Iterable[RemoteFile]]:
        """Whether it is a single file, and its files; none if there is no such source.

        Raises:
            SourceNotFetched: The server refuses, or does not answer; iterating may raise it, too.
        """
        ...

    def fetch(
        self, files: Iterable[tuple[RemoteFile, Path]], *, on_bytes: Callable[[int], None]
    ) -> Iterator[tuple[RemoteFile, Path]]:
        """Write files to paths, many at once; yields each when it is whole.

        Raises:
            SourceNotFetched: One cannot be had, or was changed since ``files``.
            OSError: It cannot be written.
        """
        ...

    def elsewhere(self, copy: Copy) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """What reads the photos on another host: a function that can be pickled, and its arguments."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchProgress:
    """How far a source is fetched.

    Attributes:
        files: Files that are here.
        total: Files of the source.
        size_bytes: Bytes that were fetched by this run.
        total_bytes: Bytes that it has to fetch.
    """

    files: int
    total: int
    size_bytes: int
    total_bytes: int


OnFetch: TypeAlias = Callable[[FetchProgress], None]
AnySource: TypeAlias = "str | Path | InMemory | Upload"  # a path, an address, a table in memory, or what was sent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """What is known of a fetched file; its time tells whether the file on disk is still the one that was noted."""

    version: str
    size_bytes: int
    changed_ns: int


class Sources:
    """Opens sources by path or address.

    Args:
        directory: Where mirrors of fetched sources go; made if it is missing. It can be deleted at any time.
        notes: Remembers the options of addresses for other hosts.
        connect: From an address to the source; it raises ``BadAddress`` for one that it does not know.
    """

    def __init__(self, directory: Path, notes: Notes, connect: Callable[[str], Remote]) -> None:
        self._directory, self._notes, self._connect = directory, notes, connect

    def id_of(self, source: AnySource) -> str:
        """The name under which the store remembers a source; that of an address is the same on every host."""
        if isinstance(source, InMemory | Upload):
            return source.id
        if isinstance(source, str) and "://" in source:
            return self._connect(source).name
        return str(Path(source).resolve())

    def state_of(self, source: str | Path) -> str:
        """What changes with a source: of a path, the times and sizes of its files; of an address, their versions.

        Raises:
            SourceNotFound: There is no such path.
            SourceNotFetched: The server refuses, does not answer, or has no such source.
            BadAddress: It is no address of a source.
        """
        digest = hashlib.sha256()
        if isinstance(source, str) and "://" in source:
            remote = self._connect(source)
            known = None if "?" in source else self._notes.setting(OPTIONS + remote.name)
            files = (remote if known is None else self._connect(known)).files()[1]
            states = sorted((file.name, file.version, file.size_bytes) for file in files)
            if not states:
                raise SourceNotFetched(remote.name, reason="there is neither such an object nor anything below it")
            for state in states:
                digest.update(repr(state).encode())
            return digest.hexdigest()
        path = Path(source)
        try:
            for found in _files_at(path):
                digest.update(found.encode("utf-8", "surrogateescape"))
        except FileNotFoundError as error:
            raise SourceNotFound(path) from error
        except OSError as error:
            raise UnreadableTable(str(path), reason=error.strerror or str(error)) from error
        return digest.hexdigest()

    def remember_columns(self, source: AnySource, columns: Mapping[str, str]) -> None:
        """Read a source with this mapping from now on; an empty one forgets it. A table has one by its name."""
        if isinstance(source, InMemory) and source.name is None:
            return
        noted = COLUMNS + self.id_of(source)
        text = json.dumps(dict(columns), ensure_ascii=False) if columns else ""
        if (self._notes.setting(noted) or "") != text:
            self._notes.set_setting(noted, text)

    @contextmanager
    def open(
        self,
        source: AnySource,
        *,
        columns: Mapping[str, str] | None = None,
        on_fetch: OnFetch = lambda _: None,
    ) -> Iterator[Source]:
        """Open a source by its path or address, or by its id in the store; a table in memory, or an upload.

        Args:
            source: What to open.
            columns: The columns of its table by what they hold; by default those that are remembered.
            on_fetch: Called while it is fetched.

        Raises:
            SourceError: It cannot be read, or cannot be fetched.
            BadAddress: It is no address of a source.
        """
        if isinstance(source, InMemory):
            with open_table_in_memory(source, columns=self._columns(source, columns)) as opened:
                yield opened
            return
        if isinstance(source, Upload):
            with open_source(
                source.path,
                origin=source.origin,
                columns=self._columns(source, columns),
                findings=source.findings,
            ) as opened:
                yield Watched(opened, source.on_product)
            return
        if not (isinstance(source, str) and "://" in source):
            with open_source(Path(source), columns=self._columns(source, columns)) as opened:
                yield opened
            return
        remote = self._connect(source)
        noted = OPTIONS + remote.name
        if "?" not in source and (known := self._notes.setting(noted)) is not None:
            remote = self._connect(known)
        path, origin = self._fetched(remote, on_fetch)
        if "?" in source and self._notes.setting(noted) != source:
            self._notes.set_setting(noted, source)
        with open_source(path, origin=origin, columns=self._columns(source, columns)) as opened:
            yield opened

    def sweep(self, needed: Iterable[str]) -> list[str]:
        """Delete the copies of sources that nobody needs any more, and were not used for a day.

        Args:
            needed: Names of the sources that the catalog has products of.

        Returns:
            The folders that were emptied.
        """
        if not self._directory.is_dir():
            return []
        kept = set()
        for name in needed:
            if "://" in name:
                with suppress(BadAddress):  # no address of today, so nothing of it is kept under one
                    kept.add(self._mirror(self._connect(self._notes.setting(OPTIONS + name) or name)).directory)
        unneeded = [directory for directory in self._directory.iterdir() if directory not in kept]
        return [directory.name for directory in unneeded if _Mirror(directory).sweep()]

    def _mirror(self, remote: Remote) -> _Mirror:
        return _Mirror(self._directory / hashlib.sha256(remote.place.encode()).hexdigest()[:16])

    def _columns(self, source: AnySource, columns: Mapping[str, str] | None) -> Mapping[str, str]:
        if columns is not None:
            return columns
        if isinstance(source, InMemory) and source.name is None:
            return {}
        known = self._notes.setting(COLUMNS + self.id_of(source))
        return {str(name): str(column) for name, column in json.loads(known).items()} if known else {}

    def _fetched(self, remote: Remote, on_fetch: OnFetch) -> tuple[Path, Origin]:
        """The local copy of a source, and where it came from."""
        mirror = self._mirror(remote)
        try:
            with locked(mirror.directory / _LOCK, wait_s=_LOCK_S):
                path, odd_names = mirror.update(remote, on_fetch)
                copy = mirror.marked(path)
        except OSError as error:
            reason = (
                f"{mirror.directory} cannot be written ({error.strerror or error}); make room, or check its rights"
            )
            raise SourceNotFetched(remote.name, reason=reason) from error
        return path, Origin(remote.name, remote.elsewhere(copy), odd_names)


class _Mirror:
    """The files of one source on this host."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.files = directory / _FILES

    def marked(self, path: Path) -> Copy:
        """The copy as it is now."""
        mark, text = self.directory / _MARK, uuid4().hex
        mark.write_text(text, encoding="ascii")
        return Copy(path=path.absolute(), mark=mark.absolute(), text=text)

    def sweep(self) -> bool:
        """Delete the copy if it was not used lately; the folder and its lock stay. Returns whether it was."""
        mark = self.directory / _MARK
        try:
            if time.time() - mark.stat().st_mtime < UNUSED_COPY_AGE_S:
                return False
            with locked(self.directory / _LOCK, wait_s=0):
                if time.time() - mark.stat().st_mtime < UNUSED_COPY_AGE_S:
                    return False
                mark.unlink()
                (self.directory / _NOTES).unlink(missing_ok=True)
                for folder in (self.files, self.directory / _PARTS):
                    shutil.rmtree(folder, ignore_errors=True)
        except (OSError, WorkspaceUnusable):  # no copy, or one in use; the next sweep looks again
            return False
        return True

    def update(self, remote: Remote, on_fetch: OnFetch) -> tuple[Path, list[str]]:
        """Fetch what is new or changed and delete what is gone.

        Returns:
            The source on this host, and names in it that cannot be those of files.
        """
        is_single, listed = remote.files()
        offered: dict[str, RemoteFile] = {}
        odd: list[str] = []
        for file in listed:
            if not _is_safe(file.name):
                odd.append(file.name)
            elif is_single or is_readable_name(file.name):
                offered[file.name] = file
        for name in [name for name in offered if _is_below(name, offered)]:
            odd.append(name)  # a folder cannot have the name of a file
            del offered[name]
        if not offered:
            reason = "there is neither such an object nor a photo or table below it; check the address"
            raise SourceNotFetched(remote.name, reason=reason)
        known = self._notes()
        missing = [file for name, file in offered.items() if not self._has(file, known.get(name))]
        kept = {name: note for name, note in known.items() if name in offered}
        self._clean(offered.keys())
        self._write_notes(kept)
        needed_bytes = sum(file.size_bytes for file in missing)
        self._require_room(remote, needed_bytes)
        self._fetch(remote, missing, total=len(offered), total_bytes=needed_bytes, on_fetch=on_fetch)
        return (self.files / next(iter(offered)) if is_single else self.files), odd

    def _fetch(
        self, remote: Remote, missing: list[RemoteFile], *, total: int, total_bytes: int, on_fetch: OnFetch
    ) -> None:
        parts = self.directory / _PARTS
        shutil.rmtree(parts, ignore_errors=True)
        if not missing:
            return
        parts.mkdir(parents=True)
        done, fetched_bytes = total - len(missing), 0
        telling = Lock()  # many threads fetch

        def tell(more_bytes: int) -> None:
            nonlocal fetched_bytes
            with telling:
                fetched_bytes += more_bytes
            on_fetch(FetchProgress(files=done, total=total, size_bytes=fetched_bytes, total_bytes=total_bytes))

        wanted = ((file, parts / str(number)) for number, file in enumerate(missing))
        with (self.directory / _NOTES).open("a", encoding="utf-8") as notes:
            for file, part in remote.fetch(wanted, on_bytes=tell):
                target = self.files / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                part.replace(target)
                _append(notes, file.name, _note(file, target))
                done += 1
                tell(0)
        shutil.rmtree(parts, ignore_errors=True)

    def _has(self, file: RemoteFile, note: _Note | None) -> bool:
        if note is None or note.version != file.version or note.size_bytes != file.size_bytes:
            return False
        try:
            return _note(file, self.files / file.name) == note
        except OSError:
            return False

    def _clean(self, names: Collection[str]) -> None:
        """Delete what is no file of the source any more, and folders without files."""
        for folder, _, files in os.walk(self.files, topdown=False):
            for file in files:
                path = Path(folder) / file
                if path.relative_to(self.files).as_posix() not in names:
                    path.unlink()
            if Path(folder) != self.files:
                with suppress(OSError):  # it has files
                    Path(folder).rmdir()
        self.files.mkdir(parents=True, exist_ok=True)

    def _notes(self) -> dict[str, _Note]:
        """What was noted; the last line of a killed process may be cut off."""
        notes: dict[str, _Note] = {}
        with (
            suppress(FileNotFoundError),
            (self.directory / _NOTES).open(encoding="utf-8", errors="replace") as file,
        ):
            for line in file:
                with suppress(ValueError, TypeError, KeyError):
                    fields = json.loads(line)
                    name = fields.pop("name")
                    notes[name] = _Note(**fields)
        return notes

    def _write_notes(self, notes: Mapping[str, _Note]) -> None:
        new = self.directory / f"{_NOTES}.new"
        with new.open("w", encoding="utf-8") as file:
            for name, note in notes.items():
                _append(file, name, note)
        new.replace(self.directory / _NOTES)

    def _require_room(self, remote: Remote, needed_bytes: int) -> None:
        free_bytes = shutil.disk_usage(self.directory).free
        if needed_bytes + _SPARE_BYTES > free_bytes and needed_bytes:
            reason = (
                f"{needed_bytes / 1e6:,.0f} MB are to be fetched into {self.directory}, and "
                f"{free_bytes / 1e6:,.0f} MB are free there; make room, or take another --home"
            )
            raise SourceNotFetched(remote.name, reason=reason)


def _files_at(path: Path) -> Iterator[str]:
    """Name, size and time of a file, or of each file below a folder, in an order that stays."""
    found = path.stat()
    yield f"{found.st_size} {found.st_mtime_ns}\n"
    if not path.is_dir():
        return

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError) or error.filename == str(path):  # else deleted meanwhile
            raise error

    for folder, folders, names in os.walk(path, onerror=refuse):
        folders.sort()
        for name in sorted(names):
            with suppress(FileNotFoundError):
                found = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - of very many files
                yield f"{folder}/{name} {found.st_size} {found.st_mtime_ns}\n"


def _note(file: RemoteFile, path: Path) -> _Note:
    found = path.stat()
    return _Note(version=file.version, size_bytes=found.st_size, changed_ns=found.st_mtime_ns)


def _append(notes: Any, name: str, note: _Note) -> None:
    notes.write(json.dumps({"name": name, **asdict(note)}) + "\n")
    notes.flush()


def _is_safe(name: str) -> bool:
    """Whether a name is that of a file below a folder, on any system."""
    parts = name.split("/")
    return (
        not any(part in {"", ".", ".."} or len(part.encode()) > _MAX_PART_BYTES for part in parts)
        and len(name.encode()) <= _MAX_NAME_BYTES
        and not any(letter in name for letter in "\\\0")
    )


def _is_below(name: str, files: Collection[str]) -> bool:
    parts = name.split("/")
    return any("/".join(parts[:count]) in files for count in range(1, len(parts)))
