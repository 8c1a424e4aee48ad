"""Thumbnails in a folder, one file for each photo.

A file gets its final name only when it is complete and on disk. So a kill at any moment leaves at worst a
temporary file, which the next start removes.
"""

from __future__ import annotations

import errno
import math
import os
import re
import secrets
import time
from typing import TYPE_CHECKING

from sartor.errors import PhotoRejected, WorkspaceReadOnly, WorkspaceUnusable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sartor.imaging.thumbnail import Thumbnail
    from sartor.media.base import Originals

THUMBNAIL_NAME = re.compile(r"[0-9a-f]{64}\.(?:jpg|png|webp)")
_TEMPORARY_SUFFIX = ".part"
_LOCKED = {errno.EROFS, errno.EACCES, errno.EPERM}  # of a directory that cannot be written


class FolderMediaStore:
    """The ``MediaStore`` of files ``root/{first two hex digits}/{sha256}.{suffix}``.

    Args:
        root: The folder.
        durable: Whether a thumbnail is on disk when it was put; the cache of a bucket need not be.
    """

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        self._root, self._durable = root, durable
        self.name = str(root)
        self.originals: Originals | None = None

    def put(self, sha256: str, thumbnail: Thumbnail) -> str:
        name = f"{sha256}.{thumbnail.suffix}"
        path = self.path(name)
        try:
            if not self._renew(name):
                path.parent.mkdir(parents=True, exist_ok=True)
                _write_whole(path, thumbnail.data, durable=self._durable)
        except OSError as error:
            if error.errno in _LOCKED:
                raise WorkspaceReadOnly(self._root) from error
            reason = f"the thumbnail {name} cannot be written ({error.strerror})"
            raise WorkspaceUnusable(self._root, reason=reason) from error
        return name

    def flush(self) -> None:
        """Nothing to do: each is on disk when it was put."""

    def path(self, name: str) -> Path:
        if not THUMBNAIL_NAME.fullmatch(name):
            raise PhotoRejected(repr(name), reason="is not the name of a thumbnail")
        return self._root / name[:2] / name

    def read(self, name: str) -> bytes:
        try:
            return self.path(name).read_bytes()
        except FileNotFoundError as error:
            raise PhotoRejected(name, reason="is no longer kept; index its source again") from error

    def exists(self, name: str) -> bool:
        return self.path(name).is_file()

    def keep(self, name: str) -> bool:
        try:
            return self._renew(name)
        except OSError as error:
            if error.errno in _LOCKED:
                raise WorkspaceReadOnly(self._root) from error
            raise

    def _renew(self, name: str) -> bool:
        try:
            os.utime(self.path(name))
        except FileNotFoundError:
            return False
        return True

    def keep_all(self, names: Iterable[str]) -> set[str]:
        return {name for name in names if self.keep(name)}

    def age_s(self, name: str) -> float:
        return _age_s(self.path(name))

    def names(self) -> Iterator[str]:
        for folder in sorted(self._root.glob("[0-9a-f][0-9a-f]")):
            for name in sorted(os.listdir(folder)):  # noqa: PTH208 - four times as fast as Path.iterdir
                if THUMBNAIL_NAME.fullmatch(name) and name.startswith(folder.name):
                    yield name

    def delete(self, name: str, *, min_age_s: float = 0.0) -> bool:
        return _delete(self.path(name), min_age_s)

    def remove_leftovers(self, *, min_age_s: float) -> int:
        return sum(_delete(path, min_age_s) for path in self._root.glob(f"[0-9a-f][0-9a-f]/*{_TEMPORARY_SUFFIX}"))

    def damage(self) -> list[str]:
        """None: each file is there whole or not at all."""
        return []

    def close(self) -> None:
        """Nothing to do: no file stays open."""


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def _delete(path: Path, min_age_s: float) -> bool:
    if min_age_s and _age_s(path) < min_age_s:
        return False
    path.unlink(missing_ok=True)
    return True


def _write_whole(path: Path, content: bytes, *, durable: bool) -> None:
    """Write a file so that its name holds all of it or does not exist."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}{_TEMPORARY_SUFFIX}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
