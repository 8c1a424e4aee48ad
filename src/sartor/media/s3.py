"""Thumbnails and uploaded sources in a bucket of Amazon S3 or of a server that speaks its protocol.

Through boto3, because it has what the contract needs: a copy of an object onto itself with new metadata, and the
``Date`` of each answer. obstore moves many bytes faster, but has neither; s3fs pins a driver of years ago.

A delete must not hit a thumbnail that another process finds at that moment, and S3 has no delete that depends on
the age of an object. So who deletes writes a claim first, then looks at the age, deletes, and takes the claim
away. Who renews the age then looks for a claim, and last whether the object is still there. S3 is strongly
consistent, so either the first sees the new age, or the second sees the claim or the loss.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html.
"""

from __future__ import annotations

import logging
import math
import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

from sartor.errors import MediaAway
from sartor.limits import SERVER_CALL_S, UNFINISHED_UPLOAD_AGE_S, UNUSED_PHOTO_AGE_S
from sartor.media.s3_connection import (
    ATTEMPTS,
    FAILURES,
    PAGE,
    S3Address,
    S3Connection,
    is_missing,
    sentence,
    status,
    transfer_config,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

__all__ = ["CACHE_CONTROL", "OWNER", "S3Address", "S3Bucket"]

logger = logging.getLogger(__name__)

CACHE_CONTROL = "public, max-age=31536000, immutable"
_CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
OWNER = "workspace"  # the object that says whose thumbnails these are
_SOURCES = "sources/"  # what the keys of uploaded sources begin with
_SOURCE_NAME = re.compile(f"{_SOURCES}[0-9a-f]{{16}}/[^/]+")  # others are not Sartor's
_CLAIMS = "deleting/"  # what the keys of claims begin with
_CLAIM_S = 60.0  # age of a claim whose process was killed
_HESITATION = 6  # who has not looked at the age in this part of it deletes nothing, as a delete may take long, too
_ASK_S = 0.05  # between two looks at a claim
_TICK_S = 1.0  # times of the protocol are in whole seconds, so an age may be so much off
_KEPT = "kept-s"  # metadata: when a thumbnail was needed again, in seconds since 1970 by the server's clock
_PAGE = PAGE
_HTTP_CONFLICT, _HTTP_PRECONDITION = 409, 412


class S3Bucket:
    """The ``Bucket`` of an S3 address. Threads may share it.

    The key of an object is the prefix and the name of the thumbnail. An object is written by one call, so it is
    there whole or not at all, and never with other content.

    Ages are by the server's clock. A thumbnail that is needed again gets the time as metadata, but only if it is
    older than ``renew_after_s``, so that an index that is run again copies little. So it may have been needed that
    much later than its object says; ages are told, and files deleted, as if it had been.

    Args:
        address: See ``S3Address.parse``. The key is read from the environment, or from where else Amazon's clients
            look for it.
        renew_after_s: Age from which a thumbnail that is needed again is renewed.
        call_s: Seconds that a call may take, with its repetitions.

    Raises:
        BadAddress: The address cannot be read.
        WorkspaceUnusable: The server knows no such bucket or key, or refuses to list it.
        MediaAway: The server does not answer.
    """

    def __init__(
        self, address: str, *, renew_after_s: float = UNUSED_PHOTO_AGE_S / 2, call_s: float = SERVER_CALL_S
    ) -> None:
        self._connection = S3Connection(address, call_s=call_s)
        self._address, self._client = self._connection.address, self._connection.client
        self.name = self._connection.name
        self._renew_after_s, self._call_s = renew_after_s, call_s
        self._connection.called(partial(self._page, "", limit=1))
        self._connection.is_open = True

    def claim(self, workspace_id: str) -> str:
        """Note whose thumbnails these are, unless that is noted already; returns who is noted.

        Raises:
            MediaAway: The server does not answer.
        """
        body = workspace_id.encode()
        key = self._address.prefix + OWNER
        call = partial(self._create, key, Body=body, ContentType="text/plain")
        if self._connection.called(call):
            return workspace_id
        noted = self._connection.called(partial(self._body, key))
        return workspace_id if noted is None else noted.decode(errors="replace")

    def put_all(self, contents: Mapping[str, bytes]) -> None:
        """Write files, some at once; of those that are there already, only the age begins anew.

        Raises:
            MediaAway: The server does not answer; what it took stays, and the rest can be put again.
            WorkspaceUnusable: It refuses a file.
        """
        self._connection.all(partial(self._put, name, content) for name, content in contents.items())

    def read(self, name: str) -> bytes | None:
        """The bytes of a file; None if there is none."""
        return self._connection.called(partial(self._body, self._key(name)))

    def keep_all(self, names: Iterable[str]) -> set[str]:
        """Those of the names that have a file; their age begins anew."""
        names = list(names)
        return {
            name
            for name, kept in zip(
                names, self._connection.all(partial(self._keep, name) for name in names), strict=True
            )
            if kept
        }

    def age_s(self, name: str) -> float:
        """Seconds since a file may have been put or kept last; infinity if there is none."""
        head = self._connection.called(partial(self._head, name))
        return math.inf if head is None else max(0.0, _age_s(head) - self._renew_after_s)

    def names(self) -> Iterator[str]:
        """Names of all files, sorted."""
        last = ""
        while page := self._connection.called(partial(self._page, last)):
            for key in page:
                name = key.removeprefix(self._address.prefix)
                if "/" not in name and name != OWNER:
                    yield name
            last = page[-1]

    def delete(self, name: str, *, min_age_s: float = 0.0) -> bool:
        """Delete a file that was put or kept at least so many seconds ago; returns whether it is gone.

        A file that another process is deleting just now is not gone.
        """
        return self._connection.called(partial(self._delete, name, min_age_s))

    def put_source(self, name: str, file: BinaryIO) -> str:
        """Upload a source, a large one in parts, and return its address.

        An object of the same name has the same content, so the name has to follow from that. One that is older
        than ``renew_after_s`` is uploaded again, as it may be swept just now.
        """
        name = _SOURCES + name
        for _ in range(ATTEMPTS):
            try:
                head = self._head(name)
                if head is not None and _age_s(head) + _TICK_S < self._renew_after_s:
                    break
                file.seek(0)
                self._client.upload_fileobj(
                    file,
                    self._address.bucket,
                    self._key(name),
                    ExtraArgs={"ContentType": "application/zip"},
                    Config=transfer_config(),
                )
                if self._stays(name):
                    break
            except FAILURES as error:
                raise self._connection.understood(error) from error
        else:
            raise MediaAway(self.name, reason=f"{name} comes and goes")
        return self._address.below(name)

    def delete_sources(self, in_use: Collection[str], *, min_age_s: float) -> int:
        """Delete uploaded sources that are not in use and were uploaded at least so many seconds ago."""
        deleted, last = 0, ""
        while page := self._connection.called(partial(self._page, last, _SOURCES)):
            for key in page:
                name = key.removeprefix(self._address.prefix)
                if _SOURCE_NAME.fullmatch(name) and f"s3://{self._address.bucket}/{key}" not in in_use:
                    deleted += self.delete(name, min_age_s=min_age_s)
            last = page[-1]
        return deleted

    def remove_leftovers(self, *, min_age_s: float) -> int:
        """Delete what killed processes have left, if it is at least so old; returns how many pieces.

        Those are claims, and the parts of uploads that broke off, which nobody sees but which are paid for. A
        thumbnail is written by one call, not in parts.
        """
        claims = self._connection.called(partial(self._page, "", _CLAIMS))
        aborted = self._connection.called(partial(self._abort_uploads, max(min_age_s, UNFINISHED_UPLOAD_AGE_S)))
        return aborted + sum(
            self._connection.called(partial(self._delete_claim, key, max(min_age_s, _CLAIM_S))) for key in claims
        )

    # Calls, which may run in any thread

    def _abort_uploads(self, min_age_s: float) -> int:
        where = {"Bucket": self._address.bucket}
        try:
            page = self._client.list_multipart_uploads(**where, Prefix=self._key(_SOURCES))
            old = [
                upload
                for upload in page.get("Uploads", ())
                if (_date(page) - upload["Initiated"]).total_seconds() >= min_age_s
            ]
            for upload in old:
                self._client.abort_multipart_upload(**where, Key=upload["Key"], UploadId=upload["UploadId"])
        except ClientError as error:  # the key may lack the right, and the server the call; nothing depends on it
            logger.info("unfinished uploads stay: media=%s reason=%s", self.name, sentence(error))
            return 0
        return len(old)

    def _put(self, name: str, content: bytes) -> None:
        headers = {
            "Body": content,
            "ContentType": _CONTENT_TYPES[name.rpartition(".")[2]],
            "CacheControl": CACHE_CONTROL,
        }
        for _ in range(ATTEMPTS):  # another process may delete it just when this one finds it
            if self._create(self._key(name), **headers) or self._keep(name):
                return
        raise MediaAway(self.name, reason=f"{name} comes and goes")

    def _create(self, key: str, **headers: Any) -> bool:
        """Write an object unless there is one; of several writers, one wins."""
        try:
            self._client.put_object(Bucket=self._address.bucket, Key=key, IfNoneMatch="*", **headers)
        except ClientError as error:
            if status(error) not in {_HTTP_PRECONDITION, _HTTP_CONFLICT}:
                raise
            return False
        return True

    def _keep(self, name: str) -> bool:
        head = self._head(name)
        if head is None:
            return False
        if _age_s(head) + _TICK_S < self._renew_after_s:
            return True
        return self._renew(name, now=_date(head)) and self._stays(name)

    def _renew(self, name: str, *, now: datetime) -> bool:
        """Note when a thumbnail was needed; returns whether it is there."""
        bucket, key = self._address.bucket, self._key(name)
        try:
            self._client.copy_object(
                Bucket=bucket,
                Key=key,
                CopySource={"Bucket": bucket, "Key": key},
                MetadataDirective="REPLACE",  # only so may an object be copied onto itself
                Metadata={_KEPT: str(int(now.timestamp()))},  # versitygw leaves LastModified as it is
                ContentType=_CONTENT_TYPES[name.rpartition(".")[2]],
                CacheControl=CACHE_CONTROL,
            )
        except ClientError as error:
            if not is_missing(error):
                raise
            return False
        return True

    def _stays(self, name: str) -> bool:
        """Whether a thumbnail that was renewed is there, once no process is deleting it that saw its old age."""
        deadline_s = time.monotonic() + self._call_s / 2
        while (claim := self._head(_CLAIMS + name)) is not None and _age_s(claim) < _CLAIM_S:
            if time.monotonic() > deadline_s:
                raise MediaAway(self.name, reason=f"another process has been deleting {name} for long")
            time.sleep(_ASK_S)
        return self._head(name) is not None

    def _head(self, name: str) -> dict[str, Any] | None:
        try:
            head: dict[str, Any] = self._client.head_object(Bucket=self._address.bucket, Key=self._key(name))
        except ClientError as error:
            if not is_missing(error):
                raise
            return None
        return head

    def _body(self, key: str) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=self._address.bucket, Key=key)
        except ClientError as error:
            if not is_missing(error):
                raise
            return None
        with answer["Body"] as stream:
            content: bytes = stream.read()
        return content

    def _page(self, last: str, within: str = "", *, limit: int | None = None) -> list[str]:
        options = {"StartAfter": last} if last else {}
        page = self._client.list_objects_v2(
            Bucket=self._address.bucket, Prefix=self._address.prefix + within, MaxKeys=limit or _PAGE, **options
        )
        return [entry["Key"] for entry in page.get("Contents", ())]

    def _delete(self, name: str, min_age_s: float) -> bool:
        if min_age_s <= 0:
            self._client.delete_object(Bucket=self._address.bucket, Key=self._key(name))
            return True
        if not self._is_older(name, min_age_s):
            return self._head(name) is None
        claim = self._key(_CLAIMS + name)
        started_s = time.monotonic()
        if not self._create(claim):
            self._delete_claim(claim, _CLAIM_S)  # so that the next sweep can
            return False
        try:
            is_old = self._is_older(name, min_age_s)
            if is_old and time.monotonic() - started_s < _CLAIM_S / _HESITATION:
                self._client.delete_object(Bucket=self._address.bucket, Key=self._key(name))
        finally:
            self._client.delete_object(Bucket=self._address.bucket, Key=claim)
        return self._head(name) is None

    def _is_older(self, name: str, min_age_s: float) -> bool:
        head = self._head(name)
        return head is not None and _age_s(head) - _TICK_S >= min_age_s + self._renew_after_s

    def _delete_claim(self, key: str, min_age_s: float) -> bool:
        head = self._head(key.removeprefix(self._address.prefix))
        if head is None or _age_s(head) < min_age_s:
            return False
        self._client.delete_object(Bucket=self._address.bucket, Key=key)
        return True

    def _key(self, name: str) -> str:
        return self._address.prefix + name


def _date(head: Mapping[str, Any]) -> datetime:
    """The time of an answer by the server's clock."""
    date = head["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(date) if date else datetime.now(UTC)


def _age_s(head: Mapping[str, Any]) -> float:
    """Seconds since an object was written or renewed, by the server's clock, to a second."""
    written: datetime = head["LastModified"]
    kept = str(head.get("Metadata", {}).get(_KEPT, ""))
    newest_s = max(written.timestamp(), float(kept) if kept.isdecimal() else 0.0)
    return max(0.0, _date(head).timestamp() - newest_s)
