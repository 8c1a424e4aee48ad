"""Thumbnails in a bucket on a server, with a folder of this host as a cache.

The bucket is the truth: a thumbnail is kept when the bucket has it. Thumbnails never change, so a file in the
folder is as good as the bucket's, and pages show it while the server is away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sartor.imaging.thumbnail import Thumbnail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sartor.media.folder import FolderMediaStore


class Bucket(Protocol):
    """Files on a server by name, such as GridFS: there whole or not at all, and never changed.

    Every method raises ``StoreAway`` if the server does not answer.
    """

    def put(self, name: str, content: bytes) -> bool:
        """Write a file; returns False, and changes nothing, if there is one of this name."""
        ...

    def read(self, name: str) -> bytes | None:
        """The bytes of a file; None if there is none."""
        ...

    def keep(self, name: str) -> bool:
        """Whether there is a file of this name; its age begins anew."""
        ...

    def age_s(self, name: str) -> float:
        """Seconds since a file was put or kept last; infinity if there is none."""
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
    """

    def __init__(self, bucket: Bucket, *, folder: FolderMediaStore) -> None:
        self._bucket, self._folder = bucket, folder

    def put(self, sha256: str, thumbnail: Thumbnail) -> str:
        name = f"{sha256}.{thumbnail.suffix}"
        self._folder.path(name)  # refuses what is no name
        if self._bucket.put(name, thumbnail.data):  # most are new: asking first would be another call
            self._folder.put(sha256, thumbnail)
        else:
            self._bucket.keep(name)
        return name

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
        if self._bucket.keep(name):
            return True
        return self._folder.exists(name) and self._bucket.put(name, self._folder.read(name))

    def age_s(self, name: str) -> float:
        return self._bucket.age_s(name)

    def names(self) -> Iterator[str]:
        return self._bucket.names()

    def delete(self, name: str, *, min_age_s: float = 0.0) -> bool:
        self._folder.path(name)  # refuses what is no name
        return self._bucket.delete(name, min_age_s=min_age_s) and self._folder.delete(name)

    def remove_leftovers(self, *, min_age_s: float) -> int:
        self._folder.remove_leftovers(min_age_s=min_age_s)
        return self._bucket.remove_leftovers(min_age_s=min_age_s)
