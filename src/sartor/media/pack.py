"""Thumbnails in a pack, one file for all, beside a folder of those that were kept before there was a pack.

What is in the folder stays there and is read; nothing is copied. What is put goes to the pack.
"""

from __future__ import annotations

import math
from heapq import merge
from itertools import groupby
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from sartor.imaging.thumbnail import Thumbnail
from sartor.media.bucket import Bucket

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sartor.media.base import Originals
    from sartor.media.folder import FolderMediaStore

_MAX_WAITING_BYTES = 8 << 20  # of thumbnails in memory before they are written without being asked for


class Pack(Bucket, Protocol):
    """A ``Bucket`` in a file of this host."""

    def require_writable(self) -> None:
        """Check that thumbnails can be put.

        Raises:
            WorkspaceReadOnly: The file can only be read.
        """
        ...

    def damage(self) -> list[str]:
        """What is wrong with the file, in sentences; empty when all is well."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class PackMediaStore:
    """The ``MediaStore`` of a pack.

    A thumbnail waits in memory until ``flush`` writes all that wait in one transaction, or until there are many.

    Args:
        pack: Keeps the thumbnails.
        folder: Has those of before. A thumbnail of the pack is put there, too, for who needs it as a file.
        files: Where it is put if the folder cannot be written.
    """

    def __init__(self, pack: Pack, *, folder: FolderMediaStore, files: FolderMediaStore | None = None) -> None:
        self._pack, self._folder, self._files = pack, folder, files or folder
        self.name = pack.name
        self.originals: Originals | None = None
        self._lock = Lock()
        self._waiting: dict[str, bytes] = {}  # put, and not yet in the pack
        self._waiting_bytes = 0
        self._flushing = Lock()

    def put(self, sha256: str, thumbnail: Thumbnail) -> str:
        name = f"{sha256}.{thumbnail.suffix}"
        if self._folder.keep(name):
            return name
        self._pack.require_writable()  # here, since what waits would fail in a later call
        with self._lock:
            if name not in self._waiting:
                self._waiting[name] = thumbnail.data
                self._waiting_bytes += len(thumbnail.data)
            is_much = self._waiting_bytes >= _MAX_WAITING_BYTES
        if is_much:
            self.flush()
        return name

    def flush(self) -> None:
        with self._flushing:  # who finds nothing to do waits for who is doing it
            with self._lock:
                waiting = dict(self._waiting)
            if waiting:
                self._pack.put_all(waiting)
            with self._lock:
                self._waiting = {name: data for name, data in self._waiting.items() if name not in waiting}
                self._waiting_bytes = sum(map(len, self._waiting.values()))

    def path(self, name: str) -> Path:
        path = self._folder.path(name)
        if path.is_file() or (data := self._packed(name)) is None:
            return path
        sha256, _, suffix = name.partition(".")
        self._files.put(sha256, Thumbnail(data=data, suffix=suffix))
        return self._files.path(name)

    def read(self, name: str) -> bytes:
        self._folder.path(name)  # refuses what is no name
        data = self._packed(name)
        return self._folder.read(name) if data is None else data

    def exists(self, name: str) -> bool:
        if self._folder.exists(name):
            return True
        with self._lock:
            is_waiting = name in self._waiting
        return is_waiting or self._pack.age_s(name) < math.inf

    def keep(self, name: str) -> bool:
        return bool(self.keep_all({name}))

    def keep_all(self, names: Iterable[str]) -> set[str]:
        names = set(names)
        with self._lock:
            waiting = names & self._waiting.keys()
        return waiting | self._pack.keep_all(names) | self._folder.keep_all(names)

    def age_s(self, name: str) -> float:
        in_folder = self._folder.age_s(name)  # refuses what is no name
        self.flush()
        return min(in_folder, self._pack.age_s(name))

    def names(self) -> Iterator[str]:
        self.flush()
        return (name for name, _ in groupby(merge(self._pack.names(), self._folder.names())))

    def delete(self, name: str, *, min_age_s: float = 0.0) -> bool:
        if self._folder.age_s(name) < min_age_s:
            return False
        self.flush()
        return self._pack.delete(name, min_age_s=min_age_s) and self._folder.delete(name, min_age_s=min_age_s)

    def remove_leftovers(self, *, min_age_s: float) -> int:
        self._pack.remove_leftovers(min_age_s=min_age_s)
        return self._folder.remove_leftovers(min_age_s=min_age_s)

    def damage(self) -> list[str]:
        return self._pack.damage()

    def close(self) -> None:
        self._pack.close()

    def _packed(self, name: str) -> bytes | None:
        with self._lock:
            waiting = self._waiting.get(name)
        return self._pack.read(name) if waiting is None else waiting
