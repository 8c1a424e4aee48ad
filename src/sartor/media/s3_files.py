"""Sources in a bucket of Amazon S3: an object, or the objects below a prefix, as files to read.

Large objects are fetched by boto3's transfer manager, in ranges beside each other; each range asks for the version
that was listed, so a file is never made of two.
"""

from __future__ import annotations

import io
from collections import deque
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boto3.s3.transfer import create_transfer_manager
from botocore.exceptions import ClientError
from s3transfer.exceptions import S3DownloadFailedError
from s3transfer.subscribers import BaseSubscriber

from sartor.catalog.archive import archive_kept_open, is_archive
from sartor.catalog.fetching import RemoteFile
from sartor.catalog.files import FolderFiles
from sartor.catalog.source import Findings
from sartor.errors import PhotoRejected, SartorError, SourceNotFetched
from sartor.limits import MAX_PHOTO_BYTES
from sartor.media.s3_connection import (
    AT_ONCE,
    FAILURES,
    PAGE,
    S3Connection,
    is_missing,
    status,
    transfer_config,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sartor.catalog.fetching import Copy

_RANGE_BYTES = 4 << 20  # that are read at once from an archive on the server
_AHEAD = 4 * AT_ONCE  # objects that are on their way
_HTTP_FORBIDDEN, _HTTP_PRECONDITION = 403, 412
_CHANGED = "it was changed while it was fetched; run the command again"
_START_BYTES = 16


class _Known(BaseSubscriber):  # type: ignore[misc]  # the package has no types
    """Tells the transfer manager what the listing said, which it would ask for otherwise, and counts bytes."""

    def __init__(self, file: RemoteFile, on_bytes: Callable[[int], None]) -> None:
        self._file, self._on_bytes = file, on_bytes

    def on_queued(self, future: Any, **_: Any) -> None:
        future.meta.provide_transfer_size(self._file.size_bytes)
        future.meta.provide_object_etag(self._file.version)

    def on_progress(self, bytes_transferred: int, **_: Any) -> None:
        self._on_bytes(bytes_transferred)


class S3Source:
    """The ``Remote`` of an S3 address: the object of that key, or else the objects below it.

    Args:
        address: ``s3://bucket/key?endpoint=…&region=…``. A slash at its end says that it is a prefix.

    Raises:
        BadAddress: The address cannot be read.
    """

    def __init__(self, address: str) -> None:
        self._connection = S3Connection(address, setting="source")
        where = self._connection.address
        self._is_prefix = not where.prefix or address.partition("?")[0].endswith("/")
        self._key = where.prefix.rstrip("/")
        self._is_single = False  # once it was asked
        self.name = f"s3://{where.bucket}/{self._key}".rstrip("/")
        self.address = address
        self.place = f"{self._connection.client.meta.endpoint_url} {self.name}"

    def files(self) -> tuple[bool, Iterable[RemoteFile]]:
        """Whether it is a single object, and the objects."""
        if not self._is_prefix and (single := self._single()) is not None:
            return True, [single]
        return False, self._below()

    def fetch(
        self, files: Iterable[tuple[RemoteFile, Path]], *, on_bytes: Callable[[int], None]
    ) -> Iterator[tuple[RemoteFile, Path]]:
        """Write objects to paths, many at once; yields each when it is whole."""
        waiting: deque[tuple[RemoteFile, Path, Any]] = deque()
        manager = create_transfer_manager(self._connection.client, transfer_config())
        is_done = False
        try:
            for file, path in files:
                future = manager.download(
                    self._connection.address.bucket,
                    self._key_of(file.name),
                    str(path),
                    subscribers=[_Known(file, on_bytes)],
                )
                waiting.append((file, path, future))
                if len(waiting) > _AHEAD:
                    yield self._finished(*waiting.popleft())
            while waiting:
                yield self._finished(*waiting.popleft())
            is_done = True
        finally:
            manager.shutdown(cancel=not is_done)

    def read(self, name: str) -> bytes:
        """The bytes of a photo, read from the server.

        Raises:
            PhotoRejected: It cannot be had.
        """
        try:
            return self._body(self._key_of(name))
        except FAILURES as error:
            reason = f"cannot be read ({self._connection.understood(error)})"
            raise PhotoRejected(name, reason=reason) from error

    def elsewhere(self, copy: Copy) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """What reads the photos on another host: from this very copy if it sees it, else from the server."""
        return _files_elsewhere, (self.address, copy)

    def as_file(self) -> io.RawIOBase | None:
        """The bytes of the object, read in ranges; None if this is a prefix."""
        single = None if self._is_prefix else self._single()
        return None if single is None else _Object(self._connection, self._key, single)

    def _single(self) -> RemoteFile | None:
        head = self._connection.called(self._head)
        self._is_single = head is not None
        if head is None:
            return None
        name = self._key.rpartition("/")[2]
        return RemoteFile(name=name, version=head["ETag"], size_bytes=head["ContentLength"])

    def _head(self) -> dict[str, Any] | None:
        client, where = self._connection.client, {"Bucket": self._connection.address.bucket, "Key": self._key}
        try:
            head: dict[str, Any] = client.head_object(**where)
        except ClientError as error:
            if is_missing(error):
                return None
            if status(error) == _HTTP_FORBIDDEN:
                client.get_object(**where, Range="bytes=0-0")["Body"].close()  # which says why, as a head cannot
            raise
        return head

    def _below(self) -> Iterator[RemoteFile]:
        prefix, last = self._connection.address.prefix, ""
        while page := self._connection.called(partial(self._page, last)):
            for entry in page:
                name = entry["Key"].removeprefix(prefix)
                if name and not name.endswith("/"):  # consoles make such objects for folders
                    yield RemoteFile(name=name, version=entry["ETag"], size_bytes=entry["Size"])
            last = page[-1]["Key"]

    def _page(self, last: str) -> list[dict[str, Any]]:
        where = self._connection.address
        options = {"StartAfter": last} if last else {}
        page = self._connection.client.list_objects_v2(
            Bucket=where.bucket, Prefix=where.prefix, MaxKeys=PAGE, **options
        )
        return list(page.get("Contents", ()))

    def _key_of(self, name: str) -> str:
        return self._key if self._is_single else self._connection.address.prefix + name

    def _finished(self, file: RemoteFile, path: Path, future: Any) -> tuple[RemoteFile, Path]:
        try:
            future.result()
        except S3DownloadFailedError as error:  # another version
            raise self._changed(file) from error
        except ClientError as error:
            if status(error) == _HTTP_PRECONDITION or is_missing(error):
                raise self._changed(file) from error
            raise self._connection.understood(error) from error
        except Exception as error:
            if isinstance(error, OSError) and not isinstance(error, FAILURES):  # of the disk
                raise
            raise self._connection.understood(error) from error
        return file, path

    def _changed(self, file: RemoteFile) -> SourceNotFetched:
        return SourceNotFetched(
            f"s3://{self._connection.address.bucket}/{self._key_of(file.name)}", reason=_CHANGED
        )

    def _body(self, key: str) -> bytes:
        answer = self._connection.client.get_object(Bucket=self._connection.address.bucket, Key=key)
        with answer["Body"] as stream:
            content: bytes = stream.read(MAX_PHOTO_BYTES + 1)
        return content


class _Object(io.RawIOBase):
    """The bytes of one version of an object, as a file."""

    def __init__(self, connection: S3Connection, key: str, file: RemoteFile) -> None:
        super().__init__()
        self._connection, self._key, self._file = connection, key, file
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.size_bytes}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        end = min(self._position + min(len(buffer), _RANGE_BYTES), self._file.size_bytes)
        if self._position >= end:
            return 0
        try:
            data = self._connection.called(partial(self._range, self._position, end))
        except SartorError as error:
            raise OSError(str(error)) from error
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _range(self, start: int, end: int) -> bytes:
        answer = self._connection.client.get_object(
            Bucket=self._connection.address.bucket,
            Key=self._key,
            Range=f"bytes={start}-{end - 1}",
            IfMatch=self._file.version,
        )
        with answer["Body"] as stream:
            content: bytes = stream.read()
        return content


@lru_cache(maxsize=2)  # a process that reads for others is asked for a few photos at a time
def _files_elsewhere(address: str, copy: Copy) -> Any:
    """What has a method ``read`` for the photos of a source, in a process on another host or on the same."""
    if copy.is_seen():
        if copy.path.is_dir():
            return FolderFiles(copy.path, Findings())
        return _opened_zip(copy.path, copy.path.open("rb", buffering=0)) or FolderFiles(
            copy.path.parent, Findings()
        )
    source = S3Source(address)
    raw = source.as_file()
    return (None if raw is None else _opened_zip(Path(source.name), raw)) or source


def _opened_zip(path: Path, raw: io.RawIOBase) -> Any:
    """The files of an archive, which stays open as long as the process; None if it is none."""
    if path.suffix.lower() != ".zip" and not is_archive(raw.read(_START_BYTES) or b""):
        raw.close()
        return None
    raw.seek(0)
    return archive_kept_open(path, raw=raw)
