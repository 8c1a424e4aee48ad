"""Thumbnails in a bucket on a server, with a folder of this host as a cache.

The bucket is the truth: a thumbnail is kept when the bucket has it. Thumbnails never change, so a file in the
folder is as good as the bucket's, and pages show it while the server is away.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Protocol

from sartor.imaging.thumbnail import Thumbnail
from sartor.media.folder import THUMBNAIL_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from sartor.media.base import Originals
    from sartor.media.folder import FolderMediaStore


class Bucket(Protocol):
    """Files on a server by name, such as GridFS or S3: there whole or not at all, and never changed.

    Every method raises ``MediaAway``, or ``StoreAway`` where the server is the store's, if it does not answer.

    Attributes:
        name: What messages call it, without a password.
    """

    name: str

    def put_all(self, contents: Mapping[str, bytes]) -> None:
        """Write files; of those that are there already, only the age begins anew."""
        ...

    def read(self, name: str) -> bytes | None:
        """The bytes of a file; None if there is none."""
        ...

    def keep_all(self, names: Iterable[str]) -> set[str]:
        """Those of the names that have a file, in few calls; their age begins anew."""
        ...

    def age_s(self, name: str) -> float:
        """Seconds since a file may have been put or kept last; infinity if there is none."""
        ...

    def names(self) -> Iterator[str]:
        """Names of all files, sorted."""
        ...

    def delete(self, name: str, *, min_age_s: float = 0.0) -> bool:
        """Delete a file that was put or kept at least so many seconds ago; returns whether it is gone."""
        ...

    def remove_leftovers(self, *, min_age_s: float) -> int:
        """Delete what killed processes left half-written at least so long ago; returns how many files."""
        ...


class BucketMediaStore:
    """The ``MediaStore`` of a bucket.

    Args:
        bucket: Keeps the thumbnails for all hosts.
        folder: Has those that this host has put or read.
        originals: Keeps uploaded sources, where the server can.
    """

    def __init__(self, bucket: Bucket, *, folder: FolderMediaStore, originals: Originals | None = None) -> None:
        self._bucket, self._folder, self.originals = bucket, folder, originals
        self.name = bucket.name
        self._lock = Lock()
        self._waiting: dict[str, bytes] = {}  # put, and not yet in the bucket
        self._flushing = Lock()

    def put(self, sha256: str, thumbnail: Thumbnail) -> str:
        name = self._folder.put(sha256, thumbnail)
        with self._lock:
            self._waiting[name] = thumbnail.data
        return name

    def flush(self) -> None:
        with self._flushing:  # who finds nothing to do waits for who is doing it
            with self._lock:
                waiting = dict(self._waiting)
            if waiting:
                self._bucket.put_all(waiting)
            with self._lock:
                self._waiting = {name: data for name, data in self._waiting.items() if name not in waiting}

    def path(self, name: str) -> Path:
        path = self._folder.path(name)
        if not path.is_file() and (data := self._bucket.read(name)) is not None:
            sha256, _, suffix = name.partition(".")
            self._folder.put(sha256, Thumbnail(data=data, suffix=suffix))
        return path

    def read(self, name: str) -> bytes:
        self.path(name)
        return self._folder.read(name)

    def exists(self, name: str) -> bool:
        return self.path(name).is_file()

    def keep(self, name: str) -> bool:
        return bool(self.keep_all({name}))

    def keep_all(self, names: Iterable[str]) -> set[str]:
        names = set(names)
        kept = self._bucket.keep_all(names)
        with self._lock:
            kept |= names & self._waiting.keys()
        local = {name: self._folder.read(name) for name in names - kept if self._folder.exists(name)}
        if local:
            self._bucket.put_all(local)
        return kept | local.keys()

    def age_s(self, name: str) -> float:
        self.flush()
        return self._bucket.age_s(name)

    def names(self) -> Iterator[str]:
        self.flush()
        return (name for name in self._bucket.names() if THUMBNAIL_NAME.fullmatch(name))

    def delete(self, name: str, *, min_age_s: float = 0.0) -> bool:
        self._folder.path(name)  # refuses what is no name
        self.flush()
        return self._bucket.delete(name, min_age_s=min_age_s) and self._folder.delete(name)

    def remove_leftovers(self, *, min_age_s: float) -> int:
        self._folder.remove_leftovers(min_age_s=min_age_s)
        return self._bucket.remove_leftovers(min_age_s=min_age_s)

    def damage(self) -> list[str]:
        """None: the server looks after its files."""
        return []

    def close(self) -> None:
        """Nothing to do: what was put and not flushed belongs to no photo of the store."""
